"""Checks of targets, sample weights and validation sets; errors say what is wrong and where."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from ..utils.checks import or_float64


def check_target(y: Any, X: Any, *, is_numeric: bool) -> np.ndarray:
    """The target as a 1-D array, as long as X; numbers if `is_numeric`, else labels of any type."""
    dtype = np.float64 if is_numeric else None
    y = check_array(column_or_1d(y, warn=True), dtype=dtype, ensure_2d=False, input_name="y")
    check_consistent_length(X, y)
    return y


def check_weights(sample_weight: Any, n_rows: int) -> np.ndarray | None:
    """Sample weights as a float64 array of shape (n_rows,), or None."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_rows, sample_weight)
    weights = check_array(
        sample_weight,
        dtype=np.float64,
        ensure_2d=False,
        ensure_all_finite=False,
        input_name="sample_weight",
    )
    if weights.shape != (n_rows,):
        raise ValueError(
            f"sample_weight must be of shape ({n_rows},), one weight a row; got {weights.shape}."
        )
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if bad.size:
        raise ValueError(
            f"sample_weight must be finite and not negative; row {bad[0]} has {weights[bad[0]]}."
        )
    return weights


def check_not_all_zero(weights: np.ndarray) -> None:
    if not weights.any():
        raise ValueError(
            "Sample weights must contain at least one non-zero number; with class_weight and "
            "dtype applied, none is left."
        )


def check_cast(values: np.ndarray, dtype: Any, name: str) -> np.ndarray:
    """`values` in `dtype`, or an error that names the first row that does not fit."""
    with np.errstate(over="ignore"):
        cast = values.astype(dtype)
    bad = np.flatnonzero(~np.isfinite(cast))
    if bad.size:
        raise ValueError(
            f"{name} is too large for {np.dtype(dtype)} in row {bad[0]} ({values[bad[0]]}); "
            f"rescale it{or_float64(dtype)}."
        )
    return cast


def check_eval_set(eval_set: Any) -> tuple[Any, Any, Any]:
    """(X, y, weights or None) of a validation set."""
    if not isinstance(eval_set, tuple) or len(eval_set) not in (2, 3):
        raise ValueError(
            "eval_set must be a tuple (X, y) or (X, y, sample_weight), one validation set."
        )
    return (*eval_set, None)[:3]
