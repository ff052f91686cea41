"""Kernels that visit one row at a time; sources of the builds in baseline/ and avx2/."""
