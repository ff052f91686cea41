"""Analysis: what bounds the speed, and what a change changed."""
