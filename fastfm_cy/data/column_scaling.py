"""Column scaling: columns far from unit scale are brought there before training.

x' = (x - centre) / scale. Ones, counts, tf-idf weights and rows of unit length are left alone, and
cost no more than a look; so are columns that were standardised already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from .csr import CSRRows

# The root mean square of a column's values is left alone between these, ...
_SMALLEST, _LARGEST = 0.01, 3.0
# ... and a column that most rows have also needs a mean within so many standard deviations of zero,
# and a standard deviation between these.
_FARTHEST, _NARROWEST, _WIDEST = 0.5, 1 / 3, 3.0
_MOST_ROWS = 0.8  # the share of rows that have a column which is centred
_BLOCK = 1 << 16  # values that are looked at a time
_ENTRIES_A_PART = 1 << 17
_SAMPLE = 64  # rows whose common columns may be in most rows


@dataclass(frozen=True)
class ColumnScaling:
    """What is done to columns, as float64 arrays of shape (n_features,)."""

    centre: np.ndarray
    scale: np.ndarray

    @property
    def n_features(self) -> int:
        return len(self.scale)

    def grown(self, n_features: int) -> ColumnScaling:
        """For more features; the new ones are left alone."""
        more = n_features - self.n_features
        if more <= 0:
            return self
        return ColumnScaling(
            np.concatenate([self.centre, np.zeros(more)]),
            np.concatenate([self.scale, np.ones(more)]),
        )

    def apply(self, rows: CSRRows) -> CSRRows:
        """The rows with scaled columns; those that are centred are in all of them."""
        scaling = self.grown(rows.n_features)
        data = rows.data / scaling.scale[rows.indices]
        centred = np.flatnonzero(scaling.centre)
        if not len(centred):
            return replace(rows, data=data.astype(rows.data.dtype))
        shift = -(scaling.centre / scaling.scale)[centred]
        n_rows = rows.n_rows
        shifts = sparse.csr_array(
            (
                np.tile(shift, n_rows),
                np.tile(centred, n_rows),
                np.arange(n_rows + 1) * len(centred),
            ),
            shape=(n_rows, rows.n_features),
        )
        X = sparse.csr_array((data, rows.indices, rows.indptr), shape=shifts.shape) + shifts
        X.sort_indices()
        return CSRRows(
            X.indptr.astype(np.int64), X.indices.astype(np.int32),
            X.data.astype(rows.data.dtype), rows.n_features,
        )  # fmt: skip


class ColumnMoments:
    """Counts, sums and sums of squares of the columns' values, of rows that come in parts."""

    def __init__(self, n_features: int) -> None:
        self.n_rows = 0.0
        self.counts, self.sums, self.squares = np.zeros((3, n_features))

    def add(self, rows: CSRRows, weights: np.ndarray | None = None) -> None:
        """Take in some rows, which may count more or less than once; a part of them at a time."""
        self.n_rows += rows.n_rows if weights is None else float(weights.sum())
        step = max(_ENTRIES_A_PART, rows.n_features) * rows.n_rows // max(1, rows.n_entries)
        for first in range(0, rows.n_rows, max(1, step)):
            last = min(first + max(1, step), rows.n_rows)
            self._add_part(rows, weights, first, last)

    def _add_part(self, rows: CSRRows, weights: np.ndarray | None, first: int, last: int) -> None:
        entries, n_features = slice(rows.indptr[first], rows.indptr[last]), len(self.counts)
        columns, values = rows.indices[entries], rows.data[entries].astype(np.float64)
        counting = values
        if weights is None:
            self.counts += np.bincount(columns, minlength=n_features)
        else:
            of_entries = np.repeat(weights[first:last], np.diff(rows.indptr[first : last + 1]))
            self.counts += np.bincount(columns, of_entries, n_features)
            counting = of_entries * values
        self.sums += np.bincount(columns, counting, n_features)
        counting = counting * values
        self.squares += np.bincount(columns, counting, n_features)

    def scaling(self, *, centres: bool) -> ColumnScaling | None:
        """The scaling that the columns need, or None if all are to be left alone.

        Parameters
        ----------
        centres : bool
            Whether columns may be centred, which takes a bias and linear terms to fold back.
        """
        counts, n_rows = self.counts, self.n_rows or 1.0
        size = np.sqrt(self.squares / np.where(counts > 0, counts, 1))
        centre, scale = np.zeros(len(counts)), np.ones(len(counts))
        is_far = (counts > 0) & ((size < _SMALLEST) | (size > _LARGEST))
        scale[is_far] = size[is_far]
        if centres:
            means = self.sums / n_rows
            deviations = np.sqrt(np.maximum(self.squares / n_rows - means**2, 0))
            common = (counts >= _MOST_ROWS * n_rows) & (deviations > 1e-6 * np.abs(means))
            odd = common & (
                (np.abs(means) > _FARTHEST * deviations)
                | (deviations < _NARROWEST)
                | (deviations > _WIDEST)
            )
            centre[odd], scale[odd] = means[odd], deviations[odd]
            scale[common & ~odd] = 1.0
        if not centre.any() and (scale == 1).all():
            return None
        return ColumnScaling(centre, scale)


def learn_scaling(
    rows: CSRRows, weights: np.ndarray | None = None, *, centres: bool
) -> ColumnScaling | None:
    """The scaling that the columns of rows in memory need, or None; `centres` as above.

    `weights` are those of the rows: the scaling is that of rows which stand there so often.
    """
    if not rows.n_entries:
        return None
    may_centre = centres and _has_common_columns(rows)
    if weights is None and not may_centre and _are_of_unit_size(rows.data):
        return None
    moments = ColumnMoments(rows.n_features)
    moments.add(rows, weights)
    return moments.scaling(centres=centres)


def _are_of_unit_size(values: np.ndarray) -> bool:
    """Whether no column can be far from unit size; without a copy of the values."""
    for start in range(0, len(values), _BLOCK):
        sizes = np.abs(values[start : start + _BLOCK])
        if sizes.min() < _SMALLEST or sizes.max() > _LARGEST:
            return False
    return True


def _has_common_columns(rows: CSRRows) -> bool:
    """Whether there may be columns in most rows: those of most rows of a sample."""
    sample = np.unique(np.linspace(0, rows.n_rows - 1, _SAMPLE).astype(np.int64))
    parts = [rows.indices[rows.indptr[row] : rows.indptr[row + 1]] for row in sample]
    _, counts = np.unique(np.concatenate(parts), return_counts=True)
    return bool((counts >= 0.6 * len(sample)).any())
