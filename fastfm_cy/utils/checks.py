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
        raise TypeError(f"{name} must be an integer, not {shown(value)}.")
    return check_scalar(value, name, Integral, min_val=minimum)


def check_real(value: Any, name: str, minimum: float = 0.0, *, above: bool = False) -> float:
    """A finite real number of at least (with `above`: above) `minimum`."""
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be a number, not {shown(value)}.")
    boundary = "neither" if above else "left"
    check_scalar(value, name, Real, min_val=minimum, include_boundaries=boundary)
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{name} must fit into float64; it is an integer too large.") from None
    if not np.isfinite(number):
        raise ValueError(f"{name} must be finite, got {value}.")
    if above and not number > minimum:
        raise ValueError(f"{name} must be above {minimum} as float64, too; got {shown(value)}.")
    return number


def shown(value: Any) -> str:
    """A value for messages, as Python writes it: 1.0 rather than np.float64(1.0)."""
    if isinstance(value, np.generic):
        return repr(value.item())
    if type(value) in (list, tuple):
        brackets = "[]" if isinstance(value, list) else "()"
        comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return f"{brackets[0]}{', '.join(map(shown, value))}{comma}{brackets[1]}"
    return repr(value)


def or_float64(dtype: Any) -> str:
    """Advice that does not name what is in use already."""
    return "" if np.dtype(dtype) == np.float64 else " or use dtype='float64'"


def plain_number(value: Any) -> Any:
    """An int or a float for any number, so that arithmetic does not depend on its type; all else
    as it is."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def check_bool(value: Any, name: str) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {shown(value)}.")
    return bool(value)


def check_choice(value: Any, name: str, choices: Mapping[str, Value]) -> Value:
    """The entry of `choices` (a dict) that `value` names."""
    if not isinstance(value, str) or value not in choices:
        names = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {names}; got {shown(value)}.")
    return choices[value]
