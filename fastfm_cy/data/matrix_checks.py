"""From the matrices that users pass in to what the kernels take.

Each error says what is wrong and where. The arrays of a sparse matrix are checked before anything
converts it, since conversions in compiled code trust its indices. Whatever is trusted later is a
copy, made before it is checked, so that nobody changes it in between: the offsets always, all
arrays of a matrix that is not CSR. Columns and values of CSR stay the user's, and kernels clamp
the columns that they read.
"""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from ..kernels.matrix.scan import HAS_ZEROS, NOT_FINITE, OUTSIDE, UNSORTED
from ..kernels.matrix.scan import scan as scan_rows
from ..utils.threads import in_parts
from .csr import CSRRows

_MOST_FEATURES = np.iinfo(np.int32).max
_COMPRESSED = ("csr", "csc", "bsr")


def check_rows(X, dtype, n_jobs, *, owner=None, name="X", least_features=1):
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
            X = check_array(X, **rules)
        _check_width(X)
        rows = _rows_of(_from_dense(X))
        _scan(rows, n_jobs)
        return rows
    except ValueError as error:
        if name == "X":
            raise
        raise ValueError(f"{name}: {error}") from error


def _rows_of_sparse(X, n_jobs, rules):
    if X.format != "csr":
        X = own_csr(X)
    rows, least_features = _rows_of(X), rules["ensure_min_features"]
    if X.data.dtype.kind not in "biuf" or X.shape[0] < 1 or X.shape[1] < least_features:
        check_array(X, accept_sparse="csr", **rules)  # says what is wrong
    _check_width(X)
    with np.errstate(over="ignore"):  # the scan finds what does not fit
        data = np.ascontiguousarray(X.data, dtype=rules["dtype"])
    rows = replace(rows, data=data)
    flags = _scan(rows, n_jobs)
    # A stored zero would count as a visit of its feature, and shrink it; and it would change the
    # order of a score's sums, and so its last bit.
    if flags & (UNSORTED | HAS_ZEROS) or not len(X.data) == len(X.indices) == rows.indptr[-1]:
        rows = _rows_of(_canonical(X, rules["dtype"]))
        _scan(rows, n_jobs)
    return rows


def check_structure(X, *, every_entry=False):
    """X itself, unless it is a sparse matrix whose arrays contradict each other or its shape.

    Formats whose conversion to CSR is safe whatever they hold are returned as CSR. Of CSR, the
    columns are left to whoever looks at each entry anyway, unless `every_entry` is to be checked.
    """
    if not sparse.issparse(X):
        return X
    if X.ndim != 2:
        raise ValueError(f"X must be 2-dimensional, a row a sample; got shape {X.shape}.")
    if X.format == "coo":
        _check_coordinates(X)
        return X
    if X.format not in _COMPRESSED:
        X = X.tocsr()
    _check_compressed(X, every_entry or X.format != "csr" or X.indices.dtype != np.int32)
    return X


def own_csr(X):
    """A sparse matrix as CSR, of arrays that are checked, and nobody else's."""
    checked = check_structure(X, every_entry=True)
    if checked is X:
        checked = check_structure(X.copy(), every_entry=True)
    return checked if checked.format == "csr" else checked.tocsr()


def _check_coordinates(X):
    if not len(X.row) == len(X.col) == len(X.data):
        raise ValueError(
            f"X has {len(X.row)} row indices, {len(X.col)} column indices and {len(X.data)} values."
        )
    for indices, size, axis in ((X.row, X.shape[0], "row"), (X.col, X.shape[1], "column")):
        _check_integers(indices, f"{axis} indices")
        bad = _first_outside(indices, size)
        if bad is not None:
            raise ValueError(
                f"X has {axis} index {indices[bad]} at entry {bad}, but has only {size} {axis}s "
                f"(0 to {size - 1})."
            )


def _check_integers(array, what):
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(
            f"The {what} of X must be a 1-dimensional array of integers; got shape {array.shape}, "
            f"{array.dtype}."
        )


def _check_compressed(X, every_entry):
    n_major, n_minor = X.shape if X.format != "csc" else X.shape[::-1]
    major, minor = ("column", "row") if X.format == "csc" else ("row", "column")
    if X.format == "bsr":
        block_rows, block_columns = X.blocksize
        if block_rows < 1 or block_columns < 1:
            raise ValueError(f"X has blocks of shape {X.blocksize}; they must hold something.")
        n_major, n_minor = n_major // block_rows, n_minor // block_columns
        major, minor = "block row", "block column"
    indptr, indices = X.indptr, X.indices
    _check_integers(indptr, "indptr")
    _check_integers(indices, "indices")
    _check_offsets(indptr, n_major, len(indices), len(X.data), major)
    if not every_entry:
        return
    bad = _first_outside(indices[: indptr[-1]], n_minor)
    if bad is not None:
        raise _outside(minor, major, indptr, indices, bad, n_minor)


def _check_offsets(indptr, n_major, n_indices, n_values, major):
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


def _outside(minor, major, indptr, indices, entry, n_minor):
    where = np.searchsorted(indptr, entry, side="right") - 1
    return ValueError(
        f"X has {minor} index {indices[entry]} in {major} {where}, but has only {n_minor} "
        f"{minor}s (0 to {n_minor - 1})."
    )


def _first_outside(indices, size):
    """Position of the first index outside 0..size-1, or None."""
    if indices.size == 0 or (indices.min() >= 0 and indices.max() < size):
        return None
    return int(np.flatnonzero((indices < 0) | (indices >= size))[0])


@contextmanager
def _located(X):
    """Adds to the error of a value that is no number the row and column where it stands."""
    try:
        with np.errstate(over="ignore"):
            yield
    except (TypeError, ValueError) as error:
        where = _first_non_number(X)
        if where is None:
            raise
        raise type(error)(f"{error} (X at row {where[0]}, column {where[1]})") from error


def _first_non_number(X):
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


def _check_width(X):
    if X.shape[1] > _MOST_FEATURES:
        raise ValueError(
            f"X has {X.shape[1]} features; at most {_MOST_FEATURES} are supported. Hash them to "
            "fewer (sklearn.feature_extraction.FeatureHasher)."
        )


def _from_dense(X):
    present = X != 0
    indptr = np.concatenate([[0], present.sum(axis=1).cumsum()])
    return sparse.csr_array((X[present], np.nonzero(present)[1], indptr), shape=X.shape)


def _rows_of(X):
    """CSRRows of a CSR matrix, with offsets that are checked; columns are not yet."""
    _check_integers(X.indptr, "indptr")
    _check_integers(X.indices, "indices")
    indptr = X.indptr.astype(np.int64)
    _check_offsets(indptr, X.shape[0], len(X.indices), len(X.data), "row")
    if X.data.ndim != 1:
        raise ValueError(f"The values of X must be a 1-dimensional array; got {X.data.shape}.")
    indices = X.indices
    if indices.dtype != np.int32:
        bad = _first_outside(indices[: indptr[-1]], X.shape[1])
        if bad is not None:
            raise _outside("column", "row", indptr, indices, bad, X.shape[1])
        indices = indices.astype(np.int32)
    return CSRRows(indptr, np.ascontiguousarray(indices), X.data, X.shape[1])


def _canonical(X, dtype=None):
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


def _scan(rows, n_jobs):
    """Flags of kernels/checks.pyx; refuses columns outside X and values that are not finite."""

    def scan(first, last):
        return scan_rows(rows.indptr, rows.indices, rows.data, rows.n_features, first, last)

    all_flags = 0
    for flags, entry in in_parts(scan, rows.n_rows, len(rows.indices), n_jobs):
        if flags & OUTSIDE:
            raise _outside("column", "row", rows.indptr, rows.indices, entry, rows.n_features)
        if flags & NOT_FINITE:
            raise _not_finite(rows, entry)
        all_flags |= flags
    return all_flags


def _not_finite(rows, entry):
    row = np.searchsorted(rows.indptr, entry, side="right") - 1
    if np.isnan(rows.data[entry]):
        what, remedy = "NaN", "impute it or drop the row"
    else:
        what = f"infinity or a value too large for {rows.data.dtype}"
        remedy = "rescale the column, or use dtype='float64' if float32 is too narrow"
    return ValueError(
        f"Input X contains {what} at row {row}, column {rows.indices[entry]}: {remedy}."
    )
