"""Losses over whole data, by looking at every pair of a user and an item."""

import numpy as np


def vectors(X, V, w, interacts):
    """(q, b) of dense rows of features."""
    q, b = X @ V, X @ w
    if interacts:
        b = b + ((q**2).sum(axis=1) - X**2 @ (V**2).sum(axis=1)) / 2
    return q, b


def scores(users, items, interacts):
    """Of all pairs; a side is (X, V, w), and users have no w that matters."""
    p, _ = vectors(users[0], users[1], np.zeros(users[0].shape[1]), False)
    q, b = vectors(*items, interacts)
    return p @ q.T + b


def objective(users, items, confidence, target, settings, strengths, interacts):
    """The loss of all pairs, and the penalties.

    Parameters
    ----------
    users, items : tuples (X, V, w)
    confidence, target : arrays of shape (n_users, n_items)
        Confidence 0 where nothing was observed.
    settings : WholeDataSettings
    strengths : (of users' V, of items' V, of items' w), arrays with a number a feature
    """
    s = scores(users, items, interacts)
    everywhere = np.full(s.shape, settings.unobserved_weight)
    if not settings.counts_observed:
        everywhere[confidence > 0] = 0
    loss = (confidence * (target - s) ** 2 + everywhere * s**2).sum()
    penalties = (
        strengths[0] @ (users[1] ** 2).sum(axis=1) + strengths[1] @ (items[1] ** 2).sum(axis=1)
        + strengths[2] @ items[2] ** 2
    )  # fmt: skip
    return loss + penalties


def frequencies(X, confidence, settings):
    """What the pairs of each feature weigh together; confidence has a row a row of X."""
    observed = confidence.sum(axis=1)
    n_others = confidence.shape[1] - (0 if settings.counts_observed else (confidence > 0).sum(1))
    return X.T**2 @ (observed + settings.unobserved_weight * n_others)


def least(value, parameters):
    """The parameters of the least value of a function that is quadratic in them."""
    n = parameters.size
    flat, unit = parameters.ravel().astype(float), np.eye(n)

    def at(step):
        return value((flat + step).reshape(parameters.shape))

    here = at(np.zeros(n))
    plus = np.array([at(unit[i]) for i in range(n)])
    minus = np.array([at(-unit[i]) for i in range(n)])
    slope, H = (plus - minus) / 2, np.diag(plus + minus - 2 * here)
    for i in range(n):
        for j in range(i):
            H[i, j] = H[j, i] = at(unit[i] + unit[j]) - plus[i] - plus[j] + here
    return (flat - np.linalg.lstsq(H, slope, rcond=1e-12)[0]).reshape(parameters.shape)


def sweep(users, items, value, *, has_linear, n_own=(0, 0), tile=8):
    """One sweep: eight factors of one feature after the other, shared features before own ones.

    Parameters
    ----------
    users, items : tuples (X, V, w), changed in place
    value : function of (users, items) -> float
        The objective.
    n_own : (int, int)
        Own features of both sides, which come first among the features; of a side that has no
        others each is done in all its factors before the next.
    """
    for side, own in zip((users, items), n_own, strict=True):
        X, V, w = side
        linear = has_linear and side is items

        def step(feature, place, V=V):
            def at(v):
                before = V[feature, place : place + tile].copy()
                V[feature, place : place + tile] = v
                result = value(users, items)
                V[feature, place : place + tile] = before
                return result

            V[feature, place : place + tile] = least(at, V[feature, place : place + tile])

        def step_linear(feature, w=w):
            def at(weight):
                before = w[feature]
                w[feature] = weight[0]
                result = value(users, items)
                w[feature] = before
                return result

            w[feature] = least(at, w[feature : feature + 1])[0]

        features = range(X.shape[1])
        if own == X.shape[1]:
            for feature in features:
                if linear:
                    step_linear(feature)
                for place in range(0, V.shape[1], tile):
                    step(feature, place)
            continue
        for place in range(0, V.shape[1], tile):
            for feature in [*features[own:], *features[:own]]:
                step(feature, place)
                if linear:
                    step_linear(feature)
