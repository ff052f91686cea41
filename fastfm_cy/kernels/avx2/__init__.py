"""Builds of the hot kernels for CPUs with AVX2 and FMA."""
