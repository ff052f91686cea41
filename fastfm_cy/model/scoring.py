"""Scoring: the values of many rows, in one thread or several."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.inputs import Rows
from ..data.mapped import cut_files
from ..data.relational_rows import RelationalRows
from ..exceptions import DivergenceError
from ..utils.checks import or_float64
from ..utils.threads import in_parts
from .interfaces import Table

_ENTRIES_AT_ONCE = 10_000_000  # of a relational design that has to be expanded


def score_rows(table: Table, rows: Rows, n_jobs: int = 1) -> np.ndarray:
    """The model's value of each row.

    Parameters
    ----------
    table : ParameterTable
    rows : CSRRows or RelationalRows
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
    if isinstance(rows, RelationalRows):
        if not table.family.joins_blocks:
            return _score_expanded(table, rows, n_jobs)
        table, rows = _joined_table(table, rows, n_jobs), rows.joined
    scores = np.empty((rows.n_rows, table.n_outputs), dtype=table.dtype)

    def fill(first: int, last: int) -> None:
        table.family.predict(rows, table, scores, first, last)

    work = rows.n_entries * (table.n_weights + 1) * table.n_outputs
    in_parts(fill, rows.n_rows, work, n_jobs)
    check_scores(scores)
    return scores


def _score_expanded(table: Table, rows: RelationalRows, n_jobs: int) -> np.ndarray:
    """A few rows at a time."""
    n_rows = max(1, _ENTRIES_AT_ONCE * rows.n_rows // max(1, rows.n_entries))
    parts = [
        score_rows(table, rows.expanded(np.arange(first, min(first + n_rows, rows.n_rows))), n_jobs)
        for first in range(0, rows.n_rows, n_rows)
    ]
    return np.concatenate(parts)


def _joined_table(table: Table, rows: RelationalRows, n_jobs: int) -> Table:
    """A table for `rows.joined`: a row of a block has as weight its own score without the bias, and
    as factors what its features add to the sums of a row that holds it."""
    make: Any = type(table)
    joined: Table = make(
        rows.joined.n_features, table.n_factors, table.dtype, table.n_outputs,
        is_tiled=table.is_tiled,
    )  # fmt: skip
    first = table.n_features
    joined.linear_blocks[:first, :, 0] = table.linear_blocks[:, :, 0]
    joined.factor_blocks[:first, :, 0] = table.factor_blocks[:, :, 0]
    vectors = joined.factor_blocks[:first, :, 0].reshape(first, -1)
    for block in rows.blocks:
        if block.row_of is not None:
            own = block.rows
            here = slice(first, first + own.n_rows)
            joined.linear_blocks[here, :, 0] = score_rows(joined, own, n_jobs)
            sums = own.as_matrix() @ vectors
            joined.factor_blocks[here, :, 0] = sums.reshape(own.n_rows, table.n_outputs, -1)
            first = here.stop
    joined.intercepts[...] = table.intercepts
    return joined


def check_scores(scores: np.ndarray) -> None:
    """Refuse scores that are not finite."""
    finite = np.isfinite(scores)
    if not finite.all():
        finite = finite.all(axis=1)
        raise DivergenceError(
            f"The score of row {finite.argmin()} is too large for {scores.dtype}: its values are "
            "far outside what the model was trained on. Rescale them as in training"
            f"{or_float64(scores.dtype)}.{_of_cut_files()}"
        )


def _of_cut_files() -> str:
    """What else may be wrong, if files were cut while they were mapped."""
    names = cut_files()
    if not names:
        return ""
    return f" Or a model is damaged, as {', '.join(names)} was cut while in use: load it again."
