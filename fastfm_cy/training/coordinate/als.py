"""Alternating least squares: each parameter in turn to where the objective is least.

The objective is the sum of the (weighted) losses plus l2 / 2 times the square of every parameter,
counted once. For the squared error, each step is exact (Rendle, Gantner, Freudenthaler,
Schmidt-Thieme, SIGIR 2011). For log_loss, probit and squared_hinge, whose second derivative by the
score is at most c, the loss is at most a parabola of curvature c that touches it at the current
score, with its least value at score - gradient / c (as in Blondel, Ishihata, Fujino, Ueda, ICML
2016); a sweep of least squares with that target and precision c makes the objective fall. So every
sweep does, whatever the loss. For the probit this is libFM's EM step: the target is the latent
normal's mean. All this holds for higher degrees, too, as the score is linear in each parameter.
"""

from __future__ import annotations

import numpy as np
from tqdm import tqdm

from ...kernels.common.losses import values_and_gradients
from ...kernels.common.settings import Settings
from ...model.table import ParameterTable
from ...utils.threads import in_parts
from ..plan import TrainingPlan
from ..regularization import Strengths
from ..sources import MemorySource
from .higher_order import HigherOrderSweeper
from .row_cache import FACTOR_TILE
from .sweeper import Sweeper, not_finite


class CoordinateTrainer:
    """The Trainer of the solver "als"; an epoch is a sweep over all parameters.

    Parameters
    ----------
    plan : TrainingPlan
    source : MemorySource
    table : ParameterTable
        Of one output without state, in eights; trained in place.
    settings : Settings
    strengths : Strengths
    """

    n_visits = 1

    def __init__(
        self, plan: TrainingPlan, source: MemorySource, table: ParameterTable,
        settings: Settings, strengths: Strengths,
    ) -> None:  # fmt: skip
        self.bar_options = {"unit": "sweep"}
        source, self.loss_unit, self.remedy = source.only_visited(), plan.loss_unit, plan.remedy
        self.weights, self.table, self.settings = source.cast_weights, table, settings
        self.y = source.y.astype(np.float64)
        self.curvature, self.n_jobs = plan.loss.curvature, plan.n_jobs
        self.fit_intercept, self.fit_linear = plan.fit_intercept, plan.fit_linear
        groups = strengths.groups
        if groups is None:
            groups = np.zeros(table.n_features, dtype=np.int32)
        values = strengths.values.astype(np.float64)
        self.l2_linear = np.column_stack([values[:, 1], np.zeros(len(values))])
        self.l2_factors = np.repeat(values[:, 3:], max(1, table.n_factors), axis=1)
        sweeper = HigherOrderSweeper if table.family.degree > 2 else Sweeper
        self.sweeper = sweeper(
            source.rows, table, groups, table.n_factors, self.weights, self.n_jobs
        )

    def __enter__(self) -> CoordinateTrainer:
        self.sweeper.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.sweeper.__exit__(*error)

    def epoch(self, number: int, max_iter: int, bar: tqdm) -> float:
        """One sweep; the mean loss before it."""
        mean_loss = self._sweep()
        if not (np.isfinite(mean_loss) and self.table.is_finite()):
            raise not_finite(number, str(self.table.dtype))
        bar.set_postfix(loss=f"{mean_loss:.4f}", refresh=False)
        bar.update()
        return mean_loss

    def check_end(self, number: int, mean_loss: float) -> None:
        """Each sweep was checked."""

    def _sweep(self) -> float:
        """All parameters once; the mean loss before."""
        losses = self._take_gradients(self.sweeper.scores())
        if self.fit_intercept:
            step = self._intercept_step()
            self.table.intercept[0, 0] -= step
            self.sweeper.errors -= self.table.dtype.type(step)
        n_features, n_factors = self.table.n_features, self.table.n_factors
        if self.fit_linear:
            self.sweeper.sweep_linear(self.curvature, self.l2_linear, np.zeros(n_features))
        if n_factors:
            nothing = np.zeros((n_features, FACTOR_TILE))
            means = np.zeros_like(self.l2_factors)
            self.sweeper.sweep_factors(self.curvature, self.l2_factors, means, lambda: nothing)
        return float(np.average(losses, weights=self.weights))

    def _intercept_step(self) -> float:
        """How far the intercept is above its best value."""
        mean = np.average(self.sweeper.errors, weights=self.weights)
        l2 = self.settings.l2_intercept
        if not l2:
            return mean
        precision = len(self.y) if self.weights is None else self.weights.sum(dtype=np.float64)
        precision *= self.curvature
        return (precision * mean + l2 * self.table.intercept[0, 0]) / (precision + l2)

    def _take_gradients(self, scores: np.ndarray) -> np.ndarray:
        """Set the errors to the distances from the parabolas' lowest points; the rows' losses."""
        losses = np.empty(len(scores))

        def take(first: int, last: int) -> None:
            part = slice(first, last)
            losses[part], gradients = values_and_gradients(
                self.settings, scores[part, None].astype(np.float64), self.y[part]
            )
            self.sweeper.errors[part] = gradients[:, 0] / self.curvature

        in_parts(take, len(scores), FACTOR_TILE * len(scores), self.n_jobs)
        return losses
