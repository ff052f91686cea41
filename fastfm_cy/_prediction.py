"""Scores of many rows, in one thread or several."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .exceptions import DivergenceError
from .kernels import fm

# Multiply-adds below which another thread costs more than it saves.
_WORK_A_THREAD = 2_000_000


def score_rows(table, rows, n_jobs=1):
    """The model's value of each row.

    Parameters
    ----------
    table : ParameterTable
    rows : CSRRows
        In the table's dtype, with its number of features.
    n_jobs : int
        Most threads to use; the scores do not depend on it.

    Returns
    -------
    ndarray of shape (n_rows,), in the table's dtype

    Raises
    ------
    DivergenceError
        If a score overflows.
    """
    scores = np.empty(rows.n_rows, dtype=table.dtype)

    def fill(first, last):
        fm.predict(
            rows.indptr, rows.indices, rows.data,
            table.intercept, table.linear, table.factors, table.n_padded, scores, first, last,
        )  # fmt: skip

    work = len(rows.indices) * (table.n_padded + 1)
    n_threads = max(1, min(n_jobs, work // _WORK_A_THREAD))
    if n_threads == 1:
        fill(0, rows.n_rows)
    else:
        cuts = np.linspace(0, rows.n_rows, n_threads + 1).astype(int).tolist()
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(fill, cuts[:-1], cuts[1:]))
    check_scores(scores)
    return scores


def check_scores(scores):
    """Refuse scores that are not finite."""
    finite = np.isfinite(scores)
    if not finite.all():
        raise DivergenceError(
            f"The score of row {finite.argmin()} is too large for {scores.dtype}: its values are "
            "far outside what the model was trained on. Rescale them as in training, or fit with "
            "dtype='float64'."
        )
