"""Data files: one format a file."""
