"""Likelihoods: what a chain takes as the target of its linear-Gaussian model."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.special import log_ndtr, ndtri_exp

from . import cutpoints as _cutpoints


class LatentState(Protocol):
    """The chain's state, as far as likelihoods draw it or need it."""

    rng: np.random.Generator
    free_cutpoints: np.ndarray

    @property
    def cutpoints(self) -> np.ndarray: ...


class RegressionTarget:
    """The targets themselves, seen through noise whose precision is drawn."""

    has_noise = True
    n_cutpoints = 0

    def __init__(self, y: np.ndarray) -> None:
        self.y = y

    def errors(self, scores: np.ndarray, chain: LatentState) -> np.ndarray:
        """Scores minus targets."""
        return scores - self.y


class ProbitTarget:
    """Labels -1 and +1, as the signs of latent normals around the scores (Albert & Chib 1993)."""

    has_noise = False
    n_cutpoints = 0

    def __init__(self, y: np.ndarray) -> None:
        self.y = y

    def errors(self, scores: np.ndarray, chain: LatentState) -> np.ndarray:
        """Scores minus latent values, which are drawn given their signs.

        With u uniform, -Phi^-1(u Phi(s)) is a standard normal above -s; in logarithms, so that no
        score is too far on the wrong side.
        """
        scores = scores.astype(np.float64)
        log_uniform = -chain.rng.standard_exponential(len(scores))
        beyond = -ndtri_exp(log_uniform + log_ndtr(self.y * scores))
        return -self.y * beyond


class OrdinalTarget:
    """Classes in order, as the latent normals' places between cutpoints, which are drawn, too.

    Parameters
    ----------
    y : int32 array of shape (n_rows,)
        Numbers of classes, from 0.
    n_classes : int
    nu, scale : float
        As _cutpoints.draw has them.
    """

    has_noise = False

    def __init__(self, y: np.ndarray, n_classes: int, nu: float, scale: float) -> None:
        self.y, self.n_classes, self.nu, self.scale = y, n_classes, nu, scale
        self.n_cutpoints = n_classes - 1

    def errors(self, scores: np.ndarray, chain: LatentState) -> np.ndarray:
        """Scores minus latent values, given new cutpoints."""
        scores = scores.astype(np.float64)
        if not len(chain.free_cutpoints):
            chain.free_cutpoints = _cutpoints.start(self.y, self.n_classes)
        chain.free_cutpoints = _cutpoints.draw(
            chain.free_cutpoints, scores, self.y, self.nu, self.scale, chain.rng
        )
        bounds = np.concatenate([[-np.inf], chain.cutpoints, [np.inf]])
        return -truncated_normals(bounds[self.y] - scores, bounds[self.y + 1] - scores, chain.rng)


def truncated_normals(low: np.ndarray, high: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Standard normals between `low` and `high`, arrays of one shape.

    Where both are positive, on the other side of zero: logarithms of small probabilities are
    precise, those of numbers near one are not.
    """
    flipped = low > 0
    low, high = np.where(flipped, -high, low), np.where(flipped, -low, high)
    uniform = rng.random(low.shape)
    with np.errstate(divide="ignore"):
        logs = np.logaddexp(np.log1p(-uniform) + log_ndtr(low), np.log(uniform) + log_ndtr(high))
    drawn = np.clip(ndtri_exp(np.minimum(logs, 0.0)), low, high)
    return np.where(flipped, -drawn, drawn)


Likelihood = RegressionTarget | ProbitTarget | OrdinalTarget
