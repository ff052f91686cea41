"""Fit of a recommender: from checked data to the estimator's attributes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse

from ..data.csr import CSRRows
from ..data.interactions import Interactions, check_interactions
from ..kernels.ranking.known import Known
from ..metrics.ranking import AT_K, _check_truth, _hits, roc_auc
from ..metrics.splits import split_by_user
from ..model.recommender import SideKind, TwoSidedModel, rows_of_side
from ..model.sides import Side
from ..model.table import ParameterTable
from ..model.top_n import top_n
from ..training.early_stopping import Patience
from ..training.ranking.fit import fit_recommender
from ..training.ranking.plan import LOSSES, NEGATIVES, RankingPlan
from ..training.ranking.sharing import start_table
from ..training.ranking.stopping import BestEpoch
from ..training.regularization import NAMES
from ..utils.checks import check_bool, check_callbacks, check_choice, check_integer
from .ranking_base import SCORINGS, check_group_names, group_strengths
from .recommender_data import RecommenderData, read_recommender_data

GROUPS = ("users", "user_features", "context", "items", "item_features")
_FOLD_IN_EPOCHS = 30


class RecommenderFit:
    """One fit of an FMRecommender.

    Parameters
    ----------
    estimator : FMRecommender
    known : TwoSidedModel or None
        The model to go on with.
    rng : numpy.random.Generator
    max_iter : int or None
        In place of the estimator's.
    """

    def __init__(
        self, estimator: Any, known: TwoSidedModel | None, rng: np.random.Generator,
        max_iter: int | None = None,
    ) -> None:  # fmt: skip
        self.estimator, self.known, self.rng = estimator, known, rng
        self.plan = checked_plan(estimator)
        if max_iter is not None:
            if estimator.early_stopping:
                raise ValueError(
                    "partial_fit trains for one epoch and cannot stop early; set "
                    "early_stopping=False."
                )
            self.plan = replace(self.plan, max_iter=max_iter, schedule="constant")
        self.strengths = {name: getattr(estimator, name) for name in NAMES}
        check_group_names(self.strengths, GROUPS)
        self.eval_set: Interactions | None = None

    def read(
        self, interactions: Any, user_features: Any, item_features: Any, context: Any,
        sample_weight: Any, eval_set: Any,
    ) -> None:  # fmt: skip
        """Check the data, and start or extend the model."""
        estimator = self.estimator
        self.data = read_recommender_data(
            interactions, user_features, item_features, context, sample_weight, estimator.dtype,
            self.known, effective_n_jobs(estimator.n_jobs),
        )  # fmt: skip
        self.model = self._new_model()
        if eval_set is not None:
            self.eval_set = self.held_out(self.model, eval_set)

    @staticmethod
    def held_out(model: TwoSidedModel, interactions: Any) -> Interactions:
        """Interactions of known users and items."""
        sizes = {}
        if model.user_ids is None:
            sizes = {"n_users": model.users.n_rows, "n_items": model.items.n_rows}
        return check_interactions(
            interactions, user_ids=model.user_ids, item_ids=model.item_ids, unknown="error",
            name="held-out interactions", **sizes,
        )  # fmt: skip

    def run(self, callbacks: Any, *, keeps_history: bool) -> None:
        """Train, and leave the result in the estimator."""
        estimator, model, data = self.estimator, self.model, self.data
        functions = check_callbacks(callbacks)
        train, validation = self._split()
        users, items = self._sides()
        known = _known(model.seen)
        before = estimator.history_ if keeps_history else {}

        def on_epoch(history):
            model.forget_vectors()
            estimator.history_, estimator.n_iter_ = history, len(history["seconds"])
            return any([bool(function(estimator, history)) for function in functions])

        estimator._model, estimator._rng = model, self.rng
        best = None
        if validation is not None:
            patience = None
            if estimator.early_stopping:
                patience = Patience(estimator.n_iter_no_change, estimator.tol or 0.0)
            best = BestEpoch(lambda: self._validate(validation, train), patience)
        result = fit_recommender(
            self.plan, train, known, users, self._contexts(train, users), items, self.rng,
            best=best, on_epoch=on_epoch if functions else None,
        )  # fmt: skip
        model.forget_vectors()
        history = result.history
        estimator.history_ = {name: before.get(name, []) + new for name, new in history.items()}
        estimator.n_iter_ = len(estimator.history_["seconds"])
        if result.best_iter:
            estimator.best_iter_ = result.best_iter
        _forget_cold(model, data)

    def _new_model(self) -> TwoSidedModel:
        estimator, data, known = self.estimator, self.data, self.known
        flags = {
            name: check_bool(getattr(estimator, name), name)
            for name in ("user_identity", "item_identity", "item_interactions")
        }
        users, items = data.kinds(
            user_identity=flags["user_identity"], item_identity=flags["item_identity"]
        )
        given = data.interactions
        seen = given.positives()
        if known is None:
            tables = [start_table(kind.size, self.plan, self.rng) for kind in (users, items)]
        else:
            tables = [
                self._grown(known.user_table, known.users, users),
                self._grown(known.item_table, known.items, items),
            ]
            before = known.seen.copy()
            before.resize(seen.shape)
            seen = sparse.csr_array((before.astype(np.int8) + seen.astype(np.int8)) > 0)
            seen.sort_indices()
        return TwoSidedModel(
            users, items, *tables,
            _rows(users, data.user_features, self.plan.dtype),
            _rows(items, data.item_features, self.plan.dtype),
            flags["item_interactions"], given.user_ids, given.item_ids, seen,
        )  # fmt: skip

    def _grown(self, table: ParameterTable, before: SideKind, now: SideKind) -> ParameterTable:
        """A copy with rows for more users or items."""
        kind = start_table(0, self.plan, self.rng)
        for name, new, old in (
            ("n_factors", kind.n_factors, table.n_factors),
            ("dtype", kind.dtype, table.dtype),
            ("solver", kind.state_start, table.state_start),
            ("solver", kind.n_row_state, table.n_row_state),
            ("identity", now.has_own, before.has_own),
        ):
            if new != old:
                raise ValueError(
                    f"{name} cannot change between fits that go on (warm_start, partial_fit): the "
                    f"model has {old}, now {new} is asked for. Fit anew with warm_start=False."
                )
        grown = start_table(now.size, self.plan, self.rng)
        places = np.arange(table.n_features)
        places[before.n_own :] += now.n_own - before.n_own
        grown.assign(table, places)
        return grown

    def _sides(self) -> tuple[Side, Side]:
        model, dtype = self.model, self.plan.dtype
        users, items = model.users, model.items
        sizes = dict(
            zip(
                GROUPS,
                (users.n_own, users.n_features, users.n_context, items.n_own, items.n_features),
                strict=True,
            )
        )
        of_users = {name: sizes[name] for name in GROUPS[:3]}
        of_items = {name: sizes[name] for name in GROUPS[3:]}
        return (
            Side(model.user_rows, model.user_table,
                 group_strengths(self.strengths, of_users, dtype), users.has_own),
            Side(model.item_rows, model.item_table,
                 group_strengths(self.strengths, of_items, dtype), items.has_own,
                 model.item_interactions),
        )  # fmt: skip

    def _contexts(self, train: Interactions, users: Side):
        context, kind = self.data.context, self.model.users
        empty = np.zeros(0, dtype=np.int32)
        none = CSRRows(np.zeros(1, np.int64), empty, empty.astype(self.plan.dtype), 0)
        shift = np.int32(kind.n_own + kind.n_features)

        def side(order):
            rows = none
            if context is not None:
                rows = context.take(train.source[order])
                rows = replace(rows, indices=(rows.indices + shift).astype(np.int32))
            return replace(users, rows=rows, starts_with_own=False)

        return side

    def _split(self) -> tuple[Interactions, Interactions | None]:
        """What to train on, and what to validate on."""
        data, estimator = self.data.interactions, self.estimator
        if not data.n_positives and estimator.loss != "logistic":
            raise ValueError(
                "No interaction has a weight above 0: there is nothing that anyone chose. "
                'loss="logistic" can learn from explicit negatives alone.'
            )
        if self.eval_set is not None or not estimator.early_stopping:
            return data, self.eval_set
        positives = np.flatnonzero(~data.is_negative)
        seed = int(self.rng.integers(2**31))
        _, held_out = split_by_user(
            data.users[positives], estimator.validation_fraction, random_state=seed
        )
        if not len(held_out):
            raise ValueError(
                f"validation_fraction={estimator.validation_fraction} holds out no interaction: "
                "every user has too few. Give a larger one, or an eval_set."
            )
        is_held_out = np.zeros(len(data), dtype=bool)
        is_held_out[positives[held_out]] = True
        return data.take(np.flatnonzero(~is_held_out)), data.take(np.flatnonzero(is_held_out))

    def _validate(self, validation: Interactions, train: Interactions) -> float:
        """The estimator's metric of the model as it is."""
        estimator, model = self.estimator, self.model
        model.forget_vectors()
        truth = validation.positives()
        chosen = np.unique(validation.users)
        n_jobs = self.plan.n_jobs
        queries = model.query_vectors(chosen, n_jobs=n_jobs)
        items = model.item_vectors(n_jobs)
        seen = train.positives()[chosen]
        truth = sparse.csr_array(truth[chosen])
        if estimator.scoring == "auc":
            return roc_auc(truth, queries, items, hidden=seen, n_jobs=n_jobs)
        lists = seen.indptr.astype(np.int64), seen.indices.astype(np.int32)
        recommended, _ = top_n(queries, items, estimator.top, lists, n_jobs)
        hits, n_true = _hits(_check_truth(truth, len(chosen)), recommended, estimator.top)
        counted = n_true > 0
        if not counted.any():
            raise ValueError("The interactions to validate on hold no positive.")
        function = AT_K[estimator.scoring]
        return float(function(hits[counted], n_true[counted], estimator.top).mean())

    @staticmethod
    def folded_in(estimator: Any, queries: np.ndarray, chosen: sparse.csr_array) -> np.ndarray:
        """Vectors of new users, fitted to what they chose from where their features put them; the
        items are held. The same history gives the same vector."""
        model = estimator._model
        plan = replace(
            checked_plan(estimator), max_iter=_FOLD_IN_EPOCHS, deterministic=False, verbose=0,
            n_jobs=1, schedule="constant",
        )  # fmt: skip
        rng = np.random.default_rng(0)
        table = start_table(len(queries), plan, rng)
        table.coef[...] = 0
        table.factor_vectors[...] = queries[:, :-1]
        strengths = {name: getattr(estimator, name) for name in NAMES}
        side = Side(
            None, table, group_strengths(strengths, {"users": len(queries)}, plan.dtype), True
        )
        none = {"item_features": model.items.n_features, "items": model.items.n_own}
        items = Side(
            model.item_rows, model.item_table, group_strengths(strengths, none, plan.dtype),
            model.items.has_own, model.item_interactions, is_frozen=True,
        )  # fmt: skip
        entries = chosen.tocoo()
        interactions = Interactions(
            entries.row.astype(np.int32), entries.col.astype(np.int32), np.ones(chosen.nnz),
            np.zeros(chosen.nnz, dtype=bool), *chosen.shape, source=np.arange(chosen.nnz),
        )  # fmt: skip
        if len(interactions):
            empty = np.zeros(0, dtype=np.int32)
            none_rows = CSRRows(np.zeros(1, np.int64), empty, empty.astype(plan.dtype), 0)
            contexts = replace(side, rows=none_rows, starts_with_own=False)
            fit_recommender(
                plan, interactions, _known(chosen), side, lambda order: contexts, items, rng
            )
        folded = queries.copy()
        folded[:, :-1] = table.factor_vectors
        return folded


def checked_plan(estimator: Any) -> RankingPlan:
    check_choice(estimator.negatives, "negatives", NEGATIVES)
    check_choice(estimator.scoring, "scoring", SCORINGS)
    check_integer(estimator.top, "top", 1)
    return estimator._checked_plan(LOSSES, negatives=estimator.negatives)


def _rows(kind: SideKind, features: CSRRows | None, dtype: str) -> CSRRows | None:
    rows = rows_of_side(kind, features, dtype)
    return None if rows is None else replace(rows, n_features=kind.size)


def _known(positives: sparse.csr_array) -> Known:
    return Known(
        positives.indptr.astype(np.int64), positives.indices.astype(np.int32), positives.shape[1]
    )


def _forget_cold(model: TwoSidedModel, data: RecommenderData) -> None:
    """Users without interactions were never trained: their own vectors are noise, and go."""
    if not model.users.has_own:
        return
    trained = np.diff(model.seen.indptr) > 0
    trained[data.interactions.users] = True
    cold = np.flatnonzero(~trained)
    model.user_table.vector_blocks[cold] = 0
