"""Merging: bringing the threads' copies of the frequent features together."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from ...kernels.common.settings import Settings
from ...kernels.gradient import replicas
from ...model.table import ParameterTable
from ...utils.memory import CACHE_LINE, aligned_zeros
from ..plan import TrainingPlan
from ..regularization import Strengths
from .sharding import Layout


class Merger:
    """Merges the shards' copies of a training table's head, and of what all rows share.

    Parameters
    ----------
    plan, table, settings, strengths
        As the Trainer's.
    layout : Layout
    curvature : float
        Of the loss by a linear weight, on average.
    rows_a_round : int
        Rows that each shard visits between two merges.

    Attributes
    ----------
    intercepts : list of arrays
        The copy of each shard.
    """

    def __init__(
        self, plan: TrainingPlan, layout: Layout, table: ParameterTable, settings: Settings,
        strengths: Strengths, *, curvature: float, rows_a_round: int,
    ) -> None:  # fmt: skip
        placement, solver = layout.placement, plan.solver
        self.placement, self.table = placement, table
        self.settings, self.strengths = settings, strengths
        self.solver, self.n_jobs, self.n_shards = solver, plan.n_jobs, placement.n_shards
        self.intercepts = [on_lines_of_its_own(table.intercept) for _ in range(self.n_shards)]
        shares = self.placement.merge_shares(rows_a_round, self._decay(curvature))
        shares = np.repeat(shares, table.n_outputs, axis=0).astype(table.dtype)
        self._linear_shares, self._factor_shares = map(np.ascontiguousarray, shares.T)
        mean = 1 / self.n_shards
        state_shares = [1.0 if adds else mean for adds in solver.state_adds]
        self._state_shares = np.array(state_shares, table.dtype)
        means = [mean] * solver.n_row_state
        self._linear_state_shares = np.array(state_shares + means, table.dtype)
        of_shared = np.repeat([mean, *state_shares], table.family.n_shared)
        self._intercept_shares = np.concatenate(
            [[mean], self._linear_state_shares, of_shared]
        ).astype(table.dtype)

    def _decay(self, curvature: float) -> np.ndarray:
        """The part of its distance to the optimum that one update covers: of w, and of v."""
        means = self.strengths.means
        shrink = 0.0 if self.solver.steps_shrink else means["l2_factors"]
        parts = np.array([curvature + means["l2_linear"], shrink])
        with np.errstate(over="ignore"):  # all of it
            return np.minimum(self.settings.learning_rate * parts, np.finfo(np.float64).max)

    def end_epoch(self, run_all: Callable[..., Iterable]) -> None:
        """All is merged."""

    def merge(
        self, run_all: Callable[..., Iterable], parts: list[np.ndarray], loss_sum: float
    ) -> None:
        """Merge after a round of `parts`, rows of each shard, whose losses have that sum; `run_all`
        is map, or that of a thread pool."""
        table, head = self.table, self.placement.head
        n_outputs = table.n_outputs
        linear = table.linear.reshape(table.n_features * n_outputs, -1)
        factors = table.factors.reshape(len(linear), -1)
        cuts = np.linspace(0, head * n_outputs, self.n_jobs + 1).astype(int)

        def merge(first: int, last: int) -> None:
            sizes = head * n_outputs, self.n_shards
            replicas.merge(
                linear, 1, *sizes, self._linear_shares, self._linear_state_shares, first, last
            )
            if table.n_weights:
                replicas.merge(
                    factors, table.n_weights, *sizes, self._factor_shares, self._state_shares,
                    first, last,
                )  # fmt: skip

        list(run_all(merge, cuts[:-1], cuts[1:]))
        self._merge_intercepts()
        if self.solver.match_state:
            self._match_state(self.solver.match_state)

    def _merge_intercepts(self) -> None:
        # Copies that left the range of numbers make the next scores do so, which is noticed there.
        with np.errstate(over="ignore", invalid="ignore"):
            moves = np.sum([copy - self.table.intercept for copy in self.intercepts], axis=0)
            moves *= self._intercept_shares
            self.table.intercept += moves
        for copy in self.intercepts:
            copy[...] = self.table.intercept

    def _match_state(self, match_state: Callable) -> None:
        head, table = self.placement.head, self.table
        master = slice(self.n_shards * head, (self.n_shards + 1) * head)
        match_state(table, self.strengths, self.settings, master)
        for shard in range(self.n_shards):
            copy = slice(shard * head, (shard + 1) * head)
            table.linear[copy], table.factors[copy] = table.linear[master], table.factors[master]
            self.intercepts[shard][...] = table.intercept


def on_lines_of_its_own(intercept: np.ndarray) -> np.ndarray:
    """A copy that shares no cache line with another thread's."""
    n_lines = -(-intercept.nbytes // CACHE_LINE)
    padded = aligned_zeros((n_lines * CACHE_LINE // intercept.itemsize,), intercept.dtype)
    copy = padded[: intercept.size].reshape(intercept.shape)
    copy[...] = intercept
    return copy
