"""Kernels that visit a column at a time; sources of the builds in baseline/ and avx2/."""
