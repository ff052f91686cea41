"""Coordinator: trains a table by a crew of sessions, and merges what they learn.

Rows of the table travel only where a session has them: the head after every part of an epoch, the
tail after the epoch. All of it is merged in the sessions' order, so the result does not depend on
which of them is done first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from tqdm import tqdm

from ...model.table import ParameterTable
from ..epoch_loop import divergence
from ..gradient.merge_rule import MergeRule
from ..plan import TrainingPlan
from .crew import Crew, SessionsLost
from .session import Columns, Part, Values

HEAD_MERGES = 64
"""An epoch."""
_MOST_LOSSES = 3  # of sessions, in one epoch


class Coordinator:
    """The Trainer of sessions that lie apart.

    Parameters
    ----------
    plan : TrainingPlan
        Complete.
    crew : Crew
    head : int32 array
        Rising numbers of the features that are merged often.
    columns : list of Columns
        Of each session.
    table : ParameterTable
        Of all features; trained in place.
    n_rows, n_entries : int
        That all sessions train on.
    n_parts : int, default=HEAD_MERGES
        Merges of the head an epoch.
    """

    def __init__(
        self, plan: TrainingPlan, crew: Crew, head: np.ndarray, columns: list[Columns],
        table: ParameterTable, n_rows: int, n_entries: int, n_parts: int = HEAD_MERGES,
    ) -> None:  # fmt: skip
        self.plan, self.crew, self.head, self.columns = plan, crew, head, columns
        self.table, self.n_parts = table, n_parts
        self.remedy, self.loss_unit, self.rates = plan.remedy, plan.loss_unit, plan.rates
        self.n_visits, self.bar_options = n_parts, {"unit": "merge"}
        strengths = plan.check_strengths(table.n_features)
        self.settings = plan.settings(strengths)
        entries_a_row = n_entries / max(1, n_rows)
        self._of_head = MergeRule(plan, self.settings, strengths.packed(head), entries_a_row)
        self._of_tail = MergeRule(plan, self.settings, strengths, entries_a_row)
        self._n_epochs = 0
        self.bytes_moved = 0
        """To and from all sessions."""

    def __enter__(self) -> Coordinator:
        self._give_all()
        return self

    def __exit__(self, *error: object) -> None: ...

    def epoch(self, number: int, max_iter: int, bar: tqdm) -> float:
        bar.set_description(f"epoch {number}/{max_iter}", refresh=False)
        if self.rates:
            self.settings.learning_rate = self.rates(number - 1, max_iter)
        for attempt in range(_MOST_LOSSES + 1):
            try:
                if attempt:
                    self._give_all(anew=True)
                mean_loss, head = self._parts_of(number, bar)
                tails = self.crew.each("tail")
                break
            except SessionsLost:
                # The table is as it was before the epoch, which begins again.
                if attempt == _MOST_LOSSES:
                    raise
        self._merge_tails(head, tails)
        self._n_epochs = number
        self._give_all()
        return mean_loss

    def check_end(self, number: int, mean_loss: float) -> None:
        if not self.table.is_finite():
            raise divergence(number, "a weight is no longer finite", self.remedy)

    def _parts_of(self, number: int, bar: tqdm) -> tuple[float, ParameterTable]:
        """An epoch, but for the tail: the mean loss, and the head."""
        head, news = self.table.take(self.head), None
        loss = weight = 0.0
        for part in range(self.n_parts):
            done: list[Part] = self.crew.each(
                "run", number, part, self.n_parts, self.settings.learning_rate, news
            )
            self._merge_heads(head, done)
            news = Values(head.intercept.copy(), head.linear.copy(), head.factors.copy())
            loss += sum(part.loss for part in done)
            weight += sum(part.weight for part in done)
            self.bytes_moved += sum(_size(part.head) + _size(news) for part in done)
            if not bar.disable:
                bar.set_postfix(loss=f"{loss / max(weight, 1e-300):.4f}", refresh=False)
                bar.update(1)
        return loss / weight, head

    # Merging -------------------------------------------------------------------------------------

    def _merge_heads(self, head: ParameterTable, done: list[Part]) -> None:
        n_rows = sum(part.n_rows for part in done)
        for rule in (self._of_head, self._of_tail):
            if n_rows:
                rule.mean_loss = sum(part.loss for part in done) / n_rows
            rule.curvatures = self._curvatures(done)
        copies = [
            (columns.head, columns.head_counts, part.head.linear, part.head.factors)
            for columns, part in zip(self.columns, done, strict=True)
        ]
        shares = np.array([part.share for part in done])
        self._of_head.merge(head, copies, shares, together=True)
        visits = np.array([float(part.n_rows) for part in done])
        self._of_head.merge_intercepts(head, [part.head.intercept for part in done], visits)

    def _curvatures(self, done: list[Part]) -> np.ndarray | None:
        found = [(part.curvatures, part.n_rows) for part in done if part.curvatures is not None]
        if not found:
            return None
        return np.average([one for one, _ in found], axis=0, weights=[n for _, n in found])

    def _merge_tails(self, head: ParameterTable, tails: list[Values]) -> None:
        self.bytes_moved += 2 * sum(_size(tail) for tail in tails)
        table = self.table
        table.intercept[...] = head.intercept
        table.linear[self.head], table.factors[self.head] = head.linear, head.factors
        copies = [
            (columns.tail, columns.tail_counts, tail.linear, tail.factors)
            for columns, tail in zip(self.columns, tails, strict=True)
        ]
        self._of_tail.merge(table, copies, np.ones(len(copies)), together=False)

    def _give_all(self, *, anew: bool = False) -> None:
        """Give the sessions what is merged; `anew`, to those that are at their start, too."""
        head = self._values_of(self.head)
        features = [np.concatenate([columns.tail, columns.extra]) for columns in self.columns]
        for attempt in range(_MOST_LOSSES + 1):
            n_epochs = self._n_epochs if anew or attempt else None
            rest = [(self._values_of(own), n_epochs) for own in features]
            try:
                self.crew.each("take_all", head, per_session=rest)
                return
            except SessionsLost:
                if attempt == _MOST_LOSSES:
                    raise

    def validate(self) -> float:
        """Mean loss of the sessions' validation rows."""
        for attempt in range(_MOST_LOSSES + 1):
            try:
                sums, weights = zip(*self.crew.each("validate"), strict=True)
                break
            except SessionsLost:
                if attempt == _MOST_LOSSES:
                    raise
                self._give_all(anew=True)
        return sum(sums) / sum(weights)

    def _values_of(self, features: np.ndarray) -> Values:
        table = self.table
        return Values(
            table.intercept.copy(), table.linear.take(features, axis=0),
            table.factors.take(features, axis=0),
        )  # fmt: skip


class DistributedValidation:
    """What a ValidationSet is, of rows that the sessions hold."""

    def __init__(self, coordinator: Coordinator) -> None:
        self.coordinator = coordinator

    def loss(self, table: ParameterTable, settings: Any, n_jobs: int = 1) -> float:
        """Weighted mean loss, by what the sessions have, which is the table."""
        return self.coordinator.validate()


def _size(values: Values) -> int:
    return values.intercept.nbytes + values.linear.nbytes + values.factors.nbytes
