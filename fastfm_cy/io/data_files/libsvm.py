"""The text format of libsvm and libFM: ``[target] [qid:n] index:value ...``, a row a line."""

from __future__ import annotations

from typing import Any

from ...data.dataset import Dataset
from .collect import collected
from .line_reader import LineReader
from .sparse_lines import SparseForm
from .writing import is_bare, unpacked, write_sparse


def read_libsvm(
    source: Any, *, n_features: int | None = None, zero_based: bool | str = True,
    dtype: str = "float32", n_hash: int | None = None, on_error: str = "raise",
    n_jobs: int | None = None,
) -> Dataset:  # fmt: skip
    """Read rows in the text format of libsvm, svmlight, libFM and xLearn.

    A line is ``target [qid:n] index:value index:value ...``, with any blanks between; a value that
    is missing is 1, what follows a # is a comment, empty lines are left out. Lines end in LF, CR or
    both. Numbers are those of Python's float(), in float32 rounded once more; infinity and NaN are
    refused. If no line has a target, as in data to predict, y is None.

    Parameters
    ----------
    source : path, binary file object, or list of these
        Perhaps packed (gzip, bz2, xz; zstd from Python 3.14 or with the package zstandard). Of
        several, the rows follow each other.
    n_features : int, default=None
        The number of features; an index beyond is an error. None: the largest index says it. A
        file to predict needs that of the file that the model was fitted to.
    zero_based : bool or "auto", default=True
        Whether indices start from 0, as libFM's do; "auto": from 1 if no index is 0.
    dtype : {"float32", "float64"}, default="float32"
        Of the values; targets are float64.
    n_hash : int, default=None
        Into how many features to hash what stands before the colons, which then may be any words,
        or numbers beyond 2^31. The same word gives the same feature in any file, and with more
        words than features some share one; twice their number is a sensible least.
    on_error : {"raise", "skip"}, default="raise"
        What to do with lines that cannot be read: raise a ParseError, or leave them out, warn, and
        tell in ``skipped``.
    n_jobs : int, default=None
        The most threads, -1 for all cores. The result does not depend on it.

    Returns
    -------
    Dataset
        With X, y, and query if there are qids.

    Raises
    ------
    ParseError
        (a ValueError) with file, line, column, and what was expected there.
    FileFormatError
        (a ValueError) if a packed file is damaged, or there are no rows.
    """
    form = SparseForm(n_features=n_features, zero_based=zero_based, dtype=dtype, n_hash=n_hash)
    return collected(LineReader(source, form, on_error=on_error, n_jobs=n_jobs), "libsvm")


def write_libsvm(
    target: Any, X: Any, y: Any = None, *, query: Any = None, zero_based: bool = True
) -> None:
    """Write rows as `read_libsvm` reads them: the same numbers, the same entries.

    Every number has as few digits as name it alone.

    Parameters
    ----------
    target : path, or binary file object
        A path is written aside and renamed, so there is the whole file or none; its suffix (.gz,
        .bz2, .xz, .zst) says whether to pack it.
    X : Dataset, DiskDataset, or sparse matrix or array of shape (n_rows, n_features)
    y : array of shape (n_rows,), default=None
        None writes a Dataset's own targets, which may be none, or zeros.
    query : array of int of shape (n_rows,), default=None
        Groups of rows (qid), from 0.
    zero_based : bool, default=True
        Whether indices start from 0 or 1.
    """
    bare = is_bare(X, y)
    X, y, others = unpacked(X, y, query=query)
    write_sparse(target, X, y, None, others["query"], zero_based, is_bare=bare)
