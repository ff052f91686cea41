"""Ranker: a factorization machine that orders the rows of a query, learned from pairs of rows."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..data.csr import CSRRows
from ..data.inputs import PlainInput
from ..data.relational_rows import expand_if_relational
from ..data.sample_checks import check_target
from ..metrics.queries import query_ndcg
from ..model.sides import Side
from ..model.starts import new_key
from ..model.table import ParameterTable
from ..training.early_stopping import History
from ..training.ranking.fit import Watch, fit_pairs
from ..training.ranking.losses import PAIR_LOSSES
from ..training.ranking.pairs import Pairs
from ..training.ranking.plan import RankingPlan
from ..training.regularization import check_strengths
from ..utils.checks import check_bool, check_choice
from .common import as_of_now, check_callbacks, new_rng, no_attribute, one_fit, set_parameters
from .intake import check_features
from .ranker_data import RankedRows, check_pairs, check_queries, learned_pairs
from .ranking_plan import check_same_kind, resolve_ranking
from .registry import register

if TYPE_CHECKING:
    from typing_extensions import Self

_NAMES = ("n_features_in_", "feature_names_in_")
PAIR_SAMPLING = {"sampled": False, "all": True}
"""Whether an epoch visits all pairs."""


@register("ranker", "ranking")
class FMRanker(BaseEstimator):
    """Factorization machine that learns to order rows from pairs of a better and a worse one.

    The score is that of a second-order machine [1]_ without its intercept, which no order can tell.

    Parameters
    ----------
    n_factors : int >= 1, default=8
        Length of each feature's factor vector.
    loss : {"bpr", "hinge", "warp"}, default="bpr"
        Of the difference of two scores: logistic [2]_, or hinge; "warp" draws less relevant rows of
        the query until one comes within a margin of 1, and weighs it by the rank that the number of
        draws tells [3]_.
    pair_sampling : {"sampled", "all"}, default="sampled"
        Whether an epoch visits every row of a query once, with a less relevant one drawn for it, or
        every pair of different relevance.
    max_sampled : int >= 1, default=10
        Most rows that "warp" draws.
    solver : {"adagrad", "sgd", "adam", "adamw", "ftrl"}, default="adagrad"
    learning_rate : float > 0 or None, default=None
    schedule, power_t, adam_betas, ftrl_beta : as of `FMClassifier`
    max_iter : int >= 1, default=20
        Number of epochs, at most.
    l1_linear, l2_linear, l1_factors, l2_factors : float >= 0 or array
        As FMClassifier has them, with `feature_groups`. 0 by default, but 0.001 for `l2_factors`.
    feature_groups : int array of shape (n_features,) or None, default=None
    fit_linear, init_scale : as of `FMClassifier`
    early_stopping : bool, default=False
        Stop when NDCG does not rise for `n_iter_no_change` epochs, and go back to the best.
    validation_fraction : float, default=0.1
        Share of the queries to validate on, without an eval_set.
    n_iter_no_change : int, default=5
    tol : float or None, default=0
    top : int, default=10
        How many rows of a query NDCG looks at.
    shuffle : as of `FMClassifier`
    warm_start : bool, default=False
    n_jobs : int or None, default=None
    deterministic : bool, default=False
        A result that does not depend on n_jobs.
    random_state : int, RandomState or None, default=None
    verbose, dtype : as of `FMClassifier`

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    factors_ : ndarray of shape (n_features, n_factors)
    n_iter_, best_iter_ : int
    history_ : dict
        Lists with a number an epoch: "train_loss", "seconds", and "validation_score" (NDCG).
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    .. [1] S. Rendle, "Factorization Machines", ICDM 2010.
    .. [2] S. Rendle, C. Freudenthaler, Z. Gantner, L. Schmidt-Thieme, "BPR: Bayesian Personalized
       Ranking from Implicit Feedback", UAI 2009.
    .. [3] J. Weston, S. Bengio, N. Usunier, "WSABIE: Scaling Up To Large Vocabulary Image
       Annotation", IJCAI 2011.
    """

    _table: ParameterTable
    _rng: np.random.Generator
    history_: History

    def __init__(
        self, n_factors: int = 8, *, loss: str = "bpr", pair_sampling: str = "sampled",
        max_sampled: int = 10, solver: str = "adagrad", learning_rate: float | None = None,
        schedule: str = "constant", power_t: float = 0.5,
        adam_betas: tuple[float, float] = (0.9, 0.999), ftrl_beta: float = 1.0, max_iter: int = 20,
        l1_linear: Any = 0.0, l2_linear: Any = 0.0, l1_factors: Any = 0.0, l2_factors: Any = None,
        feature_groups: Any = None, fit_linear: bool = True, init_scale: float = 0.1,
        early_stopping: bool = False, validation_fraction: float = 0.1, n_iter_no_change: int = 5,
        tol: float | None = 0.0, top: int = 10, shuffle: str | bool = "block",
        warm_start: bool = False, n_jobs: int | None = None, deterministic: bool = False,
        random_state: Any = None, verbose: int = 0, dtype: str = "float32",
    ) -> None:  # fmt: skip
        set_parameters(self, locals())

    def __sklearn_is_fitted__(self) -> bool:
        return "_table" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = False
        return tags

    @property
    def coef_(self) -> np.ndarray:
        """ndarray of shape (n_features,) : the linear weights w."""
        return self._fitted("coef_").coef

    @property
    def factors_(self) -> np.ndarray:
        """ndarray of shape (n_features, n_factors)."""
        return self._fitted("factors_").factor_vectors

    def _fitted(self, attribute: str) -> ParameterTable:
        try:
            return vars(self)["_table"]
        except KeyError:
            raise no_attribute(self, attribute) from None

    def fit(
        self, X: Any, y: Any = None, *, qid: Any = None, pairs: Any = None,
        sample_weight: Any = None, eval_set: Any = None, callbacks: Any = None,
    ) -> Self:  # fmt: skip
        """Train from scratch, or go on if `warm_start`.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_rows, n_features)
        y : array of shape (n_rows,), default=None
            Relevances, compared within a query.
        qid : array of shape (n_rows,), default=None
            The query of each row, in any order; None with y is one query.
        pairs : int array of shape (n_pairs, 2), default=None
            In place of y: numbers of a better and of a worse row.
        sample_weight : array of shape (n_rows,), default=None
            Factors >= 0 on the loss, by the better row; with `pairs` of shape (n_pairs,).
        eval_set : tuple (X, y) or (X, y, qid), default=None
            Rows whose NDCG is followed, of relevances >= 0.
        callbacks : function or list of functions of (estimator, history), default=None

        Returns
        -------
        self
        """
        with one_fit(self):
            goes_on = check_bool(self.warm_start, "warm_start") and self.__sklearn_is_fitted__()
            self._fit(X, y, qid, pairs, sample_weight, eval_set, callbacks, goes_on=goes_on)
        return self

    def partial_fit(
        self, X: Any, y: Any = None, *, qid: Any = None, pairs: Any = None,
        sample_weight: Any = None,
    ) -> Self:  # fmt: skip
        """Train for one epoch on more rows.

        Parameters
        ----------
        X, y, qid, pairs, sample_weight : as of `fit`

        Returns
        -------
        self
        """
        with one_fit(self, "partial_fit"):
            goes_on = self.__sklearn_is_fitted__()
            self._fit(X, y, qid, pairs, sample_weight, goes_on=goes_on, partial=True)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Scores: within a query, the higher the better.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_rows, n_features)

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        check_is_fitted(self)
        now = as_of_now(self)
        now.n_features_in_ = now._table.n_features
        dtype = str(now._table.dtype)
        rows = check_features(now, X, PlainInput(), reset=False, dtype=dtype)
        return now._scores(now._table, expand_if_relational(rows).with_own_columns())

    def score(self, X: Any, y: Any, qid: Any = None) -> float:
        """Mean NDCG at `top` over the queries.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_rows, n_features)
        y : array of shape (n_rows,)
            Relevances >= 0.
        qid : array of shape (n_rows,), default=None
            The query of each row; None is one query.

        Returns
        -------
        float
        """
        scores = self.predict(X)
        qid = np.zeros(len(scores), dtype=np.int64) if qid is None else qid
        return query_ndcg(y, scores, qid, self.top)

    def _scores(self, table: ParameterTable, rows: CSRRows) -> np.ndarray:
        side = Side(rows, table, interacts=True)
        return side.vectors(rows.n_rows, effective_n_jobs(self.n_jobs))[1]

    def _ndcg(self, table: ParameterTable, held_out: RankedRows) -> float:
        scores = self._scores(table, held_out.rows)
        return query_ndcg(held_out.y, scores, held_out.query, self.top)

    def _fit(
        self, X: Any, y: Any, qid: Any, pairs: Any, sample_weight: Any, eval_set: Any = None,
        callbacks: Any = None, *, goes_on: bool, partial: bool = False,
    ) -> None:  # fmt: skip
        params = self.get_params(deep=False)
        plan = resolve_ranking(params, PAIR_LOSSES, partial=partial)
        check_choice(self.pair_sampling, "pair_sampling", PAIR_SAMPLING)
        functions = check_callbacks(callbacks)
        rng = copy.deepcopy(self._rng) if goes_on else new_rng(self.random_state)
        # A copy learns the features' names, which predictions in other threads must not see yet.
        checked = as_of_now(self)
        rows, y = checked._checked_rows(X, y, pairs, qid, reset=not goes_on)
        if goes_on:
            check_same_kind(plan, self._table)
            if rows.n_features != self._table.n_features:
                raise ValueError(
                    f"X has {rows.n_features} features, the model {self._table.n_features}."
                )
            table = self._table.copy()
        else:
            table = plan.new_table(rows.n_features, new_key(rng))
        learned, validation = checked._pairs(
            rows, y, qid, pairs, sample_weight, eval_set, plan, rng
        )
        strengths = check_strengths(
            plan.strengths, self.feature_groups, rows.n_features, plan.dtype
        )
        before = self.history_ if goes_on and partial else {}

        def publish() -> None:
            names = {name: vars(checked)[name] for name in _NAMES if name in vars(checked)}
            for name in {"best_iter_", *_NAMES} - names.keys():
                self.__dict__.pop(name, None)
            self.__dict__.update(_table=table, _rng=rng, **names)

        def after(history: History) -> bool:
            publish()
            self.history_, self.n_iter_ = history, len(history["seconds"])
            stops = [bool(function(self, history)) for function in functions]
            return any(stops)

        result = fit_pairs(
            plan, learned, Side(rows, table, strengths, interacts=True), rng,
            Watch(
                functools.partial(self._ndcg, table, validation) if validation else None,
                after if functions else None,
            ),
        )  # fmt: skip
        publish()
        self.history_ = {name: before.get(name, []) + new for name, new in result.history.items()}
        self.n_iter_ = len(self.history_["seconds"])
        if result.best_iter:
            self.best_iter_ = result.best_iter

    def _checked_rows(
        self, X: Any, y: Any, pairs: Any, qid: Any, *, reset: bool
    ) -> tuple[CSRRows, Any]:
        if (y is None) == (pairs is None):
            raise ValueError(
                "Give either y (relevances, with qid if there are several queries) or pairs "
                "(numbers of the better and the worse row)."
            )
        if pairs is not None and qid is not None:
            raise ValueError("qid belongs to y; pairs say by themselves what is compared.")
        rows = check_features(self, X, PlainInput(), reset=reset, dtype=self.dtype)
        rows = expand_if_relational(rows).with_own_columns()
        return rows, y if y is None else check_target(y, X, is_numeric=True)

    def _pairs(
        self, rows: CSRRows, y: Any, qid: Any, pairs: Any, sample_weight: Any, eval_set: Any,
        plan: RankingPlan, rng: np.random.Generator,
    ) -> tuple[Pairs, RankedRows | None]:  # fmt: skip
        """(pairs to learn from, rows to validate on or None)."""
        validation = None if eval_set is None else self._checked_eval_set(eval_set)
        if pairs is not None:
            if plan.early_stopping and validation is None:
                raise ValueError("early_stopping on pairs needs an eval_set (X, y, qid).")
            return check_pairs(pairs, rows.n_rows, sample_weight, plan.dtype), validation
        query = check_queries(qid, rows.n_rows)
        holds_out = plan.early_stopping and validation is None
        learned, held_out = learned_pairs(
            rows, y, query, sample_weight, plan, rng if holds_out else None
        )
        if PAIR_SAMPLING[self.pair_sampling]:
            learned = learned.expanded()
        return learned, held_out or validation

    def _checked_eval_set(self, eval_set: Any) -> RankedRows:
        if not isinstance(eval_set, tuple) or len(eval_set) not in (2, 3):
            raise ValueError("eval_set must be a tuple (X, y) or (X, y, qid).")
        X, y, qid = (*eval_set, None)[:3]
        rows = check_features(self, X, PlainInput(), reset=False, dtype=self.dtype, name="eval_set")
        y = check_target(y, X, is_numeric=True)
        if y.min() < 0:
            raise ValueError("eval_set: NDCG wants relevances >= 0.")
        rows = expand_if_relational(rows).with_own_columns()
        return RankedRows(rows, y, check_queries(qid, rows.n_rows))
