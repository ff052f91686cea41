"""Intervals of what a Bayesian machine's draws say; the middle one of a level."""

from __future__ import annotations

import numpy as np

from ..utils.checks import check_real
from .columns import Columns


def check_level(level: float) -> float:
    """A share between 0 and 1."""
    checked = check_real(level, "level", above=True)
    if checked >= 1:
        raise ValueError(f"level must lie between 0 and 1; got {level}.")
    return checked


def bounds(draws: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Low and high ends, given numbers a draw: shape (n_draws, n) -> twice (n,)."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def with_interval(columns: Columns, draws: np.ndarray, level: float, prefix: str = "") -> Columns:
    """The columns and, of several draws, "low" and "high"."""
    if len(draws) > 1:
        columns[f"{prefix}low"], columns[f"{prefix}high"] = bounds(draws, level)
    return columns
