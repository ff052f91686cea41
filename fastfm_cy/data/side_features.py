"""Features of users or items: rows that are matched to ids."""

from __future__ import annotations

from typing import Any

import numpy as np

from .csr import CSRRows
from .interactions import Ids, check_ids
from .matrix_checks import check_rows


def split_ids(features: Any, name: str) -> tuple[np.ndarray | None, Any]:
    """(ids or None, matrix) of features as users pass them in: a matrix, or a tuple (ids, matrix);
    the index of a pandas frame holds ids, too."""
    if isinstance(features, tuple):
        if len(features) != 2:
            raise ValueError(f"{name} must be a matrix or a tuple (ids, matrix).")
        ids, matrix = features
        return check_ids(ids, name), matrix
    if hasattr(features, "columns") and hasattr(features, "index"):
        return check_ids(features.index.to_numpy(), name), features
    return None, features


def check_features(
    features: Any, ids: Ids | None, n_rows: int, dtype: str, name: str, n_jobs: int = 1
) -> CSRRows:
    """Features of all users or items, a row each, by number.

    Parameters
    ----------
    features : matrix or (ids, matrix)
        With ids, rows in any order; without, row r is that of number r.
    ids : Ids or None
        Of the users or items; None if they are rows or columns of a matrix.
    n_rows : int
    name : str
        For error messages.
    """
    raw, matrix = split_ids(features, name)
    rows = check_any(matrix, dtype, name, n_jobs)
    if ids is None or raw is None:
        if ids is not None:
            raise ValueError(
                f"{name} need ids, since the interactions have them: pass a tuple (ids, matrix)."
            )
        if rows.n_rows != n_rows:
            raise ValueError(f"{name} has {rows.n_rows} rows; there are {n_rows} to describe.")
        return rows
    if len(raw) != rows.n_rows:
        raise ValueError(f"{name} has {len(raw)} ids and {rows.n_rows} rows.")
    numbers = Ids(ids.values).numbers_of(raw)
    if len(np.unique(raw)) < len(raw):
        values, counts = np.unique(raw, return_counts=True)
        raise ValueError(f"{name} has {values[np.argmax(counts)]!r} twice.")
    place = np.full(len(ids), -1, dtype=np.int64)
    place[numbers[numbers >= 0]] = np.flatnonzero(numbers >= 0)
    missing = np.flatnonzero(place < 0)
    if missing.size:
        one = ids.values[missing[0] : missing[0] + 1].tolist()[0]
        raise ValueError(f"{name} has no row for {one!r} ({missing.size} missing in all).")
    return rows.take(place)


def check_any(matrix: Any, dtype: str, name: str, n_jobs: int = 1) -> CSRRows:
    """A matrix of features; errors name it."""
    return check_rows(matrix, dtype, n_jobs, name=name, least_features=0)
