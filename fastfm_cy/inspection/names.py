"""Names of features and of fields: as the user, the encoder or the model has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.fields import hashes_of

_NAMES_A_HASH = 3  # of features that share a hash


@dataclass(frozen=True)
class FeatureNames:
    """Names of the features of X, and of the rows of the table that have their weights."""

    names: np.ndarray | None
    """Of X's features; None: "x0", "x1", ..."""
    n_hash: int | None = None

    def of_columns(self, columns: np.ndarray) -> np.ndarray:
        """Names of features of X."""
        if self.names is not None:
            return self.names[columns]
        return np.array([f"x{column}" for column in columns.tolist()], dtype=object)

    def of_table(self, features: np.ndarray, columns: np.ndarray | None = None) -> np.ndarray:
        """Names of the table's features.

        Parameters
        ----------
        features : int array of shape (n,)
        columns : increasing int array, default=None
            Features of X that may be meant, where they are hashed.
        """
        if self.n_hash is None:
            return self.of_columns(features)
        if columns is None and self.names is not None:
            columns = np.arange(len(self.names))
        if columns is None:
            return np.array([f"hash {feature}" for feature in features.tolist()], dtype=object)
        hashes = hashes_of(columns, self.n_hash)
        order = np.argsort(hashes, kind="stable")
        columns, hashes = columns[order], hashes[order]
        firsts = np.searchsorted(hashes, features)
        lasts = np.searchsorted(hashes, features, side="right")
        names = [
            self._joined(columns[first:last]) if last > first else f"hash {feature}"
            for feature, first, last in zip(features.tolist(), firsts, lasts, strict=True)
        ]
        return np.array(names, dtype=object)

    def _joined(self, columns: np.ndarray) -> str:
        names = " | ".join(map(str, self.of_columns(columns[:_NAMES_A_HASH])))
        n_more = len(columns) - _NAMES_A_HASH
        return f"{names} | {n_more} more" if n_more > 0 else names


@dataclass(frozen=True)
class Fields:
    """The fields of X's features."""

    of_features: np.ndarray
    """int array of shape (n_features,), numbers of fields from 0."""
    names: np.ndarray
    """By their numbers."""

    def number(self, field: Any) -> int:
        """The number of a field that the user names, or gives the number of."""
        found = np.flatnonzero(self.names == str(field)) if isinstance(field, str) else []
        if len(found):
            return int(found[0])
        if isinstance(field, int | np.integer) and 0 <= field < len(self.names):
            return int(field)
        known = ", ".join(map(str, self.names[:10]))
        raise ValueError(f"There is no field {field!r}; the fields are {known}.")


def field_names(names: Any, n_fields: int) -> np.ndarray:
    """Names of fields by their numbers; "0", "1", ... if there are none, or not enough."""
    if names is None or len(names) < n_fields:
        names = map(str, range(n_fields))
    return np.array(list(names), dtype=object)


def check_names(names: Any, n_features: int) -> np.ndarray:
    """Names of features that a user gives, of any type."""
    checked = np.asarray(names)
    if checked.ndim != 1 or len(checked) != n_features:
        raise ValueError(
            f"names must hold a name a feature, shape ({n_features},); got shape {checked.shape}."
        )
    return checked if checked.dtype.kind in "iu" else checked.astype(object)


def check_fields(fields: Any, n_features: int) -> Fields:
    """Fields of features that a user gives: numbers, or names."""
    given = np.asarray(fields)
    if given.ndim != 1 or len(given) != n_features or given.dtype.kind == "f":
        raise ValueError(
            f"fields must hold the number or the name of each feature's field, shape "
            f"({n_features},); got shape {given.shape}, {given.dtype}."
        )
    if given.dtype.kind in "iu":
        if given.min(initial=0) < 0:
            raise ValueError(f"fields must not be negative; feature {given.argmin()} has one.")
        return Fields(given.astype(np.int64), field_names(None, int(given.max(initial=0)) + 1))
    found, numbers = np.unique(given.astype(str), return_inverse=True)
    return Fields(numbers, found.astype(object))
