"""Fits of ranking models: from a plan and data to tables, a history and the best epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...data.interactions import Interactions
from ...kernels.ranking.known import Known
from ...model.sides import Side
from ...model.table import ParameterTable
from ..early_stopping import EarlyStopping, History
from ..epoch_loop import run_epochs
from ..whole_data.trainer import WholeDataTrainer
from .interactions import lay_out
from .pair_trainer import PairTrainer
from .pairs import Pairs
from .plan import RankingPlan
from .trainer import RecommenderTrainer


@dataclass(frozen=True)
class RankingResult:
    """What a fit leaves; the tables were trained in place."""

    history: History
    best_iter: int | None


@dataclass(frozen=True)
class Watch:
    """What happens after each epoch, when the tables are up to date.

    Parameters
    ----------
    score : function without parameters -> float, default=None
        The metric on a validation set, higher is better.
    after : function of the history -> bool, default=None
        Whether to stop.
    """

    score: Callable[[], float] | None = None
    after: Callable[[History], bool] | None = None


def fit_recommender(
    plan: RankingPlan, interactions: Interactions, known: Known, users: Side,
    contexts: Callable[[np.ndarray], Side], items: Side, rng: np.random.Generator,
    watch: Watch = Watch(),
) -> RankingResult:  # fmt: skip
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
    watch : Watch
    """
    tables = Tables([users.table, items.table])
    if plan.whole_data is not None:
        in_order = contexts(np.arange(len(interactions)))
        whole = WholeDataTrainer(plan, interactions, users, in_order, items)
        return _run(plan, whole, tables, watch)
    n_shards = max(1, min(plan.n_shards, interactions.n_users, interactions.n_items // 2))
    laid_out = lay_out(interactions, np.dtype(plan.dtype), n_shards, rng, known)
    _match_state(plan, users)
    if not items.is_frozen:
        _match_state(plan, items)
    trainer = RecommenderTrainer(
        plan, laid_out, users, contexts(laid_out.source), items, interactions.n_items, rng
    )
    return _run(plan, trainer, tables, watch)


def fit_pairs(
    plan: RankingPlan, pairs: Pairs, side: Side, rng: np.random.Generator,
    watch: Watch = Watch(),
) -> RankingResult:  # fmt: skip
    """Train a factorization machine on pairs of rows; parameters as `fit_recommender`."""
    _match_state(plan, side)
    return _run(plan, PairTrainer(plan, pairs, side, rng), Tables([side.table]), watch)


class Tables:
    """Several tables that are copied, and restored, together."""

    def __init__(self, tables: list[ParameterTable]) -> None:
        self.tables = tables

    def copy(self) -> Tables:
        return Tables([table.copy() for table in self.tables])

    def assign(self, others: Tables) -> None:
        for table, other in zip(self.tables, others.tables, strict=True):
            table.assign(other)


def _match_state(plan: RankingPlan, side: Side) -> None:
    if plan.solver.match_state:
        settings = plan.settings(side.strengths.has_l1)
        plan.solver.match_state(side.table, side.strengths, settings)


def _run(
    plan: RankingPlan, trainer: RecommenderTrainer | PairTrainer | WholeDataTrainer, tables: Tables,
    watch: Watch,
) -> RankingResult:  # fmt: skip
    stopping = None
    if plan.early_stopping:
        stopping = EarlyStopping(plan.n_iter_no_change, plan.tol or 0.0, keeps_best=True)

    def after_epoch(history: History) -> bool:
        stops = False
        if watch.score or watch.after:
            trainer.finish()
        if watch.score:
            score = watch.score()
            history.setdefault("validation_score", []).append(score)
            if stopping:
                stops = stopping.update(-score, tables, len(history["seconds"]))
        return (watch.after(history) or stops) if watch.after else stops

    history = run_epochs(trainer, plan.max_iter, verbose=plan.verbose, after_epoch=after_epoch)
    if stopping is None or stopping.best_table is None:
        return RankingResult(history, None)
    tables.assign(stopping.best_table)
    return RankingResult(history, stopping.best_iter)
