"""Responses: what the score of one draw of a Bayesian machine says of an observation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from ..data.targets import EVERYTHING, TargetScale


@dataclass(frozen=True)
class NormalResponse:
    """A real number; scores are its mean, clipped to a range."""

    score_range: tuple[float, float] = EVERYTHING
    scale: TargetScale | None = None
    """Of the targets that the scores are those of, where a machine is still being trained."""

    error_name = "rmse"

    def value(self, scores: np.ndarray, cutpoints: np.ndarray) -> np.ndarray:
        """A draw's prediction of each row, float64."""
        scores = scores.astype(np.float64)
        if self.scale is not None:
            scores = self.scale.location + self.scale.spread * scores
        return scores if self.score_range == EVERYTHING else scores.clip(*self.score_range)

    def error(self, values: np.ndarray, y: np.ndarray) -> float:
        """Of predictions of the targets y, as a likelihood has them."""
        return np.sqrt(np.mean(np.square(values - y, dtype=np.float64)))


@dataclass(frozen=True)
class ProbitResponse:
    """One of two classes; predictions are probabilities of the second."""

    error_name = "log_loss"

    def value(self, scores: np.ndarray, cutpoints: np.ndarray) -> np.ndarray:
        return ndtr(scores.astype(np.float64))

    def error(self, values: np.ndarray, y: np.ndarray) -> float:
        return _log_loss(np.where(y > 0, values, 1 - values))


@dataclass(frozen=True)
class OrdinalResponse:
    """One of several classes in order; predictions are probabilities of each."""

    error_name = "log_loss"

    def value(self, scores: np.ndarray, cutpoints: np.ndarray) -> np.ndarray:
        return class_probabilities(scores.astype(np.float64), cutpoints.astype(np.float64))

    def error(self, values: np.ndarray, y: np.ndarray) -> float:
        return _log_loss(values[np.arange(len(y)), y])


Response = NormalResponse | ProbitResponse | OrdinalResponse


def class_probabilities(scores: np.ndarray, cutpoints: np.ndarray) -> np.ndarray:
    """Of each class in the ordered probit model, shape (n_rows, n_classes)."""
    below = ndtr(cutpoints - scores[:, None])
    return np.diff(below, axis=1, prepend=0.0, append=1.0)


def _log_loss(right: np.ndarray) -> float:
    return -np.mean(np.log(np.maximum(right, np.finfo(float).tiny)))
