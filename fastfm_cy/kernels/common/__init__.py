"""Kernels' common parts: structs, losses, vectors, settings."""
