"""Speed: seconds, and ratios to peers or bounds."""
