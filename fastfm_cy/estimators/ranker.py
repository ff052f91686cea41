"""Ranker: a factorization machine that orders the rows of a query, learned from pairs of rows."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.validation import check_is_fitted

from ..data.csr import CSRRows
from ..data.matrix_checks import check_rows, check_rows_and_target
from ..metrics.queries import query_ndcg
from ..model.sides import Side
from ..training.early_stopping import Patience
from ..training.ranking.fit import fit_pairs
from ..training.ranking.pairs import Pairs, given_pairs, pairs_of_queries
from ..training.ranking.plan import LOSSES
from ..training.ranking.sharing import start_table
from ..training.ranking.stopping import BestEpoch
from ..training.regularization import NAMES, check_strengths
from ..utils.checks import check_callbacks, check_choice, check_integer, check_weights
from .ranking_base import BaseRanking

PAIR_LOSSES = {name: LOSSES[name] for name in ("bpr", "hinge", "warp")}
PAIR_SAMPLING = {"sampled": None, "all": None}


class FMRanker(BaseRanking):
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
    max_iter : int >= 1, default=20
        Number of epochs, at most.
    l1_linear, l2_linear, l1_factors, l2_factors : float >= 0 or array, default=0
        As FMClassifier has them, with `feature_groups`.
    feature_groups : int array of shape (n_features,) or None, default=None
    schedule, power_t, adam_betas, ftrl_beta, fit_linear, init_scale, shuffle, dtype, verbose
        As FMClassifier has them.
    early_stopping : bool, default=False
        Stop when NDCG does not rise for `n_iter_no_change` epochs, and go back to the best.
    validation_fraction : float, default=0.1
        Share of the queries to validate on, without an eval_set.
    n_iter_no_change : int, default=5
    tol : float or None, default=0
    top : int, default=10
        How many rows of a query NDCG looks at.
    warm_start : bool, default=False
    n_jobs : int or None, default=None
    deterministic : bool, default=False
        A result that does not depend on n_jobs.
    random_state : int, RandomState or None, default=None

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

    def __init__(
        self, n_factors=8, *, loss="bpr", pair_sampling="sampled", max_sampled=10,
        solver="adagrad", learning_rate=None, schedule="constant", power_t=0.5,
        adam_betas=(0.9, 0.999), ftrl_beta=1.0, max_iter=20, l1_linear=0.0, l2_linear=0.0,
        l1_factors=0.0, l2_factors=0.001, feature_groups=None, fit_linear=True, init_scale=0.1,
        early_stopping=False, validation_fraction=0.1, n_iter_no_change=5, tol=0.0, top=10,
        shuffle="block", warm_start=False, n_jobs=None, deterministic=False, random_state=None,
        verbose=0, dtype="float32",
    ):  # fmt: skip
        self._set_parameters(locals())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = False
        return tags

    @property
    def coef_(self):
        """ndarray of shape (n_features,) : the linear weights w."""
        return self._fitted("coef_").coef

    @property
    def factors_(self):
        """ndarray of shape (n_features, n_factors)."""
        return self._fitted("factors_").factor_vectors

    def _fitted(self, attribute):
        try:
            return vars(self)["_table"]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__} has no {attribute} before it is fitted."
            ) from None

    def fit(
        self, X, y=None, *, qid=None, pairs=None, sample_weight=None, eval_set=None, callbacks=None
    ):
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
        with self._unchanged_on_error():
            goes_on = bool(self.warm_start) and self.__sklearn_is_fitted__()
            self._fit(X, y, qid, pairs, sample_weight, eval_set, callbacks, goes_on, None)
        return self

    def partial_fit(self, X, y=None, *, qid=None, pairs=None, sample_weight=None):
        """Train for one epoch on more rows; parameters as fit's.

        Returns
        -------
        self
        """
        if self.early_stopping:
            raise ValueError(
                "partial_fit trains for one epoch and cannot stop early; set early_stopping=False."
            )
        with self._unchanged_on_error():
            goes_on = self.__sklearn_is_fitted__()
            self._fit(X, y, qid, pairs, sample_weight, None, None, goes_on, 1)
        return self

    def predict(self, X):
        """Scores: within a query, the higher the better.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        check_is_fitted(self)
        rows = check_rows(self, X, self._table.dtype, effective_n_jobs(self.n_jobs))
        return self._scores(rows)

    def score(self, X, y, qid=None):
        """Mean NDCG at `top` over the queries, of relevances >= 0."""
        scores = self.predict(X)
        qid = np.zeros(len(scores), dtype=np.int64) if qid is None else qid
        return query_ndcg(y, scores, qid, self.top)

    def _scores(self, rows: CSRRows) -> np.ndarray:
        side = Side(rows, self._table, interacts=True)
        return side.vectors(rows.n_rows, effective_n_jobs(self.n_jobs))[1]

    def _fit(self, X, y, qid, pairs, sample_weight, eval_set, callbacks, goes_on, max_iter):
        check_choice(self.pair_sampling, "pair_sampling", PAIR_SAMPLING)
        check_integer(self.top, "top", 1)
        plan = self._checked_plan(PAIR_LOSSES)
        if max_iter is not None:
            plan = replace(plan, max_iter=max_iter, schedule="constant")
        functions = check_callbacks(callbacks)
        rows, y = self._checked_rows(X, y, pairs, goes_on)
        rng = copy.deepcopy(self._rng) if goes_on else self._new_rng()
        values = {name: getattr(self, name) for name in NAMES}
        strengths = check_strengths(values, self.feature_groups, rows.n_features, plan.dtype)
        if goes_on:
            table = self._table.copy()
            self._check_same_kind(table, start_table(0, plan, rng))
        else:
            table = start_table(rows.n_features, plan, rng)
        learned, validation = self._pairs(rows, y, qid, pairs, sample_weight, eval_set, rng)
        if self.pair_sampling == "all":
            learned = learned.expanded()
        before = self.history_ if goes_on and max_iter == 1 else {}
        self._table, self._rng = table, rng

        def on_epoch(history):
            self.history_, self.n_iter_ = history, len(history["seconds"])
            return any([bool(function(self, history)) for function in functions])

        best = None
        if validation is not None:
            patience = None
            if self.early_stopping:
                patience = Patience(self.n_iter_no_change, self.tol or 0.0)
            eval_rows, eval_y, eval_qid = validation
            best = BestEpoch(
                lambda: query_ndcg(eval_y, self._scores(eval_rows), eval_qid, self.top), patience
            )
        side = Side(rows, table, strengths, interacts=True)
        result = fit_pairs(
            plan, learned, side, rng, best=best, on_epoch=on_epoch if functions else None
        )
        self.history_ = {name: before.get(name, []) + new for name, new in result.history.items()}
        self.n_iter_ = len(self.history_["seconds"])
        if result.best_iter:
            self.best_iter_ = result.best_iter

    def _checked_rows(self, X, y, pairs, goes_on):
        n_jobs = effective_n_jobs(self.n_jobs)
        if (y is None) == (pairs is None):
            raise ValueError(
                "Give either y (relevances, with qid if there are several queries) or pairs (numbers of "
                "the better and the worse row)."
            )
        target = y if y is not None else np.zeros(_length(X))
        return check_rows_and_target(
            self, X, target, self.dtype, y_numeric=True, n_jobs=n_jobs, reset=not goes_on
        )

    def _check_same_kind(self, table, kind):
        for name, new, old in (
            ("n_factors", kind.n_factors, table.n_factors),
            ("dtype", kind.dtype, table.dtype),
            ("solver", kind.state_start, table.state_start),
            ("solver", kind.n_row_state, table.n_row_state),
        ):
            if new != old:
                raise ValueError(
                    f"{name} cannot change between fits that go on (warm_start, partial_fit): the "
                    f"model has {old}, now {new} is asked for. Fit anew with warm_start=False."
                )

    def _pairs(self, rows, y, qid, pairs, sample_weight, eval_set, rng):
        """(pairs to learn from, (rows, y, qid) to validate on or None)."""
        validation = None
        if eval_set is not None:
            validation = self._checked_eval_set(eval_set)
        if pairs is not None:
            if self.early_stopping and validation is None:
                raise ValueError("early_stopping on pairs needs an eval_set (X, y, qid).")
            if qid is not None:
                raise ValueError("qid belongs to y; pairs say by themselves what is compared.")
            learned = check_pairs(pairs, rows.n_rows, sample_weight, self.dtype)
        else:
            query = check_queries(qid, rows.n_rows)
            weights = check_weights(sample_weight, rows.n_rows)
            if self.early_stopping and validation is None:
                query, validation = self._hold_out(rows, y, query, rng)
                learned = _of_queries(y, query, weights, self.dtype)
            else:
                learned = _of_queries(y, query, weights, self.dtype)
        return learned, validation

    def _hold_out(self, rows, y, query, rng):
        """Queries to validate on get the number -1 among those to train on."""
        numbers = np.unique(query)
        n_held_out = max(1, round(len(numbers) * self.validation_fraction))
        if n_held_out >= len(numbers):
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of {len(numbers)} queries leaves "
                "none to train on; give more queries, or an eval_set."
            )
        held_out = np.isin(query, rng.permutation(numbers)[:n_held_out])
        where = np.flatnonzero(held_out)
        validation = rows.take(where), y[where], query[where]
        return np.where(held_out, -1, query), validation

    def _checked_eval_set(self, eval_set):
        if not isinstance(eval_set, tuple) or len(eval_set) not in (2, 3):
            raise ValueError("eval_set must be a tuple (X, y) or (X, y, qid).")
        X, y, qid = (*eval_set, None)[:3]
        rows, y = check_rows_and_target(
            self, X, y, self.dtype, y_numeric=True, n_jobs=effective_n_jobs(self.n_jobs),
            reset=False, name="eval_set",
        )  # fmt: skip
        if y.min() < 0:
            raise ValueError("eval_set: NDCG wants relevances >= 0.")
        return rows, y, check_queries(qid, rows.n_rows)


def check_queries(qid, n_rows: int) -> np.ndarray:
    """Numbers of the rows' queries, from 0."""
    if qid is None:
        return np.zeros(n_rows, dtype=np.int64)
    qid = np.asarray(qid)
    if qid.shape != (n_rows,):
        raise ValueError(f"qid must hold a query a row, shape ({n_rows},); got {qid.shape}.")
    if qid.dtype.kind == "f" and not np.isfinite(qid).all():
        raise ValueError(f"qid is {qid[~np.isfinite(qid)][0]} in row {np.argmin(np.isfinite(qid))}.")
    return np.unique(qid, return_inverse=True)[1].astype(np.int64)


def check_pairs(pairs, n_rows: int, weights, dtype: str) -> Pairs:
    """Pairs of row numbers that a user gave."""
    pairs = np.asarray(pairs)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise ValueError(
            "pairs must be an int array of shape (n_pairs, 2), the better row before the worse; got "
            f"shape {pairs.shape} of {pairs.dtype}."
        )
    if not len(pairs):
        raise ValueError("pairs is empty: there is nothing to learn from.")
    bad = np.flatnonzero(((pairs < 0) | (pairs >= n_rows)).any(axis=1))
    if bad.size:
        raise ValueError(
            f"pairs has {pairs[bad[0]].tolist()} at {bad[0]}; X has the rows 0 to {n_rows - 1}."
        )
    weights = check_weights(weights, len(pairs))
    kept = slice(None) if weights is None else np.flatnonzero(weights)
    if weights is not None:
        weights = weights[kept].astype(dtype)
        if not len(weights):
            raise ValueError("All pairs have weight 0.")
    better, worse = pairs.T.astype(np.int64)
    return given_pairs(
        np.ascontiguousarray(better[kept]), np.ascontiguousarray(worse[kept]), weights
    )  # fmt: skip


def _of_queries(y, query, weights, dtype) -> Pairs:
    """Pairs within queries; those of number -1 have none."""
    used = np.flatnonzero(query >= 0)
    if weights is not None:
        weights = weights[used].astype(dtype)
    pairs = pairs_of_queries(y[used], query[used], weights)
    if not len(pairs):
        raise ValueError(
            "No query has rows of different relevance (and positive weight): there is nothing to "
            "learn from."
        )
    if len(used) == len(query):
        return pairs
    return Pairs(used[pairs.better], pairs.low, pairs.high, used[pairs.pool], pairs.weights)


def _length(X) -> int:
    return X.shape[0] if hasattr(X, "shape") else len(X)
