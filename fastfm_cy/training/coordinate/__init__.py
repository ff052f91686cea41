"""Coordinate solvers: training one column at a time."""
