"""Plan of a fit of a ranking model: its hyper-parameters, resolved and frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ...kernels.common.settings import LossCode, Settings
from ...model.starts import Starts
from ...model.table import ParameterTable
from ..schedules import SCHEDULES
from ..solvers import Solver
from ..whole_data.settings import WholeDataSettings
from .losses import NEGATIVES, Negatives, RankingLoss

DETERMINISTIC_SHARDS = 4


@dataclass(frozen=True)
class RankingPlan:
    """What the parameters of a ranking estimator say of training, defaults filled in."""

    loss: RankingLoss
    solver: Solver
    n_factors: int
    learning_rate: float
    strengths: Mapping[str, Any]
    """By regularization.NAMES: a number, an array, or a dict by group."""
    dtype: str = "float32"
    schedule: str = "constant"
    power_t: float = 0.5
    adam_betas: tuple[float, float] = (0.9, 0.999)
    ftrl_beta: float = 1.0
    max_iter: int = 20
    max_sampled: int = 10
    negatives: Negatives = NEGATIVES["uniform"]
    fit_linear: bool = True
    item_interactions: bool = True
    init_scale: float = 0.1
    shuffle: bool | str = "block"
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 5
    tol: float | None = None
    n_jobs: int = 1
    deterministic: bool = False
    verbose: int = 0
    whole_data: WholeDataSettings | None = None
    """Of losses over all pairs of users and items."""

    def settings(self, has_l1: bool) -> Settings:
        """The numbers that the kernels take; the loss among them is not used."""
        return Settings(
            loss=LossCode.LOG_LOSS, solver=self.solver.code, learning_rate=self.learning_rate,
            beta1=self.adam_betas[0], beta2=self.adam_betas[1], ftrl_beta=self.ftrl_beta,
            has_l1=has_l1, fit_linear=self.fit_linear,
        )  # fmt: skip

    @property
    def remedy(self) -> str:
        """What may help if training diverges, for messages."""
        return self.solver.remedy(self.learning_rate, "scale the features to about 1")

    @property
    def rates(self) -> Callable[[int, int], float] | None:
        """The learning rate by (epoch, max_iter), or None if it stays."""
        schedule = SCHEDULES[self.schedule]
        return partial(schedule, self.learning_rate, self.power_t) if schedule else None

    @property
    def n_shards(self) -> int:
        """How many parts the data are dealt to, if there are enough of them."""
        return DETERMINISTIC_SHARDS if self.deterministic else max(1, self.n_jobs)

    @property
    def n_negatives(self) -> int:
        """Negatives that a step may look at."""
        return self.max_sampled if self.loss.draws_many else 1

    def new_table(
        self, n_features: int, key: int, numbers: np.ndarray | None = None
    ) -> ParameterTable:
        """A table at its start, drawn with a key; `numbers` are what Starts.write takes."""
        table = ParameterTable(
            n_features, self.n_factors, self.dtype, 1, self.solver.state_start,
            self.solver.n_row_state, is_tiled=self.solver.by_columns,
        )  # fmt: skip
        table.start_key = key
        Starts(self.init_scale, n_jobs=self.n_jobs).write(table, numbers=numbers)
        return table


def rank_weights(n_items: int, most_draws: int) -> np.ndarray:
    """WARP's weight of a violation that took 1, 2, ... draws: the logarithm of the rank that so
    many draws tell, over that of the lowest rank (Weston, Bengio & Usunier, IJCAI 2011)."""
    draws = np.arange(1, most_draws + 1)
    ranks = np.maximum(1, (n_items - 1) // draws)
    return np.log1p(ranks) / np.log1p(max(1, n_items - 1))
