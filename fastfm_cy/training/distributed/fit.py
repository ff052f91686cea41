"""Fit by a crew: what a fit of one process does, of rows that lie apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...model.starts import new_key
from ...model.table import ParameterTable
from ..early_stopping import EarlyStopping, Monitor, Observer, Unobserved
from ..epoch_loop import run_epochs
from ..fit import FitResult, check_size
from ..plan import TrainingPlan
from .coordinator import HEAD_MERGES, Coordinator, DistributedValidation
from .crew import Crew
from .session import Columns
from .starts import started_table

_ROWS_A_PART = 100  # of each session, at least


@dataclass(frozen=True)
class Opening:
    """What sessions need to begin, wherever and whenever they do."""

    plan: TrainingPlan
    head: np.ndarray
    n_features: int
    key: int
    rngs: list[np.random.Generator]

    @property
    def common(self) -> tuple:
        return self.plan, self.head, self.n_features, self.key


def fit_by_crew(
    plan: TrainingPlan, crew: Crew, n_features: int, start: float | np.ndarray,
    rng: np.random.Generator, *, validates: bool = False, observer: Observer | None = None,
    n_parts: int | None = None,
) -> FitResult:  # fmt: skip
    """Train a new table.

    Parameters
    ----------
    plan : TrainingPlan
        Complete.
    crew : Crew
        Of sessions that have their rows, but did not begin.
    n_features : int
    start : float or array of shape (n_outputs,)
        Of the intercepts, if they are fitted.
    rng : numpy.random.Generator
    validates : bool, default=False
        Whether the sessions have rows to validate on.
    observer : Observer, default=None
    n_parts : int, default=None
        How often an epoch the frequent features are merged; None: coordinator.HEAD_MERGES times,
        or less often for few rows.

    Returns
    -------
    FitResult
    """
    observer = observer or Unobserved()
    check_size(plan, n_features)
    n_rows, n_entries = (sum(sizes) for sizes in zip(*crew.each("sizes"), strict=True))
    head = frequent_features(crew, n_rows, plan.family.frequent)
    if n_parts is None:
        n_parts = min(HEAD_MERGES, max(1, n_rows // (_ROWS_A_PART * crew.n_sessions)))
    key = new_key(rng)
    rngs = [rng] if crew.n_sessions == 1 else list(rng.spawn(crew.n_sessions))
    opening = Opening(plan, head, n_features, key, rngs)
    columns = crew.each("open", *opening.common, per_session=[(rng,) for rng in rngs])
    table = _new_table(opening, columns, start)
    observer.begin(table, None)
    coordinator = Coordinator(plan, crew, head, columns, table, n_rows, n_entries, n_parts)
    monitor = Monitor(
        table, lambda: None, coordinator.settings, stopping=EarlyStopping.of(plan),
        validation=DistributedValidation(coordinator) if validates else None, observer=observer,
        n_jobs=plan.n_jobs, loss_unit=plan.loss_unit,
    )  # fmt: skip
    history = run_epochs(coordinator, plan.max_iter, verbose=plan.verbose, after_epoch=monitor)
    return FitResult(table, history, monitor.finish())


def frequent_features(crew: Crew, n_rows: int, one_in: int) -> np.ndarray:
    """Features that at least one row in so many has, int32 and rising."""
    candidates = np.unique(np.concatenate(crew.each("frequent", one_in)))
    counts = np.sum(crew.each("occurrences", candidates), axis=0)
    return candidates[counts >= n_rows / one_in].astype(np.int32)


def _new_table(
    opening: Opening, columns: list[Columns], start: float | np.ndarray
) -> ParameterTable:
    plan, n_features = opening.plan, opening.n_features
    table = plan.new_table(n_features)
    table.start_key = opening.key
    strengths = plan.check_strengths(n_features)
    settings = plan.settings(strengths)
    if table.has_started is None:
        features = np.arange(n_features)
    else:
        trained = [opening.head, *(part for c in columns for part in (c.tail, c.extra))]
        features = np.unique(np.concatenate(trained))
    own = strengths.packed(features)
    table.assign(started_table(plan, own, settings, opening.key, features), features)
    if plan.fit_intercept:
        table.intercepts[...] = start
    if plan.solver.match_state:
        plan.solver.match_state(table, strengths, settings, slice(0, 0))
    return table
