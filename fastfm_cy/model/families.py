"""The model families: what parameters each has, and which kernels compute it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import numpy as np

from ..data.csr import CSRRows
from ..kernels.common.settings import Settings
from ..kernels.dispatch import ffm, fm, fwfm, higher_order
from ..kernels.gradient.fields import Fields
from ..kernels.interfaces import GradientKernels, PlainKernels
from .input_scorer import InputScorer
from .interfaces import Model, Strengths, Table

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
    n_pairs = 1
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
    l2_linear: ClassVar[float | None] = None
    """The default strength of its linear terms, if it is not the solver's."""
    step_factor = 1.0
    """How much longer its steps are by default than the solver's."""

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> FM:
        """The family that an estimator's parameters ask for."""
        degree = params["degree"]
        return cls() if degree == 2 else HigherOrderFM(degree, params["share_factors"])

    @classmethod
    def forms(cls) -> tuple[type[FM], ...]:
        """The classes of what `of` returns."""
        return cls, HigherOrderFM

    @property
    def kernels(self) -> GradientKernels:
        """The module of the compiled functions."""
        return fm

    def start_scale(self, init_scale: float) -> float | np.ndarray:
        """Standard deviation of the factors' start values, a number or one a vector."""
        return init_scale

    def with_fields(self, n_fields: Any) -> FM:
        """The same family, knowing how many fields there are."""
        return self

    def fields(self, rows: CSRRows) -> Fields | None:
        """The fields of the rows' entries as the kernels take them."""
        return None

    def train(
        self, rows: CSRRows, y: np.ndarray, weights: np.ndarray | None, order: np.ndarray,
        table: Table, intercept: np.ndarray, strengths: Strengths, settings: Settings,
    ) -> tuple[float, int]:  # fmt: skip
        """Visit the rows in `order`: (sum of losses, rows done), as gradient/epoch.pxi says.

        `intercept` is the table's or a thread's copy of it.
        """
        return self.kernels.train(
            rows.indptr, rows.indices, rows.data, y, weights, order, intercept, table.linear,
            table.factors, table.n_padded, strengths.groups, strengths.values, settings,
            n_vectors=self.n_vectors, degree=self.degree, fields=self.fields(rows),
        )  # fmt: skip

    def predict(
        self, rows: CSRRows, table: Table, scores: np.ndarray, first: int, last: int
    ) -> None:
        """Write the scores of the rows first..last-1."""
        self.kernels.predict(
            rows.indptr, rows.indices, rows.data, *table.arrays, table.n_padded, scores, first,
            last, n_vectors=self.n_vectors, degree=self.degree, fields=self.fields(rows),
        )  # fmt: skip

    def strength_slopes(
        self, rows: CSRRows, y: np.ndarray, weights: np.ndarray | None, table: Table,
        strengths: Strengths, slopes: np.ndarray, settings: Settings,
    ) -> None:  # fmt: skip
        """Add to `slopes` what kernels/gradient/l2_gradients.pxi says."""
        # Strengths are learned for families without fields only.
        kernels = cast(PlainKernels, self.kernels)
        kernels.strength_slopes(
            rows.indptr, rows.indices, rows.data, y, weights, *table.arrays, table.n_padded,
            strengths.groups, slopes, settings, n_vectors=self.n_vectors, degree=self.degree,
            fields=self.fields(rows),
        )  # fmt: skip

    scales_targets = True
    """Whether a model of scaled targets is one of plain targets."""
    folds_centres = True
    """Whether a model of centred columns is one of plain columns."""

    def target_roots(self, spread: float) -> Any:
        """What the factors of a model of y / spread are multiplied by: a number or one a vector."""
        return np.sqrt(spread)

    def meetings(
        self, table: Table, output: int, vectors: np.ndarray, centre: np.ndarray,
        fields: np.ndarray | None,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """What each feature's factors make of a row `centre`, and of themselves, for folding.

        Parameters
        ----------
        vectors : float64 array of shape (n_features, n_vectors, n_factors)
        centre : array of shape (n_features,)
        fields : int array of shape (n_features,) or None
        """
        single = vectors[:, 0]
        return single @ (centre @ single), np.square(single).sum(axis=1)

    @property
    def orders(self) -> dict[int, int]:
        """The orders of its interactions, and which of a feature's vectors each of them takes."""
        return {2: 0}

    def vectors_toward(self, fields: np.ndarray) -> np.ndarray:
        """Which of a feature's vectors meets features of these fields."""
        return np.zeros_like(fields)

    def pair_scales(self, shared: np.ndarray) -> np.ndarray:
        """What interactions of features of two fields are multiplied by, given an output's shared
        parameters; symmetric, of shape (n_fields, n_fields), where a plain machine has one field.
        """
        return np.ones((1, 1))

    def scorer(self, table: Table, model: Model) -> Any:
        """What ``compile()`` of a FittedModel with this table returns."""
        if model.inputs.n_hash is not None:
            return InputScorer(table, model)
        kernels, (low, high) = cast(PlainKernels, self.kernels), model.target.score_range
        return kernels.Scorer(
            table.arrays, table.n_padded, model.link.is_exponential, low, high,
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
    folds_centres = False

    @property
    def scales_targets(self) -> bool:  # type: ignore[override]
        return not self.shared  # one factor vector cannot have a root for each order

    def target_roots(self, spread: float) -> Any:
        if self.shared:
            return 1.0  # whose targets are not scaled
        return (spread ** (1 / np.arange(2, self.degree + 1)))[:, None]

    @property
    def n_vectors(self) -> int:  # type: ignore[override]
        return 1 if self.shared else self.degree - 1

    @property
    def orders(self) -> dict[int, int]:
        return {order: 0 if self.shared else order - 2 for order in range(2, self.degree + 1)}

    @property
    def kernels(self) -> GradientKernels:
        return higher_order

    def start_scale(self, init_scale: float) -> float | np.ndarray:
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
    def of(cls, params: Mapping[str, Any]) -> FieldMachine:
        return cls(same_field=params["same_field"])

    @classmethod
    def forms(cls) -> tuple[type[FM], ...]:
        return (cls,)

    def with_fields(self, n_fields: Any) -> FieldMachine:
        return replace(self, n_fields=n_fields)

    def fields(self, rows: CSRRows) -> Fields:
        return Fields(rows.known_fields, self.n_fields, self.same_field)

    def pair_scales(self, shared: np.ndarray) -> np.ndarray:
        scales = np.ones((self.n_fields, self.n_fields))
        if not self.same_field:
            np.fill_diagonal(scales, 0.0)
        return scales

    def scorer(self, table: Table, model: Model) -> InputScorer:
        return InputScorer(table, model)


@dataclass(frozen=True)
class FFM(FieldMachine):
    """The field-aware machine: a feature has a vector for each field."""

    frequent = 100  # its features are long, and so are the pauses between two visits
    step_factor = 4.0  # rows of unit length and vectors that see one field have small gradients
    l2_linear = 1e-4  # they have small values, too, and so want large weights

    @property
    def n_vectors(self) -> int:  # type: ignore[override]
        return self.n_fields

    @property
    def kernels(self) -> GradientKernels:
        return ffm

    def vectors_toward(self, fields: np.ndarray) -> np.ndarray:
        return fields

    def meetings(
        self, table: Table, output: int, vectors: np.ndarray, centre: np.ndarray, fields: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        sums = np.zeros((self.n_fields, self.n_fields, vectors.shape[2]))
        np.add.at(sums, fields, centre[:, None, None] * vectors)
        meetings = np.einsum("igk,gik->i", vectors, sums[:, fields])
        among = vectors[np.arange(len(fields)), fields]  # for features of one's own field
        if not self.same_field:
            own_field = np.einsum("ik,ik->i", among, sums[fields, fields])
            return meetings - own_field, np.zeros(len(fields))
        return meetings, np.square(among).sum(axis=1)


@dataclass(frozen=True)
class FwFM(FieldMachine):
    """The field-weighted machine: a pair of fields has a weight."""

    shared_start = 1.0

    @property
    def n_shared(self) -> int:  # type: ignore[override]
        return self.n_fields**2

    @property
    def n_pairs(self) -> int:  # type: ignore[override]
        """Of different fields."""
        return max(1, self.n_fields * (self.n_fields - 1) // 2)

    @property
    def kernels(self) -> GradientKernels:
        return fwfm

    def pair_scales(self, shared: np.ndarray) -> np.ndarray:
        upper = np.triu(shared.astype(np.float64).reshape(self.n_fields, self.n_fields))
        return super().pair_scales(shared) * (upper + np.triu(upper, 1).T)

    def meetings(
        self, table: Table, output: int, vectors: np.ndarray, centre: np.ndarray, fields: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        single = vectors[:, 0]
        pairs = self.pair_scales(table.shared_blocks[output, 0])
        sums = np.zeros((self.n_fields, single.shape[1]))
        np.add.at(sums, fields, centre[:, None] * single)
        meetings = np.einsum("ik,ik->i", single, (pairs @ sums)[fields])
        return meetings, np.diag(pairs)[fields] * np.square(single).sum(axis=1)


FAMILIES = {family.__name__: family for family in (FM, HigherOrderFM, FFM, FwFM)}
"""By the name that model files have for them."""
