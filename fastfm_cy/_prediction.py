"""Scores of many rows, in one thread or several."""

import numpy as np

from ._parallel import in_parts
from .exceptions import DivergenceError


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
    ndarray of shape (n_rows, n_outputs), in the table's dtype

    Raises
    ------
    DivergenceError
        If a score overflows.
    """
    scores = np.empty((rows.n_rows, table.n_outputs), dtype=table.dtype)

    def fill(first, last):
        table.machine.predict(rows, table, scores, first, last)

    work = len(rows.indices) * (table.n_weights + 1) * table.n_outputs
    in_parts(fill, rows.n_rows, work, n_jobs)
    check_scores(scores)
    return scores


def check_scores(scores):
    """Refuse scores that are not finite."""
    finite = np.isfinite(scores)
    if not finite.all():
        finite = finite.all(axis=1)
        raise DivergenceError(
            f"The score of row {finite.argmin()} is too large for {scores.dtype}: its values are "
            "far outside what the model was trained on. Rescale them as in training, or fit with "
            "dtype='float64'."
        )
