"""The epoch loop that every gradient solver uses."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from time import perf_counter

import numpy as np
from tqdm import tqdm

from ...data.relational_rows import RelationalRows
from ...exceptions import DivergenceError
from ...kernels.common.losses import values_and_gradients
from .merging import Merger
from .row_order import RowOrder, unit_length

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
    strengths : Strengths
        For the rows of the table.
    solver : Solver
    shuffle : {"block", True, False}
        See RowOrder.
    rng : numpy.random.Generator
    n_jobs : int
        Number of threads.
    rates : function of (epoch, max_iter), default=None
        The learning rate of each epoch, if it is not always the settings'.
    curvature : float
        Of the loss by a linear weight, on average; for Layout.merge_shares.
    """

    def __init__(
        self, layout, y, weights, table, settings, strengths, solver, *, shuffle, rng, n_jobs,
        rates=None, curvature=1.0,
    ):  # fmt: skip
        self.layout, self.table, self.settings, self.strengths = layout, table, settings, strengths
        self.y, self.weights, self.rng, self.n_jobs = y, weights, rng, n_jobs
        self.rates, self.row_number = rates, int
        unit = unit_length(shuffle, min(map(len, layout.shards)))  # one for all shards
        self.orders = [RowOrder(rows, shuffle, unit) for rows in layout.shards]
        self._n_units = max(map(len, self.orders))
        self._units_a_round = self._round_length()
        self.intercepts, self._merger = [table.intercept], None
        if len(self.orders) > 1:
            self._merger = Merger(
                layout, table, settings, strengths, solver, n_jobs=n_jobs, curvature=curvature,
                rows_a_round=self._units_a_round * unit,
            )  # fmt: skip
            self.intercepts = self._merger.intercepts

    def _round_length(self):
        """In units of the order."""
        rows, unit = self.layout.rows, self.orders[0].unit
        a_feature = self.table.n_outputs * (self.table.n_weights + 1)
        work = max(1, rows.n_entries * a_feature // max(1, rows.n_rows))
        if len(self.orders) == 1:
            n_rows = _WORK_A_CALL // work
        else:
            n_rows = min(_WORK_A_ROUND // work, self._n_units * unit // _FEWEST_ROUNDS)
        return max(1, n_rows // unit)

    @property
    def n_rows(self):
        """That are visited in an epoch."""
        return sum(order.n_rows for order in self.orders)

    @property
    def n_shards(self):
        return len(self.orders)

    def run(self, max_iter, *, verbose=0, after_epoch=None):
        """Train for up to `max_iter` epochs.

        Parameters
        ----------
        max_iter, verbose : int
        after_epoch : function of the history so far, default=None
            May add to it; what it returns says whether to stop.

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
        n_visits = max_iter * self.n_rows
        history = {"train_loss": [], "seconds": []}
        n_threads = min(self.n_jobs, self.n_shards)
        threads = ThreadPoolExecutor(n_threads) if n_threads > 1 else nullcontext()
        with (
            threads as pool,
            tqdm(total=n_visits, unit="row", unit_scale=True, disable=not verbose) as bar,
        ):
            for epoch in range(1, max_iter + 1):
                bar.set_description(f"epoch {epoch}/{max_iter}", refresh=False)
                if self.rates:
                    self.settings.learning_rate = self.rates(epoch - 1, max_iter)
                start = perf_counter()
                mean_loss = self.epoch(epoch, pool.map if pool else map, bar) / total
                if not np.isfinite(mean_loss):
                    raise divergence(epoch, "the mean training loss is not finite")
                history["train_loss"].append(mean_loss)
                history["seconds"].append(perf_counter() - start)
                if after_epoch and after_epoch(history):
                    break
        self._check_end(epoch, mean_loss)
        return history

    def epoch(self, epoch, run_all, bar):
        """One pass over all rows; the weighted sum of losses. `run_all` is map, or a pool's."""
        for order in self.orders:
            order.shuffle(self.rng)
        loss_sum = weight_sum = 0.0
        for start in range(0, self._n_units, self._units_a_round):
            for part, part_loss, done in run_all(
                lambda shard, start=start: self._visit(shard, start), range(len(self.orders))
            ):
                if done < len(part):
                    row = self.row_number(part[done])
                    raise divergence(epoch, f"the score of row {row} is not finite")
                loss_sum += part_loss
                if not bar.disable:
                    weight_sum += self._weight_of(part)
                    bar.set_postfix(loss=f"{loss_sum / weight_sum:.4f}", refresh=False)
                    bar.update(len(part))
            if self._merger:
                self._merger.merge(run_all)
        return loss_sum

    def _visit(self, shard, start):
        """Train on one shard's part of a round: (rows, their loss, how many were done)."""
        rows, y, weights = self.layout.rows, self.y, self.weights
        part = order = self.orders[shard].part(start, start + self._units_a_round)
        if isinstance(rows, RelationalRows):
            rows, y, order = rows.expanded(part), y[part], np.arange(len(part))
            weights = weights if weights is None else weights[part]
        loss_sum, done = self.table.machine.train(
            rows, y, weights, order, self.table, self.intercepts[shard], self.strengths,
            self.settings,
        )  # fmt: skip
        return part, loss_sum, done

    def _total_weight(self):
        return sum(self._weight_of(rows) for rows in self.layout.shards)

    def _weight_of(self, part):
        return len(part) if self.weights is None else self.weights[part].sum(dtype=np.float64)

    def _check_end(self, epoch, mean_loss):
        if not self.table.is_finite():
            raise divergence(epoch, "a weight is no longer finite")
        y, weights = self._targets()
        zeros = np.zeros((len(y), self.table.n_outputs))
        losses, _ = values_and_gradients(self.settings, zeros, y)
        limit = _BLOW_UP * float(np.average(losses, weights=weights))
        if mean_loss > max(limit, _BLOW_UP):
            raise divergence(epoch, f"the mean training loss ended at {mean_loss:.3g}")

    def _targets(self):
        """As float64, and their weights."""
        return self.y.astype(np.float64, copy=False), self.weights


def divergence(epoch, what):
    return DivergenceError(
        f"Training diverged in epoch {epoch}: {what}. Lower learning_rate, scale the features (and "
        "a regression's target) to about 1, or use solver='adagrad', which scales its own steps. "
        "The estimator is as it was before the fit."
    )
