"""libFM's binary files: matrices by rows (.x) or columns (.xt), and vectors (.y).

All is little-endian. A matrix is

    uint32 2, uint32 4, uint64 n_entries, uint32 n_rows, uint32 n_columns
    a row: uint32 length, then length times uint32 column, float32 value

and a vector uint32 1, uint32 4, uint32 n, then n numbers of 4 bytes. The .xt file is the transpose.
"""

import struct
from pathlib import Path

import numpy as np
from scipy import sparse

from .._matrix import check_structure
from ..exceptions import FileFormatError
from ..kernels import binary
from ._files import written_aside
from .dataset import Dataset, matrix_of

_MATRIX, _VECTOR = struct.Struct("<IIQII"), struct.Struct("<III")
_MOST_COLUMNS = 2**31 - 1
_BY_ROWS, _BY_COLUMNS, _TARGETS = (".x", ".data"), (".xt", ".datat"), (".y", ".target")
BINARY_SUFFIXES = _BY_ROWS + _BY_COLUMNS


def read_libfm_binary(name, target=None):
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
        y is None if there is no file of targets.
    """
    path = _matrix_path(Path(name))
    X = read_matrix(path)
    if target is None:
        target = next((p for p in _beside(path, _TARGETS) if p.exists()), None)
    if target is None:
        return Dataset(X, None)
    y = read_vector(target).astype(np.float64)
    if len(y) != X.shape[0]:
        raise FileFormatError(f"{target} has {len(y)} targets, {path} has {X.shape[0]} rows.")
    return Dataset(X, y)


def read_matrix(path):
    """Read one .x or .xt file; its suffix says which.

    Returns
    -------
    csr_array of shape (n_rows, n_features), float32
        A .xt file is transposed back.
    """
    path = Path(path)
    contents = Path(path).read_bytes()
    if len(contents) < _MATRIX.size:
        raise FileFormatError(f"{path} is too short to be a binary matrix of libFM.")
    kind, size, n_entries, n_rows, n_columns = _MATRIX.unpack_from(contents)
    if (kind, size) != (2, 4):
        raise FileFormatError(
            f"{path} is no binary matrix of libFM: it begins with {kind}, {size}, not 2, 4."
        )
    expected = _MATRIX.size + 4 * n_rows + 8 * n_entries
    if len(contents) != expected:
        raise FileFormatError(
            f"{path} should have {expected} bytes for {n_rows} rows and {n_entries} entries; it "
            f"has {len(contents)}."
        )
    if n_columns > _MOST_COLUMNS:
        raise FileFormatError(
            f"{path} has {n_columns} columns; at most {_MOST_COLUMNS} are supported."
        )
    words = np.frombuffer(contents, "<u4", offset=_MATRIX.size).astype(np.uint32, copy=False)
    indptr = np.empty(n_rows + 1, np.int64)
    indices, data = np.empty(n_entries, np.int32), np.empty(n_entries, np.float32)
    row = binary.split_rows(words, n_columns, indptr, indices, data)
    if row >= 0:
        raise FileFormatError(
            f"{path}: row {row} goes beyond the file or its {n_columns} columns, or its length is "
            "wrong."
        )
    finite = np.isfinite(data)
    if not finite.all():
        raise FileFormatError(f"{path}: entry {finite.argmin()} is {data[finite.argmin()]}.")
    X = matrix_of(data, indices, indptr, (n_rows, n_columns))
    return X.T.tocsr() if path.suffix in _BY_COLUMNS else X


def write_libfm_binary(name, X, y=None, *, by_columns=False):
    """Write a design matrix and its targets as libFM's binary files.

    Parameters
    ----------
    name : path
        What the files' names begin with: NAME.x or NAME.xt, and NAME.y.
    X : sparse matrix or array of shape (n_rows, n_features)
        Its values are rounded to float32.
    y : array of shape (n_rows,), default=None
    by_columns : bool, default=False
        Whether to write the transpose, NAME.xt, as libFM's ALS and MCMC want it, besides NAME.x.
    """
    name = str(name)
    X = sparse.csr_array(check_structure(X))
    if y is not None and len(y) != X.shape[0]:
        raise ValueError(f"X has {X.shape[0]} rows, y {len(y)} targets.")
    _write_matrix(name + ".x", X)
    if by_columns:
        _write_matrix(name + ".xt", X.T.tocsr())
    if y is not None:
        write_vector(name + ".y", y)


def _write_matrix(path, X):
    words = np.empty(X.shape[0] + 2 * X.nnz, np.uint32)
    binary.join_rows(
        X.indptr.astype(np.int64), X.indices.astype(np.int32), _float32(X.data, "X"), words
    )
    with written_aside(path) as file:
        file.write(_MATRIX.pack(2, 4, X.nnz, *X.shape))
        file.write(words.astype("<u4", copy=False).data)


def _float32(values, name):
    with np.errstate(over="ignore"):
        rounded = np.ascontiguousarray(values, dtype=np.float32)
    if not np.isfinite(rounded).all():
        raise ValueError(f"{name} has values that are not finite in float32.")
    return rounded


def read_vector(path, dtype="float32"):
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


def write_vector(path, values, dtype="float32"):
    """Write a binary vector of libFM's; parameters as of `read_vector`."""
    if dtype == "float32":
        values = _float32(values, "The vector")
    else:
        values = np.ascontiguousarray(values, dtype)
    with written_aside(path) as file:
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


def _matrix_path(path):
    if path.suffix in BINARY_SUFFIXES:
        return path
    for suffix in BINARY_SUFFIXES:
        candidate = path.with_name(path.name + suffix)
        if candidate.exists():
            return candidate
    raise FileNotFoundError(f"There is neither {path}.x nor {path}.xt.")


def _beside(path, suffixes):
    return [path.with_suffix(suffix) for suffix in suffixes]
