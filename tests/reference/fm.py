"""The second-order factorization machine by its O(n^2) definition, on dense rows."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Model:
    """w0, w of shape (n_features,) and v of shape (n_features, n_factors), all float64."""

    w0: float
    w: np.ndarray
    v: np.ndarray

    def score(self, x):
        total = self.w0 + self.w @ x
        for i in range(len(x)):
            for j in range(i + 1, len(x)):
                total += (self.v[i] @ self.v[j]) * x[i] * x[j]
        return total

    def factor_gradient(self, x, j):
        """d score / d v_j, by its definition: x_j times the sum of v_i x_i over all i != j."""
        return x[j] * sum((self.v[i] * x[i] for i in range(len(x)) if i != j), 0 * self.v[j])


NONE = (0.0, 0.0, 0.0, 0.0)


def epoch(models, X, y, weights, order, solver, loss, *, strengths=None, fit_intercept=True,
          fit_linear=True):  # fmt: skip
    """Per-sample training over dense X; the sum of the weighted losses before each update.

    `models` holds a model an output, `strengths` a row (l1_linear, l2_linear, l1_factors,
    l2_factors) a feature, `loss` a value and gradients from (scores, y)."""
    strengths = np.tile(NONE, (X.shape[1], 1)) if strengths is None else strengths
    total = 0.0
    for row in order:
        x = X[row]
        value, gradients = loss(np.array([model.score(x) for model in models]), y[row])
        total += weights[row] * value
        for c, (model, gradient) in enumerate(zip(models, gradients, strict=True)):
            g = weights[row] * gradient
            slopes = {j: model.factor_gradient(x, j) for j in np.flatnonzero(x)}
            if fit_intercept:
                model.w0 = solver.step(("w0", c), model.w0, g, 0.0, 0.0)
            for j, slope in slopes.items():
                l1_linear, l2_linear, l1_factors, l2_factors = strengths[j]
                if fit_linear:
                    step = g * x[j], l1_linear, l2_linear
                    model.w[j] = solver.step(("w", c, j), model.w[j], *step)
                step = g * slope, l1_factors, l2_factors
                model.v[j] = solver.step(("v", c, j), model.v[j], *step)
    return total


def notebook_epoch(model, X, y, learning_rate, reg):
    """The update rule of the notebook that this project starts from: rows in order, log loss,
    L2 as 2 * reg * theta, factor by factor. Returns the mean loss."""
    total = 0.0
    for x, label in zip(X, y, strict=True):
        summed = model.v.T @ x
        score = model.w0 + model.w @ x
        score += 0.5 * np.sum(summed**2 - (model.v**2).T @ x**2)
        total += np.log(np.exp(-score * label) + 1)
        slope = -label / (np.exp(label * score) + 1)
        model.w0 -= learning_rate * slope
        touched = np.flatnonzero(x)
        for j in touched:
            model.w[j] -= learning_rate * (slope * x[j] + 2 * reg * model.w[j])
        for f in range(model.v.shape[1]):
            for j in touched:
                term = summed[f] - model.v[j, f] * x[j]
                gradient = slope * x[j] * term + 2 * reg * model.v[j, f]
                model.v[j, f] -= learning_rate * gradient
    return total / len(y)
