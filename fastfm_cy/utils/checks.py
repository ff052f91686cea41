"""Checks of single values that users pass in. Each error says what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
from sklearn.utils import check_scalar

Value = TypeVar("Value")


def check_integer(value: Any, name: str, minimum: int) -> int:
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be an integer, not {value!r}.")
    return check_scalar(value, name, Integral, min_val=minimum)


def check_real(value: Any, name: str, minimum: float = 0.0, *, above: bool = False) -> float:
    """A finite real number of at least (with `above`: above) `minimum`."""
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be a number, not {value!r}.")
    boundary = "neither" if above else "left"
    check_scalar(value, name, Real, min_val=minimum, include_boundaries=boundary)
    if not np.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}.")
    return value


def check_bool(value: Any, name: str) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}.")
    return bool(value)


def check_choice(value: Any, name: str, choices: Mapping[str, Value]) -> Value:
    """The entry of `choices` (a dict) that `value` names."""
    if not isinstance(value, str) or value not in choices:
        names = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {names}; got {value!r}.")
    return choices[value]
