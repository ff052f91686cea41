"""Field matrix: a CSR array that knows the field of each of its columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse


class FieldMatrix(sparse.csr_array):
    """A csr_array whose columns have fields, which estimators find where they are given none.

    Rows taken of it, and copies, have the fields, too; what else is computed of it has none.

    Attributes
    ----------
    fields : int32 array of shape (n_columns,), or None
        The field of each column.
    n_fields : int or None
    """

    fields: np.ndarray | None = None
    n_fields: int | None = None

    def with_fields(self, fields: np.ndarray | None, n_fields: int | None) -> FieldMatrix:
        """The matrix itself, which has these fields from now on."""
        self.fields, self.n_fields = fields, n_fields
        return self

    def __getitem__(self, key: Any) -> Any:
        taken = super().__getitem__(key)
        of_rows = not isinstance(key, tuple) or (len(key) == 2 and _takes_all(key[1]))
        if of_rows and isinstance(taken, FieldMatrix) and taken.ndim == 2:
            taken.with_fields(self.fields, self.n_fields)
        return taken

    def copy(self) -> Any:
        return super().copy().with_fields(self.fields, self.n_fields)


def _takes_all(key: Any) -> bool:
    return key is Ellipsis or (isinstance(key, slice) and key == slice(None))
