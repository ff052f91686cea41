"""Shared features: parameters that several threads train, a copy each, and merge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...kernels.common.settings import Settings
from ...kernels.gradient import replicas
from ...model.sides import Side
from ...model.table import ParameterTable
from ..regularization import Strengths
from ..solvers import Solver


def n_own_features(side: Side) -> int:
    """Features that belong to one row each, and so to the thread that has the row."""
    if side.rows is None:
        return side.table.n_features
    return side.rows.n_rows if side.starts_with_own else 0


class Copies:
    """A table whose features from n_own on are there n_shards + 1 times.

    Parameters
    ----------
    home : ParameterTable
        The table itself, which is trained if nothing needs a copy.
    n_own, n_shards : int
    settings : kernels.settings.Settings
    strengths : Strengths
    """

    def __init__(
        self, home: ParameterTable, n_own: int, n_shards: int, settings: Settings,
        strengths: Strengths,
    ) -> None:  # fmt: skip
        self.home, self.n_own, self.n_shards, self.settings = home, n_own, n_shards, settings
        self.head = home.n_features - n_own if n_shards > 1 else 0
        self.strengths = strengths
        self.table = home
        if self.head:
            self.table = home.like(n_own + (n_shards + 1) * self.head)
            for mine, its in zip(self.table.arrays, home.arrays, strict=True):
                if mine is self.table.intercept:
                    continue
                mine[:n_own] = its[:n_own]
                for copy in range(n_shards + 1):
                    mine[self._rows(copy)] = its[n_own:]
            if self.strengths.groups is not None:
                groups = self.strengths.groups
                tail = np.tile(groups[n_own:], n_shards + 1)
                self.strengths = replace(
                    self.strengths, groups=np.concatenate([groups[:n_own], tail])
                )

    def _rows(self, copy: int) -> slice:
        start = self.n_own + copy * self.head
        return slice(start, start + self.head)

    def side(self, side: Side, shard: int) -> Side:
        """The side as a thread trains it."""
        side = replace(side, table=self.table, strengths=self.strengths)
        if not self.head or side.rows is None or shard == 0:
            return side
        columns = side.rows.indices
        shift = np.where(columns >= self.n_own, shard * self.head, 0)
        return side.with_columns((columns + shift).astype(np.int32))

    def merge(self, solver: Solver) -> None:
        """Bring the copies together: weights move by the sum of their copies' moves, or twice the
        mean if that is less (training/gradient/sharding.py says why)."""
        if not self.head:
            return
        table, head, n = self.table, self.head, self.n_shards
        mean, share = 1 / n, min(1.0, 2 / n)
        adds = [1.0 if adds else mean for adds in solver.state_adds]
        shares = np.full(head, share, dtype=table.dtype)
        of_linear = np.array(adds + [mean] * solver.n_row_state, table.dtype)
        of_factors = np.array(adds, table.dtype)
        replicas.merge(table.linear[self.n_own :], 1, head, n, shares, of_linear, 0, head)
        if table.n_weights:
            replicas.merge(
                table.factors[self.n_own :], table.n_weights, head, n, shares, of_factors, 0, head
            )
        if solver.match_state:
            master = self._rows(n)
            solver.match_state(table, self.strengths, self.settings, master)
            for copy in range(n):
                table.linear[self._rows(copy)] = table.linear[master]
                table.factors[self._rows(copy)] = table.factors[master]

    def take_back(self) -> None:
        """Bring what was trained home."""
        if self.head:
            master = self._rows(self.n_shards)
            for mine, its in zip(self.table.arrays[1:], self.home.arrays[1:], strict=True):
                its[: self.n_own], its[self.n_own :] = mine[: self.n_own], mine[master]
