"""Coordinate draws of a factorization machine by their definition, on dense rows.

The score is linear in each parameter, so its slope is the difference that adding one makes.
"""

import numpy as np


def scores(model, X):
    return np.array([model.score(x) for x in X])


def draw(model, X, y, alpha, array, index, precision, mean, z):
    """Set one number of one of the model's arrays to its conditional's mean + z standard
    deviations, or leave it if nothing is known of it. `alpha` is the noise's precision, or one a
    row."""
    alpha = alpha * np.ones(len(y))
    before = array[index]
    array[index] = before + 1
    above = scores(model, X)
    array[index] = before
    now = scores(model, X)
    slopes = above - now
    rest = y - (now - slopes * before)  # what this parameter has to explain
    whole = (alpha * slopes) @ slopes + precision
    if whole > 0:
        array[index] = ((alpha * slopes) @ rest + precision * mean) / whole + z / np.sqrt(whole)


def sweep_linear(model, X, y, alpha, prior_of, normals):
    for j in range(X.shape[1]):
        draw(model, X, y, alpha, model.w, j, *prior_of[j], normals[j])


def sweep_factors(model, X, y, alpha, precisions_of, means_of, normals, factors):
    """Feature by feature, and of each the `factors`, one after the other."""
    for j in range(X.shape[1]):
        for place, f in enumerate(factors):
            prior = precisions_of[j][place], means_of[j][place]
            draw(model, X, y, alpha, model.v, (j, f), *prior, normals[j][place])
