"""Gradient solvers: training one row at a time."""
