"""Sets of features: rows with several entries of one field."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .field import Part

NORMS = {None: None, "l1": "l1", "l2": "l2"}


def check_normalize(normalize: str | None) -> None:
    if normalize not in NORMS:
        raise ValueError(f"normalize must be None, 'l1' or 'l2'; got {normalize!r}.")


def sets_of(
    indptr: NDArray[np.int64],
    features: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    normalize: str | None,
) -> sparse.csr_array:
    """The set of each row: its features in ascending order, each once.

    Parameters
    ----------
    indptr : where each row's features begin
    features : global numbers; negative ones are left out
    weights : of each entry, summed if a feature is there twice; None: all are 1
    normalize : None, "l1" or "l2"
    """
    kept = features >= 0
    if not kept.all():
        indptr = np.concatenate([[0], np.cumsum(kept)])[indptr]
        features = features[kept]
        weights = None if weights is None else weights[kept]
    data = np.ones(len(features)) if weights is None else weights.astype(np.float64)
    shape = len(indptr) - 1, int(features.max(initial=0)) + 1
    sets = sparse.csr_array((data, features.copy(), indptr), shape=shape)
    sets.sum_duplicates()
    if weights is None:
        sets.data[:] = 1
    else:
        sets.eliminate_zeros()
    if normalize is not None and sets.nnz:
        size = np.abs(sets.data) if normalize == "l1" else sets.data**2
        length = np.add.reduceat(np.append(size, 0), sets.indptr[:-1])
        length = length if normalize == "l1" else np.sqrt(length)
        sets.data /= np.repeat(length, np.diff(sets.indptr))
    return sets


def part_of(sets: sparse.csr_array, rows: NDArray[Any] | None, dtype: np.dtype[Any]) -> Part:
    """The sets, or rows[i]'s for row i, as a field's part."""
    if rows is not None:
        sets = sets[rows]
    with np.errstate(over="ignore"):
        values = sets.data.astype(dtype)
    return sets.indices.astype(np.int32, copy=False), values, sets.indptr.astype(np.int64)
