"""Sharding: how rows are dealt to threads, and where each feature's parameters live meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ...data.inputs import Rows
from ...data.relational_rows import expand_if_relational
from ...kernels.gradient import replicas
from ...model.table import ParameterTable
from ...model.weaving import join, split, whole_like
from ...utils.threads import in_parts
from ..regularization import Strengths
from .row_order import BLOCK

# Each thread has a copy of its own of the features that at least one row in so many holds (the
# machine says, in how many), up to a number. More copies cost time to merge, fewer leave threads
# waiting for each other's cache lines.
_LARGEST_HEAD = 16384

_WORK = 4  # multiply-adds that renumbering an entry costs

# The deterministic mode always deals to this many shards, however many threads work on them.
DETERMINISTIC_SHARDS = 4


@dataclass(frozen=True)
class Placement:
    """Where training keeps each feature's parameters; how, place_features' parameters say."""

    n_features: int
    n_shards: int
    rank: np.ndarray | None = None
    """Of each feature by falling frequency; None: every feature keeps its place."""
    n_copies: int = 1
    """Of the head, the master included."""
    head: int = 0
    """Number of features of which each shard has a copy."""
    frequency: np.ndarray | None = None
    """For each of those features, the share of the rows that hold it."""
    n_frequent: int = 0
    """How many of those features are merged many times an epoch, if not all are alike."""
    n_jobs: int = 1
    """Threads to lay out rows and tables with."""

    @cached_property
    def home(self) -> np.ndarray | None:
        """The table row that holds each feature's parameters in the end; None: its own number."""
        # The master copy lies right before the features that have none, so this holds for all.
        return None if self.rank is None else self.rank + (self.n_copies - 1) * self.head

    @property
    def n_table_rows(self) -> int:
        return self.n_features + (self.n_copies - 1) * self.head

    def place(self, per_feature: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Write an array with a row a feature to `out`, with a row a row of the training table."""
        out[self.home] = per_feature
        self._copy_head(out)
        return out

    def _copy_head(self, out: np.ndarray) -> None:
        """From the master to every shard's copy."""
        n_shards, head = self.n_shards, self.head
        master = out[n_shards * head : (n_shards + 1) * head]
        for shard in range(n_shards if head else 0):
            out[shard * head : (shard + 1) * head] = master

    def placed_table(self, table: ParameterTable) -> ParameterTable:
        """The table to train: `table` itself if every feature keeps its place, or a copy."""
        if self.home is None:
            return table
        placed = whole_like(table, self.n_table_rows)
        join(table, placed, whole_rows=self.home, n_jobs=self.n_jobs)
        for array in (placed.linear, placed.factors, placed.has_started):
            if array is not None:
                self._copy_head(array)
        return placed

    def take_back(self, placed: ParameterTable, table: ParameterTable) -> None:
        """Bring what was trained back to `table`, feature by feature."""
        if placed is not table:
            split(placed, table, whole_rows=self.home, n_jobs=self.n_jobs)

    def placed_strengths(self, strengths: Strengths) -> Strengths:
        """The same strengths for the rows of the training table."""
        if strengths.groups is None or self.home is None:
            return strengths
        groups = np.zeros(self.n_table_rows, dtype=np.int32)
        return replace(strengths, groups=self.place(strengths.groups, groups))

    def merge_shares(self, rows_a_round: int, decay: np.ndarray) -> np.ndarray:
        """How far the merged parameters move, as a share of the sum of their copies' moves.

        If a round is short for a feature, its copies make independent steps, which add up. If it
        is long, every copy settles where the data want it, and the mean is right. `decay` is the
        part of its distance that a parameter covers in one update, so exp(-decay * visits) of it is
        left after a round: the weight between the two. Moves never exceed twice the mean: even if
        all copies did settle, the merged parameter would then be as far off as before, no further.

        Parameters
        ----------
        rows_a_round : int
            Rows that each shard visits between two merges.
        decay : array of shape (n_kinds,)

        Returns
        -------
        ndarray of shape (head, n_kinds)
        """
        mean, most = 1 / self.n_shards, min(1.0, 2 / self.n_shards)
        assert self.frequency is not None  # whoever merges has a head
        with np.errstate(over="ignore"):
            left = np.exp(-np.outer(self.frequency * rows_a_round, decay))
        return mean + (most - mean) * left

    def layout(self, rows: Rows, visited: np.ndarray) -> Layout:
        """Deal the `visited` ones of the rows to shards, with columns as the table has them."""
        shards = _deal(visited, self.n_shards)
        if self.rank is None:
            return Layout(rows, shards, self)
        rows = expand_if_relational(rows)
        shard_of_row = np.zeros(rows.n_rows, dtype=np.int32)
        for number, shard in enumerate(shards):
            shard_of_row[shard] = number
        columns = np.empty_like(rows.indices)
        what = rows.indptr, rows.indices, self.rank, shard_of_row, self.head, self.n_copies, columns
        in_parts(
            lambda first, last: replicas.renumber(*what, first, last),
            rows.n_rows, _WORK * rows.n_entries, self.n_jobs,
        )  # fmt: skip
        placed = replace(rows, indices=columns, n_features=self.n_table_rows)
        return Layout(placed, shards, self)


@dataclass(frozen=True)
class Layout:
    """Rows for training, dealt to shards, over a table that may hold features several times."""

    rows: Rows
    """With columns that are rows of the training table."""
    shards: list[np.ndarray]
    """For each shard, the rows it visits."""
    placement: Placement


def place_features(
    n_features: int, count: Callable[[], np.ndarray], n_rows: int, *, n_jobs: int, relabel: bool,
    deterministic: bool, frequent: int = 2000,
) -> Placement:  # fmt: skip
    """Where to keep the features while training.

    Parameters
    ----------
    n_features : int
    count : function
        How many entries each feature has; called if that matters.
    n_rows : int
        To train on.
    n_jobs : int
        Number of threads.
    relabel : bool
        Place features by falling frequency, so that frequent ones share pages and caches.
    deterministic : bool
        Give every shard a copy of all features, and make as many shards whatever n_jobs is.
    frequent : int
        Else, give it a copy of those that at least one row in so many holds.
    """
    n_shards = DETERMINISTIC_SHARDS if deterministic else n_jobs
    if n_shards == 1 and not relabel:
        return Placement(n_features, n_shards)
    counts = count()
    rank = np.empty(n_features, dtype=np.int32)
    replicas.rank(counts, np.zeros(int(counts.max(initial=0)) + 1, dtype=np.int64), rank)
    if n_shards == 1:
        head, n_copies = 0, 1
    else:
        fewest = 1 if deterministic else max(1, n_rows // frequent)
        head = int(np.count_nonzero(counts >= fewest))
        if not deterministic:
            head = min(head, _LARGEST_HEAD)
        n_copies = n_shards + 1  # and the master
    in_head = np.flatnonzero(rank < head)
    frequency = np.empty(head)
    frequency[rank[in_head]] = counts[in_head] / n_rows
    n_frequent = int(np.count_nonzero(counts >= max(1, n_rows / frequent)))
    placement = Placement(n_features, n_shards, rank, n_copies, head, frequency, n_frequent, n_jobs)
    if placement.n_table_rows > np.iinfo(np.int32).max:
        raise ValueError(
            f"{n_features} features with {n_copies} copies of {head} of them are more than a "
            "table can hold; use n_jobs=1 and deterministic=False, or hash them to fewer."
        )
    return placement


def _deal(visited: np.ndarray, n_shards: int) -> list[np.ndarray]:
    """Blocks of neighbouring rows, dealt in turn."""
    if n_shards == 1:
        return [visited]
    turn = np.arange(len(visited)) // BLOCK % n_shards
    return [visited[turn == shard] for shard in range(n_shards)]
