"""Kernels that look through or copy CSR matrices."""
