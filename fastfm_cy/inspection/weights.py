"""Weights of a fitted machine, of one draw or of several, read a part at a time in float64."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ..model.families import FM
from ..model.posterior import Samples
from ..model.sparse_table import SparseTable
from ..model.table import ParameterTable


class Weights(Protocol):
    """The parameters; features are rows of the model's table."""

    n_draws: int
    n_outputs: int
    n_features: int

    @property
    def family(self) -> FM: ...

    @property
    def n_factors(self) -> int: ...

    @property
    def dtype(self) -> np.dtype: ...

    @property
    def used(self) -> np.ndarray:
        """The features that may have weights that are not zero, rising."""
        ...

    def intercepts(self, output: int) -> np.ndarray:
        """Shape (n_draws,)."""
        ...

    def linear(self, output: int, features: np.ndarray) -> np.ndarray:
        """Shape (n_draws, n_of_these)."""
        ...

    def vectors(self, output: int, features: np.ndarray, which: Any) -> np.ndarray:
        """One of each feature's vectors, by its number; shape (n_draws, n_of_these, n_factors)."""
        ...

    def pair_scales(self, output: int) -> np.ndarray:
        """As families have it."""
        ...


class TableWeights:
    """Those of a table, which are one draw."""

    n_draws = 1

    def __init__(self, table: ParameterTable | SparseTable) -> None:
        self._table = table
        self._rows = table.table if isinstance(table, SparseTable) else table
        self.n_outputs, self.n_features = table.n_outputs, table.n_features

    @property
    def family(self) -> FM:
        return self._rows.family

    @property
    def n_factors(self) -> int:
        return self._rows.n_factors

    @property
    def dtype(self) -> np.dtype:
        return self._rows.dtype

    @property
    def used(self) -> np.ndarray:
        if isinstance(self._table, SparseTable):
            return self._table.kept.astype(np.int64)
        if self._table.has_gaps:
            return self._table.started
        return np.arange(self.n_features)

    def intercepts(self, output: int) -> np.ndarray:
        return self._rows.intercepts[output : output + 1].astype(np.float64)

    def linear(self, output: int, features: np.ndarray) -> np.ndarray:
        weights = self._rows.linear_blocks[self._places(features), output, 0]
        return weights[None].astype(np.float64)

    def vectors(self, output: int, features: np.ndarray, which: Any) -> np.ndarray:
        vectors = self._rows.vector_blocks[self._places(features), output, which]
        return vectors[None].astype(np.float64)

    def pair_scales(self, output: int) -> np.ndarray:
        return self.family.pair_scales(self._rows.shared_blocks[output, 0])

    def _places(self, features: np.ndarray) -> np.ndarray:
        """Where the table that is stored has them."""
        if not isinstance(self._table, SparseTable):
            return features
        kept = self._table.kept
        places = np.searchsorted(kept, features)
        if not len(kept):
            return places
        return np.where(kept.take(places, mode="clip") == features, places, len(kept))


class SampleWeights:
    """Those of a Bayesian machine: the draws that it keeps."""

    n_outputs = 1
    family = FM()
    dtype = np.dtype(np.float32)

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self.n_draws, self.n_features, self.n_factors = samples.factors.shape

    @property
    def used(self) -> np.ndarray:
        return np.arange(self.n_features)

    def intercepts(self, output: int) -> np.ndarray:
        return self._samples.intercept.astype(np.float64)

    def linear(self, output: int, features: np.ndarray) -> np.ndarray:
        return self._samples.linear[:, features].astype(np.float64)

    def vectors(self, output: int, features: np.ndarray, which: Any) -> np.ndarray:
        return self._samples.factors[:, features].astype(np.float64)

    def pair_scales(self, output: int) -> np.ndarray:
        return self.family.pair_scales(np.zeros(0))
