"""Assembly of the fields' parts to one CSR matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.csr import matrix_of
from ..data.field_matrix import FieldMatrix
from ..kernels.matrix.interleave import interleave
from ..utils.threads import in_parts
from .field import Part


def assemble(
    parts: list[Part],
    n_rows: int,
    n_features: int,
    dtype: np.dtype[Any],
    *,
    is_sorted: bool,
    n_jobs: int,
) -> FieldMatrix:
    """The matrix whose rows are those of the parts side by side.

    Parameters
    ----------
    is_sorted : bool
        Whether each part's columns are all behind those of the parts before it.
    """
    counts = np.zeros(n_rows, dtype=np.int64)
    for columns, _, indptr in parts:
        counts += columns >= 0 if indptr is None else np.diff(indptr)
    starts = np.concatenate([[0], counts.cumsum()])
    indices = np.empty(starts[-1], dtype=np.int32)
    data = np.empty(starts[-1], dtype=dtype)

    def fill(first: int, last: int) -> None:
        interleave(parts, starts, indices, data, first, last)

    in_parts(fill, n_rows, int(starts[-1]), n_jobs)
    X: FieldMatrix = matrix_of(data, indices, starts, (n_rows, n_features), FieldMatrix)
    if is_sorted:
        X.has_sorted_indices = True
    else:
        X.has_sorted_indices = False
        X.sort_indices()
    X.has_canonical_format = True
    return X
