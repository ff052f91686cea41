"""How the learning rate changes from epoch to epoch."""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float, float, int, int], float]


def _inverse_scaling(rate: float, power_t: float, epoch: int, max_iter: int) -> float:
    try:
        return rate / (1 + epoch) ** power_t
    except OverflowError:  # of a power beyond the range of numbers
        return 0.0


def _cosine(rate: float, power_t: float, epoch: int, max_iter: int) -> float:
    """From the full rate almost to zero (Loshchilov & Hutter, ICLR 2017, without restarts)."""
    return rate * 0.5 * (1 + math.cos(math.pi * epoch / max_iter))


SCHEDULES: dict[str, Schedule | None] = {
    "constant": None,
    "invscaling": _inverse_scaling,
    "cosine": _cosine,
}
"""Functions of (rate, power_t, epoch from 0, max_iter); None: the rate stays."""
