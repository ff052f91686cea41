"""Quantiles of mixtures of normals."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

_MOST_STEPS = 60  # a handful is usual; if all halve the bracket, it is tight by then
_CLOSE = 1e-9


def mixture_quantile(means: np.ndarray, scale: np.ndarray, level: float) -> np.ndarray:
    """Of mixtures of normals, one a column of `means`: Newton's method, held by a bracket."""
    low, high = (means - 9 * scale).min(axis=0), (means + 9 * scale).max(axis=0)
    spread = np.sqrt(means.var(axis=0) + np.mean(scale**2))
    quantile = np.clip(means.mean(axis=0) + spread * ndtri(level), low, high)
    for _ in range(_MOST_STEPS):
        distances = (quantile - means) / scale
        excess = ndtr(distances).mean(axis=0) - level
        density = (np.exp(-0.5 * distances**2) / scale).mean(axis=0) / np.sqrt(2 * np.pi)
        low, high = np.where(excess < 0, quantile, low), np.where(excess < 0, high, quantile)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            following = quantile - excess / density
        inside = (low <= following) & (following <= high)
        following = np.where(inside, following, (low + high) / 2)
        change, quantile = np.abs(following - quantile), following
        if (change <= _CLOSE * spread).all():
            break
    return quantile
