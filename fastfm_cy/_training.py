"""The epoch loop that every gradient solver uses."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from time import perf_counter

import numpy as np
from tqdm import tqdm

from ._order import RowOrder, unit_length
from ._parameters import CACHE_LINE, aligned_zeros
from .exceptions import DivergenceError
from .kernels import fm, loss, replicas

# Multiply-adds of one call of the kernel. With one shard: between two looks at Ctrl-C and the
# progress bar, some tens of milliseconds. With several: between two merges.
_WORK_A_CALL = 20_000_000
_WORK_A_ROUND = 16_000_000
_FEWEST_ROUNDS = 8  # an epoch

# A fit that ends with a mean loss this many times that of the constant score 0 has diverged,
# even if every number is finite. Before the end it may recover, as AdaGrad's steps shrink.
_BLOW_UP = 1e4


class Trainer:
    """Per-sample training of a parameter table, in one thread or several.

    Parameters
    ----------
    layout : Layout
    y, weights : arrays of shape (n_rows,), or None for weights of one
        In the table's dtype.
    table : ParameterTable
        As the layout wants it; trained in place.
    settings : kernels.settings.Settings
    shuffle : {"block", True, False}
        See RowOrder.
    rng : numpy.random.Generator
    n_jobs : int
        Number of threads.
    decay : array of shape (2,)
        Of linear weights and factors, for Layout.merge_shares.
    """

    def __init__(self, layout, y, weights, table, settings, *, shuffle, rng, n_jobs, decay):
        self.layout, self.table, self.settings = layout, table, settings
        self.y, self.weights, self.rng, self.n_jobs = y, weights, rng, n_jobs
        unit = unit_length(shuffle, min(map(len, layout.shards)))  # one for all shards
        self.orders = [RowOrder(rows, shuffle, unit) for rows in layout.shards]
        self.intercepts = [table.intercept]
        if len(self.orders) > 1:
            self.intercepts = [_line_of_its_own(table.intercept) for _ in self.orders]
        self._n_units = max(map(len, self.orders))
        self._units_a_round = self._round_length()
        if len(self.orders) > 1:
            rows_a_round = self._units_a_round * self.orders[0].unit
            shares = layout.merge_shares(rows_a_round, decay)
            self._merge_shares = np.ascontiguousarray(shares, dtype=table.dtype)

    def _round_length(self):
        rows = self.layout.rows
        work = max(1, len(rows.indices) * (self.table.n_padded + 1) // max(1, rows.n_rows))
        if len(self.orders) == 1:
            n_rows = _WORK_A_CALL // work
        else:
            n_rows = min(
                _WORK_A_ROUND // work, self._n_units * self.orders[0].unit // _FEWEST_ROUNDS
            )
        return max(1, n_rows // self.orders[0].unit)

    def run(self, max_iter, *, verbose):
        """Train for `max_iter` epochs.

        Returns
        -------
        dict of lists, a number an epoch
            "train_loss", the mean loss, each row's taken just before its own update; "seconds".

        Raises
        ------
        DivergenceError
            If a score, the mean loss or a weight leaves the range of sensible numbers.
        """
        total = self._total_weight()
        n_visits = max_iter * sum(order.n_rows for order in self.orders)
        history = {"train_loss": [], "seconds": []}
        n_threads = min(self.n_jobs, len(self.orders))
        threads = ThreadPoolExecutor(n_threads) if n_threads > 1 else nullcontext()
        with (
            threads as pool,
            tqdm(total=n_visits, unit="row", unit_scale=True, disable=not verbose) as bar,
        ):
            for epoch in range(1, max_iter + 1):
                bar.set_description(f"epoch {epoch}/{max_iter}", refresh=False)
                start = perf_counter()
                mean_loss = self._epoch(epoch, pool.map if pool else map, bar) / total
                if not np.isfinite(mean_loss):
                    raise _divergence(epoch, "the mean training loss is not finite")
                history["train_loss"].append(mean_loss)
                history["seconds"].append(perf_counter() - start)
        self._check_end(max_iter, mean_loss)
        return history

    def _epoch(self, epoch, run_all, bar):
        """One pass over all rows; the weighted sum of losses."""
        for order in self.orders:
            order.shuffle(self.rng)
        loss_sum = weight_sum = 0.0
        for start in range(0, self._n_units, self._units_a_round):
            for part, part_loss, done in run_all(
                lambda shard, start=start: self._visit(shard, start), range(len(self.orders))
            ):
                if done < len(part):
                    raise _divergence(epoch, f"the score of row {part[done]} is not finite")
                loss_sum += part_loss
                if not bar.disable:
                    weight_sum += self._weight_of(part)
                    bar.set_postfix(loss=f"{loss_sum / weight_sum:.4f}", refresh=False)
                    bar.update(len(part))
            if len(self.orders) > 1:
                self._merge(run_all)
        return loss_sum

    def _visit(self, shard, start):
        """Train on one shard's part of a round: (rows, their loss, how many were done)."""
        rows, table = self.layout.rows, self.table
        part = self.orders[shard].part(start, start + self._units_a_round)
        loss_sum, done = fm.train(
            rows.indptr, rows.indices, rows.data, self.y, self.weights, part,
            self.intercepts[shard], table.linear, table.factors, table.n_padded, self.settings,
        )  # fmt: skip
        return part, loss_sum, done

    def _merge(self, run_all):
        """Bring the shards' copies of the frequent features and of the intercept together."""
        table, head, n_shards = self.table, self.layout.head, len(self.orders)
        cuts = np.linspace(0, head, self.n_jobs + 1).astype(int)

        def merge(first, last):
            replicas.merge(
                table.linear, table.factors, table.n_padded, head, n_shards, self._merge_shares,
                first, last,
            )  # fmt: skip

        list(run_all(merge, cuts[:-1], cuts[1:]))
        moves = np.sum([copy - table.intercept for copy in self.intercepts], axis=0)
        moves[0] /= n_shards  # the weight moves by the mean, its state adds up
        table.intercept += moves
        for copy in self.intercepts:
            copy[...] = table.intercept

    def _total_weight(self):
        return sum(self._weight_of(rows) for rows in self.layout.shards)

    def _weight_of(self, part):
        return len(part) if self.weights is None else self.weights[part].sum(dtype=np.float64)

    def _check_end(self, epoch, mean_loss):
        if not self.table.is_finite():
            raise _divergence(epoch, "a weight is no longer finite")
        y = self.y.astype(np.float64, copy=False)
        losses, _ = loss.values_and_gradients(self.settings.loss, np.zeros(len(y)), y)
        limit = _BLOW_UP * float(np.average(losses, weights=self.weights)) or np.inf
        if mean_loss > limit:
            raise _divergence(epoch, f"the mean training loss ended at {mean_loss:.3g}")


def _line_of_its_own(intercept):
    """A copy that shares no cache line with another thread's."""
    copy = aligned_zeros((CACHE_LINE,), intercept.dtype)[: len(intercept)]
    copy[...] = intercept
    return copy


def _divergence(epoch, what):
    return DivergenceError(
        f"Training diverged in epoch {epoch}: {what}. Lower learning_rate, scale the features (and "
        "a regression's target) to about 1, or use solver='adagrad', which scales its own steps. "
        "The estimator is as it was before the fit."
    )
