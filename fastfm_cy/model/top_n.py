"""Top-N: the items of the highest inner products with each query, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from ..kernels.dispatch import ranking

ROWS_A_TILE = 128
ITEMS_A_TILE = 2048  # a tile of float32 scores takes a megabyte, and stays in the cache

Lists = tuple[np.ndarray, np.ndarray]
"""A CSR matrix of sorted items without values: int64 indptr, int32 indices."""


def top_n(
    queries: np.ndarray, items: np.ndarray, n: int, hidden: Lists | None = None, n_jobs: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The n items of the highest score of each query, best first; of equal ones, the first.

    Parameters
    ----------
    queries : array of shape (n_queries, n_dimensions)
    items : array of shape (n_items, n_dimensions)
    n : int
    hidden : (indptr, indices), default=None
        Items that each query shall not get.
    n_jobs : int

    Returns
    -------
    items : int64 array of shape (n_queries, n)
        -1 where there are fewer than n.
    scores : array of shape (n_queries, n)
        -infinity where there are fewer.
    """
    best = np.full((len(queries), n), -np.inf, dtype=queries.dtype)
    chosen = np.full((len(queries), n), -1, dtype=np.int64)
    if not n or not len(queries) or not len(items):
        return chosen, best
    indptr, indices = hidden or (None, None)

    def work(first: int, last: int) -> None:
        for start, n_here, tile in _tiles(queries[first:last], items):
            ranking.select(
                tile, last - first, start, n_here, indptr, indices, first, best[first:last],
                chosen[first:last],
            )  # fmt: skip
        ranking.sort_best(best, chosen, first, last)

    _in_blocks(work, len(queries), n_jobs)
    return chosen, best


def areas_under_curve(
    queries: np.ndarray, items: np.ndarray, truth: Lists, hidden: Lists | None = None,
    n_jobs: int = 1,
) -> np.ndarray:  # fmt: skip
    """For each query, the share of pairs of a true and another item that are in order.

    Items that are hidden do not count, and none of them may be true.

    Returns
    -------
    float64 array of shape (n_queries,)
        NaN where there is no such pair.
    """
    indptr, indices = truth
    scores = np.empty(len(indices), dtype=queries.dtype)
    sums = np.zeros(len(queries))
    hidden_indptr, hidden_items = hidden or (None, None)

    def work(first: int, last: int) -> None:
        entries = slice(indptr[first], indptr[last])
        rows = np.repeat(np.arange(last - first), np.diff(indptr[first : last + 1]))
        columns, found = indices[entries], scores[entries]
        for start, n_here, tile in _tiles(queries[first:last], items):
            inside = (columns >= start) & (columns < start + n_here)
            found[inside] = tile[rows[inside], columns[inside] - start]
        found[...] = found[np.lexsort((found, rows))]
        for start, n_here, tile in _tiles(queries[first:last], items):
            ranking.add_order(
                tile, last - first, start, n_here, hidden_indptr, hidden_items, indptr, scores,
                first, sums,
            )  # fmt: skip

    _in_blocks(work, len(queries), n_jobs)
    n_true = np.diff(indptr).astype(float)
    n_hidden = 0 if hidden is None else np.diff(hidden[0])
    n_others = len(items) - n_hidden - n_true
    with np.errstate(divide="ignore", invalid="ignore"):
        # The sums also compare true items with each other, and each with itself.
        areas = (sums - n_true**2 / 2) / (n_true * n_others)
    return np.where((n_true > 0) & (n_others > 0), areas, np.nan)


def _tiles(queries: np.ndarray, items: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """(first item, number of items, scores of the queries) of all tiles; the array is reused."""
    n = len(items)
    buffer = np.empty((len(queries), min(n, ITEMS_A_TILE)), dtype=queries.dtype)
    for start in range(0, n, ITEMS_A_TILE):
        part = items[start : start + ITEMS_A_TILE]
        tile = buffer[:, : len(part)]
        if len(part) < buffer.shape[1]:
            tile = np.ascontiguousarray(tile)
        np.matmul(queries, part.T, out=tile)
        yield start, len(part), tile


def _in_blocks(work: Callable[[int, int], None], n_rows: int, n_jobs: int) -> None:
    """Call work(first, last) on blocks of rows, in threads that share no BLAS threads."""
    starts = range(0, n_rows, ROWS_A_TILE)
    ends = [min(start + ROWS_A_TILE, n_rows) for start in starts]
    n_threads = min(n_jobs, len(ends))
    with threadpool_limits(1, user_api="blas"):
        if n_threads <= 1:
            for start, end in zip(starts, ends, strict=True):
                work(start, end)
            return
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(work, starts, ends))
