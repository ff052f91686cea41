"""Metrics of rows that belong to queries, with relevances of several grades."""

from __future__ import annotations

import numpy as np


def query_ndcg(y, scores, qid, k: int = 10, *, exponential: bool = True) -> float:
    """Mean NDCG at k over queries; tied scores share the mean gain of their places.

    Parameters
    ----------
    y : array of shape (n_rows,)
        Relevances >= 0.
    scores : array of shape (n_rows,)
    qid : array of shape (n_rows,)
        The query of each row; rows of a query need not be neighbours.
    k : int, default=10
    exponential : bool, default=True
        Gains are ``2 ** y - 1`` (Burges et al. 2005), else y.

    Returns
    -------
    float
        Queries without a relevant row are left out; NaN if all are.
    """
    y, scores, qid = (np.asarray(values) for values in (y, scores, qid))
    if not len(y) == len(scores) == len(qid):
        raise ValueError(f"y, scores and qid have lengths {len(y)}, {len(scores)}, {len(qid)}.")
    y = y.astype(np.float64)
    if len(y) and not (np.isfinite(y).all() and y.min() >= 0):
        raise ValueError("y must hold finite relevances of at least 0.")
    gains = np.exp2(y) - 1 if exponential else y
    query = np.unique(qid, return_inverse=True)[1]
    n_queries = int(query.max(initial=-1)) + 1
    ideal = _sums(gains, gains, query, n_queries, k)
    found = _sums(gains, np.asarray(scores, dtype=np.float64), query, n_queries, k)
    counted = ideal > 0
    return float((found[counted] / ideal[counted]).mean()) if counted.any() else float("nan")


def _sums(gains, by, query, n_queries, k):
    """Discounted gains of each query's first k rows by falling `by`."""
    order = np.lexsort((-by, query))
    sizes = np.bincount(query, minlength=n_queries)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    place = np.arange(len(order)) - starts
    discounts = np.where(place < k, 1 / np.log2(place + 2), 0.0)
    sorted_by, sorted_query = by[order], query[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (sorted_by[1:] != sorted_by[:-1]) | (sorted_query[1:] != sorted_query[:-1])
    tie = np.cumsum(new) - 1
    n_ties = int(tie[-1]) + 1 if len(tie) else 0
    mean_gain = np.bincount(tie, gains[order], n_ties) / np.maximum(np.bincount(tie), 1)
    return np.bincount(sorted_query, discounts * mean_gain[tie], n_queries)
