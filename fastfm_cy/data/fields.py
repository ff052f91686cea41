"""The fields of features, and matrices whose entries have fields of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from .csr import CSRRows
from .matrix_checks import check_structure

# Columns of which each is a field of its own unless the user says otherwise.
MOST_COLUMNS = 100


@dataclass(frozen=True)
class WithFields:
    """A CSR matrix and the fields of its entries, which go through a fit together."""

    X: sparse.csr_array
    fields: sparse.csr_array

    @property
    def shape(self) -> tuple[int, int]:
        return self.X.shape

    def __getitem__(self, rows: Any) -> WithFields:
        rows = rows[0] if isinstance(rows, tuple) else rows
        return WithFields(check_structure(self.X)[rows], check_structure(self.fields)[rows])


def joined(X: Any, fields: Any) -> Any:
    """X itself, or with the fields that the user gave beside it."""
    if fields is None:
        return X
    for name, matrix in (("X", X), ("fields", fields)):
        if not sparse.issparse(matrix) or matrix.format != "csr":
            raise TypeError(
                f"With fields beside the data, both must be scipy.sparse CSR matrices; {name} is "
                f"{type(matrix).__name__}. For one field a feature, give the estimator an array "
                "`fields`."
            )
    check_structure(X)
    check_structure(fields)
    if X.shape != fields.shape or not np.array_equal(X.indptr, fields.indptr):
        raise ValueError(
            "fields must have the shape and the number of entries in each row of X; got "
            f"{fields.shape} for {X.shape}{_first_unequal_row(X, fields)}."
        )
    n_entries = X.indptr[-1]
    unequal = X.indices[:n_entries] != fields.indices[:n_entries]
    if unequal.any():
        entry = int(np.argmax(unequal))
        raise ValueError(
            f"fields must have its entries where X has them; in row {_row_of(X.indptr, entry)} X "
            f"has column {X.indices[entry]}, fields {fields.indices[entry]}."
        )
    if fields.dtype.kind not in "iu":
        raise TypeError(f"fields must hold integers, not {fields.dtype}.")
    return WithFields(X, fields)


def _first_unequal_row(X: sparse.csr_array, fields: sparse.csr_array) -> str:
    if X.shape != fields.shape:
        return ""
    row = int(np.argmax(np.diff(X.indptr) != np.diff(fields.indptr)))
    return f" with another number of entries in row {row}"


def check_fields_of_features(fields: Any, n_features: int, may_be_more: bool) -> np.ndarray:
    """A field for each feature: an int32 array of shape (n_features,) or, if allowed, more."""
    if fields is None:
        if n_features > MOST_COLUMNS:
            raise ValueError(
                f"fields=None takes each column for a field of its own, which is hardly meant for "
                f"{n_features} columns. Give fields, an array with the field of each feature, or "
                "fit(..., fields=), a CSR matrix with the field of each entry (read_libffm). A "
                "command needs a file of libffm's format, or --set fields=[...]."
            )
        return np.arange(n_features, dtype=np.int32)
    fields = check_array(fields, dtype=None, ensure_2d=False, input_name="fields")
    if fields.dtype.kind not in "iu":
        raise TypeError(f"fields must be integers, not {fields.dtype}.")
    if (
        fields.ndim != 1
        or len(fields) < n_features
        or not (may_be_more or len(fields) == n_features)
    ):
        raise ValueError(
            f"fields must hold a field a feature, shape ({n_features},); got shape {fields.shape}."
        )
    if fields.min() < 0:
        where = int(np.argmax(fields < 0))
        raise ValueError(f"fields must not be negative; feature {where} has {fields[where]}.")
    return fields.astype(np.int32) if fields.max() < 2**31 else fields


def check_fields_of_entries(pair: WithFields, rows: CSRRows, n_fields: int | None) -> CSRRows:
    """CSRRows like `rows`, with fields.

    Parameters
    ----------
    pair : WithFields
        As the user gave it.
    rows : CSRRows
        Its X as it was checked: perhaps sorted, and without duplicates and zeros.
    n_fields : int or None
        How many there may be.
    """
    X = pair.X
    n_entries = X.indptr[-1]
    fields = pair.fields.data[:n_entries].copy()  # what is checked is what is used
    outside = fields < 0 if n_fields is None else (fields < 0) | (fields >= n_fields)
    if outside.any():
        entry = int(np.argmax(outside))
        where = f"row {_row_of(X.indptr, entry)}, column {X.indices[entry]}"
        if n_fields is None or fields[entry] < 0:
            raise ValueError(f"fields must not be negative; {where} has {fields[entry]}.")
        raise ValueError(
            f"Unknown field {fields[entry]} at {where}: the model knows 0 to {n_fields - 1}. Leave "
            "the entry out, or fit with n_fields large enough."
        )
    fields = fields.astype(np.int32)
    if len(rows.indices) == len(fields) and np.array_equal(rows.indices, X.indices[:n_entries]):
        return replace(rows, fields=fields)
    return _canonical(X, fields, rows)


def _canonical(X: sparse.csr_array, fields: np.ndarray, rows: CSRRows) -> CSRRows:
    """Sum entries with the same column and field, and drop zeros."""
    numbers = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    columns = X.indices[: len(fields)]
    order = np.lexsort((fields, columns, numbers))
    keys = [array[order] for array in (numbers, columns, fields)]
    differs = np.zeros(len(order), dtype=bool)
    differs[:1] = True
    for key in keys:
        differs[1:] |= key[1:] != key[:-1]
    starts = np.flatnonzero(differs)
    with np.errstate(over="ignore", invalid="ignore"):  # training finds what is not finite
        data = X.data[order].astype(rows.data.dtype)
        data = np.add.reduceat(data, starts) if len(starts) else data
    kept = data != 0
    numbers, indices, fields = (key[starts][kept] for key in keys)
    counts = np.bincount(numbers, minlength=X.shape[0])
    indptr = np.concatenate([[0], counts.cumsum()]).astype(np.int64)
    return replace(
        rows, indptr=indptr, indices=indices.astype(np.int32), data=data[kept], fields=fields
    )


def as_kernels_want(rows: CSRRows, *, n_hash: int | None, normalize: str | None) -> CSRRows:
    """Rows with fields, hashed and normalised if the model is, their entries by rising field."""
    if n_hash is not None:
        rows = hashed(rows, n_hash)
    rows = sorted_by_field(rows)
    return rows if normalize is None else unit_length(rows)


def sorted_by_field(rows: CSRRows) -> CSRRows:
    """The same rows, the entries of each by rising field."""
    fields = rows.known_fields
    falls = np.flatnonzero(fields[1:] < fields[:-1]) + 1
    starts = np.zeros(len(fields) + 1, dtype=bool)
    starts[rows.indptr] = True
    if starts[falls].all():
        return rows
    places = np.arange(len(fields))
    order = sparse.csr_array(
        (places, fields.copy(), rows.indptr), (rows.n_rows, int(fields.max()) + 1)
    )
    order.sort_indices()
    order = order.data
    return replace(rows, indices=rows.indices[order], data=rows.data[order], fields=fields[order])


def hashed(rows: CSRRows, n_hash: int) -> CSRRows:
    """The same rows with columns that are hashes of theirs, below n_hash."""
    return replace(rows, indices=hashes_of(rows.indices, n_hash), n_features=n_hash)


def hashed_and_summed(rows: CSRRows, n_hash: int) -> CSRRows:
    """The same, with the values summed of the columns of a row that meet."""
    rows = hashed(rows, n_hash)
    X = sparse.csr_array((rows.data.copy(), rows.indices, rows.indptr), (rows.n_rows, n_hash))
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found in training
        X.sum_duplicates()
    X.eliminate_zeros()
    indptr, indices = X.indptr.astype(np.int64), X.indices.astype(np.int32, copy=False)
    return replace(rows, indptr=indptr, indices=indices, data=X.data)


def hashes_of(columns: np.ndarray, n_hash: int) -> np.ndarray:
    # Multiplication by odd constants and a fold of the high bits: neighbours go far apart.
    mixed = columns.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0xD6E8FEB86659FD93)
    hashes = ((mixed >> np.uint64(32)) * np.uint64(n_hash)) >> np.uint64(32)
    return hashes.astype(np.int32)


def unit_length(rows: CSRRows) -> CSRRows:
    """The same rows, each divided by its Euclidean length; rows of nothing stay so."""
    counts = np.diff(rows.indptr)
    counts, starts = counts[counts > 0], rows.indptr[:-1][counts > 0]
    data = rows.data.astype(np.float64)
    if len(starts):
        largest = np.maximum.reduceat(np.abs(data), starts)  # no square overflows
        data /= np.repeat(np.where(largest > 0, largest, 1), counts)
        lengths = np.sqrt(np.add.reduceat(data * data, starts))
        data /= np.repeat(np.where(lengths > 0, lengths, 1), counts)
    return replace(rows, data=data.astype(rows.data.dtype))


def _row_of(indptr: np.ndarray, entry: int) -> int:
    return int(np.searchsorted(indptr, entry, side="right") - 1)
