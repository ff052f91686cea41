"""Data of a recommender's fit: everything that users pass in, checked and numbered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from ..data.csr import CSRRows
from ..data.interactions import Ids, Interactions, check_interactions
from ..data.side_features import check_any, check_features, split_ids
from ..model.recommender import SideKind, TwoSidedModel


@dataclass(frozen=True)
class RecommenderData:
    """Interactions, and the features of their sides."""

    interactions: Interactions
    user_features: CSRRows | None
    item_features: CSRRows | None
    context: CSRRows | None

    def kinds(self, *, user_identity: bool, item_identity: bool) -> tuple[SideKind, SideKind]:
        """What the features of users (contexts included) and of items are."""
        given = self.interactions
        users = SideKind(
            given.n_users, _width(self.user_features), _width(self.context), user_identity
        )
        items = SideKind(given.n_items, _width(self.item_features), 0, item_identity)
        for kind, side in ((users, "user"), (items, "item")):
            if not kind.size:
                raise ValueError(
                    f"{side}_identity=False leaves nothing to tell {side}s apart; give "
                    f"{side}_features."
                )
        return users, items


def read_recommender_data(
    interactions: Any, user_features: Any, item_features: Any, context: Any, sample_weight: Any,
    dtype: str, known: TwoSidedModel | None, n_jobs: int,
) -> RecommenderData:  # fmt: skip
    """Check all that fit takes; `known` is the model so far, whose numbers stay."""
    user_ids, item_ids = (known.user_ids, known.item_ids) if known else (None, None)
    given = check_interactions(
        interactions, sample_weight, user_ids=user_ids, item_ids=item_ids, merge=context is None,
        **_sizes(known),
    )  # fmt: skip
    given = _with_ids_of_features(given, user_features, item_features)
    if not given.n_users or not given.n_items:
        raise ValueError(
            f"interactions of {given.n_users} users and {given.n_items} items; there must be some "
            "of both."
        )
    if not len(given):
        raise ValueError("There are no interactions with a positive weight to learn from.")
    users = items = contexts = None
    if user_features is not None:
        users = check_features(
            user_features, given.user_ids, given.n_users, dtype, "user_features", n_jobs
        )
    if item_features is not None:
        items = check_features(
            item_features, given.item_ids, given.n_items, dtype, "item_features", n_jobs
        )
    if context is not None:
        contexts = check_any(context, dtype, "context", n_jobs)
        n_given = _n_given(interactions)
        if contexts.n_rows != n_given:
            raise ValueError(
                f"context has {contexts.n_rows} rows; there are {n_given} interactions."
            )
    if known:
        _check_same_features(known, users, items, contexts)
    return RecommenderData(given, users, items, contexts)


def with_remembered(data: RecommenderData, seen: sparse.csr_array) -> RecommenderData:
    """With all positives of earlier calls, too, of weight 1, for losses that would otherwise take
    them for pairs that were not observed; what is given now says what a pair is."""
    given = data.interactions
    if data.context is not None:
        raise ValueError(
            "partial_fit: this loss looks at all interactions, and the contexts of the earlier "
            "ones are not remembered. Use fit with warm_start=True and all of them."
        )
    before = seen.tocoo()
    key = given.users.astype(np.int64) * given.n_items + given.items
    is_new = ~np.isin(before.row.astype(np.int64) * given.n_items + before.col, key)
    users, items = before.row[is_new], before.col[is_new]
    none = np.full(len(users), -1)
    interactions = replace(
        given, users=np.concatenate([given.users, users]).astype(np.int32),
        items=np.concatenate([given.items, items]).astype(np.int32),
        weights=np.concatenate([given.weights, np.ones(len(users))]),
        is_negative=np.concatenate([given.is_negative, np.zeros(len(users), dtype=bool)]),
        source=None if given.source is None else np.concatenate([given.source, none]),
    )  # fmt: skip
    return replace(data, interactions=interactions)


def known_interactions(
    model: TwoSidedModel, interactions: Any, unknown: str = "error"
) -> Interactions:
    """Held-out interactions, of known users and items; what others have is an error or skipped."""
    return check_interactions(
        interactions, user_ids=model.user_ids, item_ids=model.item_ids, unknown=unknown,
        name="held-out interactions", **_sizes(model),
    )  # fmt: skip


def _sizes(model: TwoSidedModel | None) -> dict[str, Any]:
    """How many users and items there are, where these are rows and columns of a matrix."""
    if model is None or model.user_ids is not None:
        return {}
    return {"n_users": model.users.n_rows, "n_items": model.items.n_rows}


def _n_given(interactions: Any) -> int:
    if hasattr(interactions, "nnz"):
        return interactions.nnz
    return len(interactions[0]) if isinstance(interactions, tuple | list) else len(interactions)


def _with_ids_of_features(
    given: Interactions, user_features: Any, item_features: Any
) -> Interactions:
    """Users and items that only features know are there, too, without interactions."""
    user_ids, item_ids = given.user_ids, given.item_ids
    if user_ids is None or item_ids is None:
        return given
    if user_features is not None:
        raw, _ = split_ids(user_features, "user_features")
        user_ids = user_ids if raw is None else _grown(user_ids, raw, "user_features")
    if item_features is not None:
        raw, _ = split_ids(item_features, "item_features")
        item_ids = item_ids if raw is None else _grown(item_ids, raw, "item_features")
    return Interactions(
        given.users, given.items, given.weights, given.is_negative, len(user_ids), len(item_ids),
        user_ids, item_ids, given.source,
    )  # fmt: skip


def _grown(ids: Ids, raw: np.ndarray, name: str) -> Ids:
    try:
        return ids.grown(raw)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None


def _check_same_features(
    known: TwoSidedModel, users: CSRRows | None, items: CSRRows | None, contexts: CSRRows | None
) -> None:
    for name, rows, before in (
        ("user_features", users, known.users.n_features),
        ("item_features", items, known.items.n_features),
        ("context", contexts, known.users.n_context),
    ):
        now = _width(rows)
        if now != before:
            raise ValueError(
                f"{name} has {now} columns; the model was fitted with {before}."
                if now and before
                else f"{name} must {'' if before else 'not '}be given, as in the first fit."
            )


def _width(rows: CSRRows | None) -> int:
    return 0 if rows is None else rows.n_features
