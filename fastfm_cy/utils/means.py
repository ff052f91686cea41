"""Means that are finite wherever their values are."""

from __future__ import annotations

from typing import Any

import numpy as np


def weighted_mean(values: np.ndarray, weights: np.ndarray | None = None) -> Any:
    """np.average; where its sums overflow, of values and weights that are scaled first."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.average(values, weights=weights)
    largest = np.abs(values).max()
    if np.isfinite(mean) or not np.isfinite(largest):
        return mean
    if weights is not None:
        weights = weights / weights.max()
    return largest * np.average(values / largest, weights=weights)


def summable(weights: np.ndarray) -> np.ndarray:
    """Weights in proportion to these, whose sum is finite."""
    with np.errstate(over="ignore"):
        return weights if np.isfinite(weights.sum()) else weights / weights.max() / len(weights)
