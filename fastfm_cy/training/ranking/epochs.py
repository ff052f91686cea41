"""Epochs of training items for users, in one thread or several.

With several threads users and items are dealt to as many parts. A thread owns a part of the users
throughout; in each of the rounds of an epoch it also owns a part of the items, from which its
positives and its negatives come, so that no two threads touch the same user or item (Gemulla et
al., KDD 2011). The items are dealt anew each epoch, and any two of them meet sooner or later.
Features that many users or items share have a copy a thread; these are merged after every round.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from time import perf_counter

import numpy as np
from tqdm import tqdm

from ...kernels.dispatch import ranking
from ...kernels.ranking.known import deal
from ..gradient.epochs import divergence
from ..gradient.row_order import RowOrder, unit_length
from .interactions import TrainingInteractions, deal_evenly
from .plan import RankingPlan
from .samplers import Sampler, adapt, new_sampler, with_screen
from .sharing import SharedFeatures
from ...model.sides import Side

_WORK_A_CALL = 30_000_000  # multiply-adds between two looks at Ctrl-C
_MERGES = 8  # an epoch, at least, where features are shared


class RecommenderTrainer:
    """Per-interaction training of two sides.

    Parameters
    ----------
    plan : RankingPlan
    interactions : TrainingInteractions
    users, contexts, items : Side
        Trained in place, once `finish` was called.
    n_items : int
    rng : numpy.random.Generator
    """

    def __init__(
        self, plan: RankingPlan, interactions: TrainingInteractions, users: Side, contexts: Side,
        items: Side, n_items: int, rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.plan, self.interactions, self.rng, self.n_items = plan, interactions, rng, n_items
        self.n_parts = len(interactions.shards)
        self.settings = plan.settings(users.strengths.has_l1 or items.strengths.has_l1)
        self.shared = SharedFeatures(plan, self.settings, users, contexts, items, self.n_parts)
        sampler = with_screen(new_sampler(plan, n_items), items, n_items)
        self.samplers = [_own_screen(sampler) for _ in range(self.n_parts)]
        unit = unit_length(plan.shuffle, min(map(len, interactions.shards)))
        self.orders = [RowOrder(shard, plan.shuffle, unit) for shard in interactions.shards]
        self._counts = np.bincount(
            interactions.items[: interactions.n_positives], minlength=n_items
        )
        self._adapts = plan.negatives == "adaptive"
        if plan.negatives == "popularity":
            popular = interactions.items[: interactions.n_positives]
            for sampler in self.samplers:
                sampler.candidates = popular
        self._rows_a_call = self._call_length()

    def _call_length(self):
        features = 2
        for side in (self.shared.items[0], self.shared.users[0], self.shared.contexts[0]):
            if side.rows is not None:
                features += side.rows.n_entries // max(1, side.rows.n_rows)
        work = features * (self.plan.n_negatives + 2) * (self.plan.n_factors + 1)
        return max(64, _WORK_A_CALL // max(1, work))

    def run(self, after_epoch: Callable[[dict], bool] | None = None) -> dict[str, list[float]]:
        """Train for up to plan.max_iter epochs; the history.

        `after_epoch`, a function of the history, says whether to stop.
        """
        history: dict[str, list[float]] = {"train_loss": [], "seconds": []}
        n = len(self.interactions.users)
        total = (
            n if self.interactions.weights is None else float(self.interactions.weights.sum())
        )
        threads = (
            ThreadPoolExecutor(min(self.plan.n_jobs, self.n_parts))
            if min(self.plan.n_jobs, self.n_parts) > 1
            else nullcontext()
        )
        with (
            threads as pool,
            tqdm(total=n * self.plan.max_iter, unit="interaction", unit_scale=True,
                 disable=not self.plan.verbose) as bar,
        ):  # fmt: skip
            for epoch in range(1, self.plan.max_iter + 1):
                bar.set_description(f"epoch {epoch}/{self.plan.max_iter}", refresh=False)
                self.settings.learning_rate = self.plan.rate(epoch - 1)
                start = perf_counter()
                loss = self.epoch(epoch, pool.map if pool else map, bar) / total
                if not np.isfinite(loss):
                    raise divergence(epoch, "the mean training loss is not finite")
                history["train_loss"].append(loss)
                history["seconds"].append(perf_counter() - start)
                if after_epoch and after_epoch(history):
                    break
        self.finish()
        self.shared.check_finite(epoch)
        return history

    def epoch(self, epoch: int, run_all: Callable, bar: tqdm) -> float:
        """One pass over all interactions; the weighted sum of losses."""
        key = int(self.rng.integers(2**63))
        for order in self.orders:
            order.shuffle(self.rng)
        if self.n_parts == 1:
            return self._epoch_of_one(epoch, key, bar)
        parts = deal_evenly(self._counts, self.n_parts, self.rng)
        dealt = list(run_all(lambda shard: self._dealt(shard, parts), range(self.n_parts)))
        if not self._adapts:
            self._take_candidates(parts)
        loss = 0.0
        pieces = -(-_MERGES // self.n_parts) if self.shared.exists else 1
        for turn in range(self.n_parts):
            if self._adapts:
                self._adapt(parts)
            for piece in range(pieces):

                def work(shard, turn=turn, piece=piece):
                    part = (shard + turn) % self.n_parts
                    order = dealt[shard][part]
                    cut = np.linspace(0, len(order), pieces + 1).astype(int)[piece : piece + 2]
                    return self._visit(shard, part, order[cut[0] : cut[1]], key, epoch)

                loss += sum(run_all(work, range(self.n_parts)))
                self.shared.merge()
            bar.update(len(self.interactions.users) // self.n_parts)
        return loss

    def _epoch_of_one(self, epoch, key, bar):
        order, loss = self.orders[0], 0.0
        step = max(1, self._rows_a_call // order.unit)
        for start in range(0, len(order), step):
            if self._adapts:
                self.samplers[0] = adapt(
                    self.samplers[0], self.shared.items[0], None, self.n_items
                )
            part = order.part(start, start + step)
            loss += self._visit(0, -1, part, key, epoch)
            bar.update(len(part))
        return loss

    def _dealt(self, shard, parts):
        """The shard's interactions of this epoch, by the part of their items."""
        order = self.orders[shard].part(0, len(self.orders[shard]))
        return deal(order, self.interactions.items, parts, self.n_parts)

    def _take_candidates(self, parts):
        """Draw negatives of the items of a part from that part."""
        popular = self.interactions.items[: self.interactions.n_positives]
        popularity = self.plan.negatives == "popularity"
        self._candidates = [
            popular[parts[popular] == part] if popularity
            else np.flatnonzero(parts == part).astype(np.int32)
            for part in range(self.n_parts)
        ]  # fmt: skip
        for sampler in self.samplers:
            sampler.part_of_item = parts

    def _adapt(self, parts):
        for shard in range(self.n_parts):
            self.samplers[shard].part_of_item = parts
        self._candidates = [
            np.flatnonzero(parts == part).astype(np.int32) for part in range(self.n_parts)
        ]

    def _visit(self, shard, part, order, key, epoch):
        """Train on some interactions of a shard; their loss."""
        sampler = self.samplers[shard]
        items = self.shared.items[shard]
        if part >= 0:
            sampler = replace(sampler, candidates=self._candidates[part])
            if not len(sampler.candidates):
                return 0.0
            if self._adapts:
                sampler = adapt(sampler, items, sampler.candidates, self.n_items)
        loss = 0.0
        for start in range(0, len(order), self._rows_a_call):
            piece = order[start : start + self._rows_a_call]
            piece_loss, done, _ = ranking.train_recommender(
                self.interactions, piece, self.shared.users[shard], self.shared.contexts[shard],
                items, sampler, self.settings, key, items.table.factors, part,
            )  # fmt: skip
            if done < len(piece):
                source = self.interactions.source[piece[done]]
                raise divergence(epoch, f"a score of interaction {source} is not finite")
            loss += piece_loss
        return loss

    def finish(self) -> None:
        """Bring what was trained so far to the sides' tables."""
        self.shared.take_back()


def _own_screen(sampler: Sampler) -> Sampler:
    if sampler.screen is None:
        return replace(sampler)
    return replace(
        sampler, screen=sampler.screen.copy(), screen_constants=sampler.screen_constants.copy()
    )
