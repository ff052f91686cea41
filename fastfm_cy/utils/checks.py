"""Checks of single values and arrays that users pass in; matrices have _matrix.py.

Each error says what is wrong and where.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_array, check_scalar


def check_integer(value, name, minimum):
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be an integer, not {value!r}.")
    return check_scalar(value, name, Integral, min_val=minimum)


def check_real(value, name, minimum=0.0, *, above=False):
    """A finite real number of at least (with `above`: above) `minimum`."""
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be a number, not {value!r}.")
    boundary = "neither" if above else "left"
    check_scalar(value, name, Real, min_val=minimum, include_boundaries=boundary)
    if not np.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}.")
    return value


def check_bool(value, name):
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}.")
    return bool(value)


def check_choice(value, name, choices):
    """The entry of `choices` (a dict) that `value` names."""
    if not isinstance(value, str) or value not in choices:
        names = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {names}; got {value!r}.")
    return choices[value]


def check_weights(sample_weight, n_rows):
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


def check_not_all_zero(weights):
    if not weights.any():
        raise ValueError(
            "Sample weights must contain at least one non-zero number; with class_weight and "
            "dtype applied, none is left."
        )


def check_cast(values, dtype, name):
    """`values` in `dtype`, or an error that names the first row that does not fit."""
    with np.errstate(over="ignore"):
        cast = values.astype(dtype)
    bad = np.flatnonzero(~np.isfinite(cast))
    if bad.size:
        raise ValueError(
            f"{name} is too large for {np.dtype(dtype)} in row {bad[0]} ({values[bad[0]]}); "
            "rescale it or use dtype='float64'."
        )
    return cast


def check_callbacks(callbacks):
    """A list of functions, from one, several or None."""
    callbacks = [callbacks] if callable(callbacks) else callbacks or []
    if not isinstance(callbacks, list | tuple) or not all(map(callable, callbacks)):
        raise TypeError(
            "callbacks must be a function of (estimator, history) or a list of them; got "
            f"{callbacks!r}."
        )
    return list(callbacks)


def check_eval_set(eval_set):
    """(X, y, weights or None) of a validation set."""
    if not isinstance(eval_set, tuple) or len(eval_set) not in (2, 3):
        raise ValueError(
            "eval_set must be a tuple (X, y) or (X, y, sample_weight), one validation set."
        )
    return (*eval_set, None)[:3]
