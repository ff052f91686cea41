"""From the matrices that users pass in to what the kernels take.

Each error says what is wrong and where. The arrays of a sparse matrix are checked before anything
converts it, since conversions in compiled code trust its indices. Whatever is trusted later is a
copy, made before it is checked, so that nobody changes it in between: the offsets always, and all
arrays of a matrix that is not CSR. The columns and values of CSR stay the user's; kernels clamp the
columns that they read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from ..kernels.matrix.scan import HAS_ZEROS, NOT_FINITE, OUTSIDE, UNSORTED
from ..kernels.matrix.scan import scan as scan_rows
from ..utils.checks import or_float64
from ..utils.threads import in_parts
from .csr import CSRRows

_MOST_FEATURES = np.iinfo(np.int32).max
AS_MANY_FEATURES = "Readers of files, and convert, give as many as they are told to: n_features=."
_COMPRESSED = ("csr", "csc", "bsr")


def check_rows(
    X: Any, dtype: Any, n_jobs: int, *, owner: str | None = None, name: str = "X",
    least_features: int = 1,
) -> CSRRows:  # fmt: skip
    """Check a matrix, of rows to train on or to score.

    Parameters
    ----------
    X : {sparse matrix, array, data frame} of shape (n_rows, n_features)
    dtype : "float32" or "float64"
    n_jobs : int
        Threads that look at the entries.
    owner : str, default=None
        The estimator's name, for messages.
    name : str, default="X"
        Of X, for messages.
    least_features : int, default=1

    Returns
    -------
    CSRRows
        In `dtype`.
    """
    rules = {
        "dtype": dtype, "ensure_min_features": least_features, "estimator": owner,
        "input_name": "X", "ensure_all_finite": False,  # checked by _scan, which can say where
    }  # fmt: skip
    try:
        if sparse.issparse(X):
            return _rows_of_sparse(X, n_jobs, rules)
        with _located(X):
            X = check_array(X, accept_sparse="csr", **rules)
        if sparse.issparse(X):  # of a frame of sparse columns
            return _rows_of_sparse(X, n_jobs, rules)
        _check_width(X)
        rows = _rows_of(_from_dense(X))
        _scan(rows, n_jobs)
        return rows
    except ValueError as error:
        if name == "X":
            raise
        raise ValueError(f"{name}: {error}") from error


def _rows_of_sparse(X: Any, n_jobs: int, rules: dict[str, Any]) -> CSRRows:
    if X.format != "csr":
        X = own_csr(X)
    rows, dtype = _rows_of(X), rules["dtype"]
    too_few = X.shape[0] < 1 or X.shape[1] < rules["ensure_min_features"]
    if too_few or X.data.dtype.kind not in "biuf":
        check_array(X, accept_sparse="csr", **rules)  # says what is wrong
    _check_width(X)
    with np.errstate(over="ignore"):  # the scan finds what does not fit
        rows = replace(rows, data=np.ascontiguousarray(X.data, dtype=dtype))
    flags = _scan(rows, n_jobs)
    # A stored zero would count as a visit of its feature, and shrink it; and it would change the
    # order of a score's sums, and so its last bit.
    if flags & (UNSORTED | HAS_ZEROS) or not len(X.data) == len(X.indices) == rows.indptr[-1]:
        rows = _rows_of(_canonical(X, dtype))
        _scan(rows, n_jobs)
    return rows


def check_structure(X: Any, *, every_entry: bool = False) -> Any:
    """X itself, unless it is a sparse matrix whose arrays contradict each other or its shape.

    Formats without arrays, and diagonals, are returned as CSR. Of CSR, the columns are left to
    whoever looks at each entry anyway, unless `every_entry` is to be checked.
    """
    if not sparse.issparse(X):
        return X
    if X.ndim != 2:
        raise ValueError(f"X must be 2-dimensional, a row a sample; got shape {X.shape}.")
    if X.format == "coo":
        coords = X.coords if hasattr(X, "coords") else (X.row, X.col)  # the latter in SciPy 1.11
        if len(coords) != 2:
            raise ValueError(f"X.coords must be rows and columns; it has {len(coords)} arrays.")
        for name, array in (("row", coords[0]), ("col", coords[1]), ("data", X.data)):
            _check_array(array, f"X.{name}", None if name == "data" else "iu")
        if not len(coords[0]) == len(coords[1]) == len(X.data):
            raise ValueError(
                f"X has {len(coords[0])} row indices, {len(coords[1])} column indices and "
                f"{len(X.data)} values."
            )
        _check_coordinates(coords[0], X.shape[0], "row")
        _check_coordinates(coords[1], X.shape[1], "column")
        return X
    if X.format == "dia":
        _check_diagonals(X)
    if X.format == "lil":
        _check_lists(X)
    if X.format not in _COMPRESSED:
        X = _as_csr(X)
    _check_compressed(X, every_entry or X.format != "csr" or X.indices.dtype != np.int32)
    return X


def own_csr(X: Any) -> Any:
    """A sparse matrix as CSR, of arrays that are checked, and nobody else's."""
    checked = check_structure(X, every_entry=True)
    if checked is X:
        checked = check_structure(X.copy(), every_entry=True)
    return checked if checked.format == "csr" else checked.tocsr()


def _check_coordinates(indices: np.ndarray, size: int, axis: str) -> None:
    bad = _first_outside(indices, size)
    if bad is not None:
        raise ValueError(
            f"X has {axis} index {indices[bad]} at entry {bad}, but has only {size} {axis}s "
            f"(0 to {size - 1})."
        )


def _check_diagonals(X: Any) -> None:
    _check_array(X.offsets, "X.offsets", "iu")
    _check_array(X.data, "X.data", None, n_axes=2)
    if len(X.data) != len(X.offsets):
        raise ValueError(
            f"X.data must hold a row a diagonal; it has {len(X.data)}, and {len(X.offsets)} "
            "offsets."
        )


def _check_lists(X: Any) -> None:
    for name in ("rows", "data"):
        _check_array(getattr(X, name), f"X.{name}", None)
    if not len(X.rows) == len(X.data) == X.shape[0]:
        raise ValueError(
            f"X.rows and X.data must hold a list a row, {X.shape[0]} each; they hold {len(X.rows)} "
            f"and {len(X.data)}."
        )
    for row, (columns, values) in enumerate(zip(X.rows, X.data, strict=True)):
        if not (isinstance(columns, list) and isinstance(values, list)):
            raise ValueError(f"X.rows and X.data must hold lists; row {row} has none.")
        if len(columns) != len(values):
            raise ValueError(f"X has {len(columns)} columns and {len(values)} values in row {row}.")


def _check_array(array: Any, name: str, kinds: str | None, n_axes: int = 1) -> None:
    """An array of some kinds of numbers (None: of any), so that compiled code can trust it."""
    if not isinstance(array, np.ndarray) or array.ndim != n_axes:
        shape = f"an array of shape {array.shape}" if isinstance(array, np.ndarray) else repr(array)
        raise ValueError(f"{name} must be an array of {n_axes} dimension(s), not {shape}.")
    if kinds is not None and array.dtype.kind not in kinds:
        raise ValueError(f"{name} must hold integers; it is of type {array.dtype}.")


def _as_csr(X: Any) -> Any:
    """A matrix whose conversion loops in Python, or is checked."""
    try:
        return X.tocsr()
    except (TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
        raise ValueError(f"X, in the format {X.format}, contradicts itself: {error}.") from error


def _check_compressed(X: Any, every_entry: bool) -> None:
    for name in ("indptr", "indices"):
        _check_array(getattr(X, name), f"X.{name}", "iu")
    _check_array(X.data, "X.data", None, n_axes=3 if X.format == "bsr" else 1)
    n_major, n_minor = X.shape if X.format != "csc" else X.shape[::-1]
    major, minor = ("column", "row") if X.format == "csc" else ("row", "column")
    if X.format == "bsr":
        block_rows, block_columns = X.blocksize
        if 0 in X.blocksize or n_major % block_rows or n_minor % block_columns:
            raise ValueError(f"X.data has blocks of {X.blocksize}, which do not fill {X.shape}.")
        n_major, n_minor = n_major // block_rows, n_minor // block_columns
        major, minor = "block row", "block column"
    indptr, indices = X.indptr, X.indices
    _check_offsets(indptr, n_major, len(indices), len(X.data), major)
    if not every_entry:
        return
    bad = _first_outside(indices[: indptr[-1]], n_minor)
    if bad is not None:
        raise _outside(minor, major, indptr, indices, bad, n_minor)


def _check_offsets(
    indptr: np.ndarray, n_major: int, n_indices: int, n_values: int, major: str
) -> None:
    if len(indptr) != n_major + 1 or indptr[0] != 0:
        raise ValueError(
            f"X.indptr must start at 0 and have {n_major + 1} entries for {n_major} {major}s; "
            f"it has {len(indptr)} and starts at {indptr[0] if len(indptr) else 'nothing'}."
        )
    falls = np.flatnonzero(indptr[1:] < indptr[:-1])
    if falls.size:
        raise ValueError(f"X.indptr decreases at {major} {falls[0]}; it must never decrease.")
    if indptr[-1] > min(n_indices, n_values):
        raise ValueError(
            f"X.indptr ends at {indptr[-1]}, but X has {n_indices} indices and {n_values} values."
        )


def _outside(
    minor: str, major: str, indptr: np.ndarray, indices: np.ndarray, entry: int, n_minor: int
) -> ValueError:
    where = np.searchsorted(indptr, entry, side="right") - 1
    return ValueError(
        f"X has {minor} index {indices[entry]} in {major} {where}, but has only {n_minor} "
        f"{minor}s (0 to {n_minor - 1})."
    )


def _first_outside(indices: np.ndarray, size: int) -> int | None:
    """Position of the first index outside 0..size-1, or None."""
    if indices.size == 0 or (indices.min() >= 0 and indices.max() < size):
        return None
    return int(np.flatnonzero((indices < 0) | (indices >= size))[0])


@contextmanager
def _located(X: Any) -> Iterator[None]:
    """Adds to the error of a value that is no number the row and column where it stands."""
    try:
        with np.errstate(over="ignore"):
            yield
    except (TypeError, ValueError) as error:
        where = _first_non_number(X)
        if where is None:
            raise
        raise type(error)(f"{error} (X at row {where[0]}, column {where[1]})") from error


def _first_non_number(X: Any) -> tuple[int, int] | None:
    # Arrays of numbers hold nothing else, however large: the error was about something different.
    if sparse.issparse(X) or np.ndim(X) != 2 or np.asarray(X).dtype.kind not in "OSUT":
        return None
    for row, values in enumerate(np.asarray(X, dtype=object)):
        for column, value in enumerate(values):
            try:
                float(value)
            except (TypeError, ValueError):
                return row, column
    return None


def _check_width(X: Any) -> None:
    if X.shape[1] > _MOST_FEATURES:
        raise ValueError(
            f"X has {X.shape[1]} features; at most {_MOST_FEATURES} are supported. Hash them to "
            "fewer (sklearn.feature_extraction.FeatureHasher)."
        )


def _from_dense(X: np.ndarray) -> sparse.csr_array:
    present = X != 0
    indptr = np.concatenate([[0], present.sum(axis=1).cumsum()])
    return sparse.csr_array((X[present], np.nonzero(present)[1], indptr), shape=X.shape)


def _rows_of(X: sparse.csr_array) -> CSRRows:
    """With offsets that are checked; columns, unless they have to be converted, are not yet."""
    for name in ("indptr", "indices"):
        _check_array(getattr(X, name), f"X.{name}", "iu")
    _check_array(X.data, "X.data", None)
    indptr, indices = X.indptr.astype(np.int64), X.indices
    _check_offsets(indptr, X.shape[0], len(indices), len(X.data), "row")
    if indices.dtype != np.int32:
        bad = _first_outside(indices[: indptr[-1]], X.shape[1])
        if bad is not None:
            raise _outside("column", "row", indptr, indices, bad, X.shape[1])
    return CSRRows(indptr, np.ascontiguousarray(indices, np.int32), X.data, X.shape[1])


def _canonical(X: sparse.csr_array, dtype: Any = None) -> sparse.csr_array:
    """A copy, in `dtype` if given, with sorted columns, none twice in a row, and nothing stored
    that is zero or unused: one model a matrix, however it is stored."""
    X = X.copy()
    check_structure(X)
    X.prune()
    X.has_canonical_format = False  # whatever was claimed
    with np.errstate(over="ignore", invalid="ignore"):
        X.sum_duplicates()
        X.data = X.data.astype(dtype or X.dtype, copy=False)
    X.eliminate_zeros()
    return X


def _scan(rows: CSRRows, n_jobs: int) -> int:
    """Flags of kernels/checks.pyx; refuses columns outside X and values that are not finite."""

    def scan(first: int, last: int) -> tuple[int, int]:
        return scan_rows(rows.indptr, rows.indices, rows.data, rows.n_features, first, last)

    all_flags = 0
    for flags, entry in in_parts(scan, rows.n_rows, len(rows.indices), n_jobs):
        if flags & OUTSIDE:
            raise _outside("column", "row", rows.indptr, rows.indices, entry, rows.n_features)
        if flags & NOT_FINITE:
            raise _not_finite(rows, entry)
        all_flags |= flags
    return all_flags


def _not_finite(rows: CSRRows, entry: int) -> ValueError:
    row = np.searchsorted(rows.indptr, entry, side="right") - 1
    if np.isnan(rows.data[entry]):
        what, remedy = "NaN", "impute it or drop the row"
    else:
        what = f"infinity or a value too large for {rows.data.dtype}"
        remedy = f"rescale the column{or_float64(rows.data.dtype)}"
    return ValueError(
        f"Input X contains {what} at row {row}, column {rows.indices[entry]}: {remedy}."
    )
