"""Questions to a recommender: from ids, features and histories to vectors and candidates."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from ..data.csr import CSRRows
from ..data.interactions import Ids, check_ids, check_interactions
from ..data.side_features import check_any, split_ids
from ..metrics.ranking import ranking_report, roc_auc
from ..model.recommender import TwoSidedModel, lists_of
from ..model.top_n import top_n
from ..utils.checks import check_choice, check_integer
from .folding import folded_in
from .recommender_data import known_interactions
from .recommender_tables import FeatureTables


class RecommenderQueries:
    """What the methods of FMRecommender share.

    Parameters
    ----------
    params : dict
        What the estimator was fitted with, to fold in histories.
    model : TwoSidedModel
    tables : FeatureTables
    n_jobs : int
    unknown : {"error", "skip"}, default="error"
        What is done about ids that the model does not know.
    """

    def __init__(
        self, params: dict[str, Any], model: TwoSidedModel, tables: FeatureTables, n_jobs: int,
        unknown: str = "error",
    ) -> None:  # fmt: skip
        self.params, self.model, self.tables, self.n_jobs = params, model, tables, n_jobs
        self.skips = check_choice(unknown, "unknown", {"error": False, "skip": True})

    def user_numbers(self, users: Any, may_be_new: bool = False) -> np.ndarray:
        """Numbers of raw ids; -1 for new ones, if there may be any."""
        model = self.model
        may_be_new = may_be_new or self.skips
        return _numbers(users, model.user_ids, model.users.n_rows, "user", may_be_new)

    def item_numbers(self, items: Any, what: str = "item") -> np.ndarray:
        """Numbers of raw ids, without those that are to be skipped."""
        model = self.model
        numbers = _numbers(items, model.item_ids, model.items.n_rows, what, self.skips)
        return numbers[numbers >= 0]

    def queries(self, users, user_features, context, history):
        """(vectors of the queries, what each has seen, whether it is of an unknown user)."""
        model, n_jobs = self.model, self.n_jobs
        features = contexts = numbers = None
        if user_features is not None:
            features = self.row_features(user_features, model.users.n_features, "user_features")
        if context is not None:
            contexts = self.row_features(context, model.users.n_context, "context")
        chosen = None if history is None else self.history(history)
        if users is not None:
            numbers = self.user_numbers(users, features is not None or chosen is not None)
        elif features is None and chosen is None:
            numbers = np.arange(model.users.n_rows)
        given = {"users": numbers, "user_features": features, "context": contexts}
        sizes = {name: _n_rows(what) for name, what in given.items() if what is not None}
        if chosen is not None:
            sizes["history"] = chosen.shape[0]
        if len(set(sizes.values())) > 1:
            raise ValueError(f"There must be a row a query; got {sizes}.")
        n = next(iter(sizes.values()))
        if numbers is None and features is None:
            numbers = np.full(n, -1)
        queries = model.query_vectors(numbers, features, contexts, n_jobs)
        seen = chosen if numbers is None else model.kept(numbers)
        if chosen is not None:
            queries = folded_in(self.params, model, queries, chosen)
            seen = chosen
        is_unknown = np.zeros(n, dtype=bool)
        if features is None and chosen is None:
            is_unknown = numbers < 0
        return queries, seen, is_unknown

    def row_features(self, features, n_features, name):
        _, matrix = split_ids(self.tables.encoded(name, features), name)
        rows = check_any(matrix, str(self.model.item_table.dtype), name)
        if rows.n_features != n_features:
            raise ValueError(f"{name} has {rows.n_features} columns; fit had {n_features}.")
        return rows

    def history(self, history):
        """A boolean CSR matrix of queries x items."""
        model = self.model
        shape_items = model.items.n_rows
        if sparse.issparse(history):
            if history.shape[1] != shape_items:
                raise ValueError(f"history has {history.shape[1]} items, not {shape_items}.")
            given = check_interactions(history, name="history")
            return given.positives()
        lists = [check_ids(one, "history: item") for one in history]
        numbers = [self.item_numbers(one, f"history {row}: item") for row, one in enumerate(lists)]
        columns = np.concatenate([*numbers, np.zeros(0, dtype=np.int64)])
        rows = np.repeat(np.arange(len(lists)), [len(one) for one in numbers])
        matrix = sparse.csr_array(
            (np.ones(len(rows), dtype=bool), (rows, columns)), shape=(len(lists), shape_items)
        )
        matrix.sum_duplicates()
        matrix.sort_indices()
        return matrix

    def candidates(self, items, item_features):
        """(vectors, ids or None, numbers of known items or None for all)."""
        model, n_jobs = self.model, self.n_jobs
        if item_features is not None:
            if items is not None:
                raise ValueError("Give either items or item_features, not both.")
            ids, _ = split_ids(item_features, "item_features")
            rows = self.row_features(item_features, model.items.n_features, "item_features")
            if not model.items.n_features:
                raise ValueError("The model has no item features.")
            return model.vectors_of_new_items(rows, n_jobs), ids, None
        if items is None:
            return model.item_vectors(n_jobs), model.known_items, None
        numbers = np.unique(self.item_numbers(items))
        return model.item_vectors(n_jobs)[numbers], model.known_items[numbers], numbers

    def best(
        self, queries: np.ndarray, n: int, items: Any, item_features: Any,
        seen: sparse.csr_array | None, exclude: Any, is_unknown: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """(ids, scores) of the n best candidates of each query."""
        vectors, ids, numbers = self.candidates(items, item_features)
        hidden = None
        if item_features is None:
            hidden = self.hidden(seen, exclude, len(queries), numbers)
        places, scores = top_n(queries, vectors, n, hidden, self.n_jobs)
        places[is_unknown], scores[is_unknown] = -1, -np.inf
        return _at(np.arange(len(vectors)) if ids is None else ids, places), scores

    def hidden(self, seen, exclude, n_queries, numbers):
        """Lists of the candidates that each query shall not get, or None."""
        model = self.model
        hidden = None if seen is None else seen.astype(np.int8)
        if sparse.issparse(exclude):
            if exclude.shape != (n_queries, model.items.n_rows):
                raise ValueError(
                    f"exclude has shape {exclude.shape}, not {(n_queries, model.items.n_rows)}."
                )
            more = sparse.csr_array(exclude != 0).astype(np.int8)
            hidden = more if hidden is None else hidden + more
        elif exclude is not None:
            out = self.item_numbers(exclude, "exclude: item")
            more = sparse.csr_array(
                (np.ones(n_queries * len(out), np.int8),
                 (np.repeat(np.arange(n_queries), len(out)), np.tile(out, n_queries))),
                shape=(n_queries, model.items.n_rows),
            )  # fmt: skip
            hidden = more if hidden is None else hidden + more
        if hidden is None:
            return None
        hidden = sparse.csr_array(hidden)
        if numbers is not None:
            hidden = sparse.csr_array(hidden[:, numbers])
        hidden.sum_duplicates()
        hidden.sort_indices()
        return lists_of(hidden)

    def report(self, interactions: Any, k: int, unknown: str) -> dict[str, float]:
        """All metrics for held-out interactions."""
        model, n_jobs = self.model, self.n_jobs
        truth = known_interactions(model, interactions, unknown).positives()
        if not truth.nnz:
            raise ValueError("There is no held-out interaction that anyone chose to compare with.")
        queries = model.query_vectors(np.arange(model.users.n_rows), n_jobs=n_jobs)
        items, seen = model.item_vectors(n_jobs), model.seen
        lists = top_n(queries, items, k, lists_of(seen), n_jobs)[0]
        report = ranking_report(truth, lists, k)
        return report | {"auc": roc_auc(truth, queries, items, hidden=seen, n_jobs=n_jobs)}

    def similar(self, vectors, numbers, n, ids):
        check_integer(n, "n", 1)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = vectors / np.where(norms > 0, norms, 1)
        own = np.arange(len(numbers) + 1), numbers.astype(np.int32)
        places, cosines = top_n(unit[numbers], unit, n, own, self.n_jobs)
        return _at(ids, places), cosines


def _n_rows(what: np.ndarray | CSRRows) -> int:
    return what.n_rows if isinstance(what, CSRRows) else len(what)


def _at(ids: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Ids at places, and none at -1."""
    nothing = "" if ids.dtype.kind in "US" else -1
    if not len(ids):
        return np.full(places.shape, nothing)
    if ids.dtype.kind == "u":
        ids = ids.astype(np.int64)
    return np.where(places >= 0, ids[places], np.array(nothing).astype(ids.dtype))


def _numbers(
    raw: Any, ids: Ids | None, n_known: int, what: str, may_be_new: bool = False
) -> np.ndarray:
    """Numbers of raw ids; -1 for new ones, if there may be any."""
    raw = np.atleast_1d(check_ids(np.atleast_1d(raw), what))
    if ids is None:
        if raw.dtype.kind not in "iu" and len(raw):
            raise TypeError(f"{what}s of a model that was fitted on a matrix are numbers.")
        raw = raw.astype(np.int64)
        numbers = np.where((raw >= 0) & (raw < n_known), raw, -1)
    else:
        numbers = ids.numbers_of(raw)
    if not may_be_new and (numbers < 0).any():
        row = int(np.argmax(numbers < 0))
        raise ValueError(f"{what} {raw[row : row + 1].tolist()[0]!r} (row {row}) is unknown.")
    return numbers
