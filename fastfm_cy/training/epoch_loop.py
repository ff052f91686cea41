"""Epoch loop: the one that every solver trains in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from ..exceptions import DivergenceError
from .early_stopping import History


class Trainer(AbstractContextManager, Protocol):
    """What trains a table, an epoch at a time; a context in which its threads live."""

    n_visits: int
    """Steps of the progress bar an epoch."""
    bar_options: dict[str, Any]
    remedy: str
    """As the plan's."""
    loss_unit: float
    """What the mean loss is multiplied by to be the user's."""

    def epoch(self, number: int, max_iter: int, bar: tqdm) -> float:
        """One pass over all rows; the mean loss."""

    def check_end(self, number: int, mean_loss: float) -> None:
        """Raise DivergenceError if the table is of no use after the last epoch."""


def run_epochs(
    trainer: Trainer, max_iter: int, *, verbose: int = 0,
    after_epoch: Callable[[History], bool] | None = None,
) -> History:  # fmt: skip
    """Train for up to `max_iter` epochs.

    Parameters
    ----------
    trainer : Trainer
    max_iter, verbose : int
    after_epoch : function of the history so far, default=None
        May add to it; what it returns says whether to stop.

    Returns
    -------
    dict of lists, a number an epoch
        "train_loss", the mean loss, each row's taken just before its own update; "seconds".

    Raises
    ------
    DivergenceError
        If a score, the mean loss or a weight leaves the range of sensible numbers.
    """
    history: History = {"train_loss": [], "seconds": []}
    total = max_iter * trainer.n_visits
    with trainer, tqdm(total=total, disable=not verbose, **trainer.bar_options) as bar:
        for epoch in range(1, max_iter + 1):
            start = perf_counter()
            mean_loss = float(trainer.epoch(epoch, max_iter, bar))
            told = mean_loss * float(trainer.loss_unit)  # of targets that may have been scaled
            if not np.isfinite(told):
                raise divergence(epoch, "the mean training loss is not finite", trainer.remedy)
            history["train_loss"].append(told)
            history["seconds"].append(perf_counter() - start)
            if after_epoch and after_epoch(history):
                break
    trainer.check_end(epoch, mean_loss)
    return history


def divergence(epoch: int, what: str, remedy: str) -> DivergenceError:
    return DivergenceError(
        f"Training diverged in epoch {epoch}: {what}. {remedy}. The estimator is as it was before "
        "the fit."
    )
