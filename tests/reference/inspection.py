"""What inspection says of a machine, by its definition: pair by pair and set by set, on dense rows.

A machine is read from its public attributes; `output` is the number of a class, or 0.
"""

from itertools import combinations

import numpy as np


def weights_of(model, output=0):
    """(w0, w, v), one output's, in float64."""
    several = np.ndim(model.coef_) == 2
    pick = (lambda array: array[output]) if several else (lambda array: array)
    intercept = np.atleast_1d(getattr(model, "intercept_", 0.0))[output if several else 0]
    return float(intercept), *(np.asarray(pick(a), float) for a in (model.coef_, model.factors_))


def pair_weight(model, i, j, fields=None, output=0):
    """Of the features i and j; `fields` are those of the features of machines that know them."""
    _, _, v = weights_of(model, output)
    if not hasattr(model, "n_fields_"):
        v = v[0] if v.ndim == 3 else v  # the vectors of order 2
        return v[i] @ v[j]
    f, g = fields[i], fields[j]
    if f == g and not model.same_field:
        return 0.0
    if v.ndim == 3:
        return v[i, g] @ v[j, f]
    r = model.pair_weights_
    return (r[output] if r.ndim == 3 else r)[f, g] * (v[i] @ v[j])


def pair_weights(model, n, fields=None, output=0):
    """Of all pairs of n features: dict (i, j) -> weight, i < j."""
    pairs = combinations(range(n), 2)
    return {(i, j): pair_weight(model, i, j, fields, output) for i, j in pairs}


def products(model, x, order, fields=None, output=0):
    """What each set of `order` features adds to the score of a row: dict set -> number."""
    present = np.flatnonzero(x)
    if order == 2:
        return {
            (i, j): pair_weight(model, i, j, fields, output) * x[i] * x[j]
            for i, j in combinations(present, 2)
        }
    _, _, v = weights_of(model, output)
    v = v[order - 2] if v.ndim == 3 else v
    return {
        some: np.prod(v[list(some)] * x[list(some), None], axis=0).sum()
        for some in combinations(present, order)
    }


def value_of(model, x, members, fields=None, output=0):
    """The score of the row in which only `members` keep their values."""
    w0, w, _ = weights_of(model, output)
    kept = np.where(np.isin(np.arange(len(x)), members), x, 0)
    orders = range(2, getattr(model, "degree", 2) + 1)
    return (
        w0
        + w @ kept
        + sum(sum(products(model, kept, order, fields, output).values()) for order in orders)
    )


def shapley_values(model, x, fields=None, output=0):
    """By their definition, over all orders in which features can come: x must be short."""
    from itertools import permutations

    present = np.flatnonzero(x)
    values = np.zeros(len(x))
    orders = list(permutations(present))
    for order in orders:
        for place, feature in enumerate(order):
            with_it = value_of(model, x, order[: place + 1], fields, output)
            values[feature] += with_it - value_of(model, x, order[:place], fields, output)
    return values / len(orders)
