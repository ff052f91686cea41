"""The epoch loop that every gradient solver uses."""

import numpy as np
from tqdm import tqdm

from .exceptions import DivergenceError
from .kernels import fm, loss

# Multiply-adds between two looks at Ctrl-C and the progress bar: some tens of milliseconds.
_WORK_A_CALL = 20_000_000

# A fit that ends with a mean loss this many times that of the constant score 0 has diverged,
# even if every number is finite. Before the end it may recover, as AdaGrad's steps shrink.
_BLOW_UP = 1e4


def train(rows, y, weights, table, settings, loss_code, *, max_iter, shuffle, rng, verbose):
    """Train `table` in place for `max_iter` epochs of per-sample updates.

    Parameters
    ----------
    rows : CSRRows
    y : array of shape (n_rows,)
        Targets, in the table's dtype.
    weights : array of shape (n_rows,) or None
        Sample weights; rows of weight zero are never visited.
    table : ParameterTable
    settings : kernels.settings.Settings
    loss_code : kernels.settings.LossCode
    max_iter : int
    shuffle : bool
        Visit the rows in a new random order each epoch, else as they stand.
    rng : numpy.random.Generator
    verbose : bool
        Show a progress bar with the running loss.

    Returns
    -------
    list of float
        Mean loss of each epoch, each row's taken just before its own update.

    Raises
    ------
    DivergenceError
        If a score, the mean loss or a weight leaves the range of sensible numbers.
    """
    order = np.arange(len(y)) if weights is None else np.flatnonzero(weights)
    order = order.astype(np.int64, copy=False)
    total_weight = len(y) if weights is None else float(weights.sum(dtype=np.float64))
    history = []
    with tqdm(total=max_iter * len(order), unit="row", unit_scale=True, disable=not verbose) as bar:
        for epoch in range(1, max_iter + 1):
            bar.set_description(f"epoch {epoch}/{max_iter}", refresh=False)
            if shuffle:
                rng.shuffle(order)
            mean_loss = _epoch(rows, y, weights, order, table, settings, epoch, bar) / total_weight
            if not np.isfinite(mean_loss):
                raise _divergence(epoch, "the mean training loss is not finite")
            history.append(mean_loss)
    if not table.is_finite():
        raise _divergence(max_iter, "a weight is no longer finite")
    limit = _BLOW_UP * _mean_loss_of_zero(loss_code, y, weights) or np.inf
    if history[-1] > limit:
        raise _divergence(max_iter, f"the mean training loss ended at {history[-1]:.3g}")
    return history


def _epoch(rows, y, weights, order, table, settings, epoch, bar):
    """One pass over `order`; the weighted sum of losses."""
    loss_sum = weight_sum = 0.0
    step = rows_a_call(rows, table.n_padded)
    for start in range(0, len(order), step):
        part = order[start : start + step]
        part_loss, done = fm.train(
            rows.indptr, rows.indices, rows.data, y, weights, part,
            table.intercept, table.linear, table.factors, table.n_padded, settings,
        )  # fmt: skip
        if done < len(part):
            raise _divergence(epoch, f"the score of row {part[done]} is not finite")
        loss_sum += part_loss
        if not bar.disable:
            weight_sum += len(part) if weights is None else weights[part].sum(dtype=np.float64)
            bar.set_postfix(loss=f"{loss_sum / weight_sum:.4f}", refresh=False)
            bar.update(len(part))
    return loss_sum


def rows_a_call(rows, n_factors):
    """How many rows to hand to a kernel at once, so that Ctrl-C is seen soon."""
    work = len(rows.indices) * (n_factors + 1) // max(1, rows.n_rows)
    return max(1, _WORK_A_CALL // max(1, work))


def _mean_loss_of_zero(loss_code, y, weights):
    scores = np.zeros(len(y))
    losses, _ = loss.values_and_gradients(loss_code, scores, y.astype(np.float64, copy=False))
    return float(np.average(losses, weights=weights))


def _divergence(epoch, what):
    return DivergenceError(
        f"Training diverged in epoch {epoch}: {what}. Lower learning_rate, scale the features (and "
        "a regression's target) to about 1, or use solver='adagrad', which scales its own steps. "
        "The estimator is as it was before the fit."
    )
