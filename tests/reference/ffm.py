"""The field-aware factorization machine by its O(n^2) definition."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Model:
    """w0, w of shape (n_features,), v of shape (n_features, n_fields, n_factors), all float64."""

    w0: float
    w: np.ndarray
    v: np.ndarray
    same_field: bool = True

    def interact(self, f, g):
        return self.same_field or f != g

    def score(self, row):
        total = self.w0 + sum(self.w[j] * x for _, j, x in row)
        for a, (f, i, x) in enumerate(row):
            for g, j, z in row[a + 1 :]:
                if self.interact(f, g):
                    total += (self.v[i, g] @ self.v[j, f]) * x * z
        return total

    def factor_slopes(self, row, entry):
        """d score / d v[place] by what the entry adds to it, for all places that it touches."""
        f, i, x = row[entry]
        slopes = {}
        for other, (g, j, z) in enumerate(row):
            if other != entry and self.interact(f, g):
                slopes[i, g] = slopes.get((i, g), 0.0) + x * z * self.v[j, f]
        return slopes

    def pair_slopes(self, row):
        return {}


def libffm_epoch(v, squares, rows, y, rate, l2):
    """The update that libffm publishes, of rows normalised beforehand: pair after pair, each
    pair's two vectors at once; `squares` starts from one. Returns the mean loss; y is -1 or +1."""
    total = 0.0
    for row, label in zip(rows, y, strict=True):
        pairs = [(a, b) for n, a in enumerate(row) for b in row[n + 1 :]]
        score = sum((v[i, g] @ v[j, f]) * x * z for (f, i, x), (g, j, z) in pairs)
        total += np.log1p(np.exp(-label * score))
        kappa = -label / (1 + np.exp(label * score))
        for (f, i, x), (g, j, z) in pairs:
            mine = l2 * v[i, g] + kappa * x * z * v[j, f]
            theirs = l2 * v[j, f] + kappa * x * z * v[i, g]
            squares[i, g] += mine**2
            squares[j, f] += theirs**2
            v[i, g] -= rate / np.sqrt(squares[i, g]) * mine
            v[j, f] -= rate / np.sqrt(squares[j, f]) * theirs
    return total / len(y)
