"""New users' vectors, exactly, given the items'."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .settings import WholeDataSettings


def best_vectors(
    settings: WholeDataSettings, queries: np.ndarray, items: np.ndarray,
    chosen: sparse.csr_array, takes_part: np.ndarray, strength: float,
) -> np.ndarray:  # fmt: skip
    """The vectors of least loss: what features say of a query, and what is its own.

    Parameters
    ----------
    settings : WholeDataSettings
    queries : array of shape (n_queries, n_factors + 1)
        From features alone, which stay; the last column is 1.
    items : array of shape (n_items, n_factors + 1)
        Vectors and constants.
    chosen : boolean csr_array of shape (n_queries, n_items)
    takes_part : bool array of shape (n_items,)
        Which items training knew.
    strength : float
        L2 strength of what is a query's own, before frequencies.

    Returns
    -------
    float64 array of shape (n_queries, n_factors)
    """
    items, found = items.astype(np.float64), queries.astype(np.float64)[:, :-1]
    known = items[takes_part]
    gram = settings.unobserved_weight * (known.T @ known)
    weight = settings.alpha - (0 if settings.counts_observed else settings.unobserved_weight)
    k = found.shape[1]
    for row, query in enumerate(queries.astype(np.float64)):
        mine = items[chosen.indices[chosen.indptr[row] : chosen.indptr[row + 1]]]
        if not len(mine):
            continue
        total = max(weight * len(mine) + settings.unobserved_weight * len(known), 0.0)
        H = gram + weight * (mine.T @ mine)
        slope = settings.alpha * mine.sum(axis=0) - H @ query
        H = H[:k, :k] + strength * total**settings.frequency_power * np.eye(k)
        found[row] += _solution(H, slope[:k])
    return found


def _solution(H: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Of H x = slope; the shortest where there are many."""
    try:
        solution = np.linalg.solve(H, slope)
        if np.isfinite(solution).all() and np.allclose(H @ solution, slope, rtol=1e-4, atol=1e-8):
            return solution
    except np.linalg.LinAlgError:
        pass
    return np.linalg.lstsq(H, slope, rcond=1e-10)[0]
