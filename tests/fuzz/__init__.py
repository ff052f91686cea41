"""Fuzzing of whatever reads bytes, and of configurations: see __main__.py."""
