"""The parameter table: where the weights of a factorization family live in memory.

Three arrays of one float type, each with a parameter's optimiser state beside it, so that an
update touches the same cache lines for both. A table has one output or, for several classes, one a
class, side by side in a feature's row. With S numbers of state a parameter (0 for SGD, 1 for
AdaGrad) and R a feature, the block of one output is

    intercept  (n_outputs, ...)               [w0 | state | state of the row | q_1 .. q_Q | states]
    linear     (n_features, n_outputs * ...)  a row a feature: [w | state | state of the row]
    factors    (n_features, n_outputs * ...)  a row a feature: [v_1 .. v_W | states]

The family (families.py) says how many factor vectors a feature has, one after the other in v, and
how many further parameters q belong to the model as a whole; a plain FM has one and none.

A single vector is padded to 4, 8 or whole cache lines, several to multiples of 4 each and together
like a single one, so that they never straddle more lines than they must, and the kernels need no
loops for remainders. Padding holds zeros and stays zero: its gradient is zero. All three arrays
start on a cache line. Linux backs NumPy's large arrays with huge pages, which saves the kernels
most of their address look-ups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..data.inputs import Rows
from ..utils.memory import CACHE_LINE, aligned_zeros
from .families import FM
from .interfaces import StateKind
from .scoring import score_rows

_BLOCK = 1 << 16  # features that are worked on at a time, so that temporary arrays stay small


def _padded(n_factors: int, dtype: np.dtype, is_tiled: bool) -> int:
    a_line = CACHE_LINE // dtype.itemsize
    if n_factors <= 4 and not is_tiled:
        return 4 if n_factors else 0
    if n_factors <= 8:
        return 8 if n_factors else 0
    return -(-n_factors // a_line) * a_line


def _padded_vector(n_factors: int, n_vectors: int, dtype: np.dtype, is_tiled: bool) -> int:
    if n_vectors == 1:
        return _padded(n_factors, dtype, is_tiled)
    unit = 8 if is_tiled else 4
    return -(-n_factors // unit) * unit


def table_bytes(
    n_features: int, n_factors: int, dtype: Any, n_outputs: int, solver: StateKind, family: FM
) -> int:
    """Memory that a table takes."""
    dtype = np.dtype(dtype)
    padded = _padded_vector(n_factors, family.n_vectors, dtype, False)
    slots = 1 + len(solver.state_start)
    n_weights = _padded(family.n_vectors * padded, dtype, False)
    a_feature = slots * (1 + n_weights) + solver.n_row_state
    numbers = n_features * a_feature + slots * family.n_shared
    return n_outputs * numbers * dtype.itemsize


class ParameterTable:
    """Weights of one model, laid out for the kernels.

    Parameters
    ----------
    n_features, n_factors : int
    dtype : "float32" or "float64"
    n_outputs : int, default=1
    state_start : sequence of float
        Start value of each number of optimiser state a parameter.
    n_row_state : int, default=0
        Numbers of optimiser state an output of a feature; they start from 0.
    is_tiled : bool, default=False
        Whether vectors are padded to multiples of 8, as the coordinate solvers want it.
    family : FM or another of families.py, default=FM()
        The model's family: it says what parameters there are, and which kernels take the table.

    Attributes
    ----------
    n_padded : int
        Length of a factor vector with its padding.
    n_weights : int
        Length W of all vectors of a feature's output, with all padding.
    has_started : bool array of shape (n_features,), or None
        For families whose factors start late, and for tables with gaps: which features' factors
        have their start values. The others are zero, state included, and in memory that was never
        touched.
    has_gaps : bool
        Whether features that have not started, which are most, take no memory, not even for the
        state of their linear weights.
    start_key : int or None
        What start values are drawn with (starts.py), also of features that come later; None before
        any were.
    state : ParameterTable or None
        Of a fitted model's table: the optimiser's state beside it (weaving.py), to go on with.
    kept_start : tuple of float
        What `state_start` is of that.
    """

    # Of tables that were pickled before there were any:
    has_gaps = False
    start_key: int | None = None
    state: ParameterTable | None = None
    kept_start: tuple[float, ...] = ()

    def __init__(
        self, n_features: int, n_factors: int, dtype: Any, n_outputs: int = 1,
        state_start: Sequence[float] = (), n_row_state: int = 0, is_tiled: bool = False,
        family: FM | None = None, has_gaps: bool = False,
    ) -> None:  # fmt: skip
        dtype = np.dtype(dtype)
        slots = 1 + len(state_start)
        family = family or FM()
        self.n_factors, self.family = n_factors, family
        self.n_padded = _padded_vector(n_factors, family.n_vectors, dtype, is_tiled)
        self.n_weights = _padded(family.n_vectors * self.n_padded, dtype, is_tiled)
        self.is_tiled, self.start_key, self.state, self.kept_start = is_tiled, None, None, ()
        self.state_start, self.n_row_state = tuple(state_start), n_row_state
        block = slots + n_row_state
        self.intercept = aligned_zeros((n_outputs, block + slots * family.n_shared), dtype)
        self.has_gaps, starts_late = has_gaps, has_gaps or family.starts_late
        widths = n_outputs * block, n_outputs * slots * self.n_weights
        self.linear, self.factors = (
            aligned_zeros((n_features, width), dtype, has_gaps=has_gaps) for width in widths
        )
        self.shared_blocks[:, 0] = family.shared_start
        self.has_started = np.zeros(n_features, dtype=bool) if starts_late else None
        for slot, value in enumerate(state_start, start=1):
            if value:
                self.intercept[:, slot] = value
                self.shared_blocks[:, slot] = value
                if not has_gaps:
                    self.linear_blocks[:, :, slot] = value
                if self.has_started is None:
                    self.factor_blocks[:, :, slot] = value

    @property
    def solver_state(self) -> tuple[tuple[float, ...], int]:
        """state_start and n_row_state of the optimiser's state, wherever it is."""
        if self.state is not None:
            return self.kept_start, self.state.n_row_state
        return self.state_start, self.n_row_state

    @property
    def n_features(self) -> int:
        return self.linear.shape[0]

    @property
    def n_outputs(self) -> int:
        return self.intercept.shape[0]

    @property
    def dtype(self) -> np.dtype:
        return self.linear.dtype

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.intercept, self.linear, self.factors

    @property
    def linear_blocks(self) -> np.ndarray:
        """View of shape (n_features, n_outputs, 1 + S + R)."""
        return self.linear.reshape(self.n_features, *self.intercept_blocks.shape)

    @property
    def factor_blocks(self) -> np.ndarray:
        """View of shape (n_features, n_outputs, 1 + S, W)."""
        shape = self.n_features, self.n_outputs, 1 + len(self.state_start), self.n_weights
        return self.factors.reshape(shape)

    @property
    def intercept_blocks(self) -> np.ndarray:
        """View of shape (n_outputs, 1 + S + R)."""
        return self.intercept[:, : 1 + len(self.state_start) + self.n_row_state]

    @property
    def shared_blocks(self) -> np.ndarray:
        """View of shape (n_outputs, 1 + S, Q): the further parameters of the whole model."""
        shape = self.n_outputs, 1 + len(self.state_start), self.family.n_shared
        return self.intercept[:, self.intercept_blocks.shape[1] :].reshape(shape)

    @property
    def intercepts(self) -> np.ndarray:
        """View of the intercepts, shape (n_outputs,)."""
        return self.intercept[:, 0]

    @property
    def coef(self) -> np.ndarray:
        """View of the linear weights, shape (n_features,) or (n_outputs, n_features)."""
        weights = self.linear_blocks[:, :, 0]
        return weights[:, 0] if self.n_outputs == 1 else weights.T

    @property
    def vector_blocks(self) -> np.ndarray:
        """View of the factors, shape (n_features, n_outputs, n_vectors, n_factors)."""
        shape = self.n_features, self.n_outputs, self.family.n_vectors, self.n_padded
        weights = self.factor_blocks[:, :, 0, : shape[2] * self.n_padded]
        return weights.reshape(shape)[..., : self.n_factors]

    @property
    def factor_vectors(self) -> np.ndarray:
        """View of the factors, shape (n_outputs, n_features, n_vectors, n_factors), or with vectors
        before features if the family says so, less the outputs and the vectors where there is one.
        """
        vectors = self.vector_blocks.swapaxes(0, 1)
        if self.family.n_vectors == 1:
            vectors = vectors[:, :, 0]
        elif self.family.vectors_first:
            vectors = vectors.swapaxes(1, 2)
        return vectors[0] if self.n_outputs == 1 else vectors

    def begin(self, features: np.ndarray) -> np.ndarray:
        """Begin the factors of those of the features that have not started; these features.

        Their state is at its start then; their values come from starts.py. `features` rise.
        """
        has_started = self.has_started
        assert has_started is not None  # else they all have from the beginning
        new = features[~has_started[features]]
        has_started[new] = True
        self.start_state(self.state_start, new, 1)
        if self.state is not None:
            self.state.start_state(self.kept_start, new)
        return new

    def start_state(
        self, state_start: tuple[float, ...], features: slice | np.ndarray, first: int = 0
    ) -> None:
        """Set what starts with these features, from the slot `first` on."""
        for slot, value in enumerate(state_start, start=first):
            if value:
                self.factor_blocks[features, :, slot] = value
                if self.has_gaps:
                    self.linear_blocks[features, :, slot] = value

    def like(self, n_features: int, *, has_gaps: bool = False) -> ParameterTable:
        """A table of the same kind for another number of features, all at their start."""
        kind = self.n_outputs, self.state_start, self.n_row_state, self.is_tiled, self.family
        table = ParameterTable(n_features, self.n_factors, self.dtype, *kind, has_gaps)
        table.start_key = self.start_key
        return table

    def grown(self, n_features: int) -> ParameterTable:
        """A copy with more features, whose factors are zero or begin later."""
        table = self.like(n_features, has_gaps=self.has_gaps)
        table.assign(self, slice(self.n_features))
        if self.state is not None:
            state, new = self.state.grown(n_features), slice(self.n_features, None)
            if not self.has_gaps:
                state.linear_blocks[new, :, 0] = self.kept_start[0]
            if self.has_started is None:
                state.factor_blocks[new, :, 0] = self.kept_start[0]
            table.keep(self.kept_start, state)
        return table

    def keep(self, state_start: tuple[float, ...], state: ParameterTable) -> None:
        """Have the optimiser's state, which starts from these numbers, beside the weights."""
        self.kept_start, self.state = state_start, state
        state.has_started = self.has_started

    def copy(self) -> ParameterTable:
        table = self.like(self.n_features, has_gaps=self.has_gaps)
        table.assign(self)
        if self.state is not None:
            table.keep(self.kept_start, self.state.copy())
        return table

    def assign(self, other: ParameterTable, rows: slice | np.ndarray = slice(None)) -> None:
        """Take over another table's numbers, its features as `rows` here."""
        self.intercept[...] = other.intercept
        if self.has_started is not None:
            self.has_started[rows] = other.has_started
        if self.state is not None and other.state is not None:
            self.state.assign(other.state, rows)
        if not (self.has_gaps and isinstance(rows, slice)):
            self.linear[rows] = other.linear
        if self.has_started is None or isinstance(rows, np.ndarray):
            self.factors[rows] = other.factors
            return
        for part in other._blocks_of_started():
            self.factors[rows][part] = other.factors[part]
            if self.has_gaps:
                self.linear[rows][part] = other.linear[part]

    @property
    def started(self) -> np.ndarray:
        """Numbers of the features that have started, rising; of tables that know."""
        return np.flatnonzero(self.has_started)

    def _blocks_of_started(self) -> Iterator[np.ndarray]:
        """The same, some at a time."""
        started, block = self.started, max(1, _BLOCK // self.family.n_vectors)
        return (started[start : start + block] for start in range(0, len(started), block))

    def take(self, rows: np.ndarray) -> ParameterTable:
        """A table of some of the features, without gaps."""
        table = self.like(len(rows))
        table.intercept[...] = self.intercept
        np.take(self.linear, rows, axis=0, out=table.linear)
        np.take(self.factors, rows, axis=0, out=table.factors)
        if self.has_started is not None:
            table.has_started = self.has_started[rows]
        return table

    def with_gaps(self, features: np.ndarray, n_features: int) -> ParameterTable:
        """The table of more features, of which the rows are these; the others have not started."""
        table = self.like(n_features, has_gaps=True)
        has_started = np.zeros(n_features, dtype=bool)
        has_started[features] = True if self.has_started is None else self.has_started
        table.has_started, table.intercept[...] = has_started, self.intercept
        table.linear[features], table.factors[features] = self.linear, self.factors
        return table

    def without_state(self, n_features: int) -> ParameterTable:
        """A table of the same model for another number of features, all zero, without state."""
        table = ParameterTable(
            n_features, self.n_factors, self.dtype, self.n_outputs, is_tiled=self.is_tiled,
            family=self.family,
        )  # fmt: skip
        table.intercepts[...] = self.intercepts
        table.shared_blocks[:, 0] = self.shared_blocks[:, 0]
        return table

    def weights_of(self, rows: np.ndarray) -> ParameterTable:
        """A table of some of the features, without state, and with a row of zeros behind them."""
        table = self.without_state(len(rows) + 1)
        table.linear_blocks[:-1, :, 0] = self.linear_blocks[rows, :, 0]
        table.factor_blocks[:-1, :, 0] = self.factor_blocks[rows, :, 0]
        return table

    def with_state(self, state_start: Sequence[float] = (), n_row_state: int = 0) -> ParameterTable:
        """A copy of the weights, with optimiser state of some kind at its start."""
        table = ParameterTable(
            self.n_features, self.n_factors, self.dtype, self.n_outputs, state_start, n_row_state,
            self.is_tiled, self.family, self.has_gaps,
        )  # fmt: skip
        table.intercepts[...] = self.intercepts
        table.shared_blocks[:, 0] = self.shared_blocks[:, 0]
        rows: slice | np.ndarray = slice(None)
        if self.has_started is not None:
            rows = self.started
            table.has_started = np.zeros(self.n_features, dtype=bool)  # of FMs without gaps, too
            table.begin(rows)
        table.factor_blocks[rows, :, 0] = self.factor_blocks[rows, :, 0]
        rows = rows if self.has_gaps else slice(None)
        table.linear_blocks[rows, :, 0] = self.linear_blocks[rows, :, 0]
        return table

    def scores(self, rows: Rows, n_jobs: int = 1) -> np.ndarray:
        """The value of each row, as score_rows has it."""
        return score_rows(self, rows, n_jobs)

    def is_finite(self) -> bool:
        """Whether every number, state included, is finite."""
        n_everywhere = 1 if self.has_gaps else 3 if self.has_started is None else 2
        everywhere, late = self.arrays[:n_everywhere], self.arrays[n_everywhere:]
        return (
            all(
                np.isfinite(array[start : start + _BLOCK]).all()
                for array in everywhere
                for start in range(0, len(array), _BLOCK)
            )
            and all(
                np.isfinite(array[part]).all()
                for array in late
                for part in self._blocks_of_started()
            )
            and (self.state is None or self.state.is_finite())
        )

    def __getstate__(self) -> dict[str, Any]:
        """Pickled as laid out, less the alignment, which is made anew, and less the gaps."""
        if not self.has_gaps:
            return vars(self)
        packed = self.take(self.started)
        packed.kept_start, packed.state = self.kept_start, self.state
        return {"n_features": self.n_features, "started": self.started} | vars(packed)

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "started" in state:
            packed = ParameterTable.__new__(ParameterTable)
            started, n_features = state.pop("started"), state.pop("n_features")
            packed.__setstate__(state)
            vars(self).update(vars(packed.with_gaps(started, n_features)))
            self.kept_start, self.state = packed.kept_start, packed.state
            return
        vars(self).update(state)
        for name in ("intercept", "linear", "factors"):
            aligned = aligned_zeros(state[name].shape, state[name].dtype)
            aligned[...] = state[name]
            setattr(self, name, aligned)

    def __deepcopy__(self, memo: dict[int, Any]) -> ParameterTable:
        return self.copy()
