"""Parts of a design that a sweep visits one after the other: its own columns, or a block's."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ...data.relational_rows import Block
from ...kernels.dispatch import coordinate
from ...model.table import ParameterTable
from ...utils.memory import aligned_zeros
from ...utils.threads import in_parts
from .csc import Columns
from .row_cache import FACTOR_TILE, RowLines


class PlainPart:
    """Columns over the rows of the data themselves.

    Parameters
    ----------
    block : Block
        Without `row_of`.
    pool : ThreadPoolExecutor or None
    n_jobs : int
    """

    def __init__(self, block: Block, pool: ThreadPoolExecutor | None, n_jobs: int) -> None:
        self.rows, self.features = block.rows, block.features
        self.columns = Columns.of(block.rows, block.features)
        self.pool, self.n_jobs = pool, n_jobs

    def _over_rows(self, function: Callable[[int, int], None]) -> None:
        in_parts(function, self.rows.n_rows, FACTOR_TILE * self.rows.n_entries, self.n_jobs)

    def score_eight(
        self, table: ParameterTable, first_factor: int, begins: bool, lines: RowLines,
        scores: np.ndarray,
    ) -> None:  # fmt: skip
        """Add the interactions of eight factors to the scores, which the first eight `begins`, and
        leave their sums in the lines."""
        rows, intercept = self.rows, table.intercepts[0]
        self._over_rows(
            lambda first, last: coordinate.score_eight(
                rows.indptr, rows.indices, rows.data, table.linear, table.factors, first_factor,
                intercept, begins, lines.lines, scores, first, last,
            )
        )  # fmt: skip

    def add_sums(
        self, factors: np.ndarray, first_factor: int, lines: RowLines, *, begins: bool
    ) -> None:
        """Bring the sums of eight factors to the lines: this part's, or, unless it `begins`, added
        to what is there."""
        rows = self.rows
        self._over_rows(
            lambda first, last: coordinate.sum_factors(
                rows.indptr, rows.indices, rows.data, factors, first_factor, begins, lines.lines,
                first, last,
            )
        )  # fmt: skip

    def sweep_linear(
        self, linear: np.ndarray, lines: RowLines, alpha: float, groups: np.ndarray,
        prior: np.ndarray, normals: np.ndarray,
    ) -> None:  # fmt: skip
        def visit(first: int, last: int) -> None:
            coordinate.sweep_linear(
                *self.columns.arrays, linear, lines.errors, lines.weights, alpha, groups, prior,
                normals, first, last,
            )  # fmt: skip

        self.columns.sweep(visit, self.pool, self.n_jobs)

    def sweep_factors(
        self, factors: np.ndarray, first_factor: int, n_active: int, lines: RowLines, alpha: float,
        groups: np.ndarray, precisions: np.ndarray, means: np.ndarray, normals: np.ndarray,
    ) -> None:  # fmt: skip
        def visit(first: int, last: int) -> None:
            coordinate.sweep_factors(
                *self.columns.arrays, factors, first_factor, n_active, lines.lines,
                lines.is_weighted, alpha, groups, precisions, means, normals, first, last,
            )  # fmt: skip

        self.columns.sweep(visit, self.pool, self.n_jobs)


class BlockPart:
    """Columns of a block, over rows that many rows of the data point to (block_sweeps.pxi).

    Parameters
    ----------
    block : Block
        With `row_of`.
    pool, n_jobs
        As above.
    """

    def __init__(self, block: Block, pool: ThreadPoolExecutor | None, n_jobs: int) -> None:
        assert block.row_of is not None
        self.rows, self.row_of, self.features = block.rows, block.row_of, block.features
        self.columns = Columns.of(block.rows, block.features)
        self.pool, self.n_jobs = pool, n_jobs
        self.members = np.argsort(self.row_of, kind="stable").astype(np.int32)
        counts = np.bincount(self.row_of, minlength=self.rows.n_rows)
        self.starts = np.concatenate([[0], counts.cumsum()]).astype(np.int64)
        dtype = self.rows.data.dtype
        self.lines = aligned_zeros((self.rows.n_rows, coordinate.BLOCK_WIDTH), dtype)

    def add_sums(
        self, factors: np.ndarray, first_factor: int, lines: RowLines, *, begins: bool
    ) -> None:
        rows = self.rows
        coordinate.sum_factors(
            rows.indptr, rows.indices, rows.data, factors, first_factor, True, self.lines, 0,
            rows.n_rows,
        )  # fmt: skip
        if begins:
            lines.clear_sums()
        in_parts(
            lambda first, last: coordinate.add_block_sums(
                self.row_of, self.lines, lines.lines, first, last
            ),
            len(self.row_of), FACTOR_TILE * len(self.row_of), self.n_jobs,
        )  # fmt: skip

    def sweep_linear(
        self, linear: np.ndarray, lines: RowLines, alpha: float, groups: np.ndarray,
        prior: np.ndarray, normals: np.ndarray,
    ) -> None:  # fmt: skip
        n_rows, weights = self.rows.n_rows, lines.weights
        weighted = lines.errors if weights is None else lines.errors * weights
        errors = np.bincount(self.row_of, weighted, n_rows)
        counts = np.bincount(self.row_of, weights, n_rows).astype(np.float64)
        moves = np.zeros(n_rows)

        def visit(first: int, last: int) -> None:
            coordinate.sweep_block_linear(
                *self.columns.arrays, linear, errors, counts, moves, alpha, groups, prior,
                normals, first, last,
            )  # fmt: skip

        self.columns.sweep(visit, self.pool, self.n_jobs)
        lines.errors += moves[self.row_of].astype(lines.errors.dtype)

    def sweep_factors(
        self, factors: np.ndarray, first_factor: int, n_active: int, lines: RowLines, alpha: float,
        groups: np.ndarray, precisions: np.ndarray, means: np.ndarray, normals: np.ndarray,
    ) -> None:  # fmt: skip
        def visit(first: int, last: int) -> None:
            coordinate.sweep_block_factors(
                *self.columns.arrays, factors, first_factor, n_active, self.lines, alpha, groups,
                precisions, means, normals, first, last,
            )  # fmt: skip

        self._over_block_rows(
            lambda first, last: coordinate.gather(
                self.starts, self.members, lines.lines, lines.is_weighted, self.lines, first, last
            )
        )
        self.columns.sweep(visit, self.pool, self.n_jobs)
        self._over_block_rows(
            lambda first, last: coordinate.spread(
                self.starts, self.members, self.lines, lines.lines, first, last
            )
        )

    def _over_block_rows(self, function: Callable[[int, int], None]) -> None:
        in_parts(function, self.rows.n_rows, FACTOR_TILE**2 * len(self.members), self.n_jobs)


def part_of(block: Block, pool: ThreadPoolExecutor | None, n_jobs: int) -> PlainPart | BlockPart:
    kind = PlainPart if block.row_of is None else BlockPart
    return kind(block, pool, n_jobs)
