"""Utilities that know nothing of factorization machines: checks of scalars, memory, threads."""
