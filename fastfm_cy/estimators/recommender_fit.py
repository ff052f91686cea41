"""Fit of a recommender: from checked data to a trained model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from ..data.interactions import Interactions
from ..metrics.ranking import METRICS, roc_auc
from ..metrics.splits import split_by_user
from ..model.recommender import SideKind, TwoSidedModel, lists_of, rows_of_side
from ..model.sides import Side, no_rows
from ..model.starts import new_key
from ..model.table import ParameterTable
from ..model.top_n import top_n
from ..training.ranking.fit import RankingResult, Watch, fit_recommender
from ..training.ranking.interactions import known_of
from ..training.ranking.losses import RECOMMENDER_LOSSES
from ..utils.checks import check_choice
from .ranking_plan import check_group_names, check_same_kind, group_strengths, resolve_ranking
from .recommender_data import known_interactions, read_recommender_data, with_remembered
from .recommender_tables import FeatureTables

GROUPS = ("users", "user_features", "context", "items", "item_features")

SCORINGS = {**METRICS, "auc": None}
"""Functions of (truth, recommended, k); None is computed from the vectors."""


class RecommenderFit:
    """One fit of an FMRecommender.

    Parameters
    ----------
    params : dict
        The estimator's.
    known : TwoSidedModel or None
        The model to go on with.
    tables : FeatureTables
    rng : numpy.random.Generator
    partial : bool, default=False
        Whether it is one epoch of partial_fit.
    """

    def __init__(
        self, params: dict[str, Any], known: TwoSidedModel | None, tables: FeatureTables,
        rng: np.random.Generator, *, partial: bool = False,
    ) -> None:  # fmt: skip
        self.params, self.known, self.tables, self.rng = params, known, tables, rng
        self.partial = partial
        self.plan = resolve_ranking(params, RECOMMENDER_LOSSES, partial=partial)
        check_group_names(self.plan.strengths, GROUPS)
        check_choice(params["scoring"], "scoring", SCORINGS)
        self.eval_set: Interactions | None = None

    def read(
        self, interactions: Any, user_features: Any, item_features: Any, context: Any,
        sample_weight: Any, eval_set: Any,
    ) -> None:  # fmt: skip
        """Check the data, and start or extend the model."""
        encoded = self.tables.encoded
        self.data = read_recommender_data(
            interactions, encoded("user_features", user_features),
            encoded("item_features", item_features), encoded("context", context), sample_weight,
            self.plan.dtype, self.known, self.plan.n_jobs,
        )  # fmt: skip
        if self.partial and self.plan.loss.is_whole and self.known is not None:
            self.data = with_remembered(self.data, self.known.seen)
        self.model = self._new_model()
        if eval_set is not None:
            self.eval_set = known_interactions(self.model, eval_set)

    def run(self, after: Callable[[dict], bool] | None) -> RankingResult:
        """Train; `after`, a function of the history, is called after each epoch."""
        model = self.model
        train, validation = self._split()
        users, items = self._sides()
        score = None
        if validation is not None:
            truth, seen = validation.positives(), train.positives()
            chosen = np.flatnonzero(np.diff(truth.indptr))
            if not len(chosen):
                raise ValueError("The interactions to validate on hold no positive.")
            truth, seen = sparse.csr_array(truth[chosen]), sparse.csr_array(seen[chosen])

            def score():
                model.forget_vectors()
                return self._score(chosen, truth, seen)

        result = fit_recommender(
            self.plan, train, known_of(model.seen), users, self._contexts(train, users), items,
            self.rng, Watch(score, after),
        )  # fmt: skip
        if not self.plan.loss.is_whole:
            _forget_cold(model)
        return result

    def model_now(self) -> TwoSidedModel:
        """The model for others to see: it shares the tables, but no vectors computed so far."""
        return replace(self.model, _items=None)

    def _score(self, users, truth, seen) -> float:
        """The metric of the model as it is."""
        n_jobs, top = self.plan.n_jobs, self.params["top"]
        queries = self.model.query_vectors(users, n_jobs=n_jobs)
        items = self.model.item_vectors(n_jobs)
        function = SCORINGS[self.params["scoring"]]
        if function is None:
            return roc_auc(truth, queries, items, hidden=seen, n_jobs=n_jobs)
        return function(truth, top_n(queries, items, top, lists_of(seen), n_jobs)[0], top)

    def _new_model(self) -> TwoSidedModel:
        params, data, known = self.params, self.data, self.known
        users, items = data.kinds(
            user_identity=params["user_identity"], item_identity=params["item_identity"]
        )
        given = data.interactions
        seen = given.positives()
        if known is None:
            tables = [
                self.plan.new_table(kind.size, new_key(self.rng), kind.numbers)
                for kind in (users, items)
            ]
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
            users, items, tables[0], tables[1],
            rows_of_side(users, data.user_features, self.plan.dtype),
            rows_of_side(items, data.item_features, self.plan.dtype),
            self.plan.item_interactions, given.user_ids, given.item_ids, seen,
        )  # fmt: skip

    def _grown(self, table: ParameterTable, before: SideKind, now: SideKind) -> ParameterTable:
        """A copy with rows for more users or items."""
        check_same_kind(self.plan, table, {"identity": (now.has_own, before.has_own)})
        key = new_key(self.rng) if table.start_key is None else table.start_key
        grown = self.plan.new_table(now.size, key, now.numbers)
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
                 group_strengths(self.plan.strengths, of_users, dtype), users.has_own),
            Side(model.item_rows, model.item_table,
                 group_strengths(self.plan.strengths, of_items, dtype), items.has_own,
                 model.item_interactions),
        )  # fmt: skip

    def _contexts(self, train: Interactions, users: Side):
        context, kind = self.data.context, self.model.users
        none = no_rows(self.plan.dtype)
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
        data, fraction = self.data.interactions, self.plan.validation_fraction
        if not data.n_positives and not self.plan.loss.learns_from_negatives:
            raise ValueError(
                "No interaction has a weight above 0: there is nothing that anyone chose. "
                'loss="logistic" can learn from explicit negatives alone.'
            )
        if self.eval_set is not None or not self.plan.early_stopping:
            return data, self.eval_set
        positives = np.flatnonzero(~data.is_negative)
        seed = int(self.rng.integers(2**31))
        _, held_out = split_by_user(data.users[positives], fraction, random_state=seed)
        if not len(held_out):
            raise ValueError(
                f"validation_fraction={fraction} holds out no interaction: "
                "every user has too few. Give a larger one, or an eval_set."
            )
        is_held_out = np.zeros(len(data), dtype=bool)
        is_held_out[positives[held_out]] = True
        return data.take(np.flatnonzero(~is_held_out)), data.take(np.flatnonzero(is_held_out))


def _forget_cold(model: TwoSidedModel) -> None:
    """What users and items without any choice learned of their own goes.

    Of users it is noise. Of items it says that nobody chose them, over and over again; where there
    are features, these shall speak.
    """
    if model.users.has_own:
        cold = np.flatnonzero(np.diff(model.seen.indptr) == 0)
        model.user_table.vector_blocks[cold] = 0
    if model.items.has_own and model.items.n_features:
        n_chosen = np.bincount(model.seen.indices, minlength=model.items.n_rows)
        cold = np.flatnonzero(n_chosen == 0)
        model.item_table.vector_blocks[cold] = 0
        model.item_table.linear_blocks[cold, :, 0] = 0
