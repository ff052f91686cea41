"""Ranking by a factorization machine, written down in NumPy: scores, losses, slopes."""

import numpy as np


def row_score(x, w, v):
    """The whole machine's score of one dense row, without an intercept, pair by pair."""
    total = float(x @ w)
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            total += (v[i] @ v[j]) * x[i] * x[j]
    return total


def pair_score(user, item, user_v, item_w, item_v, *, interacts):
    """What depends on the item in the score of [user, item], pair by pair."""
    total = float(item @ item_w)
    for i in range(len(user)):
        for j in range(len(item)):
            total += (user_v[i] @ item_v[j]) * user[i] * item[j]
    if interacts:
        for i in range(len(item)):
            for j in range(i + 1, len(item)):
                total += (item_v[i] @ item_v[j]) * item[i] * item[j]
    return total


def loss_of(name, positive, negatives, rank_weight=1.0):
    """The loss of a positive's score and of those of its negatives."""
    negatives = np.asarray(negatives, dtype=float)
    if name == "bpr":
        return float(np.log1p(np.exp(negatives[0] - positive)))
    if name == "hinge":
        return max(0.0, 1 - positive + negatives[0])
    if name == "warp":
        return rank_weight * max(0.0, 1 - positive + negatives[0])
    if name == "softmax":
        return float(np.log(np.exp(np.append(negatives, positive)).sum()) - positive)
    return float(np.log1p(np.exp(-positive)) + np.log1p(np.exp(negatives)).sum())


def slope(function, array, step=1e-6):
    """The gradient of function() by an array that it reads, by central differences."""
    result = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        before = array[place]
        array[place] = before + step
        above = function()
        array[place] = before - step
        result[place] = (above - function()) / (2 * step)
        array[place] = before
    return result
