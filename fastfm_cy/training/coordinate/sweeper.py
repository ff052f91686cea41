"""One sweep over all parameters of a machine, column by column: what ALS and Gibbs share."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ...data.inputs import Rows
from ...data.relational_rows import RelationalRows, blocks_of
from ...exceptions import DivergenceError
from ...model.scoring import check_scores, score_rows
from ...model.table import ParameterTable
from ...utils.checks import or_float64
from .blocks import PlainPart, part_of
from .row_cache import FACTOR_TILE, RowLines


def not_finite(sweep: int, dtype: str) -> DivergenceError:
    return DivergenceError(
        f"Sweep {sweep} left the range of finite numbers. Scale the features (and a regression's "
        f"target) to about 1{or_float64(dtype)}. The estimator is as it was before the fit."
    )


class Sweeper:
    """Sweeps over the linear weights and the factors of a table, in one thread or several.

    Use it as a context manager, which ends the threads.

    Parameters
    ----------
    rows : CSRRows or RelationalRows
    table : ParameterTable
        Of one output without state, padded to whole eights of factors; changed in place.
    groups : int32 array of shape (n_features,)
    n_factors : int
    weights : array of shape (n_rows,), default=None
        Of the rows' errors.
    n_jobs : int
        Threads; the outcome does not depend on it.

    Attributes
    ----------
    errors : array of shape (n_rows,)
        Scores minus targets; to be set before a sweep.
    """

    def __init__(
        self, rows: Rows, table: ParameterTable, groups: np.ndarray, n_factors: int,
        weights: np.ndarray | None = None, n_jobs: int = 1,
    ) -> None:  # fmt: skip
        self.rows, self.table, self.groups = rows, table, groups
        self.n_factors, self.n_jobs = n_factors, n_jobs
        self.lines = RowLines(rows.n_rows, n_factors, weights, table.dtype)
        self.errors = self.lines.errors
        self.pool = ThreadPoolExecutor(n_jobs) if n_jobs > 1 else None
        self.parts = [part_of(block, self.pool, n_jobs) for block in blocks_of(rows)]
        self._loaded: int | None = None  # the eight whose sums are in the lines

    def __enter__(self) -> Sweeper:
        return self

    def __exit__(self, *error: object) -> None:
        if self.pool:
            self.pool.shutdown()

    def scores(self) -> np.ndarray:
        """Of all rows, shape (n_rows,), in the table's dtype."""
        if not self.n_factors or isinstance(self.rows, RelationalRows):
            return score_rows(self.table, self.rows, self.n_jobs)[:, 0]
        scores = np.empty(self.rows.n_rows, self.table.dtype)
        whole = self.parts[0]
        assert isinstance(whole, PlainPart)
        # The first eight last, as a sweep begins with their sums.
        eights = range(0, self.n_factors, FACTOR_TILE)[::-1]
        for first_factor in eights:
            whole.score_eight(
                self.table, first_factor, first_factor == eights[0], self.lines, scores
            )
        self._loaded = 0
        check_scores(scores[:, None])
        return scores

    def sweep_linear(self, alpha: float, prior: np.ndarray, normals: np.ndarray) -> None:
        """`prior` holds precision and mean a group; `normals` a number a feature."""
        for part in self.parts:
            own = part.features
            part.sweep_linear(
                self.table.linear[own], self.lines, alpha, self.groups[own], prior, normals[own]
            )

    def sweep_factors(
        self, alpha: float, precisions: np.ndarray, means: np.ndarray,
        draw: Callable[[], np.ndarray],
    ) -> None:  # fmt: skip
        """`precisions` and `means` have shape (n_groups, n_factors); draw() gives (n_features, 8).

        The errors stay as they were before.
        """
        self.lines.take_errors(self.n_jobs)
        for first in range(0, self.n_factors, FACTOR_TILE):
            n_active = min(FACTOR_TILE, self.n_factors - first)
            active = slice(first, first + n_active)
            eight = np.ones((2, len(means), FACTOR_TILE))
            eight[:, :, :n_active] = precisions[:, active], means[:, active]
            self._load(first)
            normals = draw()
            for part in self.parts:
                own = part.features
                part.sweep_factors(
                    self.table.factors[own], first, n_active, self.lines, alpha,
                    self.groups[own], eight[0], eight[1], normals[own],
                )  # fmt: skip
            self._loaded = None

    def _load(self, first_factor: int) -> None:
        """Bring the sums of eight factors to the lines."""
        if self._loaded != first_factor:
            for number, part in enumerate(self.parts):
                part.add_sums(self.table.factors, first_factor, self.lines, begins=number == 0)
