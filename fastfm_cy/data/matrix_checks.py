"""From the matrices that users pass in to what the kernels take.

Each error says what is wrong and where. The arrays of a sparse matrix are checked before anything
converts it, since conversions in compiled code trust its indices.
"""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from ..kernels.matrix.scan import HAS_ZEROS, NOT_FINITE, OUTSIDE, UNSORTED
from ..kernels.matrix.scan import scan as scan_rows
from ..utils.threads import in_parts
from .csr import CSRRows

_MOST_FEATURES = np.iinfo(np.int32).max
AS_MANY_FEATURES = "Readers of files, and convert, give as many as they are told to: n_features=."
_COMPRESSED = ("csr", "csc", "bsr")


def check_rows(estimator, X, dtype, n_jobs):
    """Check X for prediction: CSRRows in `dtype`."""
    X = check_structure(X)
    with _located(X):
        X = validate_data(estimator, X, reset=False, **_matrix_rules(dtype))
    return _as_rows(X, n_jobs)


def check_matrix(X, dtype, n_jobs):
    """Check a matrix that is no estimator's X: CSRRows in `dtype`."""
    X = check_structure(X)
    with _located(X):
        X = check_array(X, ensure_min_features=0, **_matrix_rules(dtype))
    return _as_rows(X, n_jobs)


def check_rows_and_target(
    estimator, X, y, dtype, *, y_numeric, n_jobs, reset=True, grows=False, name="X"
):
    """Check X and y for training.

    Parameters
    ----------
    reset : bool, default=True
        Whether X says what the model's features are; else it must have the same.
    grows : bool, default=False
        X may have more features than the model, which then has them, too, or fewer.
    name : str, default="X"
        Of X in error messages, if not that.

    Returns
    -------
    CSRRows in `dtype`, and y as a 1-D array
    """
    X = check_structure(X)
    n_before = getattr(estimator, "n_features_in_", 0)
    try:
        with _located(X):
            X, y = validate_data(
                estimator, X, y, y_numeric=y_numeric, reset=reset or grows, **_matrix_rules(dtype)
            )
        rows = _as_rows(X, n_jobs)
    except ValueError as error:
        if name == "X":
            raise
        raise ValueError(f"{name}: {error}") from error
    if grows and rows.n_features < n_before:
        estimator.n_features_in_ = n_before
        rows = replace(rows, n_features=n_before)
    return rows, y


def check_structure(X):
    """X itself, unless it is a sparse matrix whose arrays contradict each other or its shape.

    Formats without arrays, and diagonals, are returned as CSR.
    """
    if not sparse.issparse(X):
        return X
    if X.ndim != 2:
        raise ValueError(f"X must be 2-dimensional, a row a sample; got shape {X.shape}.")
    if X.format == "coo":
        coords = X.coords if hasattr(X, "coords") else (X.row, X.col)  # the latter in SciPy 1.11
        if len(coords) != 2:
            raise ValueError(f"X.coords must be rows and columns; it has {len(coords)} arrays.")
        _check_coordinates(coords[0], X.shape[0], "row")
        _check_coordinates(coords[1], X.shape[1], "column")
        return X
    if X.format == "dia":
        _check_diagonals(X)
    if X.format == "lil":
        _check_lists(X)
    if X.format not in _COMPRESSED:
        X = _as_csr(X)
    _check_compressed(X)
    return X


def _check_coordinates(indices, size, axis):
    _check_array(indices, f"X.{axis[:3]}", "iu")
    bad = _first_outside(indices, size)
    if bad is not None:
        raise ValueError(
            f"X has {axis} index {indices[bad]} at entry {bad}, but has only {size} {axis}s "
            f"(0 to {size - 1})."
        )


def _check_diagonals(X):
    _check_array(X.offsets, "X.offsets", "iu")
    _check_array(X.data, "X.data", None, n_axes=2)
    if len(X.data) != len(X.offsets):
        raise ValueError(
            f"X.data must hold a row a diagonal; it has {len(X.data)}, and {len(X.offsets)} "
            "offsets."
        )


def _check_lists(X):
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


def _check_array(array, name, kinds, n_axes=1):
    """An array of some kinds of numbers (None: of any), so that compiled code can trust it."""
    if not isinstance(array, np.ndarray) or array.ndim != n_axes:
        shape = f"an array of shape {array.shape}" if isinstance(array, np.ndarray) else repr(array)
        raise ValueError(f"{name} must be an array of {n_axes} dimension(s), not {shape}.")
    if kinds is not None and array.dtype.kind not in kinds:
        raise ValueError(f"{name} must hold integers; it is of type {array.dtype}.")


def _as_csr(X):
    """A matrix whose conversion loops in Python, or is checked."""
    try:
        return X.tocsr()
    except (TypeError, ValueError, IndexError, OverflowError, AttributeError) as error:
        raise ValueError(f"X, in the format {X.format}, contradicts itself: {error}.") from error


def _check_compressed(X):
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
    if len(indptr) != n_major + 1 or indptr[0] != 0:
        raise ValueError(
            f"X.indptr must start at 0 and have {n_major + 1} entries for {n_major} {major}s; "
            f"it has {len(indptr)} and starts at {indptr[0] if len(indptr) else 'nothing'}."
        )
    falls = np.flatnonzero(indptr[1:] < indptr[:-1])
    if falls.size:
        raise ValueError(f"X.indptr decreases at {major} {falls[0]}; it must never decrease.")
    if indptr[-1] > min(len(indices), len(X.data)):
        raise ValueError(
            f"X.indptr ends at {indptr[-1]}, but X has {len(indices)} indices and {len(X.data)} "
            "values."
        )
    if X.format == "csr" and indices.dtype == np.int32:
        return  # _as_rows looks at each entry anyway
    bad = _first_outside(indices[: indptr[-1]], n_minor)
    if bad is not None:
        raise _outside(minor, major, indptr, indices, bad, n_minor)


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


def _matrix_rules(dtype):
    # Finiteness is checked by _as_rows, which can say where.
    return {"accept_sparse": "csr", "dtype": dtype, "ensure_all_finite": False}


@contextmanager
def _located(X):
    """Adds to the error of a value that is no number the row and column where it stands."""
    try:
        with np.errstate(over="ignore"):
            yield
    except (TypeError, ValueError) as error:
        if " is expecting " in str(error):
            raise type(error)(f"{error} {AS_MANY_FEATURES}") from error
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


def _as_rows(X, n_jobs):
    """CSRRows of a matrix in the right dtype."""
    if X.shape[1] > _MOST_FEATURES:
        raise ValueError(
            f"X has {X.shape[1]} features; at most {_MOST_FEATURES} are supported. Hash them to "
            "fewer (sklearn.feature_extraction.FeatureHasher)."
        )
    if not sparse.issparse(X):
        X = _from_dense(X)
    rows = _rows_of(X)
    flags = _scan(rows, n_jobs)
    # A stored zero would count as a visit of its feature, and shrink it; and it would change the
    # order of a score's sums, and so its last bit.
    if flags & (UNSORTED | HAS_ZEROS) or not len(X.data) == len(X.indices) == X.indptr[-1]:
        rows = _rows_of(_canonical(X))
        _scan(rows, n_jobs)
    return rows


def _from_dense(X):
    present = X != 0
    indptr = np.concatenate([[0], present.sum(axis=1).cumsum()])
    return sparse.csr_array((X[present], np.nonzero(present)[1], indptr), shape=X.shape)


def _rows_of(X):
    indptr, indices = X.indptr.astype(np.int64, copy=False), X.indices.astype(np.int32, copy=False)
    return CSRRows(indptr, indices, X.data, X.shape[1])


def _canonical(X):
    """A copy with sorted columns, none twice in a row, and nothing stored that is zero or unused:
    one model a matrix, however it is stored."""
    X = X.copy()
    X.prune()
    X.has_canonical_format = False  # whatever was claimed
    with np.errstate(over="ignore", invalid="ignore"):
        X.sum_duplicates()
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
