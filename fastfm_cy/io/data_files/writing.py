"""What the writers of text share."""

from itertools import pairwise

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from ...data.dataset import Dataset
from ...data.disk.dataset import DiskDataset
from ...data.matrix_checks import _rows_of, _scan, check_structure
from ...kernels.text import writer
from ..outputs import written_aside

_A_BLOCK = 1 << 16  # entries
_MOST_FEATURES = np.iinfo(np.int32).max


def unpacked(X, y, **others):
    """(X, y, others) where a Dataset, in memory or on disk, may stand for all of them."""
    if not isinstance(X, Dataset | DiskDataset):
        return X, y, others
    return (
        X.X,
        X.y if y is None else y,
        {name: getattr(X, name) if value is None else value for name, value in others.items()},
    )


def checked_rows(X):
    """CSRRows of a matrix, with its entries as they are stored."""
    return scanned_rows(X)[0]


def scanned_rows(X):
    """The same, and what a scan of the entries found: UNSORTED, HAS_ZEROS."""
    X = sparse.csr_array(check_structure(X))
    if X.shape[1] > _MOST_FEATURES:
        raise ValueError(f"X has {X.shape[1]} features; at most {_MOST_FEATURES} are supported.")
    if X.dtype not in (np.float32, np.float64):
        X = X.astype(np.float64)
    rows = _rows_of(X)
    return rows, _scan(rows, 1)


def checked_target(y, n_rows):
    """float64 array of shape (n_rows,); zeros for None."""
    if y is None:
        return np.zeros(n_rows)
    is_ours = isinstance(y, np.ndarray) and y.dtype == np.float64 and y.shape == (n_rows,)
    if is_ours and np.isfinite(y).all():
        return y
    y = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
    if y.shape != (n_rows,):
        raise ValueError(f"y must be of shape ({n_rows},), a target a row; got {y.shape}.")
    return y


def checked_query(query, n_rows):
    """int64 array of shape (n_rows,), or None."""
    if query is None:
        return None
    query = np.asarray(query)
    if query.shape != (n_rows,) or query.dtype.kind not in "iu" or (query < 0).any():
        raise ValueError(f"query must hold an integer from 0 a row, shape ({n_rows},).")
    return query.astype(np.int64)


def blocks(indptr):
    """Ranges of rows with some thousands of entries each, but at least one row."""
    n_rows, cuts = len(indptr) - 1, [0]
    while cuts[-1] < n_rows:
        stop = np.searchsorted(indptr, indptr[cuts[-1]] + _A_BLOCK)
        cuts.append(int(min(n_rows, max(cuts[-1] + 1, stop), cuts[-1] + _A_BLOCK)))
    return pairwise(cuts)


def write_sparse(target, X, y, fields, query, zero_based, *, is_bare):
    """The lines of libsvm's (`fields` None) or libffm's format; without targets if `is_bare`."""
    rows = checked_rows(X)
    if is_bare and query is None:
        _check_bare(rows)
    elif not is_bare:
        y = checked_target(y, rows.n_rows)
    query = checked_query(query, rows.n_rows)
    fields = checked_fields(fields, rows)
    with written_aside(target) as file:
        for first, last in blocks(rows.indptr):
            file.write(
                writer.sparse_lines(
                    y, rows.indptr, rows.indices, rows.data, fields, query, first, last,
                    int(not zero_based),
                )
            )  # fmt: skip


def is_bare(X, y):
    """Whether a Dataset without targets is written: its lines have none, either."""
    return isinstance(X, Dataset | DiskDataset) and X.y is None and y is None


def _check_bare(rows):
    empty = np.flatnonzero(rows.indptr[1:] == rows.indptr[:-1])
    if empty.size:
        raise ValueError(
            f"Row {empty[0]} has no entries; without a target its line would be empty. Write "
            "targets, such as y = numpy.zeros(n_rows)."
        )


def checked_fields(fields, rows):
    """int32, a field an entry; None for None."""
    if fields is None:
        return None
    if sparse.issparse(fields):
        fields = sparse.csr_array(fields)
        same = np.array_equal(fields.indptr, rows.indptr) and np.array_equal(
            fields.indices, rows.indices
        )
        if not same:
            raise ValueError("fields must have its entries where X has them, in the same order.")
        fields = fields.data
    else:
        fields = np.asarray(fields)
        if fields.shape != (rows.n_features,):
            raise ValueError(
                f"fields must hold a field a feature, shape ({rows.n_features},); got "
                f"{fields.shape}."
            )
        fields = fields[rows.indices]
    if fields.dtype.kind not in "iu" or (
        len(fields) and not 0 <= fields.min() <= fields.max() < 2**31 - 1
    ):
        raise ValueError("fields must be integers from 0.")
    return fields.astype(np.int32)
