"""What Python knows of each loss; its mathematics is in ``kernels/loss.pxd``."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from ..kernels.common.settings import LossCode

# A constant that no data may make infinite: a class or a count that is absent so far is taken for
# rarer than one in all rows, not for impossible.


def _mean(y, weights, n_outputs, n_rows):
    return np.average(y, weights=weights)


def _log_mean(y, weights, n_outputs, n_rows):
    return np.log(max(np.average(y, weights=weights), 0.5 / (n_rows + 1)))


def _log_odds(y, weights, n_outputs, n_rows):
    shares = _shares_against_rest(y, weights, n_outputs, n_rows)
    return np.log(shares) - np.log1p(-shares)


def _probit(y, weights, n_outputs, n_rows):
    return ndtri(_shares_against_rest(y, weights, n_outputs, n_rows))


def _shares_against_rest(y, weights, n_outputs, n_rows):
    """Of the one class, or of each."""
    if n_outputs == 1:
        return _shares(y > 0, weights, 2, n_rows)[1]
    return _shares(y, weights, n_outputs, n_rows)


def _log_shares(y, weights, n_outputs, n_rows):
    return np.log(_shares(y, weights, n_outputs, n_rows))


def _shares(classes, weights, n_classes, n_rows):
    counts = np.bincount(classes.astype(np.intp), weights, minlength=n_classes)
    rarest = 0.5 / (n_rows + 1)
    return np.clip(counts / counts.sum(), rarest, 1 - rarest)


def _zero(y, weights, n_outputs, n_rows):
    return 0.0


@dataclass(frozen=True)
class Loss:
    """A loss: its kernel code, and where an intercept starts."""

    code: LossCode
    best_constant: Callable
    """(y, weights, n_outputs, n_rows) -> the constant score, or scores, to start from; y may stand
    for more rows than it has."""
    curvature: float
    """A bound on the second derivative by the score, or 1 where there is none."""
    clips: bool = False
    """Whether scores are of the target's kind, so that its range bounds them."""


REGRESSION = {
    "squared_error": Loss(LossCode.SQUARED_ERROR, _mean, 1.0, clips=True),
    "huber": Loss(LossCode.HUBER, _mean, 1.0, clips=True),
    "poisson": Loss(LossCode.POISSON, _log_mean, 1.0),
}

# The margin losses start from zero: a hinge's best constant is just the majority class.
CLASSIFICATION = {
    "log_loss": Loss(LossCode.LOG_LOSS, _log_odds, 0.25),
    "probit": Loss(LossCode.PROBIT, _probit, 1.0),
    "hinge": Loss(LossCode.HINGE, _zero, 1.0),
    "squared_hinge": Loss(LossCode.SQUARED_HINGE, _zero, 2.0),
    "softmax": Loss(LossCode.SOFTMAX, _log_shares, 0.25),
}
