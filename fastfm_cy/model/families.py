"""The model families: what parameters each has, and which kernels compute it."""

from dataclasses import dataclass, replace

import numpy as np

from ..kernels.dispatch import ffm, fm, fwfm, higher_order
from ..kernels.gradient.fields import Fields
from .input_scorer import InputScorer

HIGHEST_DEGREE = 5  # that the kernels know


@dataclass(frozen=True)
class FM:
    """The second-order factorization machine, and what every family of models answers.

    A parameter table holds its family, and so do saved models.
    """

    n_vectors = 1
    """Factor vectors that a feature has."""
    vectors_first = False
    """Whether ``factors_`` goes by vectors and then features, rather than the other way round."""
    n_shared = 0
    """Parameters, besides the intercept, that belong to no feature."""
    shared_start = 0.0
    """Where they start."""
    joins_blocks = True
    """Whether all that a group of features does to the scores of rows that share it are a weight
    and a vector, so that a block of a relational design needs no expansion."""
    degree = 2
    """The most features that interact."""
    frequent = 2000
    """Threads have copies of features that at least one row in so many holds."""
    starts_late = False
    """Whether a feature's factors get start values only when the feature occurs."""
    step_factor = 1.0
    """How much longer its steps are by default than the solver's."""

    @classmethod
    def of(cls, params):
        """The family that an estimator's parameters ask for."""
        degree = params["degree"]
        return cls() if degree == 2 else HigherOrderFM(degree, params["share_factors"])

    @classmethod
    def forms(cls):
        """The classes of what `of` returns."""
        return FM, HigherOrderFM

    @property
    def kernels(self):
        """The module of the compiled functions."""
        return fm

    def start_scale(self, init_scale):
        """Standard deviation of the factors' start values, a number or one a vector."""
        return init_scale

    def with_fields(self, n_fields):
        """The same family, knowing how many fields there are."""
        return self

    def fields(self, rows):
        """The fields of the rows' entries as the kernels take them."""
        return None

    def train(self, rows, y, weights, order, table, intercept, strengths, settings):
        """Visit the rows in `order`: (sum of losses, rows done), as gradient/epoch.pxi says.

        `intercept` is the table's or a thread's copy of it.
        """
        return self.kernels.train(
            rows.indptr, rows.indices, rows.data, y, weights, order, intercept, table.linear,
            table.factors, table.n_padded, strengths.groups, strengths.values, settings,
            n_vectors=self.n_vectors, degree=self.degree, fields=self.fields(rows),
        )  # fmt: skip

    def predict(self, rows, table, scores, first, last):
        """Write the scores of the rows first..last-1."""
        self.kernels.predict(
            rows.indptr, rows.indices, rows.data, *table.arrays, table.n_padded, scores, first,
            last, n_vectors=self.n_vectors, degree=self.degree, fields=self.fields(rows),
        )  # fmt: skip

    def strength_slopes(self, rows, y, weights, table, strengths, slopes, settings):
        """Add to `slopes` what kernels/gradient/l2_gradients.pxi says."""
        self.kernels.strength_slopes(
            rows.indptr, rows.indices, rows.data, y, weights, *table.arrays, table.n_padded,
            strengths.groups, slopes, settings, n_vectors=self.n_vectors, degree=self.degree,
            fields=self.fields(rows),
        )  # fmt: skip

    def scorer(self, table, model):
        """What ``compile()`` of a FittedModel with this table returns."""
        if model.inputs.n_hash is not None:
            return InputScorer(table, model)
        return self.kernels.Scorer(
            table.arrays, table.n_padded, model.link.is_exponential, *model.target.score_range,
            n_vectors=self.n_vectors, degree=self.degree,
        )  # fmt: skip


@dataclass(frozen=True)
class HigherOrderFM(FM):
    """The machine of all interactions of up to `degree` features.

    A feature has a factor vector for each order from 2, or if `shared` one for all of them.
    """

    degree: int
    shared: bool = False

    vectors_first = True
    joins_blocks = False

    @property
    def n_vectors(self):
        return 1 if self.shared else self.degree - 1

    @property
    def kernels(self):
        return higher_order

    def start_scale(self, init_scale):
        """So that the products of each order's factors start equally large."""
        if self.shared:
            return init_scale
        orders = np.arange(2, self.degree + 1)
        return (init_scale ** (2 / orders))[:, None]


@dataclass(frozen=True)
class FieldMachine(FM):
    """A machine that knows the fields of the rows' entries, from 0 to n_fields - 1."""

    n_fields: int = 0
    same_field: bool = True

    starts_late = True
    joins_blocks = False

    @classmethod
    def of(cls, params):
        return cls(same_field=params["same_field"])

    @classmethod
    def forms(cls):
        return (cls,)

    def with_fields(self, n_fields):
        return replace(self, n_fields=n_fields)

    def fields(self, rows):
        return Fields(rows.fields, self.n_fields, self.same_field)

    def scorer(self, table, model):
        return InputScorer(table, model)


@dataclass(frozen=True)
class FFM(FieldMachine):
    """The field-aware machine: a feature has a vector for each field."""

    frequent = 100  # its features are long, and so are the pauses between two visits
    step_factor = 4.0  # rows of unit length and vectors that see one field have small gradients

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


FAMILIES = {family.__name__: family for family in (FM, HigherOrderFM, FFM, FwFM)}
"""By the name that model files have for them."""
