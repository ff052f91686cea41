"""Sparse tables: models most of whose weights are zero, as L1 leaves them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from ..data.csr import CSRRows, has_gaps
from ..data.inputs import Rows
from .scoring import score_rows
from .table import ParameterTable


@dataclass(frozen=True, eq=False)
class SparseTable:
    """The features of a table with a weight that is not zero, without optimiser state.

    It has what of a ParameterTable's interface reads the weights.
    """

    table: ParameterTable
    """The kept features, and last one row of zeros that stands for all others."""
    kept: np.ndarray
    """int32, the numbers of the kept features, rising."""
    n_features: int
    """With those that are not kept."""
    state: tuple
    """(state_start, n_row_state, is_tiled) of the table that this was made from."""

    @classmethod
    def of(cls, table: ParameterTable) -> SparseTable:
        kept = np.flatnonzero(is_used(table)).astype(np.int32)
        state = *table.solver_state, table.is_tiled
        return cls(table.weights_of(kept), kept, table.n_features, state)

    @property
    def dtype(self) -> np.dtype:
        return self.table.dtype

    @property
    def n_outputs(self) -> int:
        return self.table.n_outputs

    @property
    def n_factors(self) -> int:
        return self.table.n_factors

    @property
    def family(self) -> Any:
        return self.table.family

    @property
    def intercepts(self) -> np.ndarray:
        return self.table.intercepts

    @property
    def shared_blocks(self) -> np.ndarray:
        return self.table.shared_blocks

    @property
    def coef(self) -> sparse.csr_array:
        """Shape (1 or n_outputs, n_features)."""
        return self._rows_of_all(np.atleast_2d(self.table.coef)[:, :-1].T).T.tocsr()

    @property
    def factor_vectors(self) -> sparse.csr_array:
        """Outputs one below the other, a feature's vectors side by side."""
        table = self.table
        blocks = table.vector_blocks[:-1].reshape(table.n_features - 1, table.n_outputs, -1)
        return sparse.vstack(
            [self._rows_of_all(block) for block in blocks.swapaxes(0, 1)], format="csr"
        )

    def scores(self, rows: Rows, n_jobs: int = 1) -> np.ndarray:
        """As ParameterTable's."""
        if isinstance(rows, CSRRows) and has_gaps(self.n_features, rows.n_entries):
            found = np.searchsorted(self.kept, rows.indices).astype(np.int32)
            known = self.kept.take(found, mode="clip") == rows.indices if len(self.kept) else False
            places = np.where(known, found, np.int32(len(self.kept)))
            rows = replace(rows, indices=places, n_features=len(self.kept) + 1)
        else:
            place = np.full(self.n_features, len(self.kept), dtype=np.int32)
            place[self.kept] = np.arange(len(self.kept), dtype=np.int32)
            rows = rows.renumbered(place, len(self.kept) + 1)
        return score_rows(self.table, rows, n_jobs)

    def dense(self, *, with_state: bool = False) -> ParameterTable:
        """A table with a row a feature; the optimiser's state, if wanted, is at its start."""
        table = self.table
        state_start, n_row_state, is_tiled = self.state
        if not with_state:
            state_start, n_row_state = (), 0
        dense = ParameterTable(
            self.n_features, table.n_factors, table.dtype, table.n_outputs, state_start,
            n_row_state, is_tiled, table.family, has_gaps(self.n_features, len(self.kept)),
        )  # fmt: skip
        dense.intercepts[...] = table.intercepts
        dense.shared_blocks[:, 0] = table.shared_blocks[:, 0]
        if dense.has_started is not None:
            dense.begin(self.kept)
        dense.linear_blocks[self.kept, :, 0] = table.linear_blocks[:-1, :, 0]
        dense.factor_blocks[self.kept, :, 0] = table.factor_blocks[:-1, :, 0]
        return dense

    def _rows_of_all(self, kept_rows: np.ndarray) -> sparse.csr_array:
        """A sparse array with a row a feature, given those of the kept features."""
        present = sparse.csr_array(kept_rows)
        indptr = np.zeros(self.n_features + 1, dtype=np.int64)
        indptr[self.kept + 1] = np.diff(present.indptr)
        shape = self.n_features, kept_rows.shape[1]
        return sparse.csr_array((present.data, present.indices, indptr.cumsum()), shape)


def sparsity(table: ParameterTable | SparseTable) -> dict[str, float]:
    """Shares of the linear weights, of the factors and of the features that are zero."""
    present = table.table if isinstance(table, SparseTable) else table
    if present.has_gaps:
        present = present.take(present.started)
    n_linear = table.n_outputs * table.n_features
    n_factors = n_linear * table.family.n_vectors * table.n_factors
    return {
        "linear": 1 - np.count_nonzero(present.coef) / n_linear,
        "factors": 1 - np.count_nonzero(present.factor_vectors) / n_factors if n_factors else 1.0,
        "features": 1 - np.count_nonzero(is_used(present)) / table.n_features,
    }


def is_used(table: ParameterTable) -> np.ndarray:
    """Which rows of the table hold a weight that is not zero."""
    if table.has_gaps:
        used = np.zeros(table.n_features, dtype=bool)
        used[table.started] = is_used(table.take(table.started))
        return used
    linear: Any = table.linear_blocks[:, :, 0].any(axis=1)
    return linear | table.factor_blocks[:, :, 0].any(axis=(1, 2))
