"""The merge rule: what kernels/gradient/merging.pyx must know of a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...kernels.common.settings import Settings
from ...kernels.gradient import merging
from ...model.table import ParameterTable
from ...utils.threads import in_parts
from ..plan import TrainingPlan
from ..regularization import Strengths

# Parameters of one row correct the same error, so together they cover more of it than each of them
# alone: as many times as there are of them in a row, for those that all copies know. More than so
# many times is too much: they do not all move the same way.
_MOST_TOGETHER = 10.0
_LEAST_NOISE = 1e-6  # of a loss that is as good as none

Copy = tuple[Any, np.ndarray, np.ndarray, np.ndarray]
"""(places, counts, linear, factors), as merging.merge has it."""


@dataclass
class MergeRule:
    """How copies of a table's rows are merged, in a fit.

    Parameters
    ----------
    plan : TrainingPlan
    settings : Settings
        With the learning rate of now.
    strengths : Strengths
        Of the rows to merge.
    entries_a_row : float
        Non-zeros, on average.
    """

    plan: TrainingPlan
    settings: Settings
    strengths: Strengths
    entries_a_row: float
    mean_loss: float = 1.0
    """Of the rows that were visited last, without the plan's unit."""
    curvatures: np.ndarray | None = None
    """Of the loss by the linear weight and each factor, for solvers without state."""

    @property
    def _noise(self) -> float:
        """The mean square of the loss's slopes, in curvatures."""
        noise = self.plan.loss.noise
        if noise is None:
            return 1.0
        return max(noise * self.mean_loss, _LEAST_NOISE) if np.isfinite(self.mean_loss) else 1.0

    def omega(self, *, together: bool) -> float:
        """How much faster than alone parameters settle; `together`, if all copies have them."""
        faster = min(max(self.entries_a_row, 1.0), _MOST_TOGETHER) if together else 1.0
        return faster if self.plan.solver.state_start == () else faster / self._noise

    def merge(
        self, table: ParameterTable, copies: list[Copy], fractions: np.ndarray, *, together: bool,
        rows: tuple[int, int] | None = None, back: bool = False,
    ) -> None:  # fmt: skip
        """Merge the copies of some rows of a table, all by default, in place."""
        first, last = rows or (0, table.n_features)

        def merge(begin: int, end: int) -> None:
            merging.merge(
                table.linear, table.factors, copies, fractions, self.settings,
                self.omega(together=together), self._curvatures(table), self.strengths.groups,
                self.strengths.values, table.n_outputs, first + begin, first + end, back,
            )  # fmt: skip

        work = (last - first) * table.n_outputs * (1 + table.n_weights) * len(copies)
        in_parts(merge, last - first, work, self.plan.n_jobs)

    def merge_intercepts(
        self, table: ParameterTable, copies: list[np.ndarray], visits: np.ndarray
    ) -> None:
        """Merge the biases, and what else is shared by all rows, in place."""
        n_outputs, width = table.intercept_blocks.shape
        strengths = [[0, self.settings.l2_intercept, 0, self.settings.l2_pair_weights]]
        ones = np.ones(n_outputs, dtype=np.int32)
        parts = [
            (None, ones, *_split(copy, width))
            for copy, n in zip(copies, visits, strict=True)
            if n > 0
        ]
        if not parts:
            return
        linear, factors = _split(table.intercept, width)
        merging.merge(
            linear, factors, parts, visits[visits > 0], self.settings, self.omega(together=True),
            np.full(1 + table.family.n_shared, self.plan.loss.curvature, table.dtype), None,
            np.array(strengths, table.dtype), 1, 0, n_outputs, False, table.family.shared_start,
        )  # fmt: skip
        table.intercept[:, :width], table.intercept[:, width:] = linear, factors

    def _curvatures(self, table: ParameterTable) -> np.ndarray:
        if self.curvatures is None:
            return np.full(1 + table.n_weights, self.plan.loss.curvature, table.dtype)
        with np.errstate(over="ignore"):  # whatever is too large has settled
            return self.curvatures.astype(table.dtype)


def curvatures_of(curvature: float, table: ParameterTable, rows: Any) -> np.ndarray:
    """A loss's curvature by linear weights and by factors, for solvers whose state does not tell.

    It is that by the score times the mean square of what a parameter is multiplied by in rows.
    """
    values = rows.data.astype(np.float64)
    of_entry = np.repeat(np.arange(rows.n_rows), np.diff(rows.indptr))
    with np.errstate(over="ignore", invalid="ignore"):  # training finds what is not finite
        squares = float(np.square(values).sum() / max(1, len(values)))
        vectors = table.factor_blocks[:, :, 0][rows.indices].mean(axis=1)
        sums = np.zeros((rows.n_rows, vectors.shape[1]))
        np.add.at(sums, of_entry, values[:, None] * vectors)
        return curvature * np.append(squares, squares * np.square(sums).mean(axis=0))


def _split(intercept: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    parts = intercept[:, :width], intercept[:, width:]
    linear, factors = (np.ascontiguousarray(part).copy() for part in parts)
    return linear, factors
