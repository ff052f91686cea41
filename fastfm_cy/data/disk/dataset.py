"""Data sets on disk, to train on without ever holding them in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from scipy import sparse

from ...exceptions import FileFormatError
from ...kernels.matrix.scan import NOT_FINITE, OUTSIDE, scan
from ...utils.checks import or_float64
from ...utils.memory import check_memory
from ..csr import CSRRows, matrix_of
from ..mapped import mapped
from .folder import ENCODER, NPY_HEADER, OF_ENTRIES, checksum, read_header
from .replacing import recover_if_missing

_BYTES_A_ROW = 80  # that training needs besides the entries
_OF_ROWS = ("target", "weights", "query")
_OFFSETS = 1 << 16  # that are looked at a time

Ranges = list[tuple[int, int]]
"""Of rows or numbers: (first, last + 1), one behind the other."""


def open_dataset(
    folder: str | Path, *, memory_budget: int | str = "256MB", verify: bool = False
) -> DiskDataset:
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
    recover_if_missing(folder)
    header = read_header(folder)
    if verify:
        files = {f"{name}.npy": about for name, about in header["arrays"].items()}
        if "encoder" in header:
            files[ENCODER] = header["encoder"]
        for name, about in files.items():
            path = Path(folder) / name
            if checksum(path) != about["crc32"]:
                raise FileFormatError(f"{path} was altered: its checksum is wrong.")
    return DiskDataset(Path(folder), header, check_memory(memory_budget, "memory_budget"))


@dataclass(frozen=True)
class Chunk:
    """Some rows of a data set, in memory; None for what it does not have."""

    rows: CSRRows
    y: np.ndarray | None
    weights: np.ndarray | None
    query: np.ndarray | None
    ranges: Ranges
    """Of rows (first, last + 1) of the data set, one behind the other."""

    def row_number(self, row: int) -> int:
        """Where a row of the chunk is in the data set."""
        for first, last in self.ranges:
            if row < last - first:
                return first + row
            row -= last - first
        raise IndexError(row)


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
    n_fields : int
        One more than the largest field; 0 if entries have none.
    target_name : str or None
        Of a table: the target's column.
    encoder_file : Path or None
        Of a table: what made its rows.
    """

    def __init__(self, folder: Path, header: dict[str, Any], memory_budget: int) -> None:
        self.folder, self.memory_budget = folder, memory_budget
        self.shape = header["n_rows"], header["n_features"]
        self.n_entries = header["n_entries"]
        self.feature_names, self.n_fields = header.get("feature_names"), header.get("n_fields", 0)
        self.target_name = header.get("target_name")
        self.encoder_file = folder / ENCODER if "encoder" in header else None
        self._types = {name: about["dtype"] for name, about in header["arrays"].items()}

    def __repr__(self) -> str:
        return f"DiskDataset({str(self.folder)!r}, shape={self.shape}, n_entries={self.n_entries})"

    def __iter__(self) -> Iterator[Any]:
        return iter((self.X, self.y))

    def __array__(self, *args: Any, **options: Any) -> NoReturn:
        raise TypeError(
            "A data set on disk is no array. fit (of gradient solvers) and the predictions of FM "
            "estimators take it as it is; for all else there are dataset.X and dataset.y."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self.folder, self.memory_budget)

    @property
    def n_features(self) -> int:
        return self.shape[1]

    @property
    def dtype(self) -> str:
        return np.dtype(self._types["data"]).name

    def _names(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self._types]

    def has(self, name: str) -> bool:
        """Whether there is an array.

        Parameters
        ----------
        name : {"target", "weights", "query", "fields"}

        Returns
        -------
        bool
        """
        return name in self._types

    @cached_property
    def X(self) -> sparse.csr_array:
        return self._mapped_matrix("data")

    @cached_property
    def fields(self) -> sparse.csr_array | None:
        return self._mapped_matrix("fields") if self.has("fields") else None

    @cached_property
    def y(self) -> np.ndarray | None:
        return self._mapped("target")

    @cached_property
    def weights(self) -> np.ndarray | None:
        return self._mapped("weights")

    @cached_property
    def query(self) -> np.ndarray | None:
        return self._mapped("query")

    def _mapped(self, name: str) -> Any:
        if name not in self._types:
            return None
        length = self._length(name)
        if not length:
            return np.empty(0, self._types[name])
        return mapped(self._path(name), self._types[name], "r", NPY_HEADER, (length,))

    def _mapped_matrix(self, name: str) -> sparse.csr_array:
        data, indices, indptr = map(self._mapped, (name, "indices", "indptr"))
        return matrix_of(data, indices, indptr, self.shape)

    def _length(self, name: str) -> int:
        if name in OF_ENTRIES:
            return self.n_entries
        return self.shape[0] + (name == "indptr")

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.npy"

    def read(self, name: str, ranges: Ranges) -> np.ndarray:
        """The numbers in some ranges of an array, one behind the other.

        Parameters
        ----------
        name : str
            As of a file of the folder, without ".npy".
        ranges : list of (first, last + 1)

        Returns
        -------
        ndarray
        """
        numbers = np.empty(sum(last - first for first, last in ranges), self._types[name])
        place = 0
        with open(self._path(name), "rb", buffering=0) as file:
            for first, last in ranges:
                part = numbers[place : place + last - first]
                file.seek(NPY_HEADER + first * numbers.itemsize)
                if not _fill(file, part):
                    raise FileFormatError(f"{self._path(name)} was truncated since it was opened.")
                place += len(part)
        return numbers

    def chunk(self, ranges: Ranges, dtype: Any = None) -> Chunk:
        """Some ranges of rows, one behind the other, checked.

        Parameters
        ----------
        ranges : list of (first, last + 1)
        dtype : {"float32", "float64"} or None, default=None
            Of the values; None is that on disk.

        Returns
        -------
        Chunk
        """
        offsets = [self.read("indptr", [(first, last + 1)]) for first, last in ranges]
        of_entries = [(int(part[0]), int(part[-1])) for part in offsets]
        for part, (begin, end) in zip(offsets, of_entries, strict=True):
            if not 0 <= begin <= end <= self.n_entries or (part[1:] < part[:-1]).any():
                raise self._altered("indptr")
        n_rows = sum(last - first for first, last in ranges)
        indptr = np.zeros(n_rows + 1, np.int64)
        np.cumsum(np.concatenate([np.diff(part) for part in offsets]), out=indptr[1:])
        arrays = {name: self.read(name, of_entries) for name in self._names(OF_ENTRIES)}
        arrays |= {name: self.read(name, ranges) for name in self._names(_OF_ROWS)}
        with np.errstate(over="ignore"):
            data = arrays["data"].astype(dtype or self.dtype, copy=False)
        rows = CSRRows(indptr, arrays["indices"], data, self.shape[1], arrays.get("fields"))
        self._check(rows)
        y, weights, query = map(arrays.get, _OF_ROWS)
        return Chunk(rows, y, weights, query, ranges)

    def _check(self, rows: CSRRows) -> None:
        scanned = rows.indptr, rows.indices, rows.data, rows.n_features
        flags, entry = scan(*scanned, 0, rows.n_rows)
        if flags & OUTSIDE:
            raise self._altered("indices")
        if flags & NOT_FINITE and rows.data.dtype != self.dtype:
            raise ValueError(
                f"{self.folder} has a value of feature {rows.indices[entry]} that is too large for "
                f"{rows.data.dtype}; rescale it{or_float64(rows.data.dtype)}."
            )
        if flags & NOT_FINITE:
            raise self._altered("data")

    def _altered(self, name: str) -> FileFormatError:
        return FileFormatError(
            f"{self._path(name)} was altered: it holds what no conversion wrote. Convert the data "
            "anew."
        )

    def cuts(self, n_bytes: int) -> list[int]:
        """Where to cut the rows into chunks that take at most n_bytes each in training.

        A row that takes more is a chunk of its own.

        Parameters
        ----------
        n_bytes : int

        Returns
        -------
        list of int
            Numbers of rows, the first 0 and the last that of all.
        """
        an_entry = sum(np.dtype(self._types[name]).itemsize for name in self._names(OF_ENTRIES))
        cuts, offset = [0], 0  # the last cut, and where its entries begin
        for start in range(0, self.shape[0], _OFFSETS):
            stop = min(start + _OFFSETS, self.shape[0])
            offsets = self.read("indptr", [(start, stop + 1)])
            sizes = offsets[1:] * an_entry + np.arange(start + 1, stop + 1) * _BYTES_A_ROW
            while cuts[-1] < stop:
                limit = offset * an_entry + cuts[-1] * _BYTES_A_ROW + n_bytes
                fits = start + int(np.searchsorted(sizes, limit, side="right"))
                if fits == stop < self.shape[0]:
                    break
                cuts.append(max(fits, cuts[-1] + 1))
                offset = int(offsets[cuts[-1] - start])
        return cuts


def _fill(file: FileIO, numbers: np.ndarray) -> bool:
    """Read bytes into a whole array; False if there are not enough."""
    place = numbers.data.cast("B")
    while place:
        n_read = file.readinto(place)
        if not n_read:
            return False
        place = place[n_read:]
    return True


def _reopened(folder: Path, memory_budget: int) -> DiskDataset:
    return open_dataset(folder, memory_budget=memory_budget)
