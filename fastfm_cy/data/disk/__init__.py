"""Data sets on disk: folders of arrays, read chunk by chunk."""
