"""Learning curves: what a fit recorded, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .columns import Columns


def learning_curve_frame(history: Any) -> Columns:
    """The history of a fit as a table, a row an epoch.

    Parameters
    ----------
    history : dict of lists, or fitted estimator
        `history_`, or what has it.

    Returns
    -------
    Columns
        "epoch", from 1, then the columns of the history ("train_loss", "seconds", ...), NaN where
        an epoch has no number, and "total_seconds"; of an estimator with `best_iter_` also
        "is_best", True in that epoch.

    Examples
    --------
    >>> from fastfm_cy.inspection import learning_curve_frame
    >>> print(learning_curve_frame({"train_loss": [0.7, 0.5], "seconds": [0.25, 0.25]}))
    epoch  train_loss  seconds  total_seconds
    1      0.7         0.25     0.25
    2      0.5         0.25     0.5
    """
    numbers = history if isinstance(history, Mapping) else getattr(history, "history_", None)
    if numbers is None:
        raise TypeError(
            f"history must be a dict of lists or a fitted estimator; got {type(history).__name__}."
        )
    length = max(map(len, numbers.values()), default=0)
    table = Columns(epoch=np.arange(1, length + 1))
    for name, values in numbers.items():
        # What partial_fit recorded only later belongs to the last epochs.
        column = np.full(length, np.nan)
        column[length - len(values) :] = values
        table[name] = column
    if "seconds" in table:
        table["total_seconds"] = np.nancumsum(table["seconds"])
    best = getattr(history, "best_iter_", None)
    if best is not None:
        table["is_best"] = table["epoch"] == best
    return table
