"""Epochs of training on pairs of rows, in one thread or several.

Threads share the pairs out, have a copy of the table each, and merge the copies several times an
epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from time import perf_counter

import numpy as np
from tqdm import tqdm

from ...kernels.dispatch import ranking
from ..gradient.epochs import divergence
from ..gradient.row_order import RowOrder, unit_length
from .pairs import Pairs
from .plan import RankingPlan
from .samplers import new_sampler
from .sharing import Copies
from ...model.sides import Side

_WORK_A_CALL = 30_000_000  # multiply-adds between two looks at Ctrl-C
_MERGES = 16  # an epoch
DETERMINISTIC_SHARDS = 4


class PairTrainer:
    """Per-pair training of one table.

    Parameters
    ----------
    plan : RankingPlan
    pairs : Pairs
    side : Side
        Trained in place, once `finish` was called.
    rng : numpy.random.Generator
    """

    def __init__(
        self, plan: RankingPlan, pairs: Pairs, side: Side, rng: np.random.Generator
    ) -> None:
        self.plan, self.rng = plan, rng
        n_shards = DETERMINISTIC_SHARDS if plan.deterministic else max(1, plan.n_jobs)
        n_shards = max(1, min(n_shards, len(pairs)))
        order = rng.permutation(len(pairs)) if plan.shuffle else np.arange(len(pairs))
        self.pairs = pairs.take(order)
        longest = int((pairs.high - pairs.low).max(initial=1))
        self.sampler = new_sampler(plan, longest + 1)
        self.settings = plan.settings(side.strengths.has_l1)
        self.copies = Copies(side.table, 0, n_shards, self.settings, side.strengths)
        self.sides = [self.copies.side(side, shard) for shard in range(n_shards)]
        cuts = np.linspace(0, len(pairs), n_shards + 1).astype(np.int64)
        shards = [np.arange(*cut) for cut in zip(cuts[:-1], cuts[1:], strict=True)]
        unit = unit_length(plan.shuffle, min(map(len, shards)))
        self.orders = [RowOrder(shard, plan.shuffle, unit) for shard in shards]
        entries = side.rows.n_entries // max(1, side.rows.n_rows)
        work = (entries + 1) * (self.sampler.most_draws + 3) * (plan.n_factors + 1)
        self._rows_a_call = max(64, _WORK_A_CALL // work)

    def run(self, after_epoch: Callable[[dict], bool] | None = None) -> dict[str, list[float]]:
        """Train for up to plan.max_iter epochs; the history.

        `after_epoch`, a function of the history, says whether to stop.
        """
        history: dict[str, list[float]] = {"train_loss": [], "seconds": []}
        weights = self.pairs.weights
        total = len(self.pairs) if weights is None else float(weights.sum())
        n_threads = min(self.plan.n_jobs, len(self.orders))
        with (
            ThreadPoolExecutor(n_threads) if n_threads > 1 else nullcontext() as pool,
            tqdm(total=len(self.pairs) * self.plan.max_iter, unit="row", unit_scale=True,
                 disable=not self.plan.verbose) as bar,
        ):  # fmt: skip
            for epoch in range(1, self.plan.max_iter + 1):
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
        if not self.copies.home.is_finite():
            raise divergence(epoch, "a weight is no longer finite")
        return history

    def epoch(self, epoch: int, run_all: Callable, bar: tqdm) -> float:
        """One pass over all better rows; the weighted sum of losses."""
        key = int(self.rng.integers(2**63))
        for order in self.orders:
            order.shuffle(self.rng)
        longest, loss = max(map(len, self.orders)), 0.0
        step = max(1, self._rows_a_call // self.orders[0].unit)
        if len(self.orders) > 1:
            step = max(1, min(step, -(-longest // _MERGES)))
        for start in range(0, longest, step):

            def work(shard, start=start):
                part = self.orders[shard].part(start, start + step)
                return self._visit(shard, part, key, epoch)

            loss += sum(run_all(work, range(len(self.orders))))
            self.copies.merge(self.plan.solver_row)
            bar.update(min(step, longest - start) * self.orders[0].unit * len(self.orders))
        return loss

    def _visit(self, shard, part, key, epoch):
        side = self.sides[shard]
        loss, done = ranking.train_pairs(
            side, self.pairs, part, self.sampler, self.settings, key, side.table.factors
        )
        if done < len(part):
            row = self.pairs.better[part[done]]
            raise divergence(epoch, f"a score of row {row}, or of one it is set against, is not finite")
        return loss

    def finish(self) -> None:
        """Bring what was trained so far to the side's table."""
        self.copies.take_back()
