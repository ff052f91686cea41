"""What a chain takes as the target of its linear-Gaussian model."""

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri_exp


class RegressionTarget:
    """The targets themselves, seen through noise whose precision is drawn."""

    has_noise = True

    def __init__(self, y):
        self.y = y

    def errors(self, scores, rng):
        return scores - self.y


class ProbitTarget:
    """Labels -1 and +1, as the signs of latent normals around the scores (Albert & Chib 1993)."""

    has_noise = False

    def __init__(self, y):
        self.y = y

    def errors(self, scores, rng):
        """Scores minus latent values, which are drawn given their signs.

        With u uniform, -Phi^-1(u Phi(s)) is a standard normal above -s; in logarithms, so that no
        score is too far on the wrong side.
        """
        scores = scores.astype(np.float64)
        log_uniform = -rng.standard_exponential(len(scores))
        beyond = -ndtri_exp(log_uniform + log_ndtr(self.y * scores))
        return -self.y * beyond


def probability(scores):
    """Of the positive class, in the probit model."""
    return ndtr(scores)
