"""Sources of rows: chunks to train on. In memory all rows are one chunk, on disk there are many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils.class_weight import compute_sample_weight

from ..data.csr import CSRRows, has_gaps
from ..data.disk.chunks import from_all_over, pieces_of, read_ahead
from ..data.disk.dataset import Chunk, DiskDataset
from ..data.disk.target_summary import TargetSummary
from ..data.inputs import PlainInput, Rows
from ..data.relational_rows import expand_if_relational
from ..data.sample_checks import check_cast, check_not_all_zero
from ..data.targets import Encoding
from ..exceptions import FileFormatError
from ..kernels.gradient import replicas
from ..utils.threads import in_parts

_ENTRIES_A_READ = 1 << 17


@dataclass(frozen=True)
class MemorySource:
    """Rows in memory, as the kernels take them."""

    rows: Rows
    target: np.ndarray
    """float64."""
    y: np.ndarray
    """The target in the table's dtype."""
    weights: np.ndarray | None
    """float64, of the rows."""
    cast_weights: np.ndarray | None
    """In the table's dtype."""
    visited: np.ndarray
    """int64, the rows to train on."""
    number: Callable[[int], int] = int
    """Of a row, for messages."""
    unscaled: Rows | None = None
    """The rows before their columns were scaled, where they were, to tell what looks wrong."""

    is_one_chunk = True

    @classmethod
    def of(
        cls, rows: Rows, target: np.ndarray, weights: np.ndarray | None, dtype: Any,
        unscaled: Rows | None = None,
    ) -> MemorySource:  # fmt: skip
        """Rows with a target as it was encoded; those without weight are not visited."""
        y, cast, visited = check_cast(target, dtype, "y"), None, np.arange(rows.n_rows)
        if weights is not None:
            cast = check_cast(weights, dtype, "sample_weight")
            check_not_all_zero(cast)
            visited = np.flatnonzero(cast)
        return cls(rows, target, y, weights, cast, visited, unscaled=unscaled)

    @property
    def n_features(self) -> int:
        """Of the table."""
        return self.rows.n_features

    @property
    def n_visited(self) -> int:
        return len(self.visited)

    def chunks(
        self, rng: np.random.Generator, *, shuffle: bool, dtype: Any
    ) -> Iterator[MemorySource]:
        """The parts of an epoch."""
        yield self

    def split(
        self, fraction: float, rng: np.random.Generator, *, stratify: bool
    ) -> tuple[MemorySource, np.ndarray]:
        """A source of fewer rows to visit, and the numbers of those that are held out."""
        seed = int(rng.integers(2**31))
        classes = self.target[self.visited] if stratify else None
        try:
            parts = train_test_split(
                self.visited, test_size=fraction, random_state=seed, stratify=classes
            )
        except ValueError as error:
            raise ValueError(
                f"validation_fraction={fraction} of {self.n_visited} rows cannot be held out: "
                f"{error} Give more rows, another fraction or an eval_set."
            ) from None
        visited, held_out = (np.sort(part) for part in parts)
        return replace(self, visited=visited), held_out

    def packed(self, features: np.ndarray) -> MemorySource:
        """The same rows over a table of only these features, which all that are visited have."""
        rows: Any = self.rows
        if isinstance(rows, CSRRows) and len(rows.indices) < self.n_features // 4:
            places = np.searchsorted(features, rows.indices).clip(max=len(features) - 1)
            packed = replace(rows, indices=places.astype(np.int32), n_features=len(features))
        else:
            place = np.zeros(self.n_features, dtype=np.int32)
            place[features] = np.arange(len(features), dtype=np.int32)
            packed = rows.renumbered(place, len(features))
        return replace(self, rows=packed)

    def only_visited(self) -> MemorySource:
        """A source of no other rows than those to visit."""
        if self.n_visited == self.rows.n_rows:
            return self
        take = self.visited
        return replace(
            self, rows=self.rows.take(take), target=self.target[take], y=self.y[take],
            weights=None if self.weights is None else self.weights[take],
            cast_weights=None if self.cast_weights is None else self.cast_weights[take],
            visited=np.arange(len(take)),
        )  # fmt: skip

    def occurrences(self, n_jobs: int = 1) -> np.ndarray:
        """How many entries each of the table's features has in all rows."""
        return _counts(self.rows.indices, self.n_features, n_jobs)

    def present_features(self) -> np.ndarray:
        """The table's features that have entries in the visited rows."""
        rows = expand_if_relational(self.rows)
        indices = rows.indices
        if self.n_visited < rows.n_rows:
            is_visited = np.zeros(rows.n_rows, dtype=bool)
            is_visited[self.visited] = True
            indices = indices[np.repeat(is_visited, np.diff(rows.indptr))]
        if len(indices) < self.n_features // 4:
            return np.unique(indices)
        return np.flatnonzero(_counts(indices, self.n_features))

    @property
    def has_gaps(self) -> bool:
        """Whether most features never occur."""
        rows = self.rows
        return isinstance(rows, CSRRows) and has_gaps(rows.n_features, rows.n_entries)

    def typical_targets(self) -> tuple[np.ndarray, np.ndarray | None, int]:
        """Targets and weights with the mean of those to train on, and how many they stand for."""
        y, weights = self.y, self.cast_weights
        if self.n_visited < len(y):
            y, weights = y[self.visited], weights if weights is None else weights[self.visited]
        return y, weights, len(y)


class DiskSource:
    """A data set on disk; its chunks are put together from pieces of all of it, anew each epoch.

    Parameters
    ----------
    dataset : DiskDataset
    inputs : PlainInput
    target : Encoding
    summary : TargetSummary
        Of the data set's targets.
    """

    is_one_chunk = False

    def __init__(
        self, dataset: DiskDataset, inputs: PlainInput, target: Encoding, summary: TargetSummary
    ) -> None:
        self.dataset, self.inputs, self.target = dataset, inputs, target
        self.summary = summary
        self._pieces = pieces_of(dataset)

    @property
    def n_features(self) -> int:
        return self.inputs.n_table_features(self.dataset.shape[1])

    @property
    def has_gaps(self) -> bool:
        return has_gaps(self.n_features, self.dataset.n_entries)

    @property
    def n_visited(self) -> int:
        return self.summary.n_visited

    def chunks(
        self, rng: np.random.Generator, *, shuffle: bool, dtype: Any
    ) -> Iterator[MemorySource]:
        parts = from_all_over(self._pieces, rng, shuffle=shuffle)
        for chunk in read_ahead(self.dataset, parts, dtype):
            source = self._of_chunk(chunk, dtype)
            del chunk
            if source.n_visited:
                yield source
            del source  # before the next is read

    def _of_chunk(self, chunk: Chunk, dtype: Any) -> MemorySource:
        target, weights = encoded_chunk(chunk, self.target, self.summary.class_weights)
        y, cast, visited = check_cast(target, dtype, "y"), None, np.arange(chunk.rows.n_rows)
        if weights is not None:
            cast = check_cast(weights, dtype, "weights")
            visited = np.flatnonzero(cast)
        rows = self.inputs.of_chunk(chunk)
        return MemorySource(rows, target, y, weights, cast, visited, chunk.row_number)

    def occurrences(self, n_jobs: int = 1) -> np.ndarray:
        dataset = self.dataset
        counts = np.zeros(self.n_features, dtype=np.int64)
        for first in range(0, dataset.n_entries, _ENTRIES_A_READ):
            part = [(first, min(first + _ENTRIES_A_READ, dataset.n_entries))]
            indices = dataset.read("indices", part)
            if indices.min() < 0 or indices.max() >= dataset.shape[1]:
                raise FileFormatError(f"{dataset.folder}: indices.npy was altered.")
            replicas.count(self.inputs.table_rows(indices), counts)
        return counts

    def present_features(self) -> np.ndarray:
        return np.flatnonzero(self.occurrences())

    def typical_targets(self) -> tuple[np.ndarray, np.ndarray | None, int]:
        summary = self.summary
        return self.target.encode(summary.typical), summary.typical_weights, summary.n_visited


Source = MemorySource | DiskSource


def encoded_chunk(
    chunk: Chunk, target: Encoding, class_weights: dict | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """A chunk's targets as they are encoded, and its rows' weights or None."""
    assert chunk.y is not None  # looked at before training
    y = target.encode(chunk.y)
    if class_weights is None:
        return y, chunk.weights
    weights = compute_sample_weight(class_weights, chunk.y)
    return y, weights if chunk.weights is None else weights * chunk.weights


def _counts(indices: np.ndarray, n_features: int, n_jobs: int = 1) -> np.ndarray:
    def count(first: int, last: int) -> np.ndarray:
        counts = np.zeros(n_features, dtype=np.int64)
        replicas.count(indices[first:last], counts)
        return counts

    # Each thread has counts of its own, which cost time, too.
    work = len(indices) if len(indices) > 4 * n_features else 0
    return reduce(np.add, in_parts(count, len(indices), work, n_jobs))
