"""Checks of single values that come from model files: of what type, in what range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .codec import require


def is_a(*types: type) -> Callable:
    def check(value: Any) -> None:
        require(isinstance(value, types), "attribute")

    return check


def count(value: Any) -> None:
    require(type(value) is int and 0 <= value < 2**63, "number")


def history(value: Any) -> None:
    require(isinstance(value, dict), "history")
    for name, numbers in value.items():
        require(isinstance(name, str) and isinstance(numbers, list), "history")
        require(all(isinstance(number, float) for number in numbers), "history")


def settings(value: Any) -> None:
    """Of what tuning chose."""
    is_a(dict)(value)
    for name, number in value.items():
        if name not in ("max_iter", "learning_rate", "l2_linear", "l2_factors"):
            raise ValueError(f"tuned_ has {name!r}")
        is_a(int, float)(number)
        if not 0 <= number < float("inf"):
            raise ValueError(f"{name} is {number!r}")


def labels(value: Any) -> None:
    require(isinstance(value, np.ndarray) and value.ndim == 1 and len(value) >= 2, "classes")
    require(len(np.unique(value)) == len(value), "classes")
    require(value.dtype.kind != "f" or np.isfinite(value).all(), "classes")


def target_range(value: Any) -> None:
    low, high = value
    require(isinstance(value, tuple) and float(low) <= float(high), "range of targets")
    require(float(low) < np.inf and float(high) > -np.inf, "range of targets")


def fields(value: Any) -> None:
    is_array = isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "iu"
    require(value is None or is_array, "fields")


def optional_count(value: Any) -> None:
    if value is not None:
        count(value)


def optional_tuple(value: Any) -> None:
    require(value is None or isinstance(value, tuple), "optimiser state")


def columns(value: Any) -> None:
    require(isinstance(value, list) and len(value) in (2, 3), "column scaling")
    for numbers in value[:2]:
        require(isinstance(numbers, np.ndarray) and numbers.dtype == np.float64, "column scaling")
        require(numbers.ndim == 1 and bool(np.isfinite(numbers).all()), "column scaling")
    require(len(value[0]) == len(value[1]) and bool((value[1] > 0).all()), "column scaling")
    for numbers in value[2:]:
        require(numbers.shape == value[0].shape and numbers.dtype.kind in "iu", "column scaling")
        require(len(numbers) > 0 and numbers.min() >= 0, "column scaling")
        require(bool((np.diff(numbers) > 0).all()), "column scaling")


def target_scale(value: Any) -> None:
    require(isinstance(value, tuple) and len(value) == 2, "target scale")
    location, spread = value
    require(bool(np.isfinite(float(location))) and 0 < float(spread) < np.inf, "target scale")
