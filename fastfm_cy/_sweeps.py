"""One sweep over all parameters of a machine, column by column: what ALS and Gibbs share."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ._columns import Columns
from ._parallel import in_parts
from ._parameters import aligned_zeros
from .exceptions import DivergenceError
from .kernels import coordinate

EIGHT = 8  # factors that the kernel takes at a time
_ERROR, _ROOT = 8, 9  # places in a row's line


def not_finite(sweep):
    return DivergenceError(
        f"Sweep {sweep} left the range of finite numbers. Scale the features (and a regression's "
        "target) to about 1, or use dtype='float64'. The estimator is as it was before the fit."
    )


class Sweeper:
    """Sweeps over the linear weights and the factors of a table, in one thread or several.

    Use it as a context manager, which holds the threads.

    Parameters
    ----------
    rows : CSRRows
    table : ParameterTable
        Of one output without state, padded to whole eights of factors; changed in place.
    groups : int32 array of shape (n_features,)
    n_factors : int
    weights : array of shape (n_rows,), default=None
        Of the rows' errors.
    n_jobs : int
        Threads; the outcome does not depend on it.

    Attributes
    ----------
    errors : array of shape (n_rows,)
        Scores minus targets; to be set before a sweep.
    """

    def __init__(self, rows, table, groups, n_factors, weights=None, n_jobs=1):
        self.rows, self.table, self.groups = rows, table, groups
        self.n_factors, self.weights, self.n_jobs = n_factors, weights, n_jobs
        self.columns = Columns.of(rows)
        self.errors = np.empty(rows.n_rows, table.dtype)
        self.lines = aligned_zeros((rows.n_rows, 2 * EIGHT if n_factors else 0), table.dtype)
        if weights is not None and n_factors:
            self.lines[:, _ROOT] = np.sqrt(weights)

    def __enter__(self):
        self.pool = ThreadPoolExecutor(self.n_jobs) if self.n_jobs > 1 else None
        return self

    def __exit__(self, *error):
        if self.pool:
            self.pool.shutdown()

    def sweep_linear(self, alpha, prior, normals):
        """`prior` holds precision and mean a group; `normals` a number a feature."""

        def visit(first, last):
            coordinate.sweep_linear(
                *self.columns.arrays, self.table.linear, self.errors, self.weights, alpha,
                self.groups, prior, normals, first, last,
            )  # fmt: skip

        self.columns.sweep(visit, self.pool, self.n_jobs)

    def sweep_factors(self, alpha, precisions, means, draw):
        """`precisions` and `means` have shape (n_groups, n_factors); draw() gives (n_features, 8).

        The errors stay as they were before.
        """
        self.lines[:, _ERROR] = self.errors
        for first in range(0, self.n_factors, EIGHT):
            n_active = min(EIGHT, self.n_factors - first)
            active = slice(first, first + n_active)
            eight = np.ones((2, len(means), EIGHT))
            eight[:, :, :n_active] = precisions[:, active], means[:, active]
            self._sweep_eight(first, n_active, alpha, *eight, draw())

    def _sweep_eight(self, first_factor, n_active, alpha, precisions, means, normals):
        rows, factors = self.rows, self.table.factors

        def load(first, last):
            coordinate.sum_factors(
                rows.indptr, rows.indices, rows.data, factors, first_factor, self.lines, first, last
            )

        def visit(first, last):
            coordinate.sweep_factors(
                *self.columns.arrays, factors, first_factor, n_active, self.lines,
                self.weights is not None, alpha, self.groups, precisions, means, normals, first,
                last,
            )  # fmt: skip

        in_parts(load, rows.n_rows, EIGHT * len(rows.indices), self.n_jobs)
        self.columns.sweep(visit, self.pool, self.n_jobs)
