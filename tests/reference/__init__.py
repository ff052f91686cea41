"""Slow, obvious definitions that the kernels are checked against."""
