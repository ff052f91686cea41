"""Tuning: settings and the number of epochs chosen on held-out rows before the fit of all rows.

Small data are split into five folds, larger data into rows to train on and rows held out. Each
candidate setting is trained once a fold, and scores its held-out rows after some of the epochs; a
candidate's loss is that of its best epoch, of scores as they are or rescaled (z -> a z + b, by
least squares, or by logistic regression with smoothed targets: Platt 1999). A later candidate
replaces an earlier one only if its rows' losses are lower by a part of their standard error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from ..data.targets import TargetScale
from ..exceptions import DivergenceError
from ..kernels.common.losses import values_and_gradients
from ..kernels.common.settings import Settings
from ..model.scoring import score_rows
from ..model.table import ParameterTable
from ..utils.means import weighted_mean
from .early_stopping import History
from .plan import TrainingPlan
from .rescaling import rescaled
from .sources import MemorySource

_FEW_ROWS, _FEW_ENTRIES = 6000, 1e5  # up to which there are five folds
_MANY_ROWS = 20_000  # from which on a tenth is held out, else a fifth
_HELD_OUT = 20_000  # rows that are looked at, at most
_SEVERAL = 2e6  # entries up to which there are several candidates
_VISITS, _FEWEST_EPOCHS, _MOST_EPOCHS = 4e7, 20, 300  # entries that a candidate may visit
_BETTER = 5e-4  # the fall of the loss, as a share, that counts as progress
_OF_ERROR = 0.3  # standard errors by which a later candidate must be better,
_OF_LOSS = 1e-3  # and by this share of the loss
_GAIN_OF_RESCALING = 0.01  # as a share, and by a standard error

Train = Callable[[TrainingPlan, MemorySource, int, Callable], None]
"""(plan, source, max_iter, after_epoch(table, settings, history) -> stop) trains a new table."""


Look = list[tuple[np.ndarray, TargetScale | None]]
"""The losses of held-out rows, of scores as they are and perhaps of scores rescaled so."""


@dataclass(frozen=True)
class Outcome:
    """The best of a candidate."""

    plan: TrainingPlan
    loss: float
    epochs: int
    losses: np.ndarray
    """Of each held-out row."""
    rescale: TargetScale | None


def tune(
    plan: TrainingPlan, source: MemorySource, rng: np.random.Generator, train: Train
) -> tuple[TrainingPlan, TargetScale | None]:
    """The plan with what was chosen, and how scores are to be rescaled, if they are.

    Parameters
    ----------
    plan : TrainingPlan
        What of it the user gave stays as it is.
    source : MemorySource
    rng : numpy.random.Generator
    train : function
    """
    n_entries = source.rows.n_entries * plan.n_outputs
    folds = _folds(source, n_entries, rng, stratify=plan.stratifies)
    most = int(np.clip(_VISITS / (len(folds) * max(1, n_entries)), _FEWEST_EPOCHS, _MOST_EPOCHS))
    best: Outcome | None = None
    for candidate in _candidates(plan, several=n_entries <= _SEVERAL):
        found = _outcome(candidate, source, folds, most, train)
        if found is None:
            continue
        if best is None or (
            found.loss < (1 - _OF_LOSS) * best.loss and _is_better(found.losses, best.losses)
        ):
            best = found
    if best is None:  # every candidate diverged
        return plan, None
    return replace(best.plan, max_iter=best.epochs), best.rescale


def _is_better(losses: np.ndarray, than: np.ndarray, errors: float = _OF_ERROR) -> bool:
    gains = than - losses
    return bool(gains.mean() > errors * gains.std() / np.sqrt(len(gains)))


def _candidates(plan: TrainingPlan, *, several: bool) -> list[TrainingPlan]:
    """Plans with settings of the solver in place of defaults."""
    rows = plan.solver.candidates or ({},)
    if not several:
        rows = rows[1:2] if plan.loss.scales else rows[-1:]
    factor = plan.family.step_factor
    return [
        plan.with_defaults(**row | {"learning_rate": factor * row["learning_rate"]} if row else {})
        for row in rows
    ]


def _folds(
    source: MemorySource, n_entries: int, rng: np.random.Generator, *, stratify: bool
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of rows to train on and rows held out."""
    n_rows = source.n_visited
    is_small = n_rows <= _FEW_ROWS and n_entries <= _FEW_ENTRIES
    parts = 10 if n_rows > _MANY_ROWS else 5
    classes = source.target[source.visited]
    kind = KFold
    if stratify and np.unique(classes, return_counts=True)[1].min() >= parts:
        kind = StratifiedKFold
    if n_rows < 2 * parts:
        return [(source.visited, source.visited)]
    split = kind(parts, shuffle=True, random_state=int(rng.integers(2**31)))
    pairs = split.split(np.zeros(n_rows), classes)
    folds = [
        (source.visited[train], source.visited[held_out][:: 1 + (len(held_out) - 1) // _HELD_OUT])
        for train, held_out in pairs
    ]
    return folds if is_small else folds[:1]


class _Watched:
    """Scores of held-out rows after some of the epochs of one fit."""

    def __init__(
        self, plan: TrainingPlan, source: MemorySource, numbers: np.ndarray, *, stops: bool
    ) -> None:
        self.rows, self.target = source.rows.take(numbers), source.target[numbers]
        self.weights = None if source.weights is None else source.weights[numbers]
        self.plan, self.stops = plan, stops
        self.scores: dict[int, np.ndarray] = {}
        self.looks: dict[int, Look] = {}
        self.best: list[tuple[float, int]] = [(np.inf, 0), (np.inf, 0)]

    def __call__(self, table: ParameterTable, settings: Settings, history: History) -> bool:
        epoch = len(history["train_loss"])
        if epoch > 6 and epoch < 1.18 * max(self.scores, default=0):
            return False
        scores = score_rows(table, self.rows).astype(np.float64)
        self.scores[epoch] = scores
        if not self.stops:
            return False
        self.looks[epoch] = _both(self.plan, settings, scores, self.target, self.weights)
        for place, (losses, _) in enumerate(self.looks[epoch]):
            loss = float(weighted_mean(losses, self.weights))
            if loss < self.best[place][0] * (1 - _BETTER):
                self.best[place] = loss, epoch
        return epoch >= 1.4 * max(epoch for _, epoch in self.best) + 4


def _outcome(
    plan: TrainingPlan, source: MemorySource, folds: list, most: int, train: Train
) -> Outcome | None:
    watched = []
    for number, (train_rows, held_out) in enumerate(folds):
        watch = _Watched(plan, source, held_out, stops=number == 0)
        try:
            train(plan, replace(source, visited=train_rows), most, watch)
        except DivergenceError:
            if not watch.scores:
                return None
        watched.append(watch)
        most = max(watch.scores)  # the other folds go as far as the first
    return _best_epoch(plan, watched)


def _best_epoch(plan: TrainingPlan, watched: list[_Watched]) -> Outcome | None:
    target = np.concatenate([watch.target for watch in watched])
    weights = None
    if watched[0].weights is not None:
        weights = np.concatenate([watch.weights for watch in watched])
    settings = plan.settings(plan.check_strengths(watched[0].rows.n_features))
    best: list[Outcome | None] = [None, None]
    for epoch in sorted(set.intersection(*(set(watch.scores) for watch in watched))):
        if len(watched) == 1:
            looks = watched[0].looks[epoch]
        else:
            scores = np.concatenate([watch.scores[epoch] for watch in watched])
            looks = _both(plan, settings, scores, target, weights)
        for place, (losses, scale) in enumerate(looks):
            loss = float(weighted_mean(losses, weights))
            known = best[place]
            if np.isfinite(loss) and (known is None or loss < known.loss):
                best[place] = Outcome(plan, loss, epoch, losses, scale)
    plain, other = best
    if plain is None or other is None or other.rescale is None:
        return plain
    gains = other.loss < (1 - _GAIN_OF_RESCALING) * plain.loss
    return other if gains and _is_better(other.losses, plain.losses, 1.0) else plain


def _both(
    plan: TrainingPlan, settings: Settings, scores: np.ndarray, target: np.ndarray,
    weights: np.ndarray | None,
) -> Look:  # fmt: skip
    """The rows' losses as they are and, if that makes sense, of rescaled scores."""
    plain = values_and_gradients(settings, scores, target)[0]
    scale = rescaled(plan, settings, scores, target, weights)
    if scale is None:
        return [(plain, None)]
    moved = scale.location + scale.spread * scores
    return [(plain, None), (values_and_gradients(settings, moved, target)[0], scale)]
