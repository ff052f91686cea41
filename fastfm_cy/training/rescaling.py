"""Rescaling of scores: z -> a z + b, fitted on held-out rows."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from ..data.targets import TargetScale
from .plan import TrainingPlan

_MOST_STEPS = 15


def rescaled(
    plan: TrainingPlan, scores: np.ndarray, target: np.ndarray, weights: np.ndarray | None
) -> TargetScale | None:
    """b as location and a > 0 as spread, or None where the loss or several outputs forbid it."""
    if scores.shape[1] != 1 or not plan.family.scales_targets or not plan.has_free_bias:
        return None
    kind = plan.loss.rescaling
    if kind is None or len(target) < 20:
        return None
    if weights is None:
        weights = np.ones(len(target))
    return _KINDS[kind](scores[:, 0], target, weights)


def _least_squares(z: np.ndarray, y: np.ndarray, weights: np.ndarray) -> TargetScale | None:
    """With a prior towards a = 1 of a hundredth of the rows."""
    z_mean, y_mean = np.average(z, weights=weights), np.average(y, weights=weights)
    z, y = z - z_mean, y - y_mean
    prior = 0.01 * weights.sum()
    a = ((weights * z) @ y + prior) / ((weights * z) @ z + prior)
    return TargetScale(float(y_mean - a * z_mean), float(a)) if a > 0 else None


def _logistic(z: np.ndarray, y: np.ndarray, weights: np.ndarray) -> TargetScale | None:
    """Newton's method on Platt's smoothed targets, with a prior towards a = 1."""
    positive = weights @ (y > 0)
    negative = weights.sum() - positive
    t = np.where(y > 0, (positive + 1) / (positive + 2), 1 / (negative + 2))

    def objective(a: float, b: float) -> float:
        u = a * z + b
        return float(weights @ (np.logaddexp(0, u) - t * u)) + 0.5 * (a - 1) ** 2

    a, b = 1.0, 0.0
    value = objective(a, b)
    for _ in range(_MOST_STEPS):
        p = expit(a * z + b)
        slope, curve = weights * (p - t), weights * (p * (1 - p)) + 1e-12
        gradient = np.array([slope @ z + (a - 1), slope.sum()])
        hessian = np.array([[(curve * z) @ z + 1, curve @ z], [curve @ z, curve.sum() + 1e-9]])
        step = np.linalg.solve(hessian, gradient)
        length = 1.0
        while length > 1e-4:
            moved = objective(a - length * step[0], b - length * step[1])
            if a - length * step[0] > 0 and moved <= value:
                break
            length /= 2
        else:
            break
        a, b = a - length * step[0], b - length * step[1]
        fall, value = value - moved, moved
        if fall < 1e-7 * len(z):
            break
    return TargetScale(float(b), float(a))


_KINDS = {"least squares": _least_squares, "logistic": _logistic}
