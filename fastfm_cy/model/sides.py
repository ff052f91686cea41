"""Sides of a score: rows of features over a table of parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..data.csr import CSRRows
from ..kernels.dispatch import ranking
from ..utils.threads import in_parts
from .table import ParameterTable


@dataclass(frozen=True)
class Side:
    """Users, contexts, items, or whole rows: what the kernels of kernels/ranking take.

    Parameters
    ----------
    rows : CSRRows or None
        Features of each row, sorted; None: row r is feature r with value 1.
    table : ParameterTable
    strengths : training.regularization.Strengths or None
        For the rows of the table; None where nothing is trained.
    starts_with_own : bool
        Whether row r's first feature is number r.
    interacts : bool
        Whether the features of a row interact among themselves.
    is_frozen : bool
        Whether training leaves the table as it is.
    """

    rows: CSRRows | None
    table: ParameterTable
    strengths: Any = None
    starts_with_own: bool = False
    interacts: bool = False
    is_frozen: bool = False

    def with_columns(self, columns: np.ndarray) -> Side:
        """The same rows with other numbers for their features."""
        if self.rows is None:
            return self
        return replace(self, rows=replace(self.rows, indices=columns))

    def vectors(self, n_rows: int, n_jobs: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """q of each row, shape (n_rows, n_padded), and its constant, shape (n_rows,)."""
        width = self.table.n_padded
        vectors = np.zeros((n_rows, width), dtype=self.table.dtype)
        constants = np.zeros(n_rows, dtype=self.table.dtype)

        def compute(first: int, last: int) -> None:
            ranking.row_vectors(self, vectors, constants, first, last)

        entries = n_rows if self.rows is None else self.rows.n_entries
        in_parts(compute, n_rows, entries * max(1, width), n_jobs)
        return vectors, constants


def joined_rows(
    n_rows: int, features: CSRRows | None, dtype: str, *, own: bool, n_own: int
) -> CSRRows | None:
    """Rows of features numbered behind n_own numbers, with each row's own number before them if
    `own`; None if they are nothing but their own numbers."""
    if features is None:
        if own:
            return None
        empty = np.zeros(0, dtype=np.int32)
        return CSRRows(np.zeros(n_rows + 1, np.int64), empty, empty.astype(dtype), n_own)
    indices = features.indices + np.int32(n_own)
    n_features = n_own + features.n_features
    if not own:
        return CSRRows(features.indptr, indices.astype(np.int32), features.data, n_features)
    numbers = np.arange(n_rows)
    indptr = features.indptr + np.arange(n_rows + 1)
    is_own = np.zeros(len(indices) + n_rows, dtype=bool)
    is_own[indptr[:-1]] = True
    columns = np.empty(len(is_own), dtype=np.int32)
    data = np.ones(len(is_own), dtype=dtype)
    columns[is_own], columns[~is_own] = numbers, indices
    data[~is_own] = features.data
    return CSRRows(indptr, columns, data, n_features)


def no_rows(dtype: str) -> CSRRows:
    """Rows of a side that is not there."""
    empty = np.zeros(0, dtype=np.int32)
    return CSRRows(np.zeros(1, np.int64), empty, empty.astype(dtype), 0)
