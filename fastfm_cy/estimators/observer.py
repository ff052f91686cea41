"""Observer: keeps an estimator up to date while it is fitted, for scorers and callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring
from sklearn.utils import _safe_indexing

from ..data.disk.dataset import DiskDataset
from ..model.table import ParameterTable
from ..training.early_stopping import History


class EstimatorObserver:
    """The Observer of an estimator's fit.

    Parameters
    ----------
    estimator : Base
    publish_table : function of a ParameterTable and its state_key
        Makes it the estimator's model.
    data : tuple (X, y, weights)
        Of training, as the user gave them.
    eval_set : tuple (X, y, weights), DiskDataset or None
    validates : bool
        Whether there is a validation set, or will be.
    callbacks : list of functions of (estimator, history)
    """

    def __init__(
        self, estimator: BaseEstimator, publish_table: Callable[[Any, Any], None], *,
        data: tuple[Any, Any, np.ndarray | None], eval_set: Any, validates: bool,
        callbacks: list[Callable],
    ) -> None:  # fmt: skip
        self.estimator, self._publish_table = estimator, publish_table
        self._data, self._validation = data, eval_set
        self._callbacks = callbacks
        self._scorer = None
        if estimator.scoring is not None and validates:
            self._scorer = check_scoring(estimator, scoring=estimator.scoring)
            self._scoring, self._rows = estimator.scoring, "eval_set"
            if eval_set is None:
                self._rows = "rows held out (validation_fraction)"
        self.watches = bool(callbacks) or self._scorer is not None

    def begin(self, table: ParameterTable, state_key: tuple | None) -> None:
        self._trained = table, state_key
        if self.watches:
            self._publish_table(table, state_key)

    def held_out(self, numbers: np.ndarray) -> None:
        if self._scorer:
            X, y, weights = self._data
            held_out = None if weights is None else weights[numbers]
            self._validation = _safe_indexing(X, numbers), _safe_indexing(y, numbers), held_out

    def publish(self, history: History) -> None:
        self._publish_table(*self._trained)
        self.estimator.history_ = history
        self.estimator.n_iter_ = len(history["train_loss"])

    def score(self) -> float | None:
        if not self._scorer:
            return None
        X, y, weights = self._validation_data()
        weights = {} if weights is None else {"sample_weight": weights}
        score = float(self._scorer(self.estimator, X, y, **weights))
        if not np.isfinite(score):
            raise ValueError(
                f"scoring={self._scoring!r} is {score} on the {self._rows} after epoch "
                f"{self.estimator.n_iter_}, and cannot be followed. Validate on rows for which it "
                "is defined (of both classes, say), or choose another scoring."
            )
        return score

    def _validation_data(self) -> tuple[Any, Any, Any]:
        if not isinstance(self._validation, DiskDataset):
            return self._validation
        dataset, weights = self._validation, self._validation.weights
        weights = None if weights is None else np.asarray(weights)
        return dataset, np.asarray(dataset.y), weights

    def after(self, history: History) -> bool:
        stops = [bool(callback(self.estimator, history)) for callback in self._callbacks]
        return any(stops)
