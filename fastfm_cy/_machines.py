"""The model families: what parameters each has, and which kernels compute it."""

from dataclasses import dataclass

from .kernels import ffm, fm, fwfm
from .kernels.fields import Fields


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
    frequent = 2000
    """Threads have copies of features that at least one row in so many holds (_shards.py)."""
    begins_late = False
    """Whether a feature's factors get start values only when the feature occurs."""

    @property
    def kernels(self):
        """The module of the compiled functions."""
        return fm

    def fields(self, rows):
        """The fields of the rows' entries as the kernels take them."""
        return None

    def train(self, rows, y, weights, order, table, intercept, strengths, settings):
        """Visit the rows in `order`: (sum of losses, rows done), as kernels/rows.pxi says.

        `intercept` is the table's or a thread's copy of it.
        """
        return self.kernels.train(
            rows.indptr, rows.indices, rows.data, y, weights, order, intercept, table.linear,
            table.factors, table.n_padded, strengths.groups, strengths.values, settings,
            self.fields(rows),
        )  # fmt: skip

    def predict(self, rows, table, scores, first, last):
        """Write the scores of the rows first..last-1."""
        self.kernels.predict(
            rows.indptr, rows.indices, rows.data, *table.arrays, table.n_padded, scores, first,
            last, self.fields(rows),
        )  # fmt: skip

    def strength_slopes(self, rows, y, weights, table, strengths, slopes, settings):
        """Add to `slopes` what kernels/strengths.pxi says."""
        self.kernels.strength_slopes(
            rows.indptr, rows.indices, rows.data, y, weights, *table.arrays, table.n_padded,
            strengths.groups, slopes, settings, self.fields(rows),
        )  # fmt: skip

    def scorer(self, table, exponential, low, high):
        """A Scorer over the table's arrays (kernels/scorer.pxi)."""
        return self.kernels.Scorer(table.arrays, table.n_padded, exponential, low, high)


@dataclass(frozen=True)
class FieldMachine(FM):
    """A machine that knows the fields of the rows' entries, from 0 to n_fields - 1."""

    n_fields: int
    same_field: bool = True

    begins_late = True

    def fields(self, rows):
        return Fields(rows.fields, self.n_fields, self.same_field)


@dataclass(frozen=True)
class FFM(FieldMachine):
    """The field-aware machine: a feature has a vector for each field."""

    frequent = 100  # its features are long, and so are the pauses between two visits

    @property
    def n_vectors(self):
        return self.n_fields

    @property
    def kernels(self):
        return ffm


@dataclass(frozen=True)
class FwFM(FieldMachine):
    """The field-weighted machine: a pair of fields has a weight."""

    shared_start = 1.0

    @property
    def n_shared(self):
        return self.n_fields**2

    @property
    def kernels(self):
        return fwfm
