"""Models: what is learned and how it scores; families, parameter tables, losses, posteriors."""
