"""Halves of a sweep: one side's rows, their observed pairs, and the vectors of the other side."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import sparse

from ...data.csr import CSRRows
from ...model.sides import Side
from ...utils.memory import aligned_zeros
from ...utils.threads import in_parts

_ROWS_A_PRODUCT = 4096  # the same for any number of threads, and so are the sums


@dataclass
class Half:
    """What the kernels take: kernels/whole_data/pairs.pxi says what everything is.

    Parameters
    ----------
    vectors, others : arrays of shape (n_rows, width), (n_others, width)
    indptr, partners : int64 and int32 arrays
    weights, targets : arrays of shape (n_pairs,) or None
    weight, target : float
        Of all pairs, where these are None.
    constant : int
    gram : array of shape (width, width)
        Set before each half of a sweep.
    """

    vectors: np.ndarray
    others: np.ndarray
    indptr: np.ndarray
    partners: np.ndarray
    weights: np.ndarray | None
    targets: np.ndarray | None
    weight: float
    target: float
    constant: int
    gram: np.ndarray

    @property
    def n_rows(self) -> int:
        return len(self.indptr) - 1

    def row_sums(self) -> np.ndarray:
        """What the observed pairs of each row weigh."""
        counts = np.diff(self.indptr).astype(np.float64)
        if self.weights is None:
            return self.weight * counts
        return np.bincount(np.repeat(np.arange(self.n_rows), np.diff(self.indptr)),
                           self.weights, minlength=self.n_rows)  # fmt: skip


def half_of(
    rows: np.ndarray, columns: np.ndarray, weights: np.ndarray, targets: np.ndarray,
    vectors: np.ndarray, others: np.ndarray, constant: int,
) -> Half:  # fmt: skip
    """A half, from pairs in any order."""
    order = np.lexsort((columns, rows))
    indptr = np.zeros(len(vectors) + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=len(vectors)), out=indptr[1:])
    dtype = vectors.dtype

    def of_pairs(values: np.ndarray) -> np.ndarray | None:
        return None if (values == values[0]).all() else values[order].astype(dtype)

    return Half(
        vectors, others, indptr, columns[order].astype(np.int32), of_pairs(weights),
        of_pairs(targets), float(weights[0]), float(targets[0]), constant,
        aligned_zeros((vectors.shape[1],) * 2, dtype),
    )  # fmt: skip


@dataclass
class Columns:
    """The features of a side's rows, column by column, and their parameters.

    Parameters
    ----------
    rows : CSRRows
        Of the side's rows.
    starts, row_of, values : arrays
        The rows that have feature l: row_of[starts[l]:starts[l + 1]], with these values.
    n_own : int
        How many features are of one row each, and come first.
    lines, errors : arrays
        Room for the kernels.
    """

    rows: CSRRows
    starts: np.ndarray
    row_of: np.ndarray
    values: np.ndarray
    n_own: int
    lines: np.ndarray
    errors: np.ndarray


def columns_of(rows: CSRRows, n_own: int, n_pairs: int, line_width: int) -> Columns:
    dtype = rows.data.dtype
    matrix = sparse.csc_array(rows.as_matrix())
    return Columns(
        rows, matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32),
        np.ascontiguousarray(matrix.data), n_own,
        aligned_zeros((rows.n_rows, line_width), dtype), np.zeros(n_pairs, dtype),
    )  # fmt: skip


def frequencies(rows: CSRRows | None, weights: np.ndarray) -> np.ndarray:
    """What all pairs of each feature weigh together, given what those of each row do."""
    if rows is None:
        return weights
    of_entries = np.repeat(weights, np.diff(rows.indptr)) * rows.data.astype(np.float64) ** 2
    return np.bincount(rows.indices, of_entries, minlength=rows.n_features)


def fill_vectors(
    vectors: np.ndarray, side: Side, n_factors: int, constant: int, n_jobs: int
) -> None:
    """Write the vectors of a side's rows, and their constants if there are any."""
    of_rows, constants = side.vectors(len(vectors), n_jobs)
    vectors[:, :n_factors] = of_rows[:, :n_factors]
    if constant >= 0:
        vectors[:, constant] = constants


def gram_of(vectors: np.ndarray, n_jobs: int) -> np.ndarray:
    """The sum of all v v' in double precision; the same bits for any number of threads, where
    BLAS has one."""
    cuts = [*range(0, len(vectors), _ROWS_A_PRODUCT), len(vectors)]
    parts = [vectors[first:last] for first, last in pairwise(cuts)]
    width = vectors.shape[1]

    def products(first: int, last: int) -> list[np.ndarray]:
        return [part.T @ part for part in parts[first:last]]

    total = np.zeros((width, width))
    for some in in_parts(products, len(parts), len(vectors) * width**2, n_jobs):
        for product in some:
            total += product
    return total
