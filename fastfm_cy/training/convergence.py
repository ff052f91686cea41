"""Convergence: whether a fit ended better than a constant, and what may be wrong if it did not."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..data.csr import CSRRows
from ..exceptions import DivergenceError
from ..kernels.common.losses import values_and_gradients
from ..kernels.common.settings import Settings
from ..model.scoring import score_rows
from ..model.table import ParameterTable
from ..utils.means import weighted_mean
from .plan import TrainingPlan
from .sources import MemorySource, Source

# A fit whose loss is more than this many times a constant's has diverged, even if all is finite.
_DIVERGED = 100.0
_NO_BETTER = 1.02  # times a constant's: the warning
_NO_BETTER_WITH_IDS = 0.97  # the same where columns look like ids
# A fit that was asked for less is not expected to get anywhere; one that chose so itself is.
_FEWEST_EPOCHS = 5
_ROWS = 2000  # that are looked at


def check_convergence(
    plan: TrainingPlan, source: Source, table: ParameterTable, settings: Settings,
    history: dict[str, list[float]],
) -> None:  # fmt: skip
    """Warn if a fit ends no better than a constant on its training rows.

    Raises
    ------
    DivergenceError
        If it ends far worse than a constant.
    """
    constant = _constant_loss(plan, source, settings) * plan.loss_unit
    last = history["train_loss"][-1]
    if not np.isfinite(constant) or constant <= 0:
        return
    ids = _columns_of_ids(source)
    # The history's losses are from before each row's update, but after those of the rows before it,
    # which often have the same ids.
    if last <= constant * _NO_BETTER and not ids:
        return
    if isinstance(source, MemorySource):
        sample = _sampled(source)
        last = _loss_of(sample, table, settings) * plan.loss_unit
        constant = max(constant, _constant_loss(plan, sample, settings) * plan.loss_unit)
    if last > _DIVERGED * constant:
        raise DivergenceError(
            f"Training diverged: the mean training loss ended at {last:.3g}, a constant's is "
            f"{constant:.3g}. {plan.remedy}. The estimator is as it was before the fit."
        )
    long_enough = plan.tunes or len(history["train_loss"]) >= _FEWEST_EPOCHS
    if long_enough and last > constant * (_NO_BETTER_WITH_IDS if ids else _NO_BETTER):
        warnings.warn(
            f"The fit ended with a training loss of {last:.4g}; a constant has {constant:.4g}. "
            + (_about_ids(ids) if ids else f"{plan.remedy}."),
            ConvergenceWarning,
            stacklevel=2,
        )


def _about_ids(columns: list[int]) -> str:
    named = ", ".join(map(str, columns[:5]))
    return (
        f"Column {named} holds large whole numbers, which look like ids: numbers of users, items "
        "or categories say nothing by their size. Encode them, a feature an id "
        "(sklearn.preprocessing.OneHotEncoder)."
    )


def _constant_loss(plan: TrainingPlan, source: Source, settings: Settings) -> float:
    """The mean loss of the best constant score, on the rows to train on."""
    y, weights, n_rows = source.typical_targets()
    y = y.astype(np.float64)
    best = plan.loss.best_constant(y, weights, plan.n_outputs, n_rows)
    scores = np.broadcast_to(np.asarray(best, dtype=np.float64), (len(y), plan.n_outputs))
    losses, _ = values_and_gradients(settings, np.ascontiguousarray(scores), y)
    constant = float(weighted_mean(losses, weights))
    if not isinstance(source, MemorySource) and plan.loss.scales:
        summary = source.summary  # its typical targets have the mean of all, not their spread
        spread = summary.mean_square - weighted_mean(summary.typical, weights) ** 2
        return constant + 0.5 * float(spread) / plan.loss_unit
    return constant


def _sampled(source: MemorySource) -> MemorySource:
    """Some of the rows to train on."""
    visited = source.visited[:: max(1, source.n_visited // _ROWS)]
    return replace(source, visited=visited).only_visited()


def _loss_of(source: MemorySource, table: ParameterTable, settings: Settings) -> float:
    scores = score_rows(table, source.rows).astype(np.float64)
    losses, _ = values_and_gradients(settings, scores, source.target)
    return float(weighted_mean(losses, source.weights))


def _columns_of_ids(source: Source) -> list[int]:
    """Columns of many large whole numbers, most of which differ; those before any scaling."""
    rows = getattr(source, "unscaled", None)
    if not isinstance(rows, CSRRows) or rows.n_features > 1000 or not rows.n_entries:
        return []
    sample = rows.take(np.arange(0, rows.n_rows, max(1, rows.n_rows // _ROWS)))
    X = sample.with_own_columns().as_matrix().tocsc()
    found = []
    for column in range(X.shape[1]):
        values = X.data[X.indptr[column] : X.indptr[column + 1]]
        if len(values) < 0.5 * sample.n_rows or len(values) < 20 or values.max() < 100:
            continue
        if (values == np.round(values)).all() and len(np.unique(values)) > 20:
            found.append(column)
    return found
