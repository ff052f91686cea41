"""Merging by the rule: copies of all features, so that threads share nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ...kernels.common.settings import Settings
from ...kernels.gradient import replicas
from ...model.table import ParameterTable
from ..plan import TrainingPlan
from ..regularization import Strengths
from .merge_rule import MergeRule, curvatures_of
from .merging import on_lines_of_its_own
from .sharding import Layout

_SAMPLE = 512  # rows that curvatures are taken from


class RuleMerger:
    """Merges the frequent features after each round, and all others after each epoch.

    Parameters as Merger's.
    """

    def __init__(
        self, plan: TrainingPlan, layout: Layout, table: ParameterTable, settings: Settings,
        strengths: Strengths, *, curvature: float, rows_a_round: int,
    ) -> None:  # fmt: skip
        self.layout, self.table = layout, table
        self.has_state = bool(plan.solver.state_start)
        self.loss_curvature = plan.loss.curvature
        n_shards, head = layout.placement.n_shards, layout.placement.head
        self.intercepts = [on_lines_of_its_own(table.intercept) for _ in range(n_shards)]
        self._sizes = np.array([max(1, len(shard)) for shard in layout.shards])
        counts = np.zeros(layout.placement.n_table_rows, dtype=np.int64)
        rows: Any = layout.rows
        replicas.count(rows.indices, counts)
        cuts = [slice(shard * head, (shard + 1) * head) for shard in range(n_shards + 1)]
        *of_shards, master = cuts
        self._copies = [
            (None, counts[own].astype(np.int32), table.linear[own], table.factors[own])
            for own in of_shards
        ]
        self._master = copy.copy(table)
        self._master.linear, self._master.factors = table.linear[master], table.factors[master]
        entries_a_row = rows.n_entries / max(1, rows.n_rows)
        of_master = strengths.packed(np.arange(master.start, master.stop))
        self._rule = MergeRule(plan, settings, of_master, entries_a_row)

    def merge(
        self, run_all: Callable[..., Iterable], parts: list[np.ndarray], loss_sum: float
    ) -> None:
        """As Merger's."""
        visits = np.array([float(len(part)) for part in parts])
        self._rule.mean_loss = loss_sum / visits.sum()
        if not self.has_state:
            self._rule.curvatures = self._curvatures(parts)
        rows = 0, self.layout.placement.n_frequent
        self._rule.merge(
            self._master, self._copies, visits / self._sizes, together=True, rows=rows, back=True
        )
        self._rule.merge_intercepts(self.table, self.intercepts, visits)
        for own in self.intercepts:
            own[...] = self.table.intercept

    def end_epoch(self, run_all: Callable[..., Iterable]) -> None:
        """Merge what was left out."""
        rows = self.layout.placement.n_frequent, self.layout.placement.head
        whole = np.ones(len(self._copies))
        self._rule.merge(self._master, self._copies, whole, together=False, rows=rows, back=True)

    def _curvatures(self, parts: list[np.ndarray]) -> np.ndarray:
        sample = self.layout.rows.take(np.sort(max(parts, key=len)[:_SAMPLE]))
        return curvatures_of(self.loss_curvature, self.table, sample)
