"""What Python knows of each loss; its mathematics is in ``kernels/loss.pxd``."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .kernels.settings import LossCode


def _weighted_mean(y, weights):
    return float(np.average(y, weights=weights))


def _log_odds(y, weights):
    positive = np.average(y > 0, weights=weights)
    return float(np.log(positive) - np.log1p(-positive))


def _zero(y, weights):
    return 0.0


@dataclass(frozen=True)
class Loss:
    """A loss: its kernel code, and where an intercept starts."""

    code: LossCode
    best_constant: Callable
    """(y, weights) -> the constant score to start from."""
    curvature: float
    """A bound on the second derivative by the score, or 1 where there is none."""


REGRESSION = {"squared_error": Loss(LossCode.SQUARED_ERROR, _weighted_mean, 1.0)}

# The margin losses start from zero: a hinge's best constant is just the majority class.
CLASSIFICATION = {
    "log_loss": Loss(LossCode.LOG_LOSS, _log_odds, 0.25),
    "hinge": Loss(LossCode.HINGE, _zero, 1.0),
    "squared_hinge": Loss(LossCode.SQUARED_HINGE, _zero, 2.0),
}
