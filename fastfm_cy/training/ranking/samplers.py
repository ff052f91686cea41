"""Samplers of negatives: what the kernel draws from, and what must be renewed meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...model.sides import Side
from ...utils.memory import aligned_zeros
from .plan import RankingPlan, rank_weights

_MEAN_RANK_SHARE = 0.02
_REFRESH_ROWS = 4000


@dataclass
class Sampler:
    """How the kernel draws negatives.

    Parameters
    ----------
    loss : kernels.ranking.losses.RankingLoss
    most_draws : int
        Negatives that a step may look at.
    rank_weights : float64 array of shape (most_draws,)
    candidates : int32 array or None
        Items to draw from, some of them perhaps several times; None is all items alike.
    part_of_item : int32 array of shape (n_items,), or None
        For explicit negatives, which of the parts an item is in.
    ranking : int32 array of shape (n_padded + 1, n), or None
        For adaptive draws: items by falling value of each factor, then of the constant.
    spread : float64 array of shape (n_padded + 1,) or None
        Standard deviations of these values.
    mean_rank : float
        Mean of the geometric distribution that the rank is drawn from.
    screen, screen_constants : arrays of shape (n_items, n_padded) and (n_items,), or None
        Item vectors of some time ago, by which WARP passes over most candidates.
    refresh : int
        Interactions between two renewals of these.
    """

    loss: int
    most_draws: int
    rank_weights: np.ndarray
    candidates: np.ndarray | None = None
    part_of_item: np.ndarray | None = None
    ranking: np.ndarray | None = None
    spread: np.ndarray | None = None
    mean_rank: float = 1.0
    screen: np.ndarray | None = None
    screen_constants: np.ndarray | None = None
    refresh: int = _REFRESH_ROWS


def new_sampler(plan: RankingPlan, side: Side, n_items: int) -> Sampler:
    """A thread's sampler; with item vectors of some time ago if computing them anew is dear."""
    most = plan.n_negatives
    sampler = Sampler(plan.loss.code, most, rank_weights(n_items, most))
    if not plan.loss.screens or side.rows is None or plan.negatives.adapts:
        return sampler
    width, dtype = max(1, side.table.n_padded), side.table.dtype
    return replace(
        sampler, screen=aligned_zeros((n_items, width), dtype),
        screen_constants=aligned_zeros((n_items,), dtype), refresh=max(_REFRESH_ROWS, 2 * n_items),
    )  # fmt: skip


def adapt(sampler: Sampler, side: Side, items: np.ndarray | None, n_items: int) -> Sampler:
    """With the order of the items by each factor as it is now (Rendle & Freudenthaler, WSDM 2014).

    `items` are those to draw from, None is all.
    """
    vectors, constants = side.vectors(n_items)
    values = np.concatenate([vectors, constants[:, None]], axis=1)
    if items is not None:
        values = values[items]
    order = np.argsort(-values, axis=0, kind="stable").T
    if items is not None:
        order = items[order]
    return replace(
        sampler, ranking=np.ascontiguousarray(order, dtype=np.int32),
        spread=values.std(axis=0, dtype=np.float64) + 1e-30,
        mean_rank=max(1.0, _MEAN_RANK_SHARE * len(values)),
    )  # fmt: skip
