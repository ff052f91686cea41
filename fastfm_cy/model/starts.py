"""Start values of factors: each a function of a key, its feature and its place, drawn in no order.

So tables that grow, parts of tables, fits in several threads and fits of rows on disk all start the
same. The random numbers are those of a counter, Philox4x32-10 (Salmon et al., SC 2011); those of a
standard normal distribution come of them by Box and Muller's transform (1958).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..kernels.dispatch import starts as kernels
from ..utils.threads import in_parts
from .table import ParameterTable

_WORK = 4  # multiply-adds that drawing a number costs


def new_key(rng: np.random.Generator) -> int:
    """A key to draw start values with; a table remembers it for features that come later."""
    return int(rng.integers(2**64, dtype=np.uint64))


@dataclass(frozen=True)
class Starts:
    """Draws the start values of factors, the same in either dtype.

    Parameters
    ----------
    scale : float
        Their standard deviation, before the table's family makes one a vector of it; of uniform
        ones the largest, times the root of the number of factors.
    is_uniform : bool, default=False
        Whether they come from a uniform distribution from 0 on rather than a normal one.
    n_jobs : int, default=1
        Threads; the values do not depend on them.
    """

    scale: float
    is_uniform: bool = False
    n_jobs: int = 1

    def write(
        self, table: ParameterTable, rows: np.ndarray | None = None, *,
        numbers: np.ndarray | None = None, first: int = 0,
    ) -> None:  # fmt: skip
        """Write start values to a table, drawn with its key.

        Parameters
        ----------
        table : ParameterTable
        rows : int array, default=None
            The table's rows to start. None: all.
        numbers : uint32 array, default=None
            For each of them, the number of its feature. None: the row's own.
        first : int, default=0
            How many of them to leave out, from the first on.
        """
        n_places = table.n_features if rows is None else len(rows)
        scales = self._scales(table)
        assert table.start_key is not None  # whoever made the table gave it one
        rows = None if rows is None else rows.astype(np.int64, copy=False)
        what = (
            table.factors, table.start_key, self.is_uniform, scales, table.n_outputs,
            table.factor_blocks[0, 0].size if table.n_features else 0, table.n_padded,
            table.n_factors, rows, numbers,
        )  # fmt: skip

        def write(start: int, stop: int) -> None:
            kernels.write(*what, first + start, first + stop)

        n_numbers = table.n_outputs * len(scales) * table.n_factors
        in_parts(write, n_places - first, _WORK * (n_places - first) * n_numbers, self.n_jobs)

    def _scales(self, table: ParameterTable) -> np.ndarray:
        """float32, one a vector."""
        with np.errstate(over="ignore"):  # training finds what is not finite
            scales = np.float32(table.family.start_scale(self.scale))
            if self.is_uniform:
                scales = scales / np.sqrt(np.float32(max(1, table.n_factors)))
        return np.broadcast_to(np.ravel(scales), (table.family.n_vectors,)).copy()
