"""Model files: one kind a file."""
