"""Strengths of regularisation: one for all features, one a group, or one a feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_array

from ..utils.checks import check_real

NAMES = ("l1_linear", "l2_linear", "l1_factors", "l2_factors")  # the columns of the kernel's table


@dataclass(frozen=True)
class Strengths:
    """What the kernels take.

    Parameters
    ----------
    values : array of shape (n_groups, 4)
        In the table's dtype, columns as in NAMES.
    groups : int32 array of shape (n_features,), or None if there is one group
    """

    values: np.ndarray
    groups: np.ndarray | None = None

    @property
    def has_l1(self) -> bool:
        return bool(self.values[:, [0, 2]].any())

    @property
    def means(self) -> dict[str, float]:
        """Mean strength of each of NAMES."""
        return dict(zip(NAMES, self.values.mean(axis=0, dtype=float), strict=True))

    def of_rows(self, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """Array of shape (n_rows, 4), or (1, 4) if there is one group."""
        return self.values if self.groups is None else self.values[self.groups[rows]]


def check_strengths(
    strengths: Mapping[str, Any], feature_groups: Any, n_features: int, dtype: Any
) -> Strengths:
    """Strengths from an estimator's parameters.

    Parameters
    ----------
    strengths : dict of str: float or array
        By NAMES. An array holds a number a group or, without groups, a number a feature.
    feature_groups : array of shape (n_features,) or None
    n_features : int
    dtype : data type

    Returns
    -------
    Strengths
    """
    groups = check_groups(feature_groups, n_features)
    arrays = {name: value for name, value in strengths.items() if np.ndim(value)}
    if groups is None and arrays:
        groups = np.arange(n_features, dtype=np.int32)
        n_groups, what = n_features, "feature"
    else:
        n_groups, what = 1 if groups is None else int(groups.max(initial=0)) + 1, "group"
    values = np.empty((n_groups, len(NAMES)), dtype=dtype)
    for column, name in enumerate(NAMES):
        values[:, column] = _checked_column(strengths[name], name, n_groups, what)
    return Strengths(values, groups)


def _checked_column(value: Any, name: str, n_groups: int, what: str) -> float | np.ndarray:
    if np.ndim(value) == 0:
        return check_real(value, name)
    array = check_array(value, dtype=np.float64, ensure_2d=False, input_name=name)
    if array.shape != (n_groups,):
        raise ValueError(
            f"{name} must be a number or hold one number a {what}, shape ({n_groups},); got shape "
            f"{array.shape}."
        )
    if (array < 0).any():
        where = int(np.argmax(array < 0))
        raise ValueError(f"{name} must not be negative; {what} {where} has {array[where]}.")
    return array


def check_groups(feature_groups: Any, n_features: int) -> np.ndarray | None:
    """Group numbers as an int32 array of shape (n_features,), or None."""
    if feature_groups is None:
        return None
    groups = check_array(
        feature_groups, dtype=None, ensure_2d=False, ensure_min_samples=0,
        input_name="feature_groups",
    )  # fmt: skip
    if groups.shape != (n_features,):
        raise ValueError(
            f"feature_groups must hold a group a feature, shape ({n_features},); got shape "
            f"{groups.shape}."
        )
    if groups.dtype.kind not in "iu":
        raise TypeError(f"feature_groups must be integers, not {groups.dtype}.")
    if n_features and not (groups.min() >= 0 and groups.max() < max(1, n_features)):
        raise ValueError(
            "feature_groups must be numbers from 0, fewer than features; got "
            f"{groups.min()} to {groups.max()}."
        )
    return groups.astype(np.int32)
