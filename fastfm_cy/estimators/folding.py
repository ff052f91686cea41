"""Folding in: vectors of new users, fitted to what they chose, with all else held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from ..data.interactions import Interactions
from ..model.recommender import TwoSidedModel
from ..model.sides import Side, no_rows
from ..training.ranking.fit import fit_recommender
from ..training.ranking.interactions import known_of
from ..training.ranking.losses import RECOMMENDER_LOSSES
from ..training.regularization import NAMES
from ..training.whole_data.fold_in import best_vectors
from .ranking_plan import group_strengths, resolve_ranking

_EPOCHS = 30
_NO_PART = ("encoders", "random_state", "warm_start", "verbose", "n_jobs", "scoring")


def fold_parameters(params: dict[str, Any]) -> dict[str, Any]:
    """Of an FMRecommender's parameters, those that a model must keep to fold users in."""
    return {name: value for name, value in params.items() if name not in _NO_PART}


def folded_in(
    params: dict[str, Any], model: TwoSidedModel, queries: np.ndarray, chosen: sparse.csr_array
) -> np.ndarray:
    """Queries, each fitted to its history from where its features put it.

    The loss and the solver are those of `params`, the model's fold_parameters; with a loss over
    whole data the solution is exact. The same histories
    give the same vectors.

    Parameters
    ----------
    queries : array of shape (n_queries, n_factors + 1)
    chosen : boolean csr_array of shape (n_queries, n_items)
    """
    folded = queries.copy()
    if not chosen.nnz:
        return folded
    fresh = {
        "max_iter": _EPOCHS, "early_stopping": False, "deterministic": False, "n_jobs": 1,
        "schedule": "constant", "verbose": 0,
    }  # fmt: skip
    plan, rng = resolve_ranking(params | fresh, RECOMMENDER_LOSSES), np.random.default_rng(0)
    of_users = group_strengths(plan.strengths, {"users": len(queries)}, plan.dtype)
    if plan.whole_data is not None:
        chosen_ever = np.bincount(model.seen.indices, minlength=model.items.n_rows) > 0
        strength = float(of_users.values[0, NAMES.index("l2_factors")])
        folded[:, :-1] = best_vectors(
            plan.whole_data, queries, model.item_vectors(), chosen, chosen_ever, strength
        )
        return folded
    table = plan.new_table(len(queries), key=0)
    table.factor_vectors[...] = queries[:, :-1]
    users = Side(None, table, of_users, True)
    sizes = {"items": model.items.n_own, "item_features": model.items.n_features}
    items = Side(
        model.item_rows, model.item_table, group_strengths(plan.strengths, sizes, plan.dtype),
        model.items.has_own, model.item_interactions, is_frozen=True,
    )  # fmt: skip
    contexts = replace(users, rows=no_rows(plan.dtype), starts_with_own=False)
    entries, n = chosen.tocoo(), chosen.nnz
    interactions = Interactions(
        entries.row.astype(np.int32), entries.col.astype(np.int32), np.ones(n),
        np.zeros(n, dtype=bool), chosen.shape[0], chosen.shape[1], source=np.arange(n),
    )  # fmt: skip
    fit_recommender(plan, interactions, known_of(chosen), users, lambda order: contexts, items, rng)
    folded[:, :-1] = table.factor_vectors
    return folded
