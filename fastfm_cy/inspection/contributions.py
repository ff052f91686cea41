"""Contributions: what entries, and pairs of entries, of rows add to scores."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..data.csr import CSRRows
from .pairs import NUMBERS_AT_ONCE, Nodes, PairWeights, width_of
from .weights import Weights


def entry_pairs(indptr: np.ndarray, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All pairs of entries of the same row, some at a time.

    Parameters
    ----------
    indptr : int array of shape (n_rows + 1,)
    most : int
        Pairs at a time, or as many as one entry has.

    Yields
    ------
    first, second : int arrays
        Numbers of entries, first < second; the first rise.
    """
    ends = np.repeat(indptr[1:], np.diff(indptr))
    later = ends - np.arange(len(ends)) - 1
    done = np.concatenate([[0], np.cumsum(later)])
    start, n_entries = 0, len(later)
    while start < n_entries:
        stop = int(np.searchsorted(done, done[start] + most, side="right")) - 1
        stop = min(n_entries, max(stop, start + 1))
        counts = later[start:stop]
        first = np.repeat(np.arange(start, stop), counts)
        places = np.arange(len(first)) - np.repeat(done[start:stop] - done[start], counts)
        yield first, first + 1 + places
        start = stop


def contributions_of_pairs(
    weights: Weights, output: int, nodes: Nodes, of_entry: np.ndarray, rows: CSRRows
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(first, second, what they add to the score): pairs of entries, some at a time.

    Parameters
    ----------
    weights : Weights
    output : int
    nodes, of_entry
        The features of the rows, and the number of each entry's.
    rows : CSRRows

    Yields
    ------
    first, second : int arrays of shape (n_pairs,)
    contributions : ndarray of shape (n_draws, n_pairs)
    """
    pairs, x = PairWeights(weights, output), rows.data.astype(np.float64)
    for first, second in entry_pairs(rows.indptr, max(1, NUMBERS_AT_ONCE // width_of(weights))):
        products = pairs.of_pairs(nodes, of_entry[first], of_entry[second])
        yield first, second, products * x[first] * x[second]


def linear_contributions(weights: Weights, output: int, rows: CSRRows) -> np.ndarray:
    """w_j x_j of each entry, shape (n_draws, n_entries)."""
    return weights.linear(output, rows.indices) * rows.data.astype(np.float64)


def interaction_shares(
    weights: Weights, output: int, rows: CSRRows, nodes: Nodes, of_entry: np.ndarray
) -> dict[int, np.ndarray]:
    """The share of each entry in the interactions of each order: an equal part of every product.

    Those of a row add up to what the order adds to its score.

    Returns
    -------
    dict of int: ndarray of shape (n_draws, n_entries)
    """
    if rows.fields is None:
        return {
            order: _order_shares(weights, output, rows, order, vector)
            for order, vector in weights.family.orders.items()
        }
    shares = np.zeros((weights.n_draws, rows.n_entries))
    found = contributions_of_pairs(weights, output, nodes, of_entry, rows)
    for first, second, products in found:
        for draw, product in enumerate(products / 2):
            for ends in (first, second):
                shares[draw] += np.bincount(ends, product, minlength=rows.n_entries)
    return {2: shares}


def _order_shares(
    weights: Weights, output: int, rows: CSRRows, order: int, vector: int
) -> np.ndarray:
    """By Newton's identities: the elementary symmetric polynomial of a row's other entries, from
    the sums of their powers."""
    counts, x = np.diff(rows.indptr), rows.data.astype(np.float64)[:, None]
    p = x * weights.vectors(output, rows.indices, vector)
    sums = [_of_others(p**power, counts) for power in range(1, order)]
    others = [np.ones_like(p)]
    for n in range(1, order):
        terms = [(-1) ** (i - 1) * others[n - i] * sums[i - 1] for i in range(1, n + 1)]
        others.append(sum(terms[1:], terms[0]) / n)
    return (p * others[-1]).sum(axis=2) / order


def _of_others(powers: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """For each entry, the sum over the other entries of its row."""
    present = counts[counts > 0]
    if not len(present):
        return powers
    starts = np.cumsum(present) - present
    sums = np.add.reduceat(powers, starts, axis=1)
    return np.repeat(sums, present, axis=1) - powers


def row_blocks(weights: Weights, rows: CSRRows) -> Iterator[tuple[CSRRows, slice]]:
    """The rows, some at a time, and where their entries are among all."""
    most = max(1, NUMBERS_AT_ONCE // width_of(weights))
    start, indptr = 0, rows.indptr
    while start < rows.n_rows:
        stop = int(np.searchsorted(indptr, indptr[start] + most, side="right")) - 1
        stop = min(rows.n_rows, max(stop, start + 1))
        entries = slice(int(indptr[start]), int(indptr[stop]))
        yield rows.take(np.arange(start, stop)), entries
        start = stop
