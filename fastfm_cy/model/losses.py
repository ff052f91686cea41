"""Losses: a row for each; its mathematics is in ``kernels/common/losses.pxd``.

docs/extending/loss.md says how to add one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from ..kernels.common.settings import LossCode
from ..utils.means import summable, weighted_mean
from .links import IDENTITY, LOG, LOGIT, PROBIT, SOFTMAX, Link

# A constant that no data may make infinite: a class or a count that is absent so far is taken for
# rarer than one in all rows, not for impossible.


def _mean(y: np.ndarray, weights: np.ndarray | None, n_outputs: int, n_rows: int) -> float:
    return weighted_mean(y, weights)


def _log_mean(y: np.ndarray, weights: np.ndarray | None, n_outputs: int, n_rows: int) -> float:
    return np.log(max(weighted_mean(y, weights), 0.5 / (n_rows + 1)))


def _log_odds(
    y: np.ndarray, weights: np.ndarray | None, n_outputs: int, n_rows: int
) -> float | np.ndarray:
    shares = _shares_against_rest(y, weights, n_outputs, n_rows)
    return np.log(shares) - np.log1p(-shares)


def _probit(
    y: np.ndarray, weights: np.ndarray | None, n_outputs: int, n_rows: int
) -> float | np.ndarray:
    return ndtri(_shares_against_rest(y, weights, n_outputs, n_rows))


def _shares_against_rest(
    y: np.ndarray, weights: np.ndarray | None, n_outputs: int, n_rows: int
) -> Any:
    """Of the one class, or of each."""
    if n_outputs == 1:
        return _shares(y > 0, weights, 2, n_rows)[1]
    return _shares(y, weights, n_outputs, n_rows)


def _log_shares(
    y: np.ndarray, weights: np.ndarray | None, n_outputs: int, n_rows: int
) -> np.ndarray:
    return np.log(_shares(y, weights, n_outputs, n_rows))


def _shares(
    classes: np.ndarray, weights: np.ndarray | None, n_classes: int, n_rows: int
) -> np.ndarray:
    if weights is not None:
        weights = summable(weights)
    counts = np.bincount(classes.astype(np.intp), weights, minlength=n_classes)
    rarest = 0.5 / (n_rows + 1)
    return np.clip(counts / counts.sum(), rarest, 1 - rarest)


def _zero(y: np.ndarray, weights: np.ndarray | None, n_outputs: int, n_rows: int) -> float:
    return 0.0


@dataclass(frozen=True)
class Loss:
    """A loss: its kernel code, and all that Python must know of it."""

    code: LossCode
    best_constant: Callable
    """(y, weights, n_outputs, n_rows) -> the constant score, or scores, to start from; y may stand
    for more rows than it has."""
    curvature: float
    """A bound on the second derivative by the score, or 1 where there is none."""
    text: str
    """For the documentation."""
    link: Link = IDENTITY
    clips: bool = False
    """Whether scores are of the target's kind, so that its range bounds them."""
    rescaling: str | None = None
    """How scores are fitted to targets afterwards (training/rescaling.py), if they can be."""
    scales: bool = False
    """Whether a change of the targets' scale changes nothing but the scale of the scores."""
    is_joint: bool = False
    """Whether the scores of all classes make one loss, so that even two have one each."""
    of_counts: bool = False
    """Whether targets must not be negative."""
    noise: float | None = None
    """The mean square of its slopes in mean losses and curvatures; None: it is the curvature, as
    that of a likelihood is."""


REGRESSION = {
    "squared_error": Loss(
        LossCode.SQUARED_ERROR, _mean, 1.0, "half the squared error", clips=True, scales=True,
        rescaling="least squares", noise=2.0,
    ),
    "huber": Loss(
        LossCode.HUBER, _mean, 1.0,
        "half the squared error up to `huber_delta`, linear beyond", clips=True, scales=True,
        noise=2.0,
    ),
    "poisson": Loss(
        LossCode.POISSON, _log_mean, 1.0,
        "of counts >= 0, whose expectation is the exponential of the score", LOG, of_counts=True,
    ),
}  # fmt: skip

# The margin losses start from zero: a hinge's best constant is just the majority class.
CLASSIFICATION = {
    "log_loss": Loss(
        LossCode.LOG_LOSS, _log_odds, 0.25, "logistic regression's", LOGIT, rescaling="logistic"
    ),
    "probit": Loss(LossCode.PROBIT, _probit, 1.0, "of a normal around the score", PROBIT),
    "hinge": Loss(LossCode.HINGE, _zero, 1.0, "of support vector machines"),
    "squared_hinge": Loss(LossCode.SQUARED_HINGE, _zero, 2.0, "the hinge's square", noise=2.0),
    "softmax": Loss(
        LossCode.SOFTMAX,
        _log_shares,
        0.25,
        "of all classes jointly",
        SOFTMAX,
        is_joint=True,
        rescaling="logistic",
    ),
}

LOSSES = {"regression": REGRESSION, "classification": CLASSIFICATION}
"""By the task."""
