"""Checks of what users pass in: parameters, matrices, weights.

Each error says what is wrong and where. A sparse matrix is checked before anything converts
it, since conversions in compiled code trust its indices.
"""

from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, check_scalar
from sklearn.utils.validation import validate_data

_MOST_FEATURES = np.iinfo(np.int32).max
_BLOCK = 1 << 20
_COMPRESSED = ("csr", "csc", "bsr")


@dataclass(frozen=True)
class CSRRows:
    """A checked matrix as the kernels take it: int64 offsets, int32 columns."""

    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray
    n_features: int

    @property
    def n_rows(self):
        return len(self.indptr) - 1


def check_integer(value, name, minimum):
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be an integer, not {value!r}.")
    return check_scalar(value, name, Integral, min_val=minimum)


def check_real(value, name, minimum=0.0, *, above=False):
    """A finite real number of at least (with `above`: above) `minimum`."""
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be a number, not {value!r}.")
    boundary = "neither" if above else "left"
    check_scalar(value, name, Real, min_val=minimum, include_boundaries=boundary)
    if not np.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}.")
    return value


def check_bool(value, name):
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}.")
    return bool(value)


def check_choice(value, name, choices):
    """The entry of `choices` (a dict) that `value` names."""
    if not isinstance(value, str) or value not in choices:
        names = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {names}; got {value!r}.")
    return choices[value]


def check_rows(estimator, X, dtype):
    """Check X for prediction: CSRRows in `dtype`."""
    X = check_structure(X)
    with _located(X):
        X = validate_data(estimator, X, reset=False, **_matrix_rules(dtype))
    return _as_rows(X, dtype)


def check_rows_and_target(estimator, X, y, dtype, *, y_numeric):
    """Check X and y for training: CSRRows in `dtype`, and y as a 1-D array."""
    X = check_structure(X)
    with _located(X):
        X, y = validate_data(estimator, X, y, y_numeric=y_numeric, **_matrix_rules(dtype))
    return _as_rows(X, dtype), y


def check_weights(sample_weight, n_rows):
    """Sample weights as a float64 array of shape (n_rows,), or None."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_rows, sample_weight)
    weights = check_array(
        sample_weight,
        dtype=np.float64,
        ensure_2d=False,
        ensure_all_finite=False,
        input_name="sample_weight",
    )
    if weights.shape != (n_rows,):
        raise ValueError(
            f"sample_weight must be of shape ({n_rows},), one weight a row; got {weights.shape}."
        )
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if bad.size:
        raise ValueError(
            f"sample_weight must be finite and not negative; row {bad[0]} has {weights[bad[0]]}."
        )
    return weights


def check_not_all_zero(weights):
    if not weights.any():
        raise ValueError(
            "Sample weights must contain at least one non-zero number; with class_weight and "
            "dtype applied, none is left."
        )


def check_cast(values, dtype, name):
    """`values` in `dtype`, or an error that names the first row that does not fit."""
    with np.errstate(over="ignore"):
        cast = values.astype(dtype)
    bad = np.flatnonzero(~np.isfinite(cast))
    if bad.size:
        raise ValueError(
            f"{name} is too large for {np.dtype(dtype)} in row {bad[0]} ({values[bad[0]]}); "
            "rescale it or use dtype='float64'."
        )
    return cast


def check_structure(X):
    """X itself, unless it is a sparse matrix whose arrays contradict each other or its shape.

    Formats whose conversion to CSR is safe whatever they hold are returned as CSR.
    """
    if not sparse.issparse(X):
        return X
    if X.ndim != 2:
        raise ValueError(f"X must be 2-dimensional, a row a sample; got shape {X.shape}.")
    if X.format == "coo":
        _check_coordinates(X.row, X.shape[0], "row")
        _check_coordinates(X.col, X.shape[1], "column")
        return X
    if X.format not in _COMPRESSED:
        X = X.tocsr()
    _check_compressed(X)
    return X


def _check_coordinates(indices, size, axis):
    bad = _first_outside(indices, size)
    if bad is not None:
        raise ValueError(
            f"X has {axis} index {indices[bad]} at entry {bad}, but has only {size} {axis}s "
            f"(0 to {size - 1})."
        )


def _check_compressed(X):
    n_major, n_minor = X.shape if X.format != "csc" else X.shape[::-1]
    major, minor = ("column", "row") if X.format == "csc" else ("row", "column")
    if X.format == "bsr":
        block_rows, block_columns = X.blocksize
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
    bad = _first_outside(indices[: indptr[-1]], n_minor)
    if bad is not None:
        where = np.searchsorted(indptr, bad, side="right") - 1
        raise ValueError(
            f"X has {minor} index {indices[bad]} in {major} {where}, but has only {n_minor} "
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
        where = _first_non_number(X)
        if where is None:
            raise
        raise type(error)(f"{error} (X at row {where[0]}, column {where[1]})") from error


def _first_non_number(X):
    if sparse.issparse(X) or np.ndim(X) != 2:
        return None
    for row, values in enumerate(np.asarray(X, dtype=object)):
        for column, value in enumerate(values):
            try:
                float(value)
            except (TypeError, ValueError):
                return row, column
    return None


def _as_rows(X, dtype):
    if X.shape[1] > _MOST_FEATURES:
        raise ValueError(
            f"X has {X.shape[1]} features; at most {_MOST_FEATURES} are supported. Hash them to "
            "fewer (sklearn.feature_extraction.FeatureHasher)."
        )
    if sparse.issparse(X):
        X = _canonical(X)
        indptr, indices, data = X.indptr, X.indices, X.data
    else:
        present = X != 0
        indptr = np.concatenate([[0], present.sum(axis=1).cumsum()])
        indices, data = np.nonzero(present)[1], X[present]
    rows = CSRRows(
        indptr.astype(np.int64, copy=False), indices.astype(np.int32, copy=False), data, X.shape[1]
    )
    _check_finite(rows, dtype)
    return rows


def _canonical(X):
    """X with sorted columns, none twice in a row, and nothing stored that is zero or unused:
    one model a matrix, however it is stored. A copy if anything changes, as X is the user's."""
    is_pruned = len(X.data) == len(X.indices) == X.indptr[-1]
    if not (is_pruned and X.has_canonical_format and X.data.all()):
        X = X.copy()
        X.prune()
        with np.errstate(over="ignore", invalid="ignore"):
            X.sum_duplicates()
        X.eliminate_zeros()
    return X


def _first_not_finite(values):
    """Position of the first NaN or infinity, or None; in blocks, to need little memory."""
    for start in range(0, len(values), _BLOCK):
        finite = np.isfinite(values[start : start + _BLOCK])
        if not finite.all():
            return start + int(finite.argmin())
    return None


def _check_finite(rows, dtype):
    entry = _first_not_finite(rows.data)
    if entry is None:
        return
    row = np.searchsorted(rows.indptr, entry, side="right") - 1
    if np.isnan(rows.data[entry]):
        what, remedy = "NaN", "impute it or drop the row"
    else:
        what = f"infinity or a value too large for {np.dtype(dtype)}"
        remedy = "rescale the column, or use dtype='float64' if float32 is too narrow"
    raise ValueError(
        f"Input X contains {what} at row {row}, column {rows.indices[entry]}: {remedy}."
    )
