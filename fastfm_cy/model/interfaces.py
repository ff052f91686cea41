"""Interfaces: what the parts of a model must know of each other, and of what trains them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ..data.csr import CSRRows
from .links import Link


class Family(Protocol):
    """A model family, for what scores rows."""

    @property
    def joins_blocks(self) -> bool: ...

    def predict(
        self, rows: CSRRows, table: Any, scores: np.ndarray, first: int, last: int
    ) -> None: ...


class Table(Protocol):
    """A parameter table, for what reads or trains its arrays."""

    n_factors: int
    n_padded: int
    n_weights: int
    is_tiled: bool
    intercept: np.ndarray
    linear: np.ndarray
    factors: np.ndarray

    @property
    def family(self) -> Family: ...

    @property
    def n_features(self) -> int: ...

    @property
    def n_outputs(self) -> int: ...

    @property
    def dtype(self) -> np.dtype: ...

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]: ...

    @property
    def shared_blocks(self) -> np.ndarray: ...

    @property
    def linear_blocks(self) -> np.ndarray: ...

    @property
    def factor_blocks(self) -> np.ndarray: ...

    @property
    def intercepts(self) -> np.ndarray: ...


class Strengths(Protocol):
    """Strengths of regularisation, as training/regularization.py has them."""

    @property
    def values(self) -> np.ndarray: ...

    @property
    def groups(self) -> np.ndarray | None: ...


class StateKind(Protocol):
    """A solver, for what makes room for its state."""

    @property
    def state_start(self) -> tuple[float, ...]: ...

    @property
    def n_row_state(self) -> int: ...


class Model(Protocol):
    """A fitted model, for what scores single rows."""

    @property
    def inputs(self) -> Any: ...

    @property
    def target(self) -> Any: ...

    @property
    def link(self) -> Link: ...

    @property
    def n_features(self) -> int: ...


class Draw(Protocol):
    """The state of a chain, for what records it."""

    alpha: float

    @property
    def table(self) -> Any: ...

    @property
    def factors(self) -> np.ndarray: ...

    @property
    def cutpoints(self) -> np.ndarray: ...
