"""Plan of a fit of a ranking model: every hyper-parameter, resolved and checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...kernels.common.settings import LossCode, Settings
from ...kernels.ranking.losses import RankingLoss
from ..schedules import SCHEDULES
from ..solvers import SOLVERS, Solver

LOSSES = {
    "warp": RankingLoss.WARP,
    "bpr": RankingLoss.BPR,
    "hinge": RankingLoss.RANK_HINGE,
    "softmax": RankingLoss.SAMPLED_SOFTMAX,
    "logistic": RankingLoss.LOGISTIC,
}
NEGATIVES = {"uniform": None, "popularity": None, "adaptive": None}


@dataclass(frozen=True)
class RankingPlan:
    """What training needs to know; the estimators' docstrings say what each means."""

    loss: str
    solver: str
    learning_rate: float
    n_factors: int = 32
    max_iter: int = 20
    schedule: str = "constant"
    power_t: float = 0.5
    adam_betas: tuple[float, float] = (0.9, 0.999)
    ftrl_beta: float = 1.0
    max_sampled: int = 10
    negatives: str = "uniform"
    fit_linear: bool = True
    init_scale: float = 0.1
    dtype: str = "float32"
    shuffle: bool | str = "block"
    n_jobs: int = 1
    deterministic: bool = False
    verbose: int = 0

    @property
    def solver_row(self) -> Solver:
        return SOLVERS[self.solver]

    def settings(self, has_l1: bool) -> Settings:
        """Settings of the kernels; their loss is not used."""
        return Settings(
            loss=LossCode.LOG_LOSS, solver=self.solver_row.code, learning_rate=self.learning_rate,
            beta1=self.adam_betas[0], beta2=self.adam_betas[1], ftrl_beta=self.ftrl_beta,
            has_l1=has_l1, fit_linear=self.fit_linear,
        )  # fmt: skip

    def rate(self, epoch: int) -> float:
        """The learning rate of an epoch, from 0."""
        schedule = SCHEDULES[self.schedule]
        if schedule is None:
            return self.learning_rate
        return schedule(self.learning_rate, self.power_t, epoch, self.max_iter)

    @property
    def n_negatives(self) -> int:
        """Negatives that a step may look at."""
        return self.max_sampled if self.loss in ("warp", "softmax", "logistic") else 1


def rank_weights(n_items: int, most_draws: int) -> np.ndarray:
    """WARP's weight of a violation that took 1, 2, ... draws: the logarithm of the rank that so
    many draws tell, over that of the lowest rank (Weston, Bengio & Usunier, IJCAI 2011)."""
    draws = np.arange(1, most_draws + 1)
    ranks = np.maximum(1, (n_items - 1) // draws)
    return np.log1p(ranks) / np.log1p(max(1, n_items - 1))
