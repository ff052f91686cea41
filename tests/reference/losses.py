"""Losses of one sample, as the textbooks write them (no care for overflow)."""

import numpy as np
from scipy.stats import norm

HUBER_DELTA = 1.0


def huber(score, y):
    error = abs(score - y)
    return 0.5 * error**2 if error <= HUBER_DELTA else HUBER_DELTA * (error - HUBER_DELTA / 2)


LOSSES = {
    "squared_error": lambda score, y: 0.5 * (score - y) ** 2,
    "huber": huber,
    "poisson": lambda score, y: np.exp(score) - y * score,
    "log_loss": lambda score, y: np.log(1 + np.exp(-y * score)),
    "hinge": lambda score, y: max(0.0, 1 - y * score),
    "squared_hinge": lambda score, y: max(0.0, 1 - y * score) ** 2,
    "probit": lambda score, y: -norm.logcdf(y * score),
}

GRADIENTS = {
    "squared_error": lambda score, y: score - y,
    "huber": lambda score, y: np.clip(score - y, -HUBER_DELTA, HUBER_DELTA),
    "poisson": lambda score, y: np.exp(score) - y,
    "log_loss": lambda score, y: -y / (1 + np.exp(y * score)),
    "hinge": lambda score, y: -y if y * score < 1 else 0.0,
    "squared_hinge": lambda score, y: -2 * y * max(0.0, 1 - y * score),
    "probit": lambda score, y: -y * np.exp(norm.logpdf(score) - norm.logcdf(y * score)),
}


def softmax_loss(scores, label):
    return np.log(np.exp(scores).sum()) - scores[int(label)]


def softmax_gradient(scores, label):
    probabilities = np.exp(scores) / np.exp(scores).sum()
    return probabilities - np.eye(len(scores))[int(label)]


def of_outputs(name, n_outputs):
    """(scores, y) -> value, gradients, of one output, or of one a class (y is its number)."""

    def single(scores, y):
        return LOSSES[name](scores[0], y), [GRADIENTS[name](scores[0], y)]

    def against_the_rest(scores, y):
        signs = np.where(np.arange(n_outputs) == y, 1.0, -1.0)
        pairs = list(zip(scores, signs, strict=True))
        return sum(LOSSES[name](*pair) for pair in pairs), [GRADIENTS[name](*p) for p in pairs]

    def joint(scores, y):
        return softmax_loss(scores, y), softmax_gradient(scores, y)

    if name == "softmax":
        return joint
    return single if n_outputs == 1 else against_the_rest
