"""The higher-order factorization machine by its O(n^degree) definition, on dense rows.

Blondel, Fujino, Ueda, Ishihata, "Higher-Order Factorization Machines", NIPS 2016.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np


def kernel(p, order):
    """A^order: the sum over all sets of `order` rows of p of their products, column by column."""
    sets = list(combinations(range(len(p)), order))
    return np.prod(p[sets], axis=1).sum(axis=0) if sets else np.zeros(p.shape[1])


@dataclass
class Model:
    """w0, w of shape (n_features,), v of shape (n_features, n_vectors, n_factors), all float64.

    Vector t is that of order 2 + t, or the only one is that of all orders up to the degree.
    """

    w0: float
    w: np.ndarray
    v: np.ndarray
    degree: int

    def orders(self):
        """Pairs of an order and the number of its vector."""
        shared = self.v.shape[1] == 1
        return [(order, 0 if shared else order - 2) for order in range(2, self.degree + 1)]

    def score(self, x):
        total = self.w0 + self.w @ x
        for order, t in self.orders():
            total += kernel(self.v[:, t] * x[:, None], order).sum()
        return total

    def factor_gradient(self, x, j):
        """d score / d v_j: every product that v_j is in, without it."""
        gradient = np.zeros_like(self.v[j])
        others = np.arange(len(x)) != j
        for order, t in self.orders():
            gradient[t] += x[j] * kernel(self.v[others, t] * x[others, None], order - 1)
        return gradient
