"""What a sweep keeps for each row of the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...utils.memory import aligned_zeros
from ...utils.threads import in_parts

FACTOR_TILE = 8  # factors that the kernels take at a time
_ERROR, _ROOT = 8, 9  # places in a row's line


class RowLines:
    """Errors of all rows, and for sweeps over factors a line of 16 numbers or more each.

    Attributes
    ----------
    errors : array of shape (n_rows,)
        Scores minus targets.
    lines : array of shape (n_rows, width)
        Sums of eight factors, the error, and the root of the row's weight; from 16 on what
        higher_order.py keeps.
    weights : array of shape (n_rows,) or None
    """

    def __init__(
        self, n_rows: int, n_factors: int, weights: np.ndarray | None, dtype: Any,
        width: int = 2 * FACTOR_TILE,
    ) -> None:  # fmt: skip
        self.errors = np.empty(n_rows, dtype)
        self.weights = weights
        self.lines = aligned_zeros((n_rows, width if n_factors else 0), dtype)
        if weights is not None and n_factors:
            self.lines[:, _ROOT] = np.sqrt(weights)

    @property
    def is_weighted(self) -> bool:
        return self.weights is not None

    def take_errors(self, n_jobs: int) -> None:
        def take(first: int, last: int) -> None:
            self.lines[first:last, _ERROR] = self.errors[first:last]

        in_parts(take, len(self.errors), len(self.errors), n_jobs)

    def clear_sums(self) -> None:
        self.lines[:, :FACTOR_TILE] = 0
