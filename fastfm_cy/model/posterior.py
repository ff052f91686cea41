"""Posterior: draws kept compactly, which a Bayesian model predicts from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..data.column_scaling import ColumnScaling
from ..data.inputs import PlainInput, Rows
from ..data.targets import TargetScale
from ..exceptions import DivergenceError
from .folding import folded
from .interfaces import Draw
from .responses import Response
from .scoring import score_rows
from .table import ParameterTable


@dataclass
class Samples:
    """Parameters of n_samples draws, float32.

    Attributes
    ----------
    intercept : array of shape (n_samples,)
    linear : array of shape (n_samples, n_features)
    factors : array of shape (n_samples, n_features, n_factors)
    alpha : array of shape (n_samples,)
        Precision of the noise.
    cutpoints : array of shape (n_samples, n_cutpoints)
        Between the classes of an ordinal model; others have none.
    """

    intercept: np.ndarray
    linear: np.ndarray
    factors: np.ndarray
    alpha: np.ndarray
    cutpoints: np.ndarray

    @classmethod
    def empty(
        cls, n_samples: int, n_features: int, n_factors: int, n_cutpoints: int = 0
    ) -> Samples:
        shapes = (), (n_features,), (n_features, n_factors), (), (n_cutpoints,)
        return cls(*(np.empty((n_samples, *shape), dtype=np.float32) for shape in shapes))

    def __len__(self) -> int:
        return len(self.alpha)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        return self.intercept, self.linear, self.factors, self.alpha, self.cutpoints

    def record(self, place: int, chain: Draw) -> None:
        """Write a chain's state to one place."""
        with np.errstate(over="ignore"):  # check_range finds it
            self.intercept[place] = chain.table.intercepts[0]
            self.linear[place] = chain.table.coef
            self.factors[place] = chain.factors
            self.alpha[place] = chain.alpha
            self.cutpoints[place] = chain.cutpoints
        self.check_range(place)

    def check_range(self, places: int | slice = slice(None)) -> None:
        """DivergenceError if a draw left the range of float32."""
        is_finite = all(np.isfinite(array[places]).all() for array in self.arrays)
        if not (is_finite and (self.alpha[places] > 0).all()):
            raise DivergenceError(
                "A draw left the range of float32, in which draws are kept. Scale the features and "
                "a regression's target to about 1, and choose priors (mu_0, gamma_0) of that size. "
                "The estimator is as it was before the fit."
            )

    def folded(self, columns: ColumnScaling | None, scale: TargetScale | None) -> Samples:
        """The draws of a machine of scaled columns and targets as those of a plain one.

        Parameters
        ----------
        columns : ColumnScaling or None
        scale : TargetScale or None
        """
        if columns is None and scale is None:
            return self
        samples = Samples(*(array.copy() for array in self.arrays))
        _, n_features, n_factors = self.factors.shape
        table = ParameterTable(n_features, n_factors, "float64")
        with np.errstate(over="ignore", invalid="ignore"):  # check_range finds it
            for place in range(len(self)):
                table.intercepts[0] = self.intercept[place]
                table.coef[...] = self.linear[place]
                table.factor_vectors[...] = self.factors[place]
                plain = folded(table, columns, scale)
                samples.intercept[place] = plain.intercepts[0]
                samples.linear[place] = plain.coef
                samples.factors[place] = plain.factor_vectors
            if scale is not None:
                samples.alpha[...] = self.alpha / np.float64(scale.spread) ** 2
        samples.check_range()
        return samples

    def newest(self, n_samples: int) -> Samples:
        """The last n_samples of them."""
        first = max(0, len(self) - n_samples)
        return Samples(*(array[first:].copy() for array in self.arrays))

    def concatenated(self, other: Samples) -> Samples:
        pairs = zip(self.arrays, other.arrays, strict=True)
        return Samples(*(np.concatenate(pair) for pair in pairs))

    def scores(self, rows: Rows, n_jobs: int) -> Iterator[np.ndarray]:
        """Each draw's scores of the rows, one after the other: arrays of shape (n_rows,)."""
        # Only the features that the rows have are copied, so that few rows cost little.
        features = np.unique(rows.indices)
        places = np.zeros(rows.n_features, dtype=np.int32)
        places[features] = np.arange(len(features), dtype=np.int32)
        present = rows.renumbered(places, max(1, len(features)))
        table = ParameterTable(max(1, len(features)), self.factors.shape[2], np.float32)
        for intercept, linear, factors in zip(
            self.intercept, self.linear, self.factors, strict=True
        ):
            table.intercepts[0] = intercept
            table.coef[: len(features)] = linear[features]
            table.factor_vectors[: len(features)] = factors[features]
            yield score_rows(table, present, n_jobs)[:, 0]


def bytes_of(n_samples: int, n_features: int, n_factors: int, n_cutpoints: int = 0) -> int:
    return 4 * n_samples * (n_features * (n_factors + 1) + 2 + n_cutpoints)


@dataclass(frozen=True)
class FittedPosterior:
    """A Bayesian machine, and what its scores mean: one object that a fit swaps in at once."""

    samples: Samples
    target: Any
    """RealTarget or ClassTarget."""
    response: Response
    inputs: PlainInput = field(default_factory=PlainInput)
    """How X is read for sampling on."""
    scale: TargetScale | None = None
    """Of the targets, likewise."""
    encoder: Any = None
    """What makes X of a table, if the model takes tables (preprocessing/encoder.py)."""

    @property
    def n_features(self) -> int:
        return self.samples.linear.shape[1]

    def values(self, rows: Rows, n_jobs: int = 1) -> Iterator[np.ndarray]:
        """Each kept draw's predictions of the rows."""
        draws = zip(self.samples.scores(rows, n_jobs), self.samples.cutpoints, strict=True)
        return (self.response.value(scores, cutpoints) for scores, cutpoints in draws)
