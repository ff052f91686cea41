"""Ranking metrics at k: how well lists of items meet what users chose.

All take `truth`, a sparse matrix of users x items with a non-zero where the user chose the item,
and `recommended`, an int array of shape (n_users, n) of item numbers, best first, -1 where there
are fewer than n. Users without a choice are left out. Nothing of size users x items is made.

An item is relevant or not (binary gains), and each user counts alike.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from ..model.top_n import areas_under_curve
from ..utils.checks import check_integer


def precision_at_k(truth, recommended, k: int = 10, *, per_user: bool = False):
    """Share of the first k places that hold a chosen item; empty places count as wrong.

    Parameters
    ----------
    truth : sparse matrix of shape (n_users, n_items)
    recommended : int array of shape (n_users, n), n >= k
    k : int, default=10
    per_user : bool, default=False
        Return an array of shape (n_users,), NaN for users without a choice, not their mean.

    Returns
    -------
    float or ndarray
    """
    return _metric(_precision, truth, recommended, k, per_user)


def recall_at_k(truth, recommended, k: int = 10, *, per_user: bool = False):
    """Share of the chosen items that are among the first k.

    Parameters
    ----------
    truth, recommended, k, per_user : as of `precision_at_k`

    Returns
    -------
    float or ndarray
    """
    return _metric(_recall, truth, recommended, k, per_user)


def ndcg_at_k(truth, recommended, k: int = 10, *, per_user: bool = False):
    """Normalised discounted cumulative gain.

    1 / log2(1 + place) a hit, over that of the best list [1]_.

    Parameters
    ----------
    truth, recommended, k, per_user : as of `precision_at_k`

    Returns
    -------
    float or ndarray

    References
    ----------
    .. [1] K. Järvelin, J. Kekäläinen, "Cumulated Gain-based Evaluation of IR Techniques", ACM TOIS
       20(4), 2002.
    """
    return _metric(_ndcg, truth, recommended, k, per_user)


def average_precision_at_k(truth, recommended, k: int = 10, *, per_user: bool = False):
    """Sum of the precisions at the hits' places, over min(k, chosen items).

    The mean over users is MAP.

    Parameters
    ----------
    truth, recommended, k, per_user : as of `precision_at_k`

    Returns
    -------
    float or ndarray
    """
    return _metric(_average_precision, truth, recommended, k, per_user)


def reciprocal_rank_at_k(truth, recommended, k: int = 10, *, per_user: bool = False):
    """1 / place of the first hit, 0 without one: the mean over users is MRR.

    Parameters
    ----------
    truth, recommended, k, per_user : as of `precision_at_k`

    Returns
    -------
    float or ndarray
    """
    return _metric(_reciprocal_rank, truth, recommended, k, per_user)


def hit_rate_at_k(truth, recommended, k: int = 10, *, per_user: bool = False):
    """Whether any of the first k was chosen.

    Parameters
    ----------
    truth, recommended, k, per_user : as of `precision_at_k`

    Returns
    -------
    float or ndarray
    """
    return _metric(_hit_rate, truth, recommended, k, per_user)


def catalogue_coverage(recommended, n_items: int, k: int = 10) -> float:
    """Share of the items that are among the first k of any user.

    Parameters
    ----------
    recommended : int array of shape (n_users, n), n >= k
    n_items : int
        How many there are.
    k : int, default=10

    Returns
    -------
    float
    """
    lists = _check_lists(recommended, k)[:, :k]
    return len(np.unique(lists[lists >= 0])) / check_integer(n_items, "n_items", 1)


def roc_auc(truth, queries, items, *, hidden=None, n_jobs: int = 1, per_user: bool = False):
    """Area under the ROC curve.

    The share of pairs of a chosen and another item that are in order, ties for half.

    Parameters
    ----------
    truth : sparse matrix of shape (n_users, n_items)
    queries : array of shape (n_users, n_dimensions)
    items : array of shape (n_items, n_dimensions)
        Their inner products are the scores, as a recommender's `query_vectors` and `item_vectors_`.
    hidden : sparse matrix of shape (n_users, n_items), default=None
        Items that are no candidates, such as those of the training part.
    n_jobs : int, default=1
    per_user : bool, default=False

    Returns
    -------
    float or ndarray
    """
    chosen = _check_truth(truth, len(queries))
    if chosen.shape[1] != len(items):
        raise ValueError(f"truth has {chosen.shape[1]} items, there are {len(items)} vectors.")
    lists = None
    if hidden is not None:
        hidden = _check_truth(hidden, len(queries), "hidden")
        chosen = _less(chosen, hidden)
        lists = hidden.indptr.astype(np.int64), hidden.indices.astype(np.int32)
    areas = areas_under_curve(
        np.ascontiguousarray(queries), np.ascontiguousarray(items),
        (chosen.indptr.astype(np.int64), chosen.indices.astype(np.int32)), lists, n_jobs,
    )  # fmt: skip
    if per_user:
        return areas
    return float(np.nanmean(areas)) if not np.isnan(areas).all() else float("nan")


def ranking_report(truth, recommended, k: int = 10) -> dict[str, float]:
    """All metrics of lists of items at once.

    Parameters
    ----------
    truth, recommended, k : as of `precision_at_k`

    Returns
    -------
    dict of str: float
        "precision", "recall", "ndcg", "map", "mrr", "hit_rate", "coverage", and "n_users", the
        number of users that count.
    """
    chosen = _check_truth(truth, len(recommended))
    hits, n_true = _hits(chosen, _check_lists(recommended, k), k)
    counted = n_true > 0
    report = {
        name: float(function(hits[counted], n_true[counted], k).mean()) if counted.any() else np.nan
        for name, function in AT_K.items()
    }
    report["coverage"] = catalogue_coverage(recommended, chosen.shape[1], k)
    return report | {"n_users": int(counted.sum())}


METRICS = {
    "precision": precision_at_k,
    "recall": recall_at_k,
    "ndcg": ndcg_at_k,
    "map": average_precision_at_k,
    "mrr": reciprocal_rank_at_k,
    "hit_rate": hit_rate_at_k,
}
"""Functions of (truth, recommended, k), by name."""


def _metric(function: Callable, truth, recommended, k, per_user):
    lists = _check_lists(recommended, k)
    hits, n_true = _hits(_check_truth(truth, len(lists)), lists, k)
    values = np.full(len(lists), np.nan)
    counted = n_true > 0
    values[counted] = function(hits[counted], n_true[counted], k)
    if per_user:
        return values
    return float(np.nanmean(values)) if counted.any() else float("nan")


def _precision(hits, n_true, k):
    return hits.sum(axis=1) / k


def _recall(hits, n_true, k):
    return hits.sum(axis=1) / n_true


def _ndcg(hits, n_true, k):
    discounts = 1 / np.log2(np.arange(2, k + 2))
    return hits @ discounts / np.cumsum(discounts)[np.minimum(n_true, k) - 1]


def _average_precision(hits, n_true, k):
    precisions = np.cumsum(hits, axis=1) / np.arange(1, k + 1)
    return (precisions * hits).sum(axis=1) / np.minimum(n_true, k)


def _reciprocal_rank(hits, n_true, k):
    return np.where(hits.any(axis=1), 1 / (1 + hits.argmax(axis=1)), 0.0)


def _hit_rate(hits, n_true, k):
    return hits.any(axis=1).astype(float)


AT_K = {
    "precision": _precision,
    "recall": _recall,
    "ndcg": _ndcg,
    "map": _average_precision,
    "mrr": _reciprocal_rank,
    "hit_rate": _hit_rate,
}
"""Functions of (hits of shape (n_users, k), numbers of chosen items, k), by name."""


def _hits(truth, lists, k):
    """Which of the first k places hold a chosen item, and how many items each user chose."""
    lists = lists[:, :k]
    n_items = max(truth.shape[1], int(lists.max(initial=-1)) + 1)
    users = np.repeat(np.arange(truth.shape[0], dtype=np.int64), np.diff(truth.indptr))
    chosen = users * n_items + truth.indices
    keys = np.arange(len(lists), dtype=np.int64)[:, None] * n_items + lists
    places = np.searchsorted(chosen, keys)
    found = np.zeros(keys.shape, dtype=bool)
    if len(chosen):
        found = chosen[np.minimum(places, len(chosen) - 1)] == keys
    return found & (lists >= 0), np.diff(truth.indptr)


def _check_truth(truth, n_users, name="truth"):
    if not sparse.issparse(truth):
        raise TypeError(
            f"{name} must be a sparse matrix of users x items; got {type(truth).__name__}."
        )
    chosen = sparse.csr_array(truth, copy=True)
    if chosen.shape[0] != n_users:
        raise ValueError(f"{name} has {chosen.shape[0]} users, there are {n_users} lists.")
    chosen.sum_duplicates()
    chosen.eliminate_zeros()
    chosen.sort_indices()
    return chosen


def _check_lists(recommended, k):
    lists = np.asarray(recommended)
    check_integer(k, "k", 1)
    if lists.ndim != 2 or lists.dtype.kind not in "iu":
        raise ValueError(
            "recommended must be an int array of shape (n_users, n); got shape "
            f"{lists.shape} of {lists.dtype}."
        )
    if lists.shape[1] < k:
        raise ValueError(f"recommended holds {lists.shape[1]} items a user, fewer than k={k}.")
    lists = lists.astype(np.int64)
    ordered = np.sort(lists[:, :k], axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    if twice.any():
        user = int(np.argmax(twice.any(axis=1)))
        raise ValueError(f"recommended lists an item twice for user {user}.")
    return lists


def _less(matrix, other):
    """The entries of a canonical CSR matrix that another does not have."""
    n_items = np.int64(matrix.shape[1])
    rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    others = np.repeat(np.arange(other.shape[0], dtype=np.int64), np.diff(other.indptr))
    kept = ~np.isin(rows * n_items + matrix.indices, others * n_items + other.indices)
    ones = np.ones(int(kept.sum()), dtype=bool)
    result = sparse.csr_array((ones, (rows[kept], matrix.indices[kept])), shape=matrix.shape)
    result.sort_indices()
    return result
