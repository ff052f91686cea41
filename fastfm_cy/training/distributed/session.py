"""Session: one worker's part of a fit. It has rows of its own, and the parameters that they need.

A session trains a table of only the features that its rows have. Its columns stand in three runs:
the head, features so frequent that all sessions merge them many times an epoch; the tail, all other
features that it trains, merged once an epoch; and features of its validation rows alone.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...data.inputs import Rows
from ...kernels.gradient import replicas
from ...model.table import ParameterTable
from ..epoch_loop import divergence
from ..gradient.merge_rule import curvatures_of
from ..gradient.row_order import RowOrder
from ..plan import TrainingPlan
from ..sources import MemorySource
from ..validation_set import ValidationSet
from .starts import started_table

_SAMPLE = 512  # rows that curvatures are taken from


@dataclass(frozen=True)
class Columns:
    """What a session's columns are, and how often they occur; all int32 and rising."""

    head: np.ndarray
    """Places in the head that all sessions share."""
    head_counts: np.ndarray
    tail: np.ndarray
    """Features."""
    tail_counts: np.ndarray
    extra: np.ndarray
    """Features that only validation rows have."""


@dataclass(frozen=True)
class Values:
    """Parameters, with the state of the solver: some rows of a table, and what all rows share."""

    intercept: np.ndarray
    linear: np.ndarray
    factors: np.ndarray


@dataclass(frozen=True)
class Part:
    """What came of a part of an epoch."""

    loss: float
    """Sum over the rows."""
    weight: float
    """Of the rows."""
    share: float
    """Of the session's rows that were visited."""
    n_rows: int
    head: Values
    curvatures: np.ndarray | None


class Session:
    """Rows of one worker, and a table of their features.

    Parameters
    ----------
    source : MemorySource or None
        Rows to train on, with the columns of the whole table; None if there are none.
    validation : ValidationSet or None
        Rows to validate on, likewise.
    """

    plan: TrainingPlan
    columns: Columns
    table: ParameterTable

    def __init__(
        self, source: MemorySource | None, validation: ValidationSet | None = None
    ) -> None:
        self.source = None if source is None else source.only_visited()
        self._validation = validation
        self._trained = np.zeros(0, np.int64)
        if self.source is not None:
            self._trained = self.source.present_features()
            self._counts = self._counts_of(self.source.rows, self._trained)

    @staticmethod
    def _counts_of(rows: Any, features: np.ndarray) -> np.ndarray:
        counts = np.zeros(rows.n_features, dtype=np.int64)
        replicas.count(rows.indices, counts)
        return counts[features].astype(np.int32)

    def sizes(self) -> tuple[int, int]:
        """Rows to train on, and their entries."""
        return self.n_rows, self.n_entries

    @property
    def n_own_features(self) -> int:
        """At most."""
        n_entries = 0 if self._validation is None else self._validation.rows.n_entries
        return len(self._trained) + n_entries

    def frequent(self, one_in: int) -> np.ndarray:
        """Features that at least one row in so many has; features that are so frequent in all
        rows of all sessions are so in those of one."""
        if self.source is None:
            return self._trained
        return self._trained[self._counts >= self.n_rows / one_in]

    def occurrences(self, features: np.ndarray) -> np.ndarray:
        """How many entries these features, which rise, have."""
        if self.source is None or not len(self._trained):
            return np.zeros(len(features), np.int64)
        places = np.searchsorted(self._trained, features).clip(max=len(self._trained) - 1)
        return np.where(self._trained[places] == features, self._counts[places], 0)

    def open(
        self, plan: TrainingPlan, head: np.ndarray, n_features: int, key: int,
        rng: np.random.Generator,
    ) -> Columns:  # fmt: skip
        """Begin to train.

        Parameters
        ----------
        plan : TrainingPlan
            Complete.
        head : int32 array
            Rising numbers of the features that are merged often.
        n_features : int
            Of the whole table.
        key : int
            To draw start values with, the same for all sessions.
        rng : numpy.random.Generator
            Makes the order of the rows.
        """
        self.plan, self._rng = plan, rng
        trained, validated = self._trained, np.zeros(0, np.int64)
        if self._validation is not None:
            validated = np.unique(self._validation.rows.indices)
        in_head = np.isin(trained, head, assume_unique=True)
        runs = trained[in_head], trained[~in_head], np.setdiff1d(validated, trained)
        self._n_head, self._n_tail = len(runs[0]), len(runs[1])
        self._features = np.concatenate(runs).astype(np.int32)
        counts = self.occurrences(self._features[: len(trained)]).astype(np.int32)
        tail = slice(self._n_head, self._n_head + self._n_tail)
        self.columns = Columns(
            np.searchsorted(head, runs[0]).astype(np.int32), counts[: self._n_head],
            self._features[tail], counts[tail], self._features[tail.stop :],
        )  # fmt: skip
        if self.source is not None:
            self.source = replace(self.source, rows=self._renumbered(self.source.rows))
        if self._validation is not None:
            rows = self._renumbered(self._validation.rows)
            self._validation = replace(self._validation, rows=rows)
        self._strengths = plan.check_strengths(n_features).packed(self._features)
        self._settings = plan.settings(self._strengths)
        self.table = started_table(plan, self._strengths, self._settings, key, self._features)
        self._set_order(0)
        return self.columns

    @property
    def n_rows(self) -> int:
        return 0 if self.source is None else self.source.n_visited

    @property
    def n_entries(self) -> int:
        return 0 if self.source is None else self.source.rows.n_entries

    def _renumbered(self, rows: Any) -> Rows:
        """The rows with columns as the session's table has them."""
        order = np.argsort(self._features, kind="stable").astype(np.int32)
        places = np.searchsorted(self._features[order], rows.indices)
        own = order[places] if len(order) else rows.indices
        return replace(rows, indices=own, n_features=len(order))

    # Training ------------------------------------------------------------------------------------

    def _set_order(self, n_epochs: int) -> None:
        """As it is after so many epochs."""
        self._epochs, self._shuffler = n_epochs, copy.deepcopy(self._rng)
        self._order = RowOrder(np.arange(self.n_rows), self.plan.shuffle)
        for _ in range(n_epochs):
            self._order.shuffle(self._shuffler)

    def run(self, epoch: int, part: int, n_parts: int, rate: float, head: Values | None) -> Part:
        """Visit the rows of a part of an epoch, from the head as it was merged."""
        if head is not None:
            self._take(slice(0, self._n_head), head, self.columns.head)
        if part == 0:
            if epoch != self._epochs + 1:
                raise RuntimeError(f"Epoch {epoch} cannot follow epoch {self._epochs}.")
            self._order.shuffle(self._shuffler)
            self._epochs = epoch
        self._settings.learning_rate = rate
        n_units = len(self._order)
        rows = self._order.part(part * n_units // n_parts, (part + 1) * n_units // n_parts)
        loss, weight = 0.0, 0.0
        if len(rows):
            assert self.source is not None
            rows_of_session: Any = self.source.rows
            weights = self.source.cast_weights
            loss, done = self.table.family.train(
                rows_of_session, self.source.y, weights, rows, self.table,
                self.table.intercept, self._strengths, self._settings,
            )  # fmt: skip
            if done < len(rows):
                raise divergence(
                    epoch, f"the score of row {self.source.number(int(rows[done]))} is not finite",
                    self.plan.remedy,
                )  # fmt: skip
            weight = len(rows) if weights is None else weights[rows].sum(dtype=np.float64)
        share = len(rows) / max(1, self.n_rows)
        return Part(
            float(loss), float(weight), share, len(rows), self._values(slice(0, self._n_head)),
            self._curvatures(rows[:_SAMPLE]),
        )  # fmt: skip

    def tail(self) -> Values:
        """The tail, as trained since it was merged."""
        return self._values(slice(self._n_head, self._n_head + self._n_tail))

    def take_all(self, head: Values, rest: Values, n_epochs: int | None = None) -> None:
        """Take what was merged; `rest` is the tail and then what only validation rows have.

        With `n_epochs`, also become what the session was after so many epochs.
        """
        self._take(slice(0, self._n_head), head, self.columns.head)
        self._take(slice(self._n_head, None), rest, None)
        if n_epochs is not None:
            self._set_order(n_epochs)

    def _values(self, rows: slice) -> Values:
        table = self.table
        return Values(table.intercept.copy(), table.linear[rows].copy(), table.factors[rows].copy())

    def _take(self, rows: slice, values: Values, places: np.ndarray | None) -> None:
        table = self.table
        table.intercept[...] = values.intercept
        for own, new in ((table.linear, values.linear), (table.factors, values.factors)):
            own[rows] = new if places is None else new.take(places, axis=0)

    def _curvatures(self, rows: np.ndarray) -> np.ndarray | None:
        """The loss's by linear weights and factors, for solvers that have no state to tell."""
        if self.plan.solver.state_start or not len(rows):
            return None
        assert self.source is not None
        sample = self.source.rows.take(np.sort(rows))
        return curvatures_of(self.plan.loss.curvature, self.table, sample)

    # Validation ----------------------------------------------------------------------------------

    def validate(self) -> tuple[float, float]:
        """Sum of the losses of the validation rows, and their weight."""
        if self._validation is None:
            return 0.0, 0.0
        return self._validation.sums(self.table, self._settings)
