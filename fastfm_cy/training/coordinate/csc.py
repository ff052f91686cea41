"""A matrix by columns, for solvers that visit one feature after the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ...data.csr import CSRRows
from ...kernels.dispatch import coordinate

# Non-zeros below which another thread costs more than it saves.
_LEAST_A_THREAD = 20_000


@dataclass(frozen=True)
class Columns:
    """A CSC matrix as the kernels take it, and which of its columns do not see each other."""

    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray
    runs: list[int]
    """First columns of runs of neighbours that share no row, and the number of columns."""

    @classmethod
    def of(cls, rows: CSRRows, features: slice | None = None) -> Columns:
        """Those of CSRRows; of some neighbouring `features` (a slice) if no others occur."""
        features = features or slice(0, rows.n_features)
        X = rows.as_matrix().tocsc()
        indptr = X.indptr[features.start : features.stop + 1].astype(np.int64)
        indices = X.indices.astype(np.int32)
        seen = np.full(max(1, rows.n_rows), -1, dtype=np.int32)
        starts = coordinate.independent_runs(indptr, indices, seen)
        return cls(indptr, indices, X.data, [*starts, len(indptr) - 1])

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.indptr, self.indices, self.data

    def sweep(
        self, visit: Callable[[int, int], None], pool: ThreadPoolExecutor | None, n_threads: int
    ) -> None:
        """Call visit(first, last) so that all columns are visited as if one after the other.

        Runs that are long enough are dealt to threads; the outcome does not depend on it.
        """
        if pool is None:
            visit(0, len(self.indptr) - 1)
            return
        waiting = 0  # the first column that no thread has visited yet
        for first, last in zip(self.runs[:-1], self.runs[1:], strict=True):
            n_entries = self.indptr[last] - self.indptr[first]
            if n_entries < n_threads * _LEAST_A_THREAD:
                continue
            if waiting < first:
                visit(waiting, first)
            shares = self.indptr[first] + n_entries * np.arange(1, n_threads) // n_threads
            cuts = first + np.searchsorted(self.indptr[first:last], shares)
            cuts = np.unique([first, *cuts, last])
            list(pool.map(visit, cuts[:-1], cuts[1:]))
            waiting = last
        if waiting < len(self.indptr) - 1:
            visit(waiting, len(self.indptr) - 1)
