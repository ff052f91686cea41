"""The model families: what parameters each has, and which kernels compute it."""

from dataclasses import dataclass

from .kernels import fm


@dataclass(frozen=True)
class FM:
    """The second-order factorization machine, and what every family of models answers.

    A parameter table holds its machine, and so do saved models.
    """

    n_vectors = 1
    """Factor vectors that a feature has."""
    n_shared = 0
    """Parameters, besides the intercept, that belong to no feature."""
    shared_start = 0.0
    """Where they start."""
    joins_blocks = True
    """Whether all that a group of features does to the scores of rows that share it are a weight
    and a vector, so that a block of a relational design needs no expansion."""

    def train(self, rows, y, weights, order, table, intercept, strengths, settings):
        """Visit the rows in `order`: (sum of losses, rows done), as kernels/rows.pxi says.

        `intercept` is the table's or a thread's copy of it.
        """
        return fm.train(
            rows.indptr, rows.indices, rows.data, y, weights, order, intercept, table.linear,
            table.factors, table.n_padded, strengths.groups, strengths.values, settings,
        )  # fmt: skip

    def predict(self, rows, table, scores, first, last):
        """Write the scores of the rows first..last-1."""
        fm.predict(
            rows.indptr, rows.indices, rows.data, *table.arrays, table.n_padded, scores, first, last
        )  # fmt: skip

    def strength_slopes(self, rows, y, weights, table, strengths, slopes, settings):
        """Add to `slopes` what kernels/strengths.pxi says."""
        fm.strength_slopes(
            rows.indptr, rows.indices, rows.data, y, weights, *table.arrays, table.n_padded,
            strengths.groups, slopes, settings,
        )  # fmt: skip

    def scorer(self, table, exponential, low, high):
        """A Scorer over the table's arrays (kernels/scorer.pxi)."""
        return fm.Scorer(table.arrays, table.n_padded, exponential, low, high)
