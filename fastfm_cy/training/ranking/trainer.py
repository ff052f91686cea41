"""Recommender trainer: items for users, an interaction at a time, in one thread or several.

With several threads users and items are dealt to as many parts. A thread owns a part of the users
throughout; in each of the turns of an epoch it also owns a part of the items, from which its
positives and its negatives come, so that no two threads touch the same user or item (Gemulla et
al., KDD 2011). The items are dealt anew each epoch, and any two of them meet sooner or later. Items
whose linear weights may share a line of the cache stay together: threads that write to one line
take turns, which costs more than all the arithmetic.
Features that many users or items share have a copy a thread; these are merged several times.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from ...kernels.dispatch import ranking
from ...kernels.ranking.known import deal
from ...model.sides import Side
from ...utils.memory import CACHE_LINE
from ..epoch_loop import divergence
from ..gradient.row_order import RowOrder, unit_length
from .interactions import TrainingInteractions, deal_evenly
from .plan import RankingPlan
from .samplers import Sampler, adapt, new_sampler
from .sharing import Copies, n_own_features

_WORK_A_CALL = 30_000_000  # multiply-adds between two looks at Ctrl-C
_MERGES = 8  # an epoch, at least, where features are shared
_FEWEST_BLOCKS = 32  # of items, that are dealt whole; fewer would not be even


class RecommenderTrainer:
    """The Trainer of recommenders.

    Parameters
    ----------
    plan : RankingPlan
    interactions : TrainingInteractions
    users, contexts, items : Side
        Of which users and contexts share a table; trained in place, once `finish` was called.
    n_items : int
    rng : numpy.random.Generator
    """

    loss_unit = 1.0
    bar_options = {"unit": "interaction", "unit_scale": True}  # noqa: RUF012

    def __init__(
        self, plan: RankingPlan, interactions: TrainingInteractions, users: Side, contexts: Side,
        items: Side, n_items: int, rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.plan, self.interactions, self.rng, self.n_items = plan, interactions, rng, n_items
        self.remedy = plan.remedy
        self.n_parts, self.n_visits = len(interactions.shards), len(interactions.users)
        self.settings = plan.settings(users.strengths.has_l1 or items.strengths.has_l1)
        self._queries, self._things = (
            Copies(side.table, n_own_features(side), self.n_parts, self.settings, side.strengths)
            for side in (users, items)
        )
        shards = range(self.n_parts)
        self.users = [self._queries.side(users, shard) for shard in shards]
        self.contexts = [self._queries.side(contexts, shard) for shard in shards]
        self.items = [self._things.side(items, shard) for shard in shards]
        self._samplers = [new_sampler(plan, items, n_items) for _ in shards]
        unit = unit_length(plan.shuffle, min(map(len, interactions.shards)))
        self._orders = [RowOrder(shard, plan.shuffle, unit) for shard in interactions.shards]
        self._chosen = interactions.items[: interactions.n_positives]
        self._counts = np.bincount(self._chosen, minlength=n_items)
        block = CACHE_LINE // items.table.dtype.itemsize
        self._block = block if n_items >= _FEWEST_BLOCKS * block else 1
        self._rows_a_call = self._call_length()
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> RecommenderTrainer:
        n_threads = min(self.plan.n_jobs, self.n_parts)
        self._pool = ThreadPoolExecutor(n_threads) if n_threads > 1 else None
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool:
            self._pool.shutdown()

    def _call_length(self) -> int:
        features = 2
        for side in (self.items[0], self.users[0], self.contexts[0]):
            if side.rows is not None:
                features += side.rows.n_entries // max(1, side.rows.n_rows)
        work = features * (self.plan.n_negatives + 2) * (self.plan.n_factors + 1)
        return max(64, _WORK_A_CALL // max(1, work))

    def epoch(self, number: int, max_iter: int, bar: tqdm) -> float:
        """One pass over all interactions; their mean loss."""
        bar.set_description(f"epoch {number}/{max_iter}", refresh=False)
        if self.plan.rates:
            self.settings.learning_rate = self.plan.rates(number - 1, max_iter)
        key = int(self.rng.integers(2**63))
        for order in self._orders:
            order.shuffle(self.rng)
        run = self._epoch_of_one if self.n_parts == 1 else self._epoch_of_several
        return run(number, key, bar) / self.interactions.total_weight

    def _epoch_of_one(self, number: int, key: int, bar: tqdm) -> float:
        order, loss = self._orders[0], 0.0
        step = max(1, self._rows_a_call // order.unit)
        sampler = self._samplers[0]
        if self.plan.negatives.by_count:
            sampler = replace(sampler, candidates=self._chosen)
        for start in range(0, len(order), step):
            if self.plan.negatives.adapts:
                sampler = adapt(sampler, self.items[0], None, self.n_items)
            part = order.part(start, start + step)
            loss += self._visit(0, sampler, part, key, -1, number)
            bar.update(len(part))
        return loss

    def _epoch_of_several(self, number: int, key: int, bar: tqdm) -> float:
        run_all: Callable = self._pool.map if self._pool else map
        shards, loss = range(self.n_parts), 0.0
        part_of_item = deal_evenly(self._counts, self.n_parts, self.rng, self._block)
        dealt = list(run_all(lambda shard: self._dealt(shard, part_of_item), shards))
        candidates = self._candidates(part_of_item)
        shares = self._queries.head or self._things.head
        pieces = -(-_MERGES // self.n_parts) if shares else 1
        for turn in shards:
            for piece in range(pieces):

                def work(shard: int, turn: int = turn, piece: int = piece) -> float:
                    part = (shard + turn) % self.n_parts
                    order, listed = dealt[shard][part], candidates[part]
                    if not len(listed):
                        return 0.0
                    sampler = replace(
                        self._samplers[shard], candidates=listed, part_of_item=part_of_item
                    )
                    if self.plan.negatives.adapts:
                        sampler = adapt(sampler, self.items[shard], listed, self.n_items)
                    first, last = (len(order) * end // pieces for end in (piece, piece + 1))
                    return self._visit(shard, sampler, order[first:last], key, part, number)

                loss += sum(run_all(work, shards))
                self._queries.merge(self.plan.solver)
                self._things.merge(self.plan.solver)
            bar.update(self.n_visits // self.n_parts)
        return loss

    def _dealt(self, shard: int, part_of_item: np.ndarray) -> list[np.ndarray]:
        """The shard's interactions of this epoch, by the part of their items."""
        order = self._orders[shard].part(0, len(self._orders[shard]))
        return deal(order, self.interactions.items, part_of_item, self.n_parts)

    def _candidates(self, part_of_item: np.ndarray) -> list[np.ndarray]:
        """What negatives of the items of each part are drawn from: that part."""
        if self.plan.negatives.by_count:
            of_chosen = part_of_item[self._chosen]
            return [self._chosen[of_chosen == part] for part in range(self.n_parts)]
        return [
            np.flatnonzero(part_of_item == part).astype(np.int32) for part in range(self.n_parts)
        ]

    def _visit(
        self, shard: int, sampler: Sampler, order: np.ndarray, key: int, part: int, number: int
    ) -> float:
        """Train on some interactions of a shard; their loss."""
        items, loss = self.items[shard], 0.0
        for start in range(0, len(order), self._rows_a_call):
            piece = order[start : start + self._rows_a_call]
            piece_loss, done, _ = ranking.train_recommender(
                self.interactions, piece, self.users[shard], self.contexts[shard], items, sampler,
                self.settings, key, items.table.factors, part,
            )  # fmt: skip
            if done < len(piece):
                source = self.interactions.source[piece[done]]
                raise divergence(
                    number, f"a score of interaction {source} is not finite", self.remedy
                )
            loss += piece_loss
        return loss

    def check_end(self, number: int, mean_loss: float) -> None:
        self.finish()
        if not (self._queries.home.is_finite() and self._things.home.is_finite()):
            raise divergence(number, "a weight is no longer finite", self.remedy)

    def finish(self) -> None:
        """Bring what was trained so far to the sides' tables."""
        self._queries.take_back()
        self._things.take_back()
