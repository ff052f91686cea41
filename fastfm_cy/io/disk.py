"""Data sets on disk, to train on without ever holding them in memory."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy import sparse

from .._matrix import CSRRows
from ..exceptions import FileFormatError
from ..kernels import checks
from ._folder import NPY_HEADER, OF_ENTRIES, checksum, read_header

_UNITS = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_BYTES_A_ROW = 80  # that training needs besides the entries
_OFFSETS = 1 << 16  # that are looked at a time


def open_dataset(folder, *, memory_budget="256MB", verify=False):
    """Open a data set that `convert` wrote.

    Parameters
    ----------
    folder : path
    memory_budget : int or str, default="256MB"
        The most memory, in bytes or with a unit (KB, MB, GB), for the rows that `fit` and the
        predictions hold at a time. The model's table comes on top.
    verify : bool, default=False
        Whether to read all files and compare their checksums; else only the header's and the
        files' lengths are looked at.

    Returns
    -------
    DiskDataset

    Raises
    ------
    FileFormatError
        (a ValueError) if the folder is incomplete or altered.
    """
    header = read_header(folder)
    if verify:
        for name, about in header["arrays"].items():
            path = Path(folder) / f"{name}.npy"
            if checksum(path) != about["crc32"]:
                raise FileFormatError(f"{path} was altered: its checksum is wrong.")
    return DiskDataset(Path(folder), header, in_bytes(memory_budget))


@dataclass(frozen=True)
class Chunk:
    """Some neighbouring rows of a data set, in memory."""

    rows: CSRRows
    y: np.ndarray | None
    weights: np.ndarray | None
    fields: np.ndarray | None
    query: np.ndarray | None


class DiskDataset:
    """A data set on disk; `open_dataset` makes it. ``X, y = dataset`` as of a Dataset.

    ``model.fit(dataset)`` trains on it, ``model.predict(dataset)`` scores its rows, both chunk by
    chunk within the memory budget.

    Attributes
    ----------
    folder : Path
    shape : (n_rows, n_features)
    n_entries : int
    dtype : "float32" or "float64"
    memory_budget : int
    X : csr_array of shape (n_rows, n_features), mapped from disk
    y, weights, query : ndarrays of shape (n_rows,), mapped from disk, or None
    fields : csr_array of shape (n_rows, n_features), mapped from disk, or None
    feature_names : list of str or None
    """

    def __init__(self, folder, header, memory_budget):
        self.folder, self.memory_budget = folder, memory_budget
        self.shape = header["n_rows"], header["n_features"]
        self.n_entries = header["n_entries"]
        self.feature_names = header.get("feature_names")
        self._types = {name: about["dtype"] for name, about in header["arrays"].items()}

    def __repr__(self):
        return f"DiskDataset({str(self.folder)!r}, shape={self.shape}, n_entries={self.n_entries})"

    def __iter__(self):
        return iter((self.X, self.y))

    def __reduce__(self):
        return _reopened, (self.folder, self.memory_budget)

    @property
    def dtype(self):
        return np.dtype(self._types["data"]).name

    @property
    def _of_entries(self):
        return [name for name in OF_ENTRIES if name in self._types]

    @property
    def has_fields(self):
        return "fields" in self._types

    @cached_property
    def X(self):
        return self._mapped_matrix("data")

    @cached_property
    def fields(self):
        return self._mapped_matrix("fields") if self.has_fields else None

    @cached_property
    def y(self):
        return self._mapped("target")

    @cached_property
    def weights(self):
        return self._mapped("weights")

    @cached_property
    def query(self):
        return self._mapped("query")

    def _mapped(self, name):
        if name not in self._types:
            return None
        length = self._length(name)
        if not length:
            return np.empty(0, self._types[name])
        return np.memmap(self._path(name), self._types[name], "r", NPY_HEADER, (length,))

    def _mapped_matrix(self, name):
        X = sparse.csr_array(self.shape, dtype=self._types[name])
        # Set, not given to the constructor, which would copy offsets and columns to one type.
        X.indptr, X.indices, X.data = map(self._mapped, ("indptr", "indices", name))
        return X

    def _length(self, name):
        if name in OF_ENTRIES:
            return self.n_entries
        return self.shape[0] + (name == "indptr")

    def _path(self, name):
        return self.folder / f"{name}.npy"

    def read(self, name, first, last):
        """Numbers first..last-1 of one of the arrays, or None if there is no such array."""
        if name not in self._types:
            return None
        dtype, count = np.dtype(self._types[name]), last - first
        offset = NPY_HEADER + first * dtype.itemsize
        numbers = np.fromfile(self._path(name), dtype, count, offset=offset)
        if len(numbers) != count:
            raise FileFormatError(f"{self._path(name)} was truncated since it was opened.")
        return numbers

    def chunk(self, first, last):
        """Rows first..last-1 as a Chunk, checked."""
        indptr = self.read("indptr", first, last + 1)
        begin, end = int(indptr[0]), int(indptr[-1])
        if not 0 <= begin <= end <= self.n_entries or (np.diff(indptr) < 0).any():
            raise self._altered("indptr")
        indptr -= begin
        entries = (self.read(name, begin, end) for name in OF_ENTRIES)
        indices, data, fields = entries
        rows = CSRRows(indptr, indices, data, self.shape[1])
        flags, _ = checks.scan(indptr, indices, data, self.shape[1], 0, last - first)
        if flags & (checks.OUTSIDE | checks.NOT_FINITE):
            raise self._altered("indices" if flags & checks.OUTSIDE else "data")
        of_rows = (self.read(name, first, last) for name in ("target", "weights", "query"))
        y, weights, query = of_rows
        return Chunk(rows, y, weights, fields, query)

    def _altered(self, name):
        return FileFormatError(
            f"{self._path(name)} was altered: it holds what no conversion wrote. Convert the data "
            "anew."
        )

    def cuts(self, n_bytes):
        """Where to cut the rows into chunks that take at most n_bytes each in training.

        A row that takes more is a chunk of its own.
        """
        an_entry = sum(np.dtype(self._types[name]).itemsize for name in self._of_entries)
        cuts, offset = [0], 0  # the last cut, and where its entries begin
        for start in range(0, self.shape[0], _OFFSETS):
            stop = min(start + _OFFSETS, self.shape[0])
            offsets = self.read("indptr", start, stop + 1)
            sizes = offsets[1:] * an_entry + np.arange(start + 1, stop + 1) * _BYTES_A_ROW
            while cuts[-1] < stop:
                limit = offset * an_entry + cuts[-1] * _BYTES_A_ROW + n_bytes
                fits = start + int(np.searchsorted(sizes, limit, side="right"))
                if fits == stop < self.shape[0]:
                    break
                cuts.append(max(fits, cuts[-1] + 1))
                offset = int(offsets[cuts[-1] - start])
        return cuts


def _reopened(folder, memory_budget):
    return open_dataset(folder, memory_budget=memory_budget)


def in_bytes(memory):
    """A number of bytes from 1000000, "256MB", "1.5 GB"."""
    number, unit = memory, 1
    if isinstance(memory, str):
        text = memory.strip().upper()
        unit = _UNITS.get(text[-2:], 1)
        number = text[:-2] if unit > 1 else text
    try:
        n_bytes = int(float(number) * unit)
    except (TypeError, ValueError, OverflowError):
        n_bytes = 0
    if n_bytes < 1:
        raise ValueError(f"memory_budget must be bytes, or as '256MB' or '4GB'; got {memory!r}.")
    return n_bytes
