"""libFM's binary files: matrices by rows (.x) or columns (.xt), and vectors (.y).

All is little-endian. A matrix is

    uint32 2, uint32 4, uint64 n_entries, uint32 n_rows, uint32 n_columns
    a row: uint32 length, then length times uint32 column, float32 value

and a vector uint32 1, uint32 4, uint32 n, then n numbers of 4 bytes. The .xt file is the transpose.
"""

from __future__ import annotations

import os
import struct
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from ...data.csr import matrix_of
from ...data.dataset import Dataset
from ...data.matrix_checks import check_structure
from ...exceptions import FileFormatError
from ...kernels.text.libfm_binary import join_rows, split_rows, whole_rows
from ..files import is_path
from ..outputs import written_aside
from .writing import unpacked

_MATRIX, _VECTOR = struct.Struct("<IIQII"), struct.Struct("<III")
MAGIC = struct.pack("<II", 2, 4)
_MOST_COLUMNS = 2**31 - 1
_FREE_ROWS = 1 << 20  # that a matrix by columns may have without entries
_PIECE = 1 << 18  # words
_BY_ROWS, _BY_COLUMNS, _TARGETS = (".x", ".data"), (".xt", ".datat"), (".y", ".target")
BINARY_SUFFIXES = _BY_ROWS + _BY_COLUMNS


def read_libfm_binary(name: str | Path, target: str | Path | None = None) -> Dataset:
    """Read a design matrix and its targets from libFM's binary files.

    Parameters
    ----------
    name : path
        Of the matrix, .x or .xt (of old, .data or .datat), or what its name begins with.
    target : path, default=None
        Of the targets. None: the .y (or .target) file beside the matrix.

    Returns
    -------
    Dataset
        Its y is None if there is no file of targets.
    """
    path = matrix_path(name)
    targets = _Targets(path, target)
    X = read_matrix(path, targets)
    targets.check_length(X.shape[0])
    return Dataset(X, targets.y)


def read_pieces(name, target=None):
    """What `read_libfm_binary` reads, as Datasets of rows that follow each other.

    A matrix by columns is one piece.
    """
    path = matrix_path(name)
    if is_by_columns(path):
        yield read_libfm_binary(path, target)
        return
    targets, done = _Targets(path, target), 0
    for data, indices, indptr, n_columns in matrix_pieces(path):
        rows = slice(done, done + len(indptr) - 1)
        X = matrix_of(data, indices, indptr, (len(indptr) - 1, n_columns))
        yield Dataset(X, None if targets.y is None else targets.y[rows])
        done = rows.stop
    targets.check_length(done)


class _Targets:
    """The targets of a matrix, `y`, perhaps None; parameters as of `read_libfm_binary`."""

    def __init__(self, path, target):
        if target is None:
            target = next((p for p in map(path.with_suffix, _TARGETS) if p.exists()), None)
        if not (target is None or is_path(target)):
            raise TypeError(f"target must be the path of a file of targets, not {target!r}.")
        self.matrix_path, self.path = path, target
        self.y = None if target is None else read_vector(target).astype(np.float64)

    def check_length(self, n_rows):
        if self.y is not None and len(self.y) != n_rows:
            raise FileFormatError(
                f"{self.path} has {len(self.y)} targets, {self.matrix_path} has {n_rows} rows."
            )


def read_matrix(path, targets):
    """Read one .x or .xt file; its suffix says which.

    Returns
    -------
    csr_array of shape (n_rows, n_features), float32
        A .xt file is transposed back.
    """
    path = Path(path)
    with open(path, "rb") as file:
        n_rows_of_file, n_columns, n_entries = _read_header(file, path)
        if is_by_columns(path):
            _check_believable(n_columns, n_entries, targets)
        words = np.fromfile(file, "<u4").astype(np.uint32, copy=False)
    rows = _split(words, n_rows_of_file, n_columns, n_entries, path, 0)
    X = matrix_of(*rows, (n_rows_of_file, n_columns))
    return X.T.tocsr() if is_by_columns(path) else X


def _check_believable(n_rows, n_entries, targets):
    """Rows of a matrix by columns take no bytes; so its header is believed if there are as many
    targets, or if few rows have no entry."""
    targets.check_length(n_rows)
    if targets.y is None and n_rows > n_entries + _FREE_ROWS:
        raise FileFormatError(
            f"{targets.matrix_path} tells of {n_rows} rows, but holds {n_entries} entries only, "
            "and there is no file of targets that would confirm it."
        )


def matrix_pieces(path):
    """The rows of a .x file in bounded memory.

    Yields
    ------
    data, indices, indptr of some rows, and the number of columns
    """
    with open(path, "rb") as file:
        n_rows, n_columns, n_entries = _read_header(file, path)
        done, words, wanted = 0, np.empty(0, np.uint32), 0
        left = n_rows + 2 * n_entries  # words in the file
        while done < n_rows:
            # Behind what is left of the last piece; at least one whole row, if there is one.
            count = min(max(_PIECE, wanted), left)
            more = np.fromfile(file, "<u4", count).astype(np.uint32, copy=False)
            words, left = np.concatenate([words, more]), left - count
            ready, n_words, wanted = whole_rows(words, n_rows - done)
            if not ready and not len(more):
                raise _wrong_row(path, done, n_columns)
            piece = words[:n_words], ready, n_columns, (n_words - ready) // 2
            yield *_split(*piece, path, done), n_columns
            done, words = done + ready, words[n_words:]
        if len(words) or left:
            raise _wrong_row(path, done, n_columns)


def _read_header(file, path):
    """(n_rows, n_columns, n_entries), which fit the file's size."""
    header = file.read(_MATRIX.size)
    if len(header) < _MATRIX.size:
        raise FileFormatError(f"{path} is too short to be a binary matrix of libFM.")
    kind, size, n_entries, n_rows, n_columns = _MATRIX.unpack(header)
    if (kind, size) != (2, 4):
        raise FileFormatError(
            f"{path} is no binary matrix of libFM: it begins with {kind}, {size}, not 2, 4."
        )
    expected, found = _MATRIX.size + 4 * n_rows + 8 * n_entries, os.fstat(file.fileno()).st_size
    if found != expected:
        raise FileFormatError(
            f"{path} should have {expected} bytes for {n_rows} rows and {n_entries} entries; it "
            f"has {found}."
        )
    if n_columns > _MOST_COLUMNS:
        raise FileFormatError(
            f"{path} has {n_columns} columns; at most {_MOST_COLUMNS} are supported."
        )
    return n_rows, n_columns, n_entries


def _split(words, n_rows, n_columns, n_entries, path, first_row):
    """(data, indices, indptr) of rows."""
    indptr = np.empty(n_rows + 1, np.int64)
    indices, data = np.empty(n_entries, np.int32), np.empty(n_entries, np.float32)
    row = split_rows(words, n_columns, indptr, indices, data)
    if row >= 0:
        raise _wrong_row(path, first_row + row, n_columns)
    finite = np.isfinite(data)
    if not finite.all():
        entry = int(finite.argmin())
        row = first_row + int(np.searchsorted(indptr, entry, side="right")) - 1
        raise FileFormatError(
            f"{path}: the value of feature {indices[entry]} in row {row} is {data[entry]}."
        )
    return data, indices, indptr


def _wrong_row(path, row, n_columns):
    return FileFormatError(
        f"{path}: row {row} goes beyond the file or its {n_columns} columns, or its length is "
        "wrong."
    )


def write_libfm_binary(
    name: str | Path, X: Any, y: Any = None, *, by_columns: bool = False
) -> None:
    """Write a design matrix and its targets as libFM's binary files: all of them, or none.

    Parameters
    ----------
    name : path
        What the files' names begin with: NAME.x or NAME.xt, and NAME.y.
    X : Dataset, or sparse matrix or array of shape (n_rows, n_features)
        Its values are rounded to float32.
    y : array of shape (n_rows,), default=None
        None writes a Dataset's own targets.
    by_columns : bool, default=False
        Whether to write the transpose, NAME.xt, as libFM's ALS and MCMC want it, besides NAME.x.
    """
    X, y, _ = unpacked(X, y)
    X = sparse.csr_array(check_structure(X))
    if y is not None and len(y) != X.shape[0]:
        raise ValueError(f"X has {X.shape[0]} rows, y {len(y)} targets.")
    matrices = {".x": X} | ({".xt": X.T.tocsr()} if by_columns else {})
    with ExitStack() as files:  # which take their names when all are whole
        for suffix, matrix in matrices.items():
            _write_matrix(files.enter_context(written_aside(f"{name}{suffix}")), matrix)
        if y is not None:
            _write_vector(files.enter_context(written_aside(f"{name}.y")), _float32(y, "y"))


def write_libfm_dataset(path, dataset):
    """Write NAME.x, NAME.xt and, if there are targets, NAME.y, given NAME or NAME.x.

    NAME.xt is left out if it would say of most features no more than that they never occur.
    """
    X = dataset.X
    by_columns = X.shape[1] <= X.indptr[-1] + _FREE_ROWS
    write_libfm_binary(_stem(path), dataset, by_columns=by_columns)


def outputs_of(path):
    """The files that `write_libfm_dataset` writes."""
    return [f"{_stem(path)}{suffix}" for suffix in (".x", ".xt", ".y")]


def _stem(path):
    return os.fspath(path).removesuffix(".x").removesuffix(".xt")


def _write_matrix(file, X):
    words = np.empty(X.shape[0] + 2 * X.nnz, np.uint32)
    join_rows(X.indptr.astype(np.int64), X.indices.astype(np.int32), _float32(X.data, "X"), words)
    file.write(_MATRIX.pack(2, 4, X.nnz, *X.shape))
    file.write(words.astype("<u4", copy=False).data)


def _float32(values, name):
    with np.errstate(over="ignore"):
        rounded = np.ascontiguousarray(values, dtype=np.float32)
    if not np.isfinite(rounded).all():
        raise ValueError(f"{name} has values that are not finite in float32.")
    return rounded


def read_vector(path: str | Path, dtype: str = "float32") -> np.ndarray:
    """Read a vector of libFM's: binary, or text with a number a line.

    Parameters
    ----------
    path : path
    dtype : {"float32", "uint32"}
        Of the numbers: targets, or rows of a relation's block (the files do not say).

    Returns
    -------
    ndarray of shape (n,)
    """
    contents = Path(path).read_bytes()
    if len(contents) >= _VECTOR.size:
        kind, size, n = _VECTOR.unpack_from(contents)
        if (kind, size) == (1, 4):
            if len(contents) != _VECTOR.size + 4 * n:
                raise FileFormatError(
                    f"{path} should have {_VECTOR.size + 4 * n} bytes for {n} numbers; it has "
                    f"{len(contents)}."
                )
            little = np.dtype(dtype).newbyteorder("<")
            values = np.frombuffer(contents, little, offset=_VECTOR.size).astype(dtype)
            return _checked_finite(values, path)
    return _numbers(contents, path, dtype)


def write_vector(path: str | Path, values: Any, dtype: str = "float32") -> None:
    """Write a binary vector of libFM's.

    Parameters
    ----------
    path : path
    values : array of shape (n,)
    dtype : {"float32", "uint32"}, default="float32"
        As of `read_vector`.
    """
    if dtype == "float32":
        values = _float32(values, "The vector")
    else:
        values = np.ascontiguousarray(values, dtype)
    with written_aside(path) as file:
        _write_vector(file, values)


def _write_vector(file, values):
    file.write(_VECTOR.pack(1, 4, len(values)))
    file.write(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())


def _numbers(contents, path, dtype):
    """Numbers between blanks."""
    try:
        words = contents.decode("ascii").split()
        values = np.array(words, dtype=np.float64)
    except ValueError as error:
        raise FileFormatError(
            f"{path} is neither a binary vector of libFM nor text with a number a line: {error}"
        ) from error
    with np.errstate(over="ignore", invalid="ignore"):
        cast = values.astype(dtype)
    if dtype != "float32" and not np.array_equal(cast, values):
        where = int(np.argmax(cast != values))
        raise FileFormatError(
            f"{path}: number {where} must be an integer from 0, not {words[where]}."
        )
    return _checked_finite(cast, path)


def _checked_finite(values, path):
    finite = np.isfinite(values)
    if not finite.all():
        where = int(finite.argmin())
        raise FileFormatError(f"{path}: number {where} is {values[where]}.")
    return values


def matrix_path(name):
    """Of the matrix that a name begins."""
    path = Path(name)
    if path.suffix in BINARY_SUFFIXES or _has_magic(path):
        return path
    for suffix in BINARY_SUFFIXES:
        candidate = path.with_name(path.name + suffix)
        if candidate.exists():
            return candidate
    raise FileNotFoundError(f"There is neither {path}.x nor {path}.xt.")


def _has_magic(path):
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def is_by_columns(path):
    return path.suffix in _BY_COLUMNS
