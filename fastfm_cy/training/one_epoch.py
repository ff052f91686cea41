"""One epoch more of a fitted model, as partial_fit has it: it takes what its chunk touches."""

from __future__ import annotations

import numpy as np

from ..model.table import ParameterTable
from ..model.weaving import put_back, taken, unwoven
from .early_stopping import History
from .epoch_loop import run_epochs
from .fit import Course, FitResult, key_of
from .plan import TrainingPlan
from .rollback import Touched
from .sources import MemorySource
from .step_size import with_bearable_steps
from .table_size import check_size


def fit_one_epoch_more(
    plan: TrainingPlan, source: MemorySource, rng: np.random.Generator, table: ParameterTable,
    state_key: tuple | None,
) -> FitResult:  # fmt: skip
    """Go on with a model's table, in place; an error leaves it as it was.

    The result's table is another one if the source has more features.
    """
    plan, table = with_bearable_steps(plan, source), unwoven(table)
    course, n_before = Course(plan, source), table.n_features
    course.check_same_kind(table)
    table.start_key = key_of(table, rng)
    if source.n_features > n_before:
        n_started = len(table.started) + source.rows.n_entries if table.has_gaps else None
        check_size(plan, source.n_features, n_started)
        table = table.grown(source.n_features)
        if table.has_started is None:
            plan.starts.write(table, first=n_before)
    if table.state is None and not table.has_gaps:
        history = _one_epoch_in_place(course, source, rng, table)
        return FitResult(table, history)
    key = course.state_key(table.n_features)
    if plan.solver.match_state:
        is_tied = state_key == course.state_key(n_before)
        if not is_tied and table.n_features == n_before:
            table = table.copy()  # it may be needed as it was
        course.match_state(table, slice(n_before if is_tied else 0, None))
    features = source.present_features()
    packed, part = course.packed(features), taken(table, features)
    packed.start_packed(part, features)
    trainer, take_back = packed.trainer(part, rng)
    history = run_epochs(trainer, 1, verbose=plan.verbose)
    take_back()
    put_back(part, table, features)
    return FitResult(table, history, state_key=key)


def _one_epoch_in_place(
    course: Course, source: MemorySource, rng: np.random.Generator, table: ParameterTable
) -> History:
    """Of a table without state or gaps."""
    touched = None
    if course.trains_in_place or table.has_started is not None:
        touched = Touched(table, source)
    try:
        course.start_late(table)
        trainer, take_back = course.trainer(table, rng)
        history = run_epochs(trainer, 1, verbose=course.plan.verbose)
    except BaseException:
        if touched:
            touched.restore()
        raise
    take_back()
    return history
