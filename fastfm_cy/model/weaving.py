"""Weaving: a table to train, its state between the weights, from weights and state apart, and back.

Training touches a weight and its state together, so they share cache lines then. Scoring reads
weights only, and is fastest where nothing lies between them. A fitted model's table has its state,
if it is to go on, in a table of its own beside it: `table.state`, whose "weights" are the first
number of state and whose state are the others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..kernels.matrix import row_pieces
from ..utils.memory import release
from ..utils.threads import in_parts
from .table import ParameterTable

_BLOCK_BYTES = 1 << 20  # that are copied before what lies beside them, so that caches hold both
_RELEASE_BYTES = 1 << 22  # that are copied before their place is given back


def apart_like(table: ParameterTable, n_features: int | None = None) -> ParameterTable:
    """A table of the same kind with the state beside the weights, all still zero."""
    state_start, n_row_state = table.solver_state
    n_features = table.n_features if n_features is None else n_features
    kind = n_features, table.n_factors, table.dtype, table.n_outputs
    more = table.is_tiled, table.family, table.has_gaps
    apart = ParameterTable(*kind, (), 0, *more)
    apart.start_key = table.start_key
    if state_start:
        apart.keep(state_start, ParameterTable(*kind, state_start[1:], n_row_state, *more))
    return apart


def starting_apart(table: ParameterTable, n_features: int) -> ParameterTable:
    """A table as apart_like has it, whose state is at its start; of features yet to begin, not."""
    apart = apart_like(table, n_features)
    state, start = apart.state, apart.kept_start
    if state is not None:
        slots = slice(len(start))
        state.intercept_blocks[:, slots] = state.linear_blocks[:, :, slots] = start
        state.shared_blocks[...] = np.reshape(start, (-1, 1))
        if state.has_started is None:
            state.start_state(start, slice(None))
    return apart


def whole_like(table: ParameterTable, n_features: int, *, has_gaps: bool = False) -> ParameterTable:
    """A table to train of the same kind, for another number of features, at its start."""
    state_start, n_row_state = table.solver_state
    whole = ParameterTable(
        n_features, table.n_factors, table.dtype, table.n_outputs, state_start, n_row_state,
        table.is_tiled, table.family, has_gaps,
    )  # fmt: skip
    whole.start_key = table.start_key
    return whole


def unwoven(table: ParameterTable, n_jobs: int = 1, *, consumes: bool = False) -> ParameterTable:
    """The same parameters with the state beside them; the table itself if it has none between.

    If it `consumes` the table, memory is given back as it goes, and the table is of no use after.
    """
    if not table.state_start:
        return table
    apart, started = apart_like(table), table.started if table.has_gaps else None
    split(table, apart, rows=started, whole_rows=started, n_jobs=n_jobs, consumes=consumes)
    return apart


def woven(table: ParameterTable) -> ParameterTable:
    """A copy of a table with its state, if it has any, between the weights."""
    whole = whole_like(table, table.n_features, has_gaps=table.has_gaps)
    started = table.started if table.has_gaps else None
    join(table, whole, rows=started, whole_rows=started)
    return whole


def taken(table: ParameterTable, features: np.ndarray) -> ParameterTable:
    """A table of some of the features, their state between the weights, without gaps."""
    part = whole_like(table, len(features))
    if table.has_started is not None:  # of a table with gaps, others know of none
        part.has_started = np.zeros(len(features), dtype=bool)
    join(table, part, rows=features)
    return part


def put_back(part: ParameterTable, table: ParameterTable, features: np.ndarray) -> None:
    """What `taken` gave, as training left it, back to where it came from."""
    split(part, table, rows=features)


def join(
    table: ParameterTable, whole: ParameterTable, *, rows: np.ndarray | None = None,
    whole_rows: np.ndarray | None = None, n_jobs: int = 1,
) -> None:  # fmt: skip
    """Write features of a table, with their state, to a table to train.

    `rows` are those features, and `whole_rows` their rows there; None: all, by their numbers.
    """
    state = table.state
    if state is None:
        whole.intercept[...] = table.intercept
    else:
        whole.intercepts[...] = table.intercepts
        whole.intercept_blocks[:, 1:] = state.intercept_blocks
        whole.shared_blocks[:, 0] = table.shared_blocks[:, 0]
        whole.shared_blocks[:, 1:] = state.shared_blocks
    if table.has_started is not None and whole.has_started is not None:
        whole.has_started[_all(whole_rows)] = table.has_started[_all(rows)]
    _Copy(whole, table, whole_rows, rows, n_jobs).run(to_whole=True)


def split(
    whole: ParameterTable, table: ParameterTable, *, rows: np.ndarray | None = None,
    whole_rows: np.ndarray | None = None, n_jobs: int = 1, consumes: bool = False,
) -> None:  # fmt: skip
    """The reverse of `join`; one that `consumes` has all of the table's rows."""
    state = table.state
    if state is None:
        table.intercept[...] = whole.intercept
    else:
        table.intercepts[...] = whole.intercepts
        state.intercept_blocks[...] = whole.intercept_blocks[:, 1:]
        table.shared_blocks[:, 0] = whole.shared_blocks[:, 0]
        state.shared_blocks[...] = whole.shared_blocks[:, 1:]
    if table.has_started is not None and whole.has_started is not None:
        table.has_started[_all(rows)] = whole.has_started[_all(whole_rows)]
    _Copy(whole, table, whole_rows, rows, n_jobs).run(to_whole=False, consumes=consumes)


def _all(rows: np.ndarray | None) -> slice | np.ndarray:
    return slice(None) if rows is None else rows


class _Piece(NamedTuple):
    """Where in a row a piece of an output is, of a table to train and of one apart."""

    whole: np.ndarray
    whole_step: int
    whole_start: int
    table: np.ndarray
    step: int
    width: int


class _Copy:
    """Copies the rows of all arrays between a table to train and one with its state apart."""

    def __init__(
        self, whole: ParameterTable, table: ParameterTable, whole_rows: np.ndarray | None,
        rows: np.ndarray | None, n_jobs: int,
    ) -> None:  # fmt: skip
        self.whole, self.n_jobs = whole, n_jobs
        self.whole_rows, self.rows = _int32(whole_rows), _int32(rows)
        own = [array for array in (whole_rows, rows) if array is not None]
        self.n_places = len(own[0]) if own else table.n_features
        self.n_pieces, self.pieces = table.n_outputs, []
        state = table.state
        for name in ("linear", "factors"):
            of_whole, of_table = getattr(whole, name), getattr(table, name)
            step, width = of_whole.shape[1] // self.n_pieces, of_table.shape[1] // self.n_pieces
            self.pieces.append(_Piece(of_whole, step, 0, of_table, width, width))
            if state is not None:
                beside = step - width
                self.pieces.append(
                    _Piece(of_whole, step, width, getattr(state, name), beside, beside)
                )

    def run(self, *, to_whole: bool, consumes: bool = False) -> None:
        a_row = sum(self.n_pieces * piece.table.itemsize * piece.width for piece in self.pieces)
        bytes_a_block = _RELEASE_BYTES if consumes else _BLOCK_BYTES
        block = max(1, bytes_a_block // max(1, a_row))

        def copy(first: int, last: int) -> None:
            for start in range(first, last, block):
                stop = min(start + block, last)
                for piece in self.pieces:
                    self._copy(piece, start, stop, to_whole=to_whole)
                if consumes:
                    release(self.whole.linear[start:stop])
                    release(self.whole.factors[start:stop])

        in_parts(copy, self.n_places, self.n_places * a_row // 8, self.n_jobs)

    def _copy(self, piece: _Piece, first: int, last: int, *, to_whole: bool) -> None:
        places = (piece.whole_step, piece.whole_start), (piece.step, 0)
        if to_whole:
            row_pieces.copy(
                piece.table, piece.whole, self.rows, self.whole_rows, self.n_pieces, *places[1],
                *places[0], piece.width, first, last,
            )  # fmt: skip
        else:
            row_pieces.copy(
                piece.whole, piece.table, self.whole_rows, self.rows, self.n_pieces, *places[0],
                *places[1], piece.width, first, last,
            )  # fmt: skip


def _int32(rows: np.ndarray | None) -> np.ndarray | None:
    return None if rows is None else np.ascontiguousarray(rows, dtype=np.int32)
