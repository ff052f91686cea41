"""Gradient trainer: per-sample training of a parameter table, chunk by chunk."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from tqdm import tqdm

from ...kernels.common.settings import Settings
from ...model.table import ParameterTable
from ..epoch_loop import divergence
from ..plan import TrainingPlan
from ..regularization import Strengths
from ..sources import Source
from .sharding import Placement
from .visits import Visits


class GradientTrainer:
    """The Trainer of the gradient solvers.

    Parameters
    ----------
    plan : TrainingPlan
    source : MemorySource or DiskSource
    placement : Placement
        Of the source's features.
    table : ParameterTable
        As the placement wants it; trained in place.
    settings : Settings
    strengths : Strengths
        Of the source's features.
    rng : numpy.random.Generator
        Makes the order of the rows.
    """

    def __init__(
        self, plan: TrainingPlan, source: Source, placement: Placement, table: ParameterTable,
        settings: Settings, strengths: Strengths, rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.plan, self.source, self.placement, self.table = plan, source, placement, table
        self.settings, self.rng, self.rates = settings, rng, plan.rates
        self.remedy = plan.remedy
        self.strengths = placement.placed_strengths(strengths)
        self.n_visits, self.loss_unit = source.n_visited, plan.loss_unit
        self.bar_options = {"unit": "row", "unit_scale": True}
        self._pool: ThreadPoolExecutor | None = None
        self._visits = self._visits_of(source) if source.is_one_chunk else None

    def __enter__(self) -> GradientTrainer:
        n_threads = min(self.plan.n_jobs, self.placement.n_shards)
        self._pool = ThreadPoolExecutor(n_threads) if n_threads > 1 else None
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool:
            self._pool.shutdown()

    def _visits_of(self, chunk: Any) -> Visits:
        return Visits(self.plan, chunk, self.placement, self.table, self.settings, self.strengths)

    def epoch(self, number: int, max_iter: int, bar: tqdm) -> float:
        bar.set_description(f"epoch {number}/{max_iter}", refresh=False)
        if self.rates:
            self.settings.learning_rate = self.rates(number - 1, max_iter)
        run_all, total = self._pool.map if self._pool else map, 0.0
        if self._visits:
            total = self._visits.epoch(number, self.rng, run_all, bar)
            return total / self._visits.total_weight
        chunks = self.source.chunks(
            self.rng, shuffle=bool(self.plan.shuffle), dtype=self.table.dtype
        )
        for chunk in chunks:
            total += self._visits_of(chunk).epoch(number, self.rng, run_all, bar)
            del chunk  # before the next is read
        _, weights, n_rows = self.source.typical_targets()
        return total / (n_rows if weights is None else weights.sum())

    def check_end(self, number: int, mean_loss: float) -> None:
        if not self.table.is_finite():
            raise divergence(number, "a weight is no longer finite", self.remedy)
