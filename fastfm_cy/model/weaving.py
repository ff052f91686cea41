"""Weaving: a table to train, its state between the weights, from weights and state apart, and back.

Training touches a weight and its state together, so they share cache lines then. Scoring reads
weights only, and is fastest where nothing lies between them. A fitted model's table has its state,
if it is to go on, in a table of its own beside it: `table.state`, whose "weights" are the first
number of state and whose state are the others.
"""

from __future__ import annotations

import numpy as np

from ..utils.memory import release
from ..utils.threads import in_parts
from .table import ParameterTable

_BLOCK_BYTES = 1 << 24  # that are copied before their place is given back


def unwoven(table: ParameterTable, n_jobs: int = 1, *, consumes: bool = False) -> ParameterTable:
    """The same parameters with the state beside them; the table itself if it has none between.

    If it `consumes` the table, memory is given back as it goes, and the table is of no use after.
    """
    if not table.state_start:
        return table
    apart = ParameterTable(
        table.n_features, table.n_factors, table.dtype, table.n_outputs, is_tiled=table.is_tiled,
        family=table.family, has_gaps=table.has_gaps,
    )  # fmt: skip
    state = ParameterTable(
        table.n_features, table.n_factors, table.dtype, table.n_outputs, table.state_start[1:],
        table.n_row_state, table.is_tiled, table.family, table.has_gaps,
    )  # fmt: skip
    apart.start_key, apart.has_started = table.start_key, table.has_started
    apart.keep(table.state_start, state)
    apart.intercepts[...], state.intercept_blocks[...] = (
        table.intercepts,
        table.intercept_blocks[:, 1:],
    )
    apart.shared_blocks[:, 0], state.shared_blocks[...] = (
        table.shared_blocks[:, 0], table.shared_blocks[:, 1:],
    )  # fmt: skip
    if table.has_gaps:
        part = table.take(table.started)
        put_back(part, apart, table.started)
        return apart

    def move(first: int, last: int) -> None:
        for start in range(first, last, block):
            rows = slice(start, min(start + block, last))
            apart.linear_blocks[rows, :, 0] = table.linear_blocks[rows, :, 0]
            state.linear_blocks[rows] = table.linear_blocks[rows, :, 1:]
            apart.factor_blocks[rows, :, 0] = table.factor_blocks[rows, :, 0]
            state.factor_blocks[rows] = table.factor_blocks[rows, :, 1:]
            if consumes:
                release(table.linear[rows])
                release(table.factors[rows])

    a_row = table.linear[:1].nbytes + table.factors[:1].nbytes
    block = max(1, _BLOCK_BYTES // max(1, a_row))
    in_parts(move, table.n_features, table.n_features * a_row // 8, n_jobs)
    return apart


def woven(table: ParameterTable) -> ParameterTable:
    """A copy of a table with its state, if it has any, between the weights."""
    if table.state is None:
        return table.copy()
    whole = _empty(table, table.n_features, has_gaps=table.has_gaps)
    if table.has_gaps:
        started = table.started
        whole.assign(taken(table, started), started)
        whole.has_started = table.has_started.copy()  # type: ignore[union-attr]
        return whole
    _fill(whole, table, slice(None))
    return whole


def taken(table: ParameterTable, features: np.ndarray) -> ParameterTable:
    """A table of some of the features, their state between the weights, without gaps."""
    if table.state is None:
        return table.take(features)
    part = _empty(table, len(features))
    _fill(part, table, features)
    return part


def put_back(part: ParameterTable, table: ParameterTable, features: np.ndarray) -> None:
    """What `taken` gave, as training left it, back to where it came from."""
    state = table.state
    if state is None:
        table.assign(part, features)
        return
    table.intercepts[...], state.intercept_blocks[...] = (
        part.intercepts,
        part.intercept_blocks[:, 1:],
    )
    table.shared_blocks[:, 0], state.shared_blocks[...] = (
        part.shared_blocks[:, 0], part.shared_blocks[:, 1:],
    )  # fmt: skip
    if table.has_started is not None:
        table.has_started[features] = part.has_started
    table.linear_blocks[features, :, 0] = part.linear_blocks[:, :, 0]
    table.factor_blocks[features, :, 0] = part.factor_blocks[:, :, 0]
    state.linear_blocks[features] = part.linear_blocks[:, :, 1:]
    state.factor_blocks[features] = part.factor_blocks[:, :, 1:]


def _put_back_shared(part: ParameterTable, table: ParameterTable) -> None:
    """What belongs to no feature."""
    state = table.state
    assert state is not None
    table.intercepts[...] = part.intercepts
    state.intercept_blocks[...] = part.intercept_blocks[:, 1:]
    table.shared_blocks[:, 0] = part.shared_blocks[:, 0]
    state.shared_blocks[...] = part.shared_blocks[:, 1:]


def _empty(table: ParameterTable, n_features: int, *, has_gaps: bool = False) -> ParameterTable:
    """A table for `table` and its state together."""
    state_start, n_row_state = table.solver_state
    empty = ParameterTable(
        n_features, table.n_factors, table.dtype, table.n_outputs, state_start, n_row_state,
        table.is_tiled, table.family, has_gaps,
    )  # fmt: skip
    empty.start_key = table.start_key
    return empty


def _fill(whole: ParameterTable, table: ParameterTable, features: slice | np.ndarray) -> None:
    """Write the features of a table, and their state, to the rows of another."""
    state = table.state
    assert state is not None
    whole.intercepts[...] = table.intercepts
    whole.intercept_blocks[:, 1:] = state.intercept_blocks
    whole.shared_blocks[:, 0] = table.shared_blocks[:, 0]
    whole.shared_blocks[:, 1:] = state.shared_blocks
    whole.linear_blocks[:, :, 0] = table.linear_blocks[features, :, 0]
    whole.linear_blocks[:, :, 1:] = state.linear_blocks[features]
    whole.factor_blocks[:, :, 0] = table.factor_blocks[features, :, 0]
    whole.factor_blocks[:, :, 1:] = state.factor_blocks[features]
    if table.has_started is not None:
        whole.has_started = table.has_started[features].copy()
