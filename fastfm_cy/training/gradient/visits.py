"""Visits: training on the rows of one chunk, in one thread or several, round by round."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from tqdm import tqdm

from ...data.relational_rows import RelationalRows
from ...kernels.common.settings import Settings
from ...model.table import ParameterTable
from ..epoch_loop import divergence
from ..plan import TrainingPlan
from ..regularization import Strengths
from ..sources import MemorySource
from .merging import Merger
from .merging_by_rule import RuleMerger
from .row_order import RowOrder, unit_length
from .sharding import Placement

# Multiply-adds of one call of the kernel. With one shard: between two looks at Ctrl-C and the
# progress bar, some tens of milliseconds. With several: between two merges.
_WORK_A_CALL = 20_000_000
_WORK_A_ROUND = 16_000_000
_FEWEST_ROUNDS = 8  # an epoch
_ROUNDS_BY_RULE = 64  # an epoch, between which only the frequent features are merged

_SAMPLE = 100_000  # values, to see how large they are
_LARGE = 1e100  # whatever is larger; its square is still a number


class Visits:
    """The rows of a chunk, dealt to shards and in an order that each epoch makes anew.

    Parameters
    ----------
    plan : TrainingPlan
    source : MemorySource
        The chunk.
    placement : Placement
    table : ParameterTable
        As the placement wants it; trained in place.
    settings : Settings
    strengths : Strengths
        For the rows of the table.
    """

    def __init__(
        self, plan: TrainingPlan, source: MemorySource, placement: Placement,
        table: ParameterTable, settings: Settings, strengths: Strengths,
    ) -> None:  # fmt: skip
        self.remedy = plan.remedy
        self.source, self.table, self.settings, self.strengths = source, table, settings, strengths
        layout = placement.layout(source.rows, source.visited)
        self.rows, self.shards = layout.rows, layout.shards
        unit = unit_length(plan.shuffle, min(map(len, self.shards)))  # one for all shards
        self.orders = [RowOrder(rows, plan.shuffle, unit) for rows in self.shards]
        self._n_units = max(map(len, self.orders))
        self._units_a_round = self._round_length(plan.deterministic)
        self.intercepts = [table.intercept]
        self._merger: Merger | RuleMerger | None = None
        if len(self.orders) > 1:
            merger = RuleMerger if plan.deterministic else Merger
            self._merger = merger(
                plan, layout, table, settings, strengths,
                curvature=plan.loss.curvature * _mean_square(source.rows.data),
                rows_a_round=self._units_a_round * unit,
            )  # fmt: skip
            self.intercepts = self._merger.intercepts

    def _round_length(self, deterministic: bool) -> int:
        """In units of the order."""
        rows, unit = self.rows, self.orders[0].unit
        a_feature = self.table.n_outputs * (self.table.n_weights + 1)
        work = max(1, rows.n_entries * a_feature // max(1, rows.n_rows))
        if len(self.orders) == 1:
            n_rows = _WORK_A_CALL // work
        elif deterministic:
            return -(-self._n_units // _ROUNDS_BY_RULE)
        else:
            n_rows = min(_WORK_A_ROUND // work, self._n_units * unit // _FEWEST_ROUNDS)
        return max(1, n_rows // unit)

    def epoch(
        self, number: int, rng: np.random.Generator, run_all: Callable[..., Iterable], bar: tqdm
    ) -> float:
        """One pass over all rows; the weighted sum of losses. `run_all` is map, or a pool's."""
        for order in self.orders:
            order.shuffle(rng)
        loss_sum = weight_sum = 0.0
        for start in range(0, self._n_units, self._units_a_round):
            parts: list[np.ndarray] = []
            before = loss_sum
            for part, part_loss, done in run_all(
                lambda shard, start=start: self._visit(shard, start), range(len(self.orders))
            ):
                parts.append(part)
                if done < len(part):
                    row = self.source.number(part[done])
                    raise divergence(number, f"the score of row {row} is not finite", self.remedy)
                loss_sum += part_loss
                if not bar.disable:
                    weight_sum += self._weight_of(part)
                    bar.set_postfix(loss=f"{loss_sum / weight_sum:.4f}", refresh=False)
                    bar.update(len(part))
            if self._merger:
                self._merger.merge(run_all, parts, loss_sum - before)
        if self._merger:
            self._merger.end_epoch(run_all)
        return loss_sum

    def _visit(self, shard: int, start: int) -> tuple[np.ndarray, float, int]:
        """Train on one shard's part of a round: (rows, their loss, how many were done)."""
        rows: Any = self.rows
        y, weights = self.source.y, self.source.cast_weights
        part = order = self.orders[shard].part(start, start + self._units_a_round)
        if isinstance(rows, RelationalRows):
            rows, y, order = rows.expanded(part), y[part], np.arange(len(part))
            weights = weights if weights is None else weights[part]
        loss_sum, done = self.table.family.train(
            rows, y, weights, order, self.table, self.intercepts[shard], self.strengths,
            self.settings,
        )  # fmt: skip
        return part, loss_sum, done

    @property
    def total_weight(self) -> float:
        return sum(self._weight_of(rows) for rows in self.shards)

    def _weight_of(self, part: np.ndarray) -> float:
        weights = self.source.cast_weights
        return len(part) if weights is None else weights[part].sum(dtype=np.float64)


def _mean_square(data: np.ndarray) -> float:
    sample = data[:_SAMPLE].astype(np.float64)
    return float(np.square(np.minimum(np.abs(sample), _LARGE)).mean()) if sample.size else 0.0
