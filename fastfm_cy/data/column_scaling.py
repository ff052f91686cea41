"""Column scaling: columns far from unit scale are brought there before training.

x' = (x - centre) / scale. Ones, counts, tf-idf weights and rows of unit length are left alone, and
cost no more than a look; so are columns that were standardised already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from ..utils.means import summable
from .csr import CSRRows, has_gaps

# The root mean square of a column's values is left alone between these, ...
_SMALLEST, _LARGEST = 0.01, 3.0
# ... and a column that most rows have also needs a mean within so many standard deviations of zero,
# and a standard deviation between these.
_FARTHEST, _NARROWEST, _WIDEST = 0.5, 1 / 3, 3.0
_MOST_ROWS = 0.8  # the share of rows that have a column which is centred
_BLOCK = 1 << 16  # values that are looked at a time
_ENTRIES_A_PART = 1 << 17
_MOST = 1e150  # whose square is a number
_SAMPLE = 64  # rows whose common columns may be in most rows


@dataclass(frozen=True)
class ColumnScaling:
    """What is done to columns, as float64 arrays with a number a column."""

    centre: np.ndarray
    scale: np.ndarray
    columns: np.ndarray | None = None
    """Rising numbers of these columns, where most never occur; None: the first ones. All others are
    left alone."""

    @property
    def n_features(self) -> int:
        """Of those up to the last that is scaled."""
        return len(self.scale) if self.columns is None else int(self.columns[-1]) + 1

    def of(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Centre and scale of each of these columns."""
        if self.columns is None:
            places, known = columns, columns < len(self.scale)
        else:
            places = np.searchsorted(self.columns, columns)
            known = self.columns.take(places, mode="clip") == columns
        centre, scale = self.centre.take(places, mode="clip"), self.scale.take(places, mode="clip")
        return np.where(known, centre, 0.0), np.where(known, scale, 1.0)

    def apply(self, rows: CSRRows) -> CSRRows:
        """The rows with scaled columns; those that are centred are in all of them."""
        rows = rows.with_own_columns()
        data = rows.data / self.of(rows.indices)[1]
        places = np.flatnonzero(self.centre)
        centred = places if self.columns is None else self.columns[places]
        if not len(centred):
            return replace(rows, data=data.astype(rows.data.dtype))
        shift = -(self.centre / self.scale)[places]
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
        self._largest: np.ndarray | None = None
        """Of columns with values whose squares may be no numbers."""

    def add(self, rows: CSRRows, weights: np.ndarray | None = None) -> None:
        """Take in some rows, which may count more or less than once; a part of them at a time."""
        self.n_rows += rows.n_rows if weights is None else float(weights.sum())
        step = max(_ENTRIES_A_PART, rows.n_features) * rows.n_rows // max(1, rows.n_entries)
        for first in range(0, rows.n_rows, max(1, step)):
            last = min(first + max(1, step), rows.n_rows)
            self._add_part(rows, weights, first, last)

    def _add_part(self, rows: CSRRows, weights: np.ndarray | None, first: int, last: int) -> None:
        entries, n_features = slice(rows.indptr[first], rows.indptr[last]), len(self.counts)
        columns = np.clip(rows.indices[entries], 0, n_features - 1)  # as with_own_columns
        values = rows.data[entries].astype(np.float64)
        counting = values
        if weights is None:
            self.counts += np.bincount(columns, minlength=n_features)
        else:
            of_entries = np.repeat(weights[first:last], np.diff(rows.indptr[first : last + 1]))
            self.counts += np.bincount(columns, of_entries, n_features)
            with np.errstate(over="ignore"):
                counting = of_entries * values
        with np.errstate(over="ignore", invalid="ignore"):  # what matters of it is noted below
            self.sums += np.bincount(columns, counting, n_features)
            self.squares += np.bincount(columns, counting * values, n_features)
        self._note_extremes(columns, np.abs(values))

    def _note_extremes(self, columns: np.ndarray, sizes: np.ndarray) -> None:
        extreme = (sizes > _MOST) | (sizes < 1 / _MOST)
        if not extreme.any():
            return
        if self._largest is None:
            self._largest = np.zeros(len(self.counts))
        np.maximum.at(self._largest, columns[extreme], sizes[extreme])

    def take(self, other: ColumnMoments) -> None:
        """Take in those of other rows."""
        self.n_rows += other.n_rows
        self.counts += other.counts
        self.sums += other.sums
        self.squares += other.squares
        if other._largest is not None:
            mine = 0.0 if self._largest is None else self._largest
            self._largest = np.maximum(mine, other._largest)

    def scaling(self, *, centres: bool, shortens: bool = False) -> ColumnScaling | None:
        """The scaling that the columns need, or None if all are to be left alone.

        Parameters
        ----------
        centres : bool
            Whether columns may be centred, which takes a bias and linear terms to fold back.
        shortens : bool
            Whether what the columns that are scaled, or that most rows have, make of a row is
            brought to unit length on average, if it is longer.
        """
        counts, n_rows = self.counts, self.n_rows or 1.0
        with np.errstate(over="ignore"):  # only of extreme columns
            size = np.sqrt(self.squares / np.where(counts > 0, counts, 1))
        if self._largest is not None:  # in place of the root mean square
            is_extreme = (size > _MOST) | ((size < 1 / _MOST) & (self._largest > 0))
            size[is_extreme] = self._largest[is_extreme]
            centres = centres and not is_extreme.any()
        centre, scale = np.zeros(len(counts)), np.ones(len(counts))
        is_far = (counts > 0) & (size > 0) & ((size < _SMALLEST) | (size > _LARGEST))
        scale[is_far] = size[is_far]
        if centres:
            with np.errstate(over="ignore", invalid="ignore"):  # such columns are not centred
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
        if shortens:
            dense = (counts >= _MOST_ROWS * n_rows) | (scale != 1)
            squares = self._mean_squares(centre, scale)[dense]
            scale[dense] *= np.sqrt(max(1.0, squares.sum()))
        if not centre.any() and (scale == 1).all():
            return None
        return ColumnScaling(centre, scale)

    def _mean_squares(self, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Of all rows' values of each column, scaled; one where they are too far apart to say."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            about = self.squares - 2 * centre * self.sums + self.n_rows * centre**2
            squares = about / (self.n_rows or 1.0) / scale**2
        return np.where(np.isfinite(squares), np.maximum(squares, 0), 1.0)


def learn_scaling(
    rows: CSRRows, weights: np.ndarray | None = None, *, centres: bool, shortens: bool = False
) -> ColumnScaling | None:
    """The scaling that the columns of rows in memory need, or None; words as above.

    `weights` are those of the rows: the scaling is that of rows which stand there so often.
    """
    if not rows.n_entries:
        return None
    if weights is None and needs_no_scaling(rows, centres=centres or shortens):
        return None
    present = None
    if has_gaps(rows.n_features, rows.n_entries):
        present, places = np.unique(rows.indices, return_inverse=True)
        rows = replace(rows, indices=places.astype(np.int32), n_features=len(present))
    moments = ColumnMoments(rows.n_features)
    moments.add(rows, None if weights is None else summable(weights))
    scaling = moments.scaling(centres=centres, shortens=shortens)
    return scaling and replace(scaling, columns=present)


def needs_no_scaling(rows: CSRRows, *, centres: bool) -> bool:
    """Whether a look at the rows is enough to say so."""
    return not (centres and _has_common_columns(rows)) and _are_of_unit_size(rows.data)


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
