"""Links: how a model's scores become predictions and probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit, log_ndtr, ndtr, softmax

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Link:
    """The inverse of a link function."""

    is_exponential: bool = False
    """Whether predictions are the exponential of the score."""
    probabilities: Function | None = None
    """Scores of shape (n_rows, n_outputs), float64, -> probabilities of shape (n_rows, n_classes);
    None if scores have none."""

    def predict(self, scores: np.ndarray) -> np.ndarray:
        """Predictions of a regressor, in place."""
        if self.is_exponential:
            with np.errstate(over="ignore"):  # the range clips it, or infinity is the answer
                np.exp(scores, out=scores)
        return scores


def _of_each_class(scores: np.ndarray, function: Function, log_function: Function) -> np.ndarray:
    """Each class has its own probability against the rest."""
    if scores.shape[1] == 1:
        return np.column_stack([function(-scores), function(scores)])
    # Divided by the largest first, so that classes that are all unlikely do not give 0 / 0.
    return softmax(log_function(scores), axis=1)


def _logistic(scores: np.ndarray) -> np.ndarray:
    return _of_each_class(scores, expit, log_expit)


def _normal(scores: np.ndarray) -> np.ndarray:
    return _of_each_class(scores, ndtr, log_ndtr)


def _softmax(scores: np.ndarray) -> np.ndarray:
    return softmax(scores, axis=1)


IDENTITY = Link()
LOG = Link(is_exponential=True)
LOGIT = Link(probabilities=_logistic)
PROBIT = Link(probabilities=_normal)
SOFTMAX = Link(probabilities=_softmax)
