"""Interfaces of the kernels that are chosen at run time: what each build's modules hold.

Arrays of one call are of one float type; the sources in gradient/ and coordinate/ say which types
and shapes they have.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from .common.settings import Settings
from .gradient.fields import Fields


class GradientKernels(Protocol):
    """Epochs and scores of a family (gradient/epoch.pxi)."""

    def train(
        self, indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, y: np.ndarray,
        weights: np.ndarray | None, order: np.ndarray, intercept: np.ndarray, linear: np.ndarray,
        factors: np.ndarray, n_factors: int, groups: np.ndarray | None, strengths: np.ndarray,
        settings: Settings, fields: Fields | None = None, n_vectors: int = 1, degree: int = 2,
    ) -> tuple[float, int]: ...  # fmt: skip

    def predict(
        self, indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, intercept: np.ndarray,
        linear: np.ndarray, factors: np.ndarray, n_factors: int, scores: np.ndarray, first: int,
        last: int, fields: Fields | None = None, n_vectors: int = 1, degree: int = 2,
    ) -> None: ...  # fmt: skip


class Scorer(Protocol):
    """A fitted model for single rows and small batches (gradient/scorer.pxi)."""

    def row(self, indices: np.ndarray, data: np.ndarray) -> float | np.ndarray: ...

    def rows(self, indptr: np.ndarray, indices: np.ndarray, data: np.ndarray) -> np.ndarray: ...


class MakeScorer(Protocol):
    """The Scorer's class, as a function."""

    def __call__(
        self, arrays: tuple[np.ndarray, np.ndarray, np.ndarray], n_factors: int,
        exponential: bool, low: float, high: float, n_vectors: int = 1, degree: int = 2,
    ) -> Scorer: ...  # fmt: skip


class PlainKernels(GradientKernels, Protocol):
    """The same of a family without fields, which also has what is not written for fields."""

    @property
    def Scorer(self) -> MakeScorer: ...

    def strength_slopes(
        self, indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, y: np.ndarray,
        weights: np.ndarray | None, intercept: np.ndarray, linear: np.ndarray,
        factors: np.ndarray, n_factors: int, groups: np.ndarray | None, slopes: np.ndarray,
        settings: Settings, fields: Fields | None = None, n_vectors: int = 1, degree: int = 2,
    ) -> None: ...  # fmt: skip


class CoordinateKernels(Protocol):
    """Sweeps over columns (coordinate/sweeps.pxi, block_sweeps.pxi, higher_order_sweeps.pxi)."""

    BLOCK_WIDTH: int

    def sum_factors(
        self, indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, factors: np.ndarray,
        first_factor: int, begins: bool, lines: np.ndarray, first: int, last: int,
    ) -> None: ...  # fmt: skip

    def score_eight(
        self, indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, linear: np.ndarray,
        factors: np.ndarray, first_factor: int, intercept: float, begins: bool,
        lines: np.ndarray, scores: np.ndarray, first: int, last: int,
    ) -> None: ...  # fmt: skip

    def sweep_linear(
        self, indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, linear: np.ndarray,
        errors: np.ndarray, weights: np.ndarray | None, alpha: float, groups: np.ndarray,
        prior: np.ndarray, normals: np.ndarray, first: int, last: int,
    ) -> None: ...  # fmt: skip

    def sweep_factors(
        self, indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, factors: np.ndarray,
        first_factor: int, n_active: int, lines: np.ndarray, is_weighted: bool, alpha: float,
        groups: np.ndarray, precisions: np.ndarray, means: np.ndarray, normals: np.ndarray,
        first: int, last: int,
    ) -> None: ...  # fmt: skip

    def group_moments(
        self, weights: np.ndarray, groups: np.ndarray, centres: np.ndarray, sums: np.ndarray,
        squares: np.ndarray,
    ) -> None: ...  # fmt: skip

    def independent_runs(
        self, indptr: np.ndarray, indices: np.ndarray, seen: np.ndarray
    ) -> list[int]: ...

    def add_block_sums(
        self, row_of: np.ndarray, block_lines: np.ndarray, lines: np.ndarray, first: int, last: int
    ) -> None: ...

    def gather(
        self, starts: np.ndarray, members: np.ndarray, lines: np.ndarray, is_weighted: bool,
        block_lines: np.ndarray, first: int, last: int,
    ) -> None: ...  # fmt: skip

    def spread(
        self, starts: np.ndarray, members: np.ndarray, block_lines: np.ndarray,
        lines: np.ndarray, first: int, last: int,
    ) -> None: ...  # fmt: skip

    def sweep_block_linear(
        self, indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, linear: np.ndarray,
        errors: np.ndarray, counts: np.ndarray, moves: np.ndarray, alpha: float,
        groups: np.ndarray, prior: np.ndarray, normals: np.ndarray, first: int, last: int,
    ) -> None: ...  # fmt: skip

    def sweep_block_factors(
        self, indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, factors: np.ndarray,
        first_factor: int, n_active: int, block_lines: np.ndarray, alpha: float,
        groups: np.ndarray, precisions: np.ndarray, means: np.ndarray, normals: np.ndarray,
        first: int, last: int,
    ) -> None: ...  # fmt: skip

    def line_width(self, order: int) -> int: ...

    def sum_levels(
        self, indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, factors: np.ndarray,
        first_factor: int, order: int, lines: np.ndarray, first: int, last: int,
    ) -> None: ...  # fmt: skip

    def sweep_levels(
        self, indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, factors: np.ndarray,
        first_factor: int, n_active: int, order: int, shared: bool, lines: np.ndarray,
        is_weighted: bool, alpha: float, groups: np.ndarray, precisions: np.ndarray,
        means: np.ndarray, normals: np.ndarray, first: int, last: int,
    ) -> None: ...  # fmt: skip
