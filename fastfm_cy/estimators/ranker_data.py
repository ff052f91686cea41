"""Data of a ranker's fit: rows, and the pairs of them to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.csr import CSRRows
from ..data.sample_checks import check_weights
from ..training.ranking.pairs import Pairs, given_pairs, pairs_of_queries
from ..training.ranking.plan import RankingPlan


@dataclass(frozen=True)
class RankedRows:
    """Rows to validate on."""

    rows: CSRRows
    y: np.ndarray
    query: np.ndarray


def learned_pairs(
    rows: CSRRows, y: np.ndarray, query: np.ndarray, sample_weight: Any, plan: RankingPlan,
    rng: np.random.Generator | None,
) -> tuple[Pairs, RankedRows | None]:  # fmt: skip
    """The pairs within queries, and the queries held out if there is an rng to draw them."""
    weights = check_weights(sample_weight, rows.n_rows)
    held_out = None
    if rng is not None:
        is_held_out = _drawn_queries(query, plan.validation_fraction, rng)
        where = np.flatnonzero(is_held_out)
        held_out = RankedRows(rows.take(where), y[where], query[where])
        query = np.where(is_held_out, -1, query)
    return _of_queries(y, query, weights, plan.dtype), held_out


def _drawn_queries(query, fraction, rng):
    """Whether each row's query is held out."""
    numbers = np.unique(query)
    n_held_out = max(1, round(len(numbers) * fraction))
    if n_held_out >= len(numbers):
        raise ValueError(
            f"validation_fraction={fraction} of {len(numbers)} queries leaves none to train on; "
            "give more queries, or an eval_set."
        )
    return np.isin(query, rng.permutation(numbers)[:n_held_out])


def _of_queries(y, query, weights, dtype):
    """Pairs within queries; those of number -1 have none."""
    used = np.flatnonzero(query >= 0)
    if weights is not None:
        weights = weights[used].astype(dtype)
    pairs = pairs_of_queries(y[used], query[used], weights)
    if not len(pairs):
        if weights is not None and not weights.any():
            raise ValueError("All sample weights are zero: there is nothing to learn from.")
        raise ValueError(
            "No query has rows of different relevance (and positive weight): there is nothing to "
            f"learn from in X with {len(used)} sample(s)."
        )
    if len(used) == len(query):
        return pairs
    return Pairs(used[pairs.better], pairs.low, pairs.high, used[pairs.pool], pairs.weights)


def check_queries(qid: Any, n_rows: int) -> np.ndarray:
    """Numbers of the rows' queries, from 0."""
    if qid is None:
        return np.zeros(n_rows, dtype=np.int64)
    qid = np.asarray(qid)
    if qid.shape != (n_rows,):
        raise ValueError(f"qid must hold a query a row, shape ({n_rows},); got {qid.shape}.")
    if qid.dtype.kind == "f" and not np.isfinite(qid).all():
        row = int(np.argmin(np.isfinite(qid)))
        raise ValueError(f"qid is {qid[row]} in row {row}.")
    return np.unique(qid, return_inverse=True)[1].astype(np.int64)


def check_pairs(pairs: Any, n_rows: int, weights: Any, dtype: str) -> Pairs:
    """Pairs of row numbers that a user gave."""
    pairs = np.asarray(pairs)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or (len(pairs) and pairs.dtype.kind not in "iu"):
        raise ValueError(
            "pairs must be an int array of shape (n_pairs, 2), the better row before the worse; "
            f"got shape {pairs.shape} of {pairs.dtype}."
        )
    if not len(pairs):
        raise ValueError("pairs is empty: there is nothing to learn from.")
    bad = np.flatnonzero(((pairs < 0) | (pairs >= n_rows)).any(axis=1))
    if bad.size:
        raise ValueError(
            f"pairs has {pairs[bad[0]].tolist()} at {bad[0]}; X has the rows 0 to {n_rows - 1}."
        )
    weights = check_weights(weights, len(pairs))
    if weights is not None:
        kept = np.flatnonzero(weights)
        if not len(kept):
            raise ValueError("All pairs have weight 0.")
        pairs, weights = pairs[kept], weights[kept].astype(dtype)
    better, worse = np.ascontiguousarray(pairs.T, dtype=np.int64)
    return given_pairs(better, worse, weights)
