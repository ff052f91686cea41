"""Builds of the hot kernels for any CPU."""
