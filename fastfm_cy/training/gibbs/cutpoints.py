"""The cutpoints of the ordered probit model (Albert & Chib, "Sequential Ordinal Modeling with
Applications to Survival Data", Biometrics 57, 2001).

They are drawn given the scores alone, the latent normals integrated out: a Metropolis-Hastings step
whose proposal is a t distribution at the mode. What is drawn is the first cutpoint and the
logarithms of the gaps to the next, free numbers with a normal prior around 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from ...kernels.coordinate.cutpoints import log_likelihood

_MOST_STEPS = 30  # two or three are usual
_CLOSE = 1e-6


def start(classes: np.ndarray, n_classes: int) -> np.ndarray:
    """Free numbers that give each class its share of the rows, if all scores are 0."""
    shares = np.bincount(classes, minlength=n_classes) / len(classes)
    cutpoints = ndtri(np.clip(shares.cumsum()[:-1], 1e-6, 1 - 1e-6))
    gaps = np.maximum(np.diff(cutpoints), 1e-3)
    return np.concatenate([cutpoints[:1], np.log(gaps)])


def cutpoints_of(free: np.ndarray) -> np.ndarray:
    """Increasing cutpoints, float64, of free numbers; none of none."""
    with np.errstate(over="ignore"):  # whoever draws them looks whether they are finite
        return np.cumsum(np.concatenate([free[:1], np.exp(free[1:])]))


def draw(
    free: np.ndarray, scores: np.ndarray, classes: np.ndarray, nu: float, scale: float,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """The next free numbers, given the last.

    Parameters
    ----------
    free : array of shape (n_classes - 1,)
    scores : float64 array of shape (n_rows,)
    classes : int32 array of shape (n_rows,)
        From 0.
    nu : float
        Degrees of freedom of the proposal.
    scale : float
        Standard deviation of the prior of each free number.
    rng : numpy.random.Generator
    """
    posterior = _Posterior(scores, classes, scale)
    mode, precision = posterior.mode(free)
    upper = np.linalg.cholesky(precision).T
    spread = np.sqrt(rng.chisquare(nu) / nu)
    proposed = mode + np.linalg.solve(upper, rng.standard_normal(len(free))) / spread

    def log_excess(point: np.ndarray) -> float:
        """Of the posterior over the proposal, up to a constant."""
        square = np.square(upper @ (point - mode)).sum()
        return posterior.log_density(point) + (nu + len(free)) / 2 * np.log1p(square / nu)

    log_uniform = -rng.standard_exponential()
    return proposed if log_uniform < log_excess(proposed) - log_excess(free) else free


class _Posterior:
    """Of the free numbers, given scores and classes."""

    def __init__(self, scores: np.ndarray, classes: np.ndarray, scale: float) -> None:
        self.scores, self.classes, self.prior = scores, classes, 1 / scale**2

    def log_density(self, free: np.ndarray) -> float:
        value, _, _ = self._likelihood(free, with_slopes=False)
        return value - self.prior / 2 * (free @ free)

    def mode(self, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where it is largest, and its curvature there, by Newton's method from `free`.

        What the curvature leaves out is a share of the prior's, and keeps it positive.
        """
        value = self.log_density(free)
        for _ in range(_MOST_STEPS):
            _, by_cutpoint, hessian = self._likelihood(free, with_slopes=True)
            moves = np.tril(np.concatenate([[1.0], np.exp(free[1:])]) * np.ones((len(free), 1)))
            gradient = moves.T @ by_cutpoint - self.prior * free
            precision = self.prior * np.eye(len(free)) - moves.T @ hessian @ moves
            step = np.linalg.solve(precision, gradient)
            following, least = self._uphill(free, step, value)
            if following is None:
                break
            change, free, value = np.abs(following - free).max(), following, least
            if change < _CLOSE:
                break
        return free, precision

    def _uphill(
        self, free: np.ndarray, step: np.ndarray, value: float
    ) -> tuple[np.ndarray | None, float]:
        """The first of ever shorter steps that does not go down."""
        for length in 0.5 ** np.arange(10):
            reached = self.log_density(free + length * step)
            if reached >= value:
                return free + length * step, reached
        return None, value

    def _likelihood(self, free: np.ndarray, *, with_slopes: bool) -> tuple[float, Any, Any]:
        return log_likelihood(self.scores, self.classes, cutpoints_of(free), with_slopes)
