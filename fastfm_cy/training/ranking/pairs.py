"""Pairs of rows to learn from: given, or of different relevance within a query."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pairs:
    """Row better[p] is to score above rows pool[low[p]] .. pool[high[p] - 1].

    Parameters
    ----------
    better, low, high : int64 arrays of shape (n,)
    pool : int64 array
    weights : array of shape (n,) or None
    """

    better: np.ndarray
    low: np.ndarray
    high: np.ndarray
    pool: np.ndarray
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.better)

    @property
    def total_weight(self) -> float:
        return len(self) if self.weights is None else float(self.weights.sum(dtype=float))

    def take(self, places: np.ndarray) -> Pairs:
        weights = None if self.weights is None else self.weights[places]
        return Pairs(
            self.better[places], self.low[places], self.high[places], self.pool, weights
        )  # fmt: skip

    def expanded(self) -> Pairs:
        """Every pair on its own."""
        sizes = self.high - self.low
        starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
        places = np.arange(int(sizes.sum())) - starts + np.repeat(self.low, sizes)
        weights = None if self.weights is None else np.repeat(self.weights, sizes)
        low = np.arange(len(places))
        return Pairs(np.repeat(self.better, sizes), low, low + 1, self.pool[places], weights)


def given_pairs(better: np.ndarray, worse: np.ndarray, weights: np.ndarray | None) -> Pairs:
    low = np.arange(len(better))
    return Pairs(better, low, low + 1, worse, weights)


def pairs_of_queries(y: np.ndarray, query: np.ndarray, weights: np.ndarray | None) -> Pairs:
    """Each row against all rows of its query that are less relevant.

    `query` numbers the queries; rows need not be sorted by it. Weights are the better rows'.
    """
    pool = np.lexsort((y, query))
    sorted_y, sorted_query = y[pool], query[pool]
    new_query = np.ones(len(pool), dtype=bool)
    new_query[1:] = sorted_query[1:] != sorted_query[:-1]
    new_grade = new_query.copy()
    new_grade[1:] |= sorted_y[1:] != sorted_y[:-1]
    places = np.arange(len(pool))
    low = np.maximum.accumulate(np.where(new_query, places, 0))
    high = np.maximum.accumulate(np.where(new_grade, places, 0))
    is_better = (high > low) if weights is None else (high > low) & (weights[pool] > 0)
    better = pool[is_better]
    return Pairs(
        better, low[is_better], high[is_better], pool,
        None if weights is None else weights[better],
    )  # fmt: skip
