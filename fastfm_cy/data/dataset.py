"""A data set in memory: rows, targets and what belongs to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Dataset:
    """Rows, targets and what else a file holds. ``X, y = dataset`` takes the first two.

    ``model.fit(dataset)`` takes all that it knows, ``model.predict(dataset)`` the rows.

    Attributes
    ----------
    X : csr_array of shape (n_rows, n_features)
        int32 columns, as the file has them: rows may be unsorted.
    y : ndarray of shape (n_rows,), float64, or None
        The targets.
    weights : ndarray of shape (n_rows,), float64, or None
        Of the rows.
    fields : csr_array of shape (n_rows, n_features), int32, or None
        The field of each entry of X, stored in the same order. Field 0 is stored, too.
    query : ndarray of shape (n_rows,), int64, or None
        The rows' groups (qid) in ranking.
    feature_names : list of str or None
        From a table's header.
    skipped : list of ParseError
        The first 1000 lines that were left out (``on_error="skip"``).
    n_skipped : int
        How many there were in all.
    target_name : str or None
        From a table's header, too.
    format : str or None
        Of the file that it was read from.
    """

    X: sparse.csr_array
    y: np.ndarray | None
    weights: np.ndarray | None = None
    fields: sparse.csr_array | None = None
    query: np.ndarray | None = None
    feature_names: list | None = None
    skipped: list = field(default_factory=list)
    n_skipped: int = 0
    target_name: str | None = None
    format: str | None = None

    def __iter__(self) -> Iterator[Any]:
        return iter((self.X, self.y))
