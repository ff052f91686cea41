"""What happens between epochs: validation, early stopping, callbacks."""

from dataclasses import dataclass

import numpy as np

from ..data.csr import CSRRows
from ..kernels.common.losses import values_and_gradients
from ..model.scoring import score_rows


@dataclass(frozen=True)
class ValidationSet:
    """Held-out rows, as the kernels take them and as the user gave them (for scorers)."""

    rows: CSRRows
    target: np.ndarray
    """float64, encoded as in training."""
    weights: np.ndarray | None
    X: object
    y: object

    def loss(self, table, settings, n_jobs=1):
        """Weighted mean loss."""
        scores = score_rows(table, self.rows, n_jobs).astype(np.float64, copy=False)
        losses, _ = values_and_gradients(settings, scores, self.target)
        return float(np.average(losses, weights=self.weights))

    def score(self, scorer, estimator):
        """What a scikit-learn scorer says; higher is better."""
        weights = {} if self.weights is None else {"sample_weight": self.weights}
        return float(scorer(estimator, self.X, self.y, **weights))


class Patience:
    """Follows a value that should fall.

    Parameters
    ----------
    n_iter_no_change : int
        Epochs without improvement after which to stop.
    tol : float
        A fall by less is no improvement.
    """

    def __init__(self, n_iter_no_change, tol):
        self.n_iter_no_change, self.tol = n_iter_no_change, tol
        self.best, self.n_without = np.inf, 0

    def update(self, value):
        """Whether this is the best value so far."""
        self.n_without = 0 if value < self.best - self.tol else self.n_without + 1
        is_best = value < self.best
        self.best = min(self.best, value)
        return is_best

    @property
    def is_over(self):
        return self.n_without >= self.n_iter_no_change


class Monitor:
    """Called by the Trainer after each epoch; returns whether to stop.

    Parameters
    ----------
    estimator : BaseFM
        Its attributes hold the model of the epoch, for scorers and callbacks.
    table : ParameterTable
        The estimator's.
    bring_up_to_date : function
        Brings what was trained so far to the table.
    settings : kernels.settings.Settings
    validation : ValidationSet or None
    scorer : callable or None
        (estimator, X, y) -> a number, the higher the better; None: the loss decides.
    patience : Patience or None
    keeps_best : bool
        Whether `finish` goes back to the best epoch.
    callbacks : list of functions of (estimator, history)
    n_jobs : int
    """

    def __init__(
        self, estimator, table, bring_up_to_date, settings, *, validation, scorer, patience,
        keeps_best, callbacks, n_jobs,
    ):  # fmt: skip
        self.estimator, self.table, self.bring_up_to_date = estimator, table, bring_up_to_date
        self.settings, self.validation, self.scorer = settings, validation, scorer
        self.patience, self.keeps_best = patience, keeps_best
        self.callbacks, self.n_jobs = callbacks, n_jobs
        self.best_table, self.best_iter = None, None

    def __call__(self, history):
        if self.validation or self.callbacks:
            self.bring_up_to_date()
            self.estimator.history_ = history
            self.estimator.n_iter_ = len(history["train_loss"])
        value = self._validate(history)
        stops = False
        if self.patience:
            if self.patience.update(value) and self.keeps_best:
                self.best_table, self.best_iter = self.table.copy(), len(history["train_loss"])
            stops = self.patience.is_over
        for callback in self.callbacks:
            stops = bool(callback(self.estimator, history)) or stops
        return stops

    def _validate(self, history):
        """Add to the history; return the value that should fall."""
        if not self.validation:
            return history["train_loss"][-1]
        value = self.validation.loss(self.table, self.settings, self.n_jobs)
        history.setdefault("validation_loss", []).append(value)
        if self.scorer:
            score = self.validation.score(self.scorer, self.estimator)
            history.setdefault("validation_score", []).append(score)
            return -score
        return value

    def finish(self):
        """Leave the table as it should stay."""
        if self.best_table is not None:
            self.table.assign(self.best_table)
        else:
            self.bring_up_to_date()
