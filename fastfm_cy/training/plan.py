"""Training plan: the hyper-parameters of one fit, resolved and frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ..data.targets import EVERYTHING, TargetScale
from ..kernels.common.settings import Settings
from ..model.families import FM
from ..model.losses import Loss
from ..model.starts import Starts
from ..model.table import ParameterTable, table_bytes
from .regularization import Strengths, check_strengths
from .schedules import SCHEDULES
from .solvers import Solver


@dataclass(frozen=True)
class TrainingPlan:
    """What the parameters of an estimator say of training, defaults filled in."""

    family: FM
    loss: Loss
    solver: Solver
    n_factors: int
    dtype: str
    learning_rate: float
    has_default_rate: bool = field(default=False, kw_only=True)
    """Whether the learning rate is the solver's, which may be too long for some rows."""
    strengths: Mapping[str, Any]
    """By regularization.NAMES: a number, or an array with one a group or feature."""
    learned: tuple[str, ...] = ()
    """Names of those to learn on held-out rows; they start from what `strengths` says."""
    feature_groups: Any = None
    l2_intercept: float = 0.0
    schedule: str = "constant"
    power_t: float = 0.5
    adam_betas: tuple[float, float] = (0.9, 0.999)
    ftrl_beta: float = 1.0
    huber_delta: float = 1.0
    max_iter: int = 20
    init: str = "normal"
    init_scale: float = 0.01
    init_intercept: float | None = None
    fit_intercept: bool = True
    fit_linear: bool = True
    fit_pair_weights: bool = False
    l2_pair_weights: float = 0.0
    """Towards 1, of a field-weighted model; all pairs share it."""
    shuffle: str | bool = "block"
    early_stopping: bool = False
    refits: bool = False
    """Whether early stopping only finds the number of epochs for a fit of all rows."""
    validation_fraction: float = 0.1
    n_iter_no_change: int = 3
    tol: float | None = None
    relabel: bool = False
    n_jobs: int = 1
    deterministic: bool = False
    verbose: int = 0
    max_memory: int | None = None
    """Bytes; None is what is free."""
    n_outputs: int = 1
    score_range: tuple[float, float] = EVERYTHING
    """Of predictions, which bounds the gradients of losses that clip."""
    tunes: bool = False
    """Whether defaults and the number of epochs are chosen on held-out rows."""
    defaults: frozenset[str] = frozenset()
    """Of learning_rate, l2_linear and l2_factors: those that the user left to us."""
    scaling: bool = False
    """Whether columns and targets far from unit scale are brought there."""
    loss_unit: float = 1.0
    """What losses of the targets as they are trained on are multiplied by to be the user's."""
    stratifies: bool = False
    """Whether held-out rows are to have as many of each class as the others."""

    @property
    def remedy(self) -> str:
        """What may help if training diverges or gets nowhere, for messages."""
        scaling = "" if self.scaling else "set scaling='auto' or scale the columns and targets to 1"
        return self.solver.remedy(self.learning_rate, scaling)

    @property
    def centres(self) -> bool:
        """Whether scaled columns may be centred, too."""
        return self.has_free_bias and self.fit_linear and self.family.folds_centres

    @property
    def has_free_bias(self) -> bool:
        """Whether there is a bias that a location can be folded into."""
        return self.fit_intercept and not self.l2_intercept

    @property
    def scales_targets(self) -> bool:
        return self.scaling and self.loss.scales and self.family.scales_targets

    def with_defaults(self, **settings: float) -> TrainingPlan:
        """The plan with settings in place of those that the user left to us."""
        own = {name: value for name, value in settings.items() if name in self.defaults}
        rate = own.pop("learning_rate", self.learning_rate)
        return replace(self, strengths={**self.strengths, **own}, learning_rate=rate)

    @property
    def chosen(self) -> dict[str, Any]:
        """What with_defaults takes to make such a plan of one with defaults."""
        strengths = {name: self.strengths[name] for name in ("l2_linear", "l2_factors")}
        settings = {"learning_rate": self.learning_rate, **strengths}
        return {name: value for name, value in settings.items() if name in self.defaults}

    def on_scale(self, scale: TargetScale | None) -> TrainingPlan:
        """The plan for targets on another scale."""
        if scale is None:
            return self
        init_intercept = self.init_intercept
        if init_intercept is not None:
            init_intercept = scale.apply(init_intercept)
        low, high = self.score_range
        return replace(
            self, init_intercept=init_intercept, huber_delta=self.huber_delta / scale.spread,
            score_range=(scale.apply(low), scale.apply(high)), loss_unit=scale.spread**2,
        )  # fmt: skip

    def check_strengths(self, n_features: int) -> Strengths:
        """The strengths of that many features as the kernels take them."""
        return check_strengths(self.strengths, self.feature_groups, n_features, self.dtype)

    def settings(self, strengths: Strengths) -> Settings:
        """The numbers that the kernels take."""
        low, high = EVERYTHING
        if self.loss.clips and not self.solver.by_columns:
            low, high = self.score_range
        return Settings(
            loss=self.loss.code,
            solver=self.solver.code,
            learning_rate=self.learning_rate,
            beta1=self.adam_betas[0],
            beta2=self.adam_betas[1],
            ftrl_beta=self.ftrl_beta,
            huber_delta=self.huber_delta,
            l2_intercept=self.l2_intercept,
            l2_pair_weights=self.l2_pair_weights / self.family.n_pairs,
            low=low,
            high=high,
            has_l1=strengths.has_l1,
            fit_intercept=self.fit_intercept,
            fit_linear=self.fit_linear,
            fit_pair_weights=self.fit_pair_weights,
        )

    @property
    def rates(self) -> Callable[[int, int], float] | None:
        """The learning rate by (epoch, max_iter), or None if it stays."""
        schedule = SCHEDULES[self.schedule]
        return partial(schedule, self.learning_rate, self.power_t) if schedule else None

    def new_table(self, n_features: int, *, has_gaps: bool = False) -> ParameterTable:
        """A table whose factors are still zero."""
        solver = self.solver
        return ParameterTable(
            n_features, self.n_factors, self.dtype, self.n_outputs, solver.state_start,
            solver.n_row_state, solver.by_columns, self.family, has_gaps,
        )  # fmt: skip

    def table_bytes(self, n_features: int) -> int:
        """What such a table takes."""
        return table_bytes(
            n_features, self.n_factors, self.dtype, self.n_outputs, self.solver, self.family
        )

    @property
    def starts(self) -> Starts:
        """What draws the factors' start values."""
        return Starts(self.init_scale, self.init == "uniform", self.n_jobs)
