"""Kernels of ranking: pairs of rows, items for users, top-N."""
