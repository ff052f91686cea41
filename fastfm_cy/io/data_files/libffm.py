"""The text format of libffm: ``target field:index:value ...``, a row a line."""

from __future__ import annotations

from typing import Any

from ...data.dataset import Dataset
from .collect import collected
from .line_reader import LineReader
from .sparse_lines import FieldForm
from .writing import is_bare, unpacked, write_sparse


def read_libffm(
    source: Any, *, n_features: int | None = None, zero_based: bool | str = True,
    dtype: str = "float32", n_hash: int | None = None, on_error: str = "raise",
    n_jobs: int | None = None,
) -> Dataset:  # fmt: skip
    """Read rows in the text format of libffm: each entry has a field.

    A line is ``target field:index:value field:index:value ...``, three numbers an entry; all else
    is as `read_libsvm` has it.

    Parameters
    ----------
    source, n_features, zero_based, dtype, n_hash, on_error, n_jobs : as of `read_libsvm`

    Returns
    -------
    Dataset
        With X, y and fields.
    """
    form = FieldForm(n_features=n_features, zero_based=zero_based, dtype=dtype, n_hash=n_hash)
    return collected(LineReader(source, form, on_error=on_error, n_jobs=n_jobs), "libffm")


def write_libffm(
    target: Any, X: Any, y: Any = None, fields: Any = None, *, zero_based: bool = True
) -> None:
    """Write rows as `read_libffm` reads them.

    Parameters
    ----------
    target, X, y : as of `write_libsvm`
    fields : array of int of shape (n_features,), or sparse matrix like X, default=None
        The field of each feature, or of each entry; a Dataset has its own.
    zero_based : as of `write_libsvm`
    """
    bare = is_bare(X, y)
    X, y, others = unpacked(X, y, fields=fields)
    if others["fields"] is None:
        raise ValueError("fields must say each feature's field, or each entry's.")
    write_sparse(target, X, y, others["fields"], None, zero_based, is_bare=bare)
