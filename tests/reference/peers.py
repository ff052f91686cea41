"""What other libraries compute, from their papers and documentation, in plain NumPy.

A model is (w0, w, V), with V of shape (n_features, n_factors); X is dense.
"""

import numpy as np


def scores(X, w0, w, V):
    return w0 + X @ w + 0.5 * (((X @ V) ** 2) - (X**2) @ (V**2)).sum(axis=1)


def of(model):
    """The weights of an estimator, in float64."""
    return (
        float(model.intercept_), np.array(model.coef_, float), np.array(model.factors_, float)
    )  # fmt: skip


def sgd(X, y, model, rate, strengths, n_iter, low=-np.inf, high=np.inf):
    """Rows in their order; clipped predictions; strengths (r0, r1, r2) on what a row touches."""
    w0, w, V = model[0], model[1].copy(), model[2].copy()
    r0, r1, r2 = strengths
    for _ in range(n_iter):
        for x, target in zip(X, y, strict=True):
            g = np.clip(scores(x[None], w0, w, V)[0], low, high) - target
            sums = x @ V
            w0 = w0 - rate * (g + r0 * w0)
            for i in np.flatnonzero(x):
                w[i] -= rate * (g * x[i] + r1 * w[i])
                V[i] -= rate * (g * (sums * x[i] - V[i] * x[i] ** 2) + r2 * V[i])
    return w0, w, V


def adagrad_log_loss(X, y, model, rate, l2, n_iter):
    """xLearn's: labels -1 and +1, squares of gradients from 1 on, no strength on the bias."""
    w0, w, V = model[0], model[1].copy(), model[2].copy()
    s0, s, S = 1.0, np.ones_like(w), np.ones_like(V)
    for _ in range(n_iter):
        for x, label in zip(X, y, strict=True):
            g = -label / (1 + np.exp(label * scores(x[None], w0, w, V)[0]))
            sums = x @ V
            s0 += g**2
            w0 -= rate * g / np.sqrt(s0)
            for i in np.flatnonzero(x):
                step = g * x[i] + l2 * w[i]
                s[i] += step**2
                w[i] -= rate * step / np.sqrt(s[i])
                steps = g * (sums * x[i] - V[i] * x[i] ** 2) + l2 * V[i]
                S[i] += steps**2
                V[i] -= rate * steps / np.sqrt(S[i])
    return w0, w, V


def objective(X, losses, model, l2_linear, l2_factors):
    """Sum of losses of the scores plus l2 / 2 |w|^2 and |V|^2: fastFM's, and polylearn's with
    alpha and beta for l2 / 2."""
    w0, w, V = model
    return (
        losses(scores(X, w0, w, V)).sum() + l2_linear / 2 * (w**2).sum()
        + l2_factors / 2 * (V**2).sum()
    )  # fmt: skip


def is_minimum(function, model, with_bias=True, step=1e-3, tolerance=1e-3):
    """Whether no step of one parameter makes the function smaller by more than `tolerance`."""
    here = function(model)
    w0, w, V = model
    moved = [(w0 + d, w, V) for d in (step, -step)] if with_bias else []
    for d in (step, -step):
        for i in range(len(w)):
            moved.append((w0, w + d * (np.arange(len(w)) == i), V))
        for place in np.ndindex(V.shape):
            change = np.zeros_like(V)
            change[place] = d
            moved.append((w0, w, V + change))
    return all(function(other) > here - tolerance for other in moved)


def libffm(X, y, V, rate, l2, n_iter, normalizes=True):
    """libffm's: labels -1 and +1; V of shape (n_features, n_fields, n_factors); feature j of field
    j; squares of gradients from 1."""
    V, S = V.copy(), np.ones_like(V)
    for _ in range(n_iter):
        for x, label in zip(X, y, strict=True):
            scale = 1 / (x @ x) if normalizes and x.any() else 1.0
            pairs = [(a, b, x[a] * x[b] * scale) for a in range(len(x)) for b in range(a)]
            pairs = [pair for pair in pairs if pair[2]]
            phi = sum(V[a, b] @ V[b, a] * value for a, b, value in pairs)
            kappa = -label / (1 + np.exp(label * phi))
            for a, b, value in pairs:
                of_a = kappa * value * V[b, a] + l2 * V[a, b]
                of_b = kappa * value * V[a, b] + l2 * V[b, a]
                S[a, b] += of_a**2
                S[b, a] += of_b**2
                V[a, b] -= rate * of_a / np.sqrt(S[a, b])
                V[b, a] -= rate * of_b / np.sqrt(S[b, a])
    return V
