"""What commands do with rankers and recommenders."""

import sys

import numpy as np

from ..estimators.ranker import FMRanker
from ..estimators.ranking_plan import resolve_ranking
from ..estimators.recommender import FMRecommender
from ..io import read_interactions
from ..io.data_files.interactions import whole_numbers
from ..training.ranking.losses import PAIR_LOSSES, RECOMMENDER_LOSSES
from .data import matrix_of, standard_input
from .files import STANDARD

RANKING = (FMRanker, FMRecommender)


def check_ranking(estimator) -> None:
    """Raise what fit would raise of the parameters, whatever the data."""
    losses = PAIR_LOSSES if isinstance(estimator, FMRanker) else RECOMMENDER_LOSSES
    resolve_ranking(estimator.get_params(deep=False), losses)


# Rankers -----------------------------------------------------------------------------------------


def query_of(data):
    """The queries of a ranker's rows; all are of one if the file has none."""
    return np.zeros(data.X.shape[0], dtype=np.int64) if data.query is None else data.query


def fit_ranker(ranker, data, y, held_out, callback) -> dict:
    """Train a ranker; what to tell of it."""
    eval_set = None
    if held_out is not None:
        eval_set = matrix_of(held_out, ranker), np.asarray(held_out.y), query_of(held_out)
    weights = None if data.weights is None else np.asarray(data.weights)
    ranker.fit(
        matrix_of(data, ranker), y, qid=query_of(data), sample_weight=weights, eval_set=eval_set,
        callbacks=callback,
    )  # fmt: skip
    return {} if held_out is None else {"validation_ndcg": ranker.score(*eval_set)}


# Recommenders ------------------------------------------------------------------------------------


def interactions_of(sources, weights, like=None):
    """(users, items[, weights]) of files; ids as text or numbers, as those of a model or array."""
    files = [standard_input() if source == STANDARD else source for source in sources]
    if like is None:
        return read_interactions(files, weights=weights)
    users, items, *numbers = read_interactions(files, weights=weights, as_text=True)
    return ids_like(users, like[0], "user"), ids_like(items, like[1], "item"), *numbers


def ids_like(ids, known, what):
    """Texts as ids of a model's kind."""
    ids = np.asarray(ids, dtype=str)
    if known.dtype.kind in "US":
        return ids
    numbers = whole_numbers(ids)
    if len(numbers) and numbers.dtype.kind == "U":
        bad = next(one for one in ids.tolist() if whole_numbers(np.array([one])).dtype.kind == "U")
        raise ValueError(f"The model's {what}s are whole numbers; {bad!r} is none.")
    return numbers.astype(np.int64)


def fit_recommender(recommender, train, valid, callback) -> dict:
    """Train a recommender on interactions; what to tell of it."""
    if valid is not None:
        valid = _of_known(valid, train)
    recommender.fit(train, eval_set=valid, callbacks=callback)
    return {} if valid is None else prefixed(recommender.evaluate(valid), "validation_")


def describe_interactions(columns) -> dict:
    users, items = columns[:2]
    return {
        "interactions": len(users), "users": len(np.unique(users)), "items": len(np.unique(items)),
        "explicit_negatives": int((columns[2] <= 0).sum()) if len(columns) > 2 else 0,
    }  # fmt: skip


def prefixed(facts, prefix) -> dict:
    return {f"{prefix}{name}": float(value) for name, value in facts.items()}


def evaluate_recommender(recommender, columns, k) -> dict:
    """All metrics for interactions; those of users and items that are unknown do not count."""
    known = recommender.user_ids_, recommender.item_ids_
    columns = _of_known(columns, known)
    facts = {"interactions": len(columns[0]), "k": k}
    return facts | prefixed(recommender.evaluate(columns, k=k), "")


def _of_known(columns, known):
    kept = np.isin(columns[0], known[0]) & np.isin(columns[1], known[1])
    if not kept.all():
        print(
            f"left out {int((~kept).sum())} of {len(kept)} held-out interactions, whose users or "
            "items the model does not know",
            file=sys.stderr,
        )
    if not kept.any():
        raise ValueError("The model knows the user and the item of no held-out interaction.")
    return tuple(column[kept] for column in columns)


def facts_of_recommender(recommender) -> dict:
    """Its size, for inspect."""
    model = recommender._model
    return {
        "users": model.users.n_rows, "items": model.items.n_rows,
        "user_features": model.users.n_features, "item_features": model.items.n_features,
        "context_features": model.users.n_context, "interactions": int(model.seen.nnz),
    }  # fmt: skip
