"""The field-weighted factorization machine by its O(n^2) definition."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Model:
    """w0, w of shape (n_features,), v of shape (n_features, n_factors) and r of shape (n_fields,
    n_fields), of which the entries r[f, g] with f <= g count; all float64."""

    w0: float
    w: np.ndarray
    v: np.ndarray
    r: np.ndarray
    same_field: bool = True

    def weight(self, f, g):
        return self.r[min(f, g), max(f, g)] if self.same_field or f != g else 0.0

    def score(self, row):
        total = self.w0 + sum(self.w[j] * x for _, j, x in row)
        for a, (f, i, x) in enumerate(row):
            for g, j, z in row[a + 1 :]:
                total += self.weight(f, g) * (self.v[i] @ self.v[j]) * x * z
        return total

    def factor_slopes(self, row, entry):
        """d score / d v[place] by what the entry adds to it."""
        f, i, x = row[entry]
        others = [other for number, other in enumerate(row) if number != entry]
        slope = sum((self.weight(f, g) * x * z * self.v[j] for g, j, z in others), 0 * self.v[i])
        return {i: slope}

    def pair_slopes(self, row):
        """d score / d r[place] for all pairs of fields that the row has, those that do not interact
        included."""
        slopes = {}
        for a, (f, i, x) in enumerate(row):
            for g, j, z in row[a:]:
                place = min(f, g), max(f, g)
                interacts = (self.same_field or f != g) and not (i == j and f == g)
                pair = (self.v[i] @ self.v[j]) * x * z if interacts else 0.0
                slopes[place] = slopes.get(place, 0.0) + pair
        return slopes
