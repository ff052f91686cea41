"""Kernels of losses over all pairs of two sides; sources of the builds in baseline/ and avx2/."""
