"""What a sweep keeps for each row of the data."""

import numpy as np

from ._parallel import in_parts
from ._parameters import aligned_zeros

EIGHT = 8  # factors that the kernels take at a time
_ERROR, _ROOT = 8, 9  # places in a row's line


class RowLines:
    """Errors of all rows, and for sweeps over factors a line of 16 numbers each.

    Attributes
    ----------
    errors : array of shape (n_rows,)
        Scores minus targets.
    lines : array of shape (n_rows, 16)
        Sums of eight factors, the error, and the root of the row's weight.
    weights : array of shape (n_rows,) or None
    """

    def __init__(self, n_rows, n_factors, weights, dtype):
        self.errors = np.empty(n_rows, dtype)
        self.weights = weights
        self.lines = aligned_zeros((n_rows, 2 * EIGHT if n_factors else 0), dtype)
        if weights is not None and n_factors:
            self.lines[:, _ROOT] = np.sqrt(weights)

    @property
    def is_weighted(self):
        return self.weights is not None

    def take_errors(self, n_jobs):
        def take(first, last):
            self.lines[first:last, _ERROR] = self.errors[first:last]

        in_parts(take, len(self.errors), len(self.errors), n_jobs)

    def clear_sums(self):
        self.lines[:, :EIGHT] = 0
