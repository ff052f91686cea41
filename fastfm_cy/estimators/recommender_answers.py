"""What a fitted recommender answers: recommendations, scores, neighbours, metrics."""

from __future__ import annotations

from typing import Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..model.recommender import TwoSidedModel
from ..utils.checks import check_bool, check_integer
from .common import as_of_now, no_attribute
from .recommender_queries import RecommenderQueries
from .recommender_tables import FeatureTables


class RecommenderAnswers(BaseEstimator):
    """The questions that one can ask a recommender with a `_model`."""

    _model: TwoSidedModel
    _fold_parameters: dict[str, Any]
    n_jobs: int | None

    @property
    def item_vectors_(self) -> np.ndarray:
        """ndarray of shape (n_items, n_factors + 1) : [q_i, b_i] of the known items."""
        return self._fitted("item_vectors_").item_vectors(effective_n_jobs(self.n_jobs))

    @property
    def user_ids_(self) -> np.ndarray:
        """ndarray of shape (n_users,) : raw ids by number."""
        return self._fitted("user_ids_").known_users

    @property
    def item_ids_(self) -> np.ndarray:
        """ndarray of shape (n_items,) : raw ids by number."""
        return self._fitted("item_ids_").known_items

    def _asked(self, unknown: str = "error") -> RecommenderQueries:
        check_is_fitted(self)
        now = as_of_now(self)
        return RecommenderQueries(
            now._fold_parameters, now._model, FeatureTables(None, now.encoders_),
            effective_n_jobs(now.n_jobs), unknown,
        )  # fmt: skip

    def _fitted(self, attribute: str) -> TwoSidedModel:
        try:
            return vars(self)["_model"]
        except KeyError:
            raise no_attribute(self, attribute) from None

    # Recommending ------------------------------------------------------------------------------

    def query_vectors(
        self, users: Any = None, *, user_features: Any = None, context: Any = None,
        history: Any = None,
    ) -> np.ndarray:  # fmt: skip
        """[q_c, 1] of users or contexts: their inner products with `item_vectors_` are the scores.

        Parameters
        ----------
        users : array of ids, default=None
            Known ones, unless `user_features` or `history` describe them. None: the known users if
            neither is given, else new ones, as many as these have rows.
        user_features : matrix, default=None
            A row a query, in place of what fit had.
        context : matrix, default=None
            A row a query.
        history : sparse matrix of shape (n_queries, n_items), or list of lists of item ids
            What new users have chosen: they are fitted to it, as in training, with all else held.

        Returns
        -------
        ndarray of shape (n_queries, n_factors + 1)
        """
        return self._asked().queries(users, user_features, context, history)[0]

    def recommend(
        self, users: Any = None, n: int = 10, *, filter_seen: bool = True, items: Any = None,
        exclude: Any = None, user_features: Any = None, context: Any = None, history: Any = None,
        item_features: Any = None, unknown: str = "error",
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """The n items of the highest scores of each user, best first.

        Parameters
        ----------
        users : as of `query_vectors`
        n : int, default=10
        filter_seen : bool, default=True
            Leave out what a user chose in training, or in `history`.
        items : array of ids, default=None
            Recommend these only; None is all.
        exclude : array of ids, or sparse matrix of shape (n_queries, n_items), default=None
            Items that nobody, or that each user, shall not get.
        user_features, context, history : as of `query_vectors`
        item_features : as fit takes them, default=None
            New items, described by their features alone, in place of the known ones.
        unknown : {"error", "skip"}, default="error"
            Whether ids that the model does not know are an error that names the first of them, or
            are left out; unknown users then get no items.

        Returns
        -------
        ids : ndarray of shape (n_queries, n)
            Of items; numbers of rows if the items have no ids. Where there are fewer than n, -1,
            or "" if ids are strings.
        scores : ndarray of shape (n_queries, n)
            -infinity there.
        """
        check_integer(n, "n", 1)
        asked = self._asked(unknown)
        queries, seen, is_unknown = asked.queries(users, user_features, context, history)
        if not check_bool(filter_seen, "filter_seen"):
            seen = None
        return asked.best(queries, n, items, item_features, seen, exclude, is_unknown)

    def predict(
        self, users: Any, items: Any, *, user_features: Any = None, context: Any = None
    ) -> np.ndarray:
        """Scores of pairs of users and items.

        Parameters
        ----------
        users, items : arrays of ids of one length
        user_features, context : matrices with a row a pair, default=None

        Returns
        -------
        ndarray of shape (n_pairs,)
        """
        asked = self._asked()
        queries = asked.queries(users, user_features, context, None)[0]
        numbers = asked.item_numbers(items)
        if len(numbers) != len(queries):
            raise ValueError(f"There are {len(queries)} users and {len(numbers)} items.")
        vectors = asked.model.item_vectors(asked.n_jobs)
        return np.einsum("ij,ij->i", queries, vectors[numbers])

    def rank(
        self, users: Any, items: Any, *, user_features: Any = None, context: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The given items for each user, best first.

        Parameters
        ----------
        users : as of `query_vectors`
        items : array of ids
        user_features, context : as of `query_vectors`

        Returns
        -------
        ids : ndarray of shape (n_queries, n_items)
        scores : ndarray of shape (n_queries, n_items)
        """
        n = len(np.unique(np.asarray(items)))
        return self.recommend(
            users, max(1, n), filter_seen=False, items=items, user_features=user_features,
            context=context,
        )  # fmt: skip

    def similar_items(self, items: Any, n: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """The n known items whose vectors have the highest cosine with each of `items`.

        Parameters
        ----------
        items : array of ids
        n : int, default=10

        Returns
        -------
        ids : ndarray of shape (len(items), n)
        cosines : ndarray of shape (len(items), n)
        """
        asked = self._asked()
        vectors = asked.model.item_vectors(asked.n_jobs)[:, :-1]
        return asked.similar(vectors, asked.item_numbers(items), n, asked.model.known_items)

    def similar_users(self, users: Any, n: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """The n known users whose vectors have the highest cosine with each of `users`.

        Parameters
        ----------
        users : array of ids
        n : int, default=10

        Returns
        -------
        ids : ndarray of shape (len(users), n)
        cosines : ndarray of shape (len(users), n)
        """
        asked = self._asked()
        vectors = asked.queries(None, None, None, None)[0][:, :-1]
        return asked.similar(vectors, asked.user_numbers(users), n, asked.model.known_users)

    def score(
        self, interactions: Any, *, metric: str = "ndcg", k: int = 10, unknown: str = "error"
    ) -> float:
        """A metric of the recommendations for held-out interactions.

        Those of training are left out of the lists.

        Parameters
        ----------
        interactions : as of `evaluate`
        metric : str, default="ndcg"
            One of those that `evaluate` gives.
        k, unknown : as of `evaluate`

        Returns
        -------
        float
        """
        report = self.evaluate(interactions, k=k, unknown=unknown)
        if metric not in report:
            raise ValueError(f"metric must be one of {', '.join(report)}; got {metric!r}.")
        return report[metric]

    def evaluate(
        self, interactions: Any, *, k: int = 10, unknown: str = "error"
    ) -> dict[str, float]:
        """All metrics of fastfm_cy.metrics for held-out interactions.

        Parameters
        ----------
        interactions : as fit takes them
        k : int, default=10
            Length of the lists.
        unknown : {"error", "skip"}, default="error"
            Whether interactions of users and items that the model does not know are an error, or
            do not count.

        Returns
        -------
        dict of str: float
            Those of `ranking_report`, and "auc".
        """
        return self._asked(unknown).report(interactions, k, unknown)
