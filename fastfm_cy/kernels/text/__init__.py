"""Kernels that read and write text and libFM's binary files."""
