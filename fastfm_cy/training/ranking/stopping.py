"""Early stopping on a ranking metric."""

from __future__ import annotations

from collections.abc import Callable

from ...model.table import ParameterTable
from ..early_stopping import Patience


class BestEpoch:
    """Validates after each epoch, and goes back to the best one.

    Parameters
    ----------
    score : function without parameters -> float
        The metric of the model as it is; higher is better.
    patience : Patience or None
        None: only follow the score.

    Attributes
    ----------
    best_iter : int or None
    """

    def __init__(self, score: Callable[[], float], patience: Patience | None) -> None:
        self.score, self.patience = score, patience
        self.best_iter: int | None = None
        self._best: list[ParameterTable] | None = None

    def update(self, history: dict[str, list[float]], tables: list[ParameterTable]) -> bool:
        """Record the score of this epoch; whether to stop."""
        value = self.score()
        history.setdefault("validation_score", []).append(value)
        if self.patience is None:
            return False
        if self.patience.update(-value):
            self._best, self.best_iter = [table.copy() for table in tables], len(history["seconds"])
        return self.patience.is_over

    def restore(self, tables: list[ParameterTable]) -> None:
        """Give the tables what they held in the best epoch."""
        if self._best is not None:
            for table, best in zip(tables, self._best, strict=True):
                table.assign(best)
