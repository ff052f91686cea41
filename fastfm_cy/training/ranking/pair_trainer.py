"""Pair trainer: a better row against worse ones, in one thread or several.

Threads share the pairs out, have a copy of the table each, and merge the copies several times an
epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from tqdm import tqdm

from ...kernels.dispatch import ranking
from ...model.sides import Side
from ..epoch_loop import divergence
from ..gradient.row_order import RowOrder, unit_length
from .pairs import Pairs
from .plan import RankingPlan, rank_weights
from .samplers import Sampler
from .sharing import Copies

_WORK_A_CALL = 30_000_000  # multiply-adds between two looks at Ctrl-C
_MERGES = 16  # an epoch


class PairTrainer:
    """The Trainer of rankers.

    Parameters
    ----------
    plan : RankingPlan
    pairs : Pairs
    side : Side
        Trained in place, once `finish` was called.
    rng : numpy.random.Generator
    """

    loss_unit = 1.0
    bar_options = {"unit": "row", "unit_scale": True}  # noqa: RUF012

    def __init__(
        self, plan: RankingPlan, pairs: Pairs, side: Side, rng: np.random.Generator
    ) -> None:
        self.plan, self.rng, self.n_visits = plan, rng, len(pairs)
        n_shards = max(1, min(plan.n_shards, len(pairs)))
        if plan.shuffle:
            pairs = pairs.take(rng.permutation(len(pairs)))
        self.pairs = pairs
        longest = int((pairs.high - pairs.low).max(initial=1))
        most = plan.n_negatives
        self.sampler = Sampler(plan.loss.code, most, rank_weights(longest + 1, most))
        self.settings = plan.settings(side.strengths.has_l1)
        self._copies = Copies(side.table, 0, n_shards, self.settings, side.strengths)
        self.sides = [self._copies.side(side, shard) for shard in range(n_shards)]
        cuts = np.linspace(0, len(pairs), n_shards + 1).astype(np.int64)
        shards = [np.arange(*cut) for cut in pairwise(cuts)]
        unit = unit_length(plan.shuffle, min(map(len, shards)))
        self._orders = [RowOrder(shard, plan.shuffle, unit) for shard in shards]
        assert side.rows is not None  # rows in pairs always have features
        entries = side.rows.n_entries // max(1, side.rows.n_rows)
        work = (entries + 1) * (most + 3) * (plan.n_factors + 1)
        self._step = max(1, _WORK_A_CALL // work // unit)
        if n_shards > 1:
            self._step = max(1, min(self._step, -(-max(map(len, self._orders)) // _MERGES)))
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> PairTrainer:
        n_threads = min(self.plan.n_jobs, len(self._orders))
        self._pool = ThreadPoolExecutor(n_threads) if n_threads > 1 else None
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool:
            self._pool.shutdown()

    def epoch(self, number: int, max_iter: int, bar: tqdm) -> float:
        """One pass over all better rows; their mean loss."""
        bar.set_description(f"epoch {number}/{max_iter}", refresh=False)
        if self.plan.rates:
            self.settings.learning_rate = self.plan.rates(number - 1, max_iter)
        run_all: Callable = self._pool.map if self._pool else map
        key, loss = int(self.rng.integers(2**63)), 0.0
        for order in self._orders:
            order.shuffle(self.rng)
        for start in range(0, max(map(len, self._orders)), self._step):

            def work(shard: int, start: int = start) -> tuple[float, int]:
                part = self._orders[shard].part(start, start + self._step)
                return self._visit(shard, part, key, number), len(part)

            for part_loss, n_done in run_all(work, range(len(self._orders))):
                loss += part_loss
                bar.update(n_done)
            self._copies.merge(self.plan.solver)
        return loss / self.pairs.total_weight

    def _visit(self, shard: int, part: np.ndarray, key: int, number: int) -> float:
        side = self.sides[shard]
        loss, done = ranking.train_pairs(
            side, self.pairs, part, self.sampler, self.settings, key, side.table.factors
        )
        if done < len(part):
            row = self.pairs.better[part[done]]
            raise divergence(number, f"the score of row {row}, or of a worse one, is not finite")
        return loss

    def check_end(self, number: int, mean_loss: float) -> None:
        self.finish()
        if not self._copies.home.is_finite():
            raise divergence(number, "a weight is no longer finite")

    def finish(self) -> None:
        """Bring what was trained so far to the side's table."""
        self._copies.take_back()
