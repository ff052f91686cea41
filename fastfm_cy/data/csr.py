"""CSR matrices: as the kernels take them, and as scipy does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

_MANY = 100_000  # features


@dataclass(frozen=True)
class CSRRows:
    """A checked matrix as the kernels take it: int64 offsets, int32 columns."""

    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray
    n_features: int
    fields: np.ndarray | None = None
    """int32, the field of each entry, for machines that know fields."""

    @property
    def known_fields(self) -> np.ndarray:
        """`fields`, of rows that have them."""
        assert self.fields is not None
        return self.fields

    @property
    def n_rows(self) -> int:
        return len(self.indptr) - 1

    @property
    def n_entries(self) -> int:
        return len(self.indices)

    def with_own_columns(self) -> CSRRows:
        """With columns that nobody else can write to, for code that trusts them."""
        last = max(0, self.n_features - 1)
        return replace(self, indices=np.clip(self.indices, 0, last).astype(np.int32, copy=False))

    def as_matrix(self) -> sparse.csr_array:
        shape = self.n_rows, self.n_features
        return sparse.csr_array((self.data, self.indices, self.indptr), shape)

    def renumbered(self, place: np.ndarray, n_features: int) -> CSRRows:
        """The rows with place[j] for each column j."""
        return replace(self, indices=place.take(self.indices, mode="clip"), n_features=n_features)

    def with_fields(self, fields: np.ndarray) -> CSRRows:
        return replace(self, fields=fields)

    def take(self, numbers: np.ndarray) -> CSRRows:
        """Some of the rows, copied, by their numbers."""
        starts, counts = self.indptr[:-1][numbers], np.diff(self.indptr)[numbers]
        indptr = np.zeros(len(counts) + 1, dtype=np.int64)
        np.cumsum(counts, out=indptr[1:])
        entries = np.repeat(starts - indptr[:-1], counts) + np.arange(indptr[-1])
        fields = None if self.fields is None else self.fields[entries]
        return CSRRows(indptr, self.indices[entries], self.data[entries], self.n_features, fields)


def has_gaps(n_features: int, n_entries: int) -> bool:
    """Whether most features never occur, so that what they cost would be most of all."""
    return n_features > _MANY and n_features > 4 * n_entries


def matrix_of(
    data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, shape: tuple[int, int],
    kind: Any = sparse.csr_array,
) -> Any:  # fmt: skip
    """A csr_array, or its subclass, of int64 offsets and int32 columns, which are not copied.

    scipy wants one type for both; beyond 2^31 entries they are left as they are.
    """
    if indptr[-1] <= np.iinfo(np.int32).max:
        return kind((data, indices, indptr.astype(np.int32)), shape)
    X = kind(shape, dtype=data.dtype)
    X.data, X.indices, X.indptr = data, indices, indptr
    return X
