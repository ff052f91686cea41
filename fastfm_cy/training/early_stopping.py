"""Early stopping: what happens between epochs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from ..exceptions import DivergenceError
from ..kernels.common.settings import Settings
from ..model.table import ParameterTable
from .plan import TrainingPlan

History = dict[str, list[float]]


class Validation(Protocol):
    """Rows to validate on, wherever they are."""

    def loss(self, table: ParameterTable, settings: Settings, n_jobs: int = 1) -> float:
        """Weighted mean loss."""


class Observer(Protocol):
    """Who wants to know of a fit between its epochs; estimators have one for theirs."""

    watches: bool
    """Whether the table must be up to date after each epoch."""

    def begin(self, table: ParameterTable, state_key: tuple | None) -> None:
        """Training of this table begins, whose state is tied to its weights as FitResult says."""

    def held_out(self, numbers: np.ndarray) -> None:
        """These rows are held out for validation."""

    def publish(self, history: History) -> None:
        """An epoch is over, and the table up to date."""

    def score(self) -> float | None:
        """The model's score on the validation set, higher is better; None: the loss decides."""

    def after(self, history: History) -> bool:
        """All is known of the epoch; the answer is whether to stop."""


class Unobserved:
    """An Observer that wants to know nothing."""

    watches = False

    def begin(self, table: ParameterTable, state_key: tuple | None) -> None: ...

    def held_out(self, numbers: np.ndarray) -> None: ...

    def publish(self, history: History) -> None: ...

    def score(self) -> float | None:
        return None

    def after(self, history: History) -> bool:
        return False


class EarlyStopping:
    """Follows a value that should fall.

    Parameters
    ----------
    n_iter_no_change : int
        Epochs without improvement after which to stop.
    tol : float
        A fall by less is no improvement.
    keeps_best : bool
        Whether to keep a copy of the best epoch's table.
    """

    def __init__(self, n_iter_no_change: int, tol: float, *, keeps_best: bool) -> None:
        self.n_iter_no_change, self.tol, self.keeps_best = n_iter_no_change, tol, keeps_best
        self.best, self.n_without = np.inf, 0
        self.best_table: Any = None
        self.best_iter: int | None = None

    @classmethod
    def of(cls, plan: TrainingPlan) -> EarlyStopping | None:
        if not plan.early_stopping and plan.tol is None:
            return None
        return cls(plan.n_iter_no_change, plan.tol or 0.0, keeps_best=plan.early_stopping)

    def update(self, value: float, table: Any, epoch: int) -> bool:
        """Take an epoch's value and a table, or several, with copy(); say whether to stop."""
        self.n_without = 0 if value < self.best - self.tol else self.n_without + 1
        if value < self.best:
            self.best = value
            if self.keeps_best:
                self.best_table, self.best_iter = table.copy(), epoch
        return self.n_without >= self.n_iter_no_change


class Monitor:
    """Called after each epoch; returns whether to stop.

    Parameters
    ----------
    table : ParameterTable
    bring_up_to_date : function
        Brings what was trained so far to the table.
    settings : Settings
    validation : Validation or None
    stopping : EarlyStopping or None
    observer : Observer
    n_jobs : int
    loss_unit : float, default=1
        As the plan's.
    """

    def __init__(
        self, table: ParameterTable, bring_up_to_date: Callable[[], Any], settings: Settings, *,
        validation: Validation | None, stopping: EarlyStopping | None,
        observer: Observer, n_jobs: int, loss_unit: float = 1.0,
    ) -> None:  # fmt: skip
        self.table, self.bring_up_to_date, self.settings = table, bring_up_to_date, settings
        self.validation, self.stopping, self.observer = validation, stopping, observer
        self.n_jobs, self.loss_unit = n_jobs, loss_unit

    def __call__(self, history: History) -> bool:
        if self.validation or self.observer.watches:
            self.bring_up_to_date()
        if self.observer.watches:
            self.observer.publish(history)
        value, stops = self._validate(history), False
        if self.stopping:
            stops = self.stopping.update(value, self.table, len(history["train_loss"]))
        return self.observer.after(history) or stops

    def _validate(self, history: History) -> float:
        """Add to the history; return the value that should fall."""
        if not self.validation:
            return history["train_loss"][-1]
        value = self.validation.loss(self.table, self.settings, self.n_jobs) * self.loss_unit
        if not np.isfinite(value):
            raise DivergenceError(
                f"The validation loss is {value} after epoch {len(history['train_loss'])}: scores "
                "of validation rows are far too large. Are their values on the scale of those to "
                "train on? The estimator is as it was before the fit."
            )
        history.setdefault("validation_loss", []).append(value)
        score = self.observer.score()
        if score is None:
            return value
        history.setdefault("validation_score", []).append(score)
        return -score

    def finish(self) -> int | None:
        """Leave the table as it should stay; the epoch that it goes back to, or None."""
        if self.stopping and self.stopping.best_table is not None:
            self.table.assign(self.stopping.best_table)
            return self.stopping.best_iter
        self.bring_up_to_date()
        return None
