"""Interactions in the order in which training lays them out in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ...data.interactions import Interactions
from ...kernels.ranking.known import Known


@dataclass(frozen=True)
class TrainingInteractions:
    """Shuffled once, so that blocks of neighbours are good samples; positives come first.

    Parameters
    ----------
    users, items : int32 arrays of shape (n,)
    weights : array of shape (n,) or None
        In the table's dtype; None if all are 1.
    n_positives : int
    known : Known
        Positives of each user, that are never drawn as negatives.
    shards : list of int64 arrays
        Numbers of the interactions that each thread visits; all of a user are in one.
    source : int64 array of shape (n,)
        Where each stood in the Interactions.
    """

    users: np.ndarray
    items: np.ndarray
    weights: np.ndarray | None
    n_positives: int
    known: Known
    shards: list[np.ndarray]
    source: np.ndarray

    @property
    def total_weight(self) -> float:
        return len(self.users) if self.weights is None else float(self.weights.sum(dtype=float))


def lay_out(
    interactions: Interactions, dtype: np.dtype, n_shards: int, rng: np.random.Generator,
    known: Known,
) -> TrainingInteractions:  # fmt: skip
    """Shuffle interactions and deal their users to shards.

    `known` holds all positives, also those that are not to train on.
    """
    n = len(interactions)
    order = rng.permutation(n)
    shard = np.zeros(n, dtype=np.int8)
    if n_shards > 1:
        counts = np.bincount(interactions.users, minlength=interactions.n_users)
        shard = deal_evenly(counts, n_shards, rng)[interactions.users[order]]
    key = interactions.is_negative[order] * np.int8(n_shards) + shard
    by_key = np.argsort(key, kind="stable")
    order, key = order[by_key], key[by_key]
    starts = np.searchsorted(key, np.arange(2 * n_shards + 1))
    shards = [
        np.concatenate([
            np.arange(starts[part], starts[part + 1]) for part in (s, n_shards + s)
        ]) for s in range(n_shards)
    ]  # fmt: skip
    weights = interactions.weights[order].astype(dtype)
    return TrainingInteractions(
        np.ascontiguousarray(interactions.users[order]),
        np.ascontiguousarray(interactions.items[order]),
        None if (weights == 1).all() else weights,
        interactions.n_positives,
        known,
        shards,
        order,
    )


def known_of(positives: sparse.csr_array) -> Known:
    """Known positives from a matrix of users x items with sorted rows."""
    indptr, items = positives.indptr.astype(np.int64), positives.indices.astype(np.int32)
    return Known(indptr, items, positives.shape[1])


def deal_evenly(
    counts: np.ndarray, n_parts: int, rng: np.random.Generator, block: int = 1
) -> np.ndarray:
    """Deal things to parts at random, so that the parts' sums of counts are nearly the same.

    Blocks of so many neighbours stay together.

    Returns
    -------
    int32 array
        The part of each: of every n_parts neighbours by count, one goes to each part.
    """
    if block > 1:
        sums = np.add.reduceat(counts, np.arange(0, len(counts), block))
        return np.repeat(deal_evenly(sums, n_parts, rng), block)[: len(counts)]
    by_count = np.argsort(-counts, kind="stable")
    n_groups = -(-len(counts) // n_parts)
    parts = rng.permuted(np.tile(np.arange(n_parts, dtype=np.int32), (n_groups, 1)), axis=1)
    dealt = np.empty(len(counts), dtype=np.int32)
    dealt[by_count] = parts.ravel()[: len(counts)]
    return dealt
