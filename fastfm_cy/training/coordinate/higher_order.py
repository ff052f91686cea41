"""Coordinate sweeps of higher-order families (kernels/coordinate/higher_order_sweeps.pxi)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...data.inputs import Rows
from ...data.relational_rows import expand_if_relational
from ...kernels.dispatch import coordinate
from ...model.scoring import score_rows
from ...model.table import ParameterTable
from ...utils.threads import in_parts
from .row_cache import FACTOR_TILE, RowLines
from .sweeper import Sweeper


class HigherOrderSweeper(Sweeper):
    """As Sweeper, for a table whose family has a degree of more than two.

    A row's line also holds, for each of the eight factors that are swept together, the elementary
    symmetric polynomials of the row's p = v x. Blocks of relational rows are expanded.
    """

    def __init__(
        self, rows: Rows, table: ParameterTable, groups: np.ndarray, n_factors: int,
        weights: np.ndarray | None = None, n_jobs: int = 1,
    ) -> None:  # fmt: skip
        rows = expand_if_relational(rows)
        super().__init__(rows, table, groups, 0, weights, n_jobs)
        family: Any = table.family
        self.n_factors, self.shared = n_factors, family.shared
        self.orders = range(family.degree if family.shared else 2, family.degree + 1)
        width = coordinate.line_width(family.degree)
        self.lines = RowLines(rows.n_rows, n_factors, weights, table.dtype, width)
        self.errors = self.lines.errors

    def scores(self) -> np.ndarray:
        return score_rows(self.table, self.rows, self.n_jobs)[:, 0]

    def sweep_factors(
        self, alpha: float, precisions: np.ndarray, means: np.ndarray,
        draw: Callable[[], np.ndarray],
    ) -> None:  # fmt: skip
        """As Sweeper's; the factors of all orders have the same precisions and means."""
        self.lines.take_errors(self.n_jobs)
        for vector, order in enumerate(self.orders):
            for first in range(0, self.n_factors, FACTOR_TILE):
                n_active = min(FACTOR_TILE, self.n_factors - first)
                active = slice(first, first + n_active)
                eight = np.ones((2, len(means), FACTOR_TILE))
                eight[:, :, :n_active] = precisions[:, active], means[:, active]
                place = vector * self.table.n_padded + first
                self._sweep_eight(order, place, n_active, alpha, eight[0], eight[1], draw())

    def _sweep_eight(
        self, order: int, place: int, n_active: int, alpha: float, precisions: np.ndarray,
        means: np.ndarray, normals: np.ndarray,
    ) -> None:  # fmt: skip
        rows, columns = self.parts[0].rows, self.parts[0].columns
        factors, lines = self.table.factors, self.lines.lines

        def load(first: int, last: int) -> None:
            coordinate.sum_levels(
                rows.indptr, rows.indices, rows.data, factors, place, order, lines, first, last
            )

        def visit(first: int, last: int) -> None:
            coordinate.sweep_levels(
                *columns.arrays, factors, place, n_active, order, self.shared, lines,
                self.lines.is_weighted, alpha, self.groups, precisions, means, normals, first, last,
            )  # fmt: skip

        in_parts(load, rows.n_rows, order * FACTOR_TILE * rows.n_entries, self.n_jobs)
        columns.sweep(visit, self.pool, self.n_jobs)
