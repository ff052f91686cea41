"""Fits of ranking models: from a plan and data to tables, a history and the best epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...data.interactions import Interactions
from ...kernels.ranking.known import Known
from ...model.sides import Side
from ...model.table import ParameterTable
from .epochs import RecommenderTrainer
from .interactions import lay_out
from .plan import RankingPlan
from .pairs import Pairs
from .row_pairs import PairTrainer
from .stopping import BestEpoch

DETERMINISTIC_SHARDS = 4

OnEpoch = Callable[[dict], bool]


@dataclass(frozen=True)
class RankingResult:
    """What a fit leaves; the tables were trained in place."""

    history: dict[str, list[float]]
    best_iter: int | None


def fit_recommender(
    plan: RankingPlan,
    interactions: Interactions,
    known: Known,
    users: Side,
    contexts: Callable[[np.ndarray], Side],
    items: Side,
    rng: np.random.Generator,
    *,
    best: BestEpoch | None = None,
    on_epoch: OnEpoch | None = None,
) -> RankingResult:
    """Train two sides on interactions.

    Parameters
    ----------
    plan : RankingPlan
    interactions : Interactions
        To train on.
    known : Known
        All positives, also those held out.
    users, items : Side
    contexts : function of the order in which interactions are laid out -> Side
    rng : numpy.random.Generator
    best : BestEpoch, default=None
        Validates after each epoch, and stops early.
    on_epoch : function of the history, default=None
        Called after each epoch; whether to stop.
    """
    n_shards = DETERMINISTIC_SHARDS if plan.deterministic else max(1, plan.n_jobs)
    n_shards = max(1, min(n_shards, interactions.n_users, interactions.n_items // 2))
    laid_out = lay_out(interactions, np.dtype(plan.dtype), n_shards, rng, known)
    trainer = RecommenderTrainer(
        plan, laid_out, users, contexts(laid_out.source), items, interactions.n_items, rng
    )
    return _run(trainer, [users.table, items.table], best, on_epoch)


def fit_pairs(
    plan: RankingPlan,
    pairs: Pairs,
    side: Side,
    rng: np.random.Generator,
    *,
    best: BestEpoch | None = None,
    on_epoch: OnEpoch | None = None,
) -> RankingResult:
    """Train a factorization machine on pairs of rows; parameters as `fit_recommender`."""
    return _run(PairTrainer(plan, pairs, side, rng), [side.table], best, on_epoch)


def _run(trainer, tables: list[ParameterTable], best, on_epoch):
    def after_epoch(history):
        if best or on_epoch:
            trainer.finish()
        stops = best.update(history, tables) if best else False
        return bool(on_epoch(history)) or stops if on_epoch else stops

    history = trainer.run(after_epoch)
    if best:
        best.restore(tables)
    return RankingResult(history, best.best_iter if best else None)
