"""Rescaling of scores: z -> a z + b, fitted on held-out rows; of several classes, z -> a z."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit

from ..data.targets import TargetScale
from ..kernels.common.losses import values_and_gradients
from ..kernels.common.settings import Settings
from .plan import TrainingPlan

_MOST_STEPS = 15
_LOG_RANGE = (-2.0, 4.0)  # of a, for several classes


def rescaled(
    plan: TrainingPlan, settings: Settings, scores: np.ndarray, target: np.ndarray,
    weights: np.ndarray | None,
) -> TargetScale | None:  # fmt: skip
    """b as location and a > 0 as spread, or None where the model or the loss forbids it."""
    kind = plan.loss.rescaling
    if kind is None or len(target) < 20:
        return None
    if not plan.family.scales_targets or not plan.has_free_bias:
        return None
    if weights is None:
        weights = np.ones(len(target))
    if scores.shape[1] > 1:
        return _temperature(settings, scores, target, weights)
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


def _temperature(
    settings: Settings, z: np.ndarray, target: np.ndarray, weights: np.ndarray
) -> TargetScale:
    """The a of all classes' scores alike (Guo, Pleiss, Sun & Weinberger, ICML 2017), with a prior
    towards a = 1."""

    def objective(log_a: float) -> float:
        a = np.exp(log_a)
        losses, _ = values_and_gradients(settings, a * z, target)
        return float(weights @ losses) + 0.5 * (a - 1) ** 2

    found = minimize_scalar(objective, bounds=_LOG_RANGE, method="bounded", options={"xatol": 0.01})
    return TargetScale(0.0, float(np.exp(found.x)))


_KINDS = {"least squares": _least_squares, "logistic": _logistic}
