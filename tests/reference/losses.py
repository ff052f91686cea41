"""Losses of one sample, as the textbooks write them (no care for overflow)."""

import numpy as np

LOSSES = {
    "squared_error": lambda score, y: 0.5 * (score - y) ** 2,
    "log_loss": lambda score, y: np.log(1 + np.exp(-y * score)),
    "hinge": lambda score, y: max(0.0, 1 - y * score),
    "squared_hinge": lambda score, y: max(0.0, 1 - y * score) ** 2,
}

GRADIENTS = {
    "squared_error": lambda score, y: score - y,
    "log_loss": lambda score, y: -y / (1 + np.exp(y * score)),
    "hinge": lambda score, y: -y if y * score < 1 else 0.0,
    "squared_hinge": lambda score, y: -2 * y * max(0.0, 1 - y * score),
}
