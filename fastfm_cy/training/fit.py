"""Fit: from a plan and a source of rows to a trained table. The one course that all fits take."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

import numpy as np

from ..data.relational_rows import RelationalRows
from ..model.folding import rescale_scores
from ..model.starts import new_key
from ..model.table import ParameterTable
from ..model.weaving import put_back, starting_apart, taken, unwoven, woven
from .adaptive_l2 import COLUMNS, learn
from .convergence import check_convergence
from .coordinate.als import CoordinateTrainer
from .early_stopping import EarlyStopping, History, Monitor, Observer, Unobserved
from .epoch_loop import Trainer, run_epochs
from .gradient.sharding import Placement, place_features
from .gradient.trainer import GradientTrainer
from .plan import TrainingPlan
from .sources import MemorySource, Source
from .step_size import with_bearable_steps
from .table_size import check_size
from .tuning import tune
from .validation_set import DiskValidationSet, ValidationSet

_BLOCK = 1 << 16  # features whose state is matched at a time


@dataclass(frozen=True)
class FitResult:
    """What a fit gives back."""

    table: ParameterTable
    history: History
    best_iter: int | None = None
    """The epoch that early stopping went back to."""
    learned_l2: dict[str, float | np.ndarray] = field(default_factory=dict)
    """The strengths that were learned, by the parameter's name."""
    tuned: dict[str, Any] = field(default_factory=dict)
    """Of the parameters that tuning chose: the values."""
    state_key: tuple | None = None
    """What ties the optimiser's state to the weights, in short; None for most solvers."""


def fit(
    plan: TrainingPlan, source: Source, rng: np.random.Generator, *,
    validation: ValidationSet | DiskValidationSet | None = None,
    observer: Observer | None = None, table: ParameterTable | None = None,
) -> FitResult:  # fmt: skip
    """Train a new table, or go on with one.

    Parameters
    ----------
    plan : TrainingPlan
    source : MemorySource or DiskSource
        Rows to train on. Without `validation`, early stopping holds some of them out.
    rng : numpy.random.Generator
    validation : ValidationSet, default=None
    observer : Observer, default=None
    table : ParameterTable, default=None
        Of a fitted model, to go on with; it stays as it is.

    Returns
    -------
    FitResult
    """
    observer, all_rows = observer or Unobserved(), source
    # Before all else that is random, so that the same seed starts all kinds of fits the same.
    key = key_of(table, rng)
    if validation is None and plan.early_stopping:
        source, validation = _hold_out(plan, source, rng, observer)
    rescale, tunes = None, plan.tunes and table is None and isinstance(source, MemorySource)
    if tunes:
        plan, rescale = tune(plan, cast(MemorySource, source), rng, _train_once(key, rng))
    plan = with_bearable_steps(plan, source)
    course = Course(plan, source)
    learned = course.learn_strengths(validation, key, rng)
    before = None
    if table is None:
        table = course.new_table(key)
    else:
        course.check_same_kind(table)
        table = course.own(table)
        table.start_key = key
        before = table.copy() if plan.refits and source is not all_rows else None
        course.start_late(table)
        course.match_state(table)
    state_key = course.state_key(table.n_features)
    observer.begin(table, state_key)
    history, best_iter = course.train(
        table, rng, validation=validation, observer=observer, verbose=plan.verbose
    )
    if plan.refits and source is not all_rows:
        epochs = best_iter or len(history["train_loss"])
        table = course.trained_anew(all_rows, before, epochs, key, rng)
    if rescale is not None:
        rescale_scores(table, rescale)
        course.match_state(table)
    # Observers may have shown others the table, who may hold on to it.
    table = unwoven(table, plan.n_jobs, consumes=not observer.watches)
    tuned = {"max_iter": plan.max_iter, **plan.chosen} if tunes else {}
    return FitResult(table, history, best_iter, learned, tuned, state_key)


def key_of(table: ParameterTable | None, rng: np.random.Generator) -> int:
    """What start values are drawn with, those of features that come later, too."""
    known = None if table is None else table.start_key
    return new_key(rng) if known is None else known


def _train_once(key: int, rng: np.random.Generator) -> Callable:
    """What tune takes for training: fits that start and go on alike."""
    seed = int(rng.integers(2**31))

    def train(plan: TrainingPlan, source: MemorySource, max_iter: int, watch: Callable) -> None:
        own = np.random.default_rng(seed)
        plan = replace(with_bearable_steps(plan, source), max_iter=max_iter)
        course = Course(plan, source)
        table = course.new_table(key)
        trainer, take_back = course.trainer(table, own)

        def after_epoch(history: History) -> bool:
            take_back()
            return watch(table, course.settings, history)

        run_epochs(trainer, max_iter, after_epoch=after_epoch)

    return train


def _hold_out(
    plan: TrainingPlan, source: Source, rng: np.random.Generator, observer: Observer
) -> tuple[MemorySource, ValidationSet]:
    if not isinstance(source, MemorySource):
        raise ValueError(
            "early_stopping on a data set on disk needs an eval_set: (X, y), or another data "
            "set on disk."
        )
    source, numbers = source.split(plan.validation_fraction, rng, stratify=plan.stratifies)
    observer.held_out(numbers)
    return source, _validation_of(source, numbers)


def _validation_of(source: MemorySource, numbers: np.ndarray) -> ValidationSet:
    weights = None if source.weights is None else source.weights[numbers]
    return ValidationSet(source.rows.take(numbers), source.target[numbers], weights)


class Course:
    """The steps of a fit on one source of rows."""

    def __init__(self, plan: TrainingPlan, source: Source) -> None:
        self.plan, self.source = plan, source
        self.strengths = plan.check_strengths(source.n_features)
        self.settings = plan.settings(self.strengths)

    # The table -----------------------------------------------------------------------------------

    def new_table(self, key: int) -> ParameterTable:
        """A table at its start, drawn with a key."""
        plan, source = self.plan, self.source
        n_started = len(source.present_features()) if source.has_gaps else None
        check_size(plan, source.n_features, n_started)
        if self.places and not source.has_gaps:
            table = starting_apart(plan.new_table(0), source.n_features)
        else:
            table = plan.new_table(source.n_features, has_gaps=source.has_gaps)
        table.start_key = key
        self.start(table)
        if plan.fit_intercept:
            with np.errstate(over="ignore"):  # training finds what is not finite
                table.intercepts[...] = self._start_of_intercept()
        self.match_state(table)
        return table

    def own(self, table: ParameterTable) -> ParameterTable:
        """A copy of a fitted model's table for the trainer."""
        if not self.places or table.has_gaps:
            return woven(table)
        apart = unwoven(table)
        return apart.copy() if apart is table else apart

    def _start_of_intercept(self) -> float | np.ndarray:
        plan = self.plan
        if plan.init_intercept is not None:
            return plan.init_intercept
        y, weights, n_rows = self.source.typical_targets()
        return plan.loss.best_constant(y, weights, plan.n_outputs, n_rows)

    def start(self, table: ParameterTable, first: int = 0) -> None:
        """Start the factors of features from `first` on, or of whichever occurs only now."""
        if table.has_started is None:
            self.plan.starts.write(table, first=first)
        self.start_late(table)

    def start_late(self, table: ParameterTable) -> None:
        """Start the factors that begin when their feature occurs, if it has only now."""
        if table.has_started is not None:
            self.plan.starts.write(table, table.begin(self.source.present_features()))

    def match_state(self, table: ParameterTable, rows: slice = slice(None)) -> None:
        """Set the state that belongs to the weights, of some of the features."""
        match = self.plan.solver.match_state
        if not match or not len(table.linear[rows]):
            return
        if table.state is None:
            match(table, self.strengths, self.settings, rows)
            return
        first, last, _ = rows.indices(table.n_features)
        features: np.ndarray = np.arange(first, last, dtype=np.int32)
        if table.has_started is not None:
            features = features[table.has_started[features]]
        for start in range(0, max(1, len(features)), _BLOCK):
            block = features[start : start + _BLOCK]
            part = taken(table, block)
            match(part, self.strengths.packed(block), self.settings)
            put_back(part, table, block)

    def state_key(self, n_features: int) -> tuple | None:
        """What ties the solver's state to its weights, in short; None if nothing does."""
        plan = self.plan
        if not plan.solver.match_state:
            return None
        values = np.ascontiguousarray(self.strengths.of_rows(slice(n_features)))
        digest = hashlib.sha256(values.tobytes()).digest()
        of_pairs = (plan.l2_pair_weights,) if plan.l2_pair_weights else ()
        return plan.learning_rate, plan.ftrl_beta, digest, *of_pairs

    def check_same_kind(self, table: ParameterTable) -> None:
        """Refuse to train on with parameters that the table cannot have."""
        plan, solver = self.plan, self.plan.solver
        for name, now, before in (
            ("n_factors", plan.n_factors, table.n_factors),
            ("dtype", np.dtype(plan.dtype), table.dtype),
            ("solver", (solver.state_start, solver.n_row_state), table.solver_state),
            ("solver", solver.by_columns, table.is_tiled),
            ("the model's kind", plan.family, table.family),
            ("the number of outputs", plan.n_outputs, table.n_outputs),
        ):
            if now != before:
                raise ValueError(
                    f"{name} cannot change between fits that go on (warm_start, partial_fit): the "
                    f"model has {before}, now {now} is asked for. Fit anew with warm_start=False."
                )

    # Training ------------------------------------------------------------------------------------

    def learn_strengths(
        self, validation: Any, key: int, rng: np.random.Generator
    ) -> dict[str, float | np.ndarray]:
        """Replace "auto" strengths by what a first fit learns on held-out rows."""
        names, plan = list(self.plan.learned), self.plan
        if not names:
            return {}
        source = cast(MemorySource, self.source)  # only rows in memory are let this far
        if validation is None:
            source, numbers = source.split(plan.validation_fraction, rng, stratify=plan.stratifies)
            validation = _validation_of(source, numbers)
        course = Course(plan, source)
        course.strengths, course.settings = self.strengths, self.settings
        seed = int(rng.integers(2**31))

        def train() -> tuple[ParameterTable, Any]:
            # The same start and orders each time: only the strengths differ.
            rng = np.random.default_rng(seed)
            table = course.new_table(key)
            followed = validation if plan.early_stopping else None
            course.train(table, rng, validation=followed)
            return table, self.settings

        learn(names, self.strengths, train, validation)
        found = {name: self.strengths.values[:, COLUMNS[name][0]].astype(float) for name in names}
        return {name: value if len(value) > 1 else float(value[0]) for name, value in found.items()}

    def train(
        self, table: ParameterTable, rng: np.random.Generator, *, validation: Any,
        observer: Observer | None = None, verbose: int = 0,
    ) -> tuple[History, int | None]:  # fmt: skip
        """Train a table for all epochs; the history, and the best epoch if it was gone back to."""
        plan = self.plan
        trainer, take_back = self.trainer(table, rng)
        monitor = Monitor(
            table, take_back, self.settings, validation=validation,
            stopping=EarlyStopping.of(plan), observer=observer or Unobserved(), n_jobs=plan.n_jobs,
            loss_unit=plan.loss_unit,
        )  # fmt: skip
        history = run_epochs(trainer, plan.max_iter, verbose=verbose, after_epoch=monitor)
        best_iter = monitor.finish()
        check_convergence(plan, self.source, table, self.settings, history)
        return history, best_iter

    def trained_anew(
        self, source: Source, before: ParameterTable | None, epochs: int, key: int,
        rng: np.random.Generator,
    ) -> ParameterTable:  # fmt: skip
        """A table of other rows, from the start or from a table `before`, for so many epochs."""
        course = Course(replace(self.plan, max_iter=epochs, early_stopping=False), source)
        course.strengths, course.settings = self.strengths, self.settings
        table = course.new_table(key) if before is None else before
        course.start_late(table)
        course.match_state(table)
        course.train(table, rng, validation=None, verbose=self.plan.verbose)
        return table

    def trainer(
        self, table: ParameterTable, rng: np.random.Generator
    ) -> tuple[Trainer, Callable[[], None]]:
        """A trainer, and what brings its work to the table."""
        plan, source = self.plan, self.source
        if table.has_gaps and isinstance(source, MemorySource):
            return self.packed_trainer(table, table.started, rng)
        if plan.solver.by_columns:
            rows = cast(MemorySource, source)  # as above
            trainer = CoordinateTrainer(plan, rows, table, self.settings, self.strengths)
            return trainer, _nothing
        placement = self.placement()
        placed = placement.placed_table(table)
        gradient = GradientTrainer(
            plan, source, placement, placed, self.settings, self.strengths, rng
        )
        return gradient, partial(placement.take_back, placed, table)

    def packed_trainer(
        self, table: ParameterTable, features: np.ndarray, rng: np.random.Generator
    ) -> tuple[Trainer, Callable[[], None]]:
        """The same for a table with gaps: of these features, packed."""
        packed = table.take(features)
        trainer, take_back = self.packed(features).trainer(packed, rng)

        def bring_back() -> None:
            take_back()
            table.assign(packed, features)

        return trainer, bring_back

    def packed(self, features: np.ndarray) -> Course:
        """The course of a table of only these features, which all rows to visit have."""
        course = copy.copy(self)
        course.source = cast(MemorySource, self.source).packed(features)
        course.strengths = self.strengths.packed(features)
        return course

    def start_packed(self, part: ParameterTable, features: np.ndarray) -> None:
        """Start those features of a packed table whose factors begin only now."""
        if part.has_started is not None:
            new = part.begin(np.arange(len(features)))
            self.plan.starts.write(part, new, numbers=features[new].astype(np.uint32))
            self.match_state(part)

    @property
    def places(self) -> bool:
        """Whether what is trained is a copy of the table, which so can have its state apart."""
        return not self.trains_in_place and not self.plan.solver.by_columns

    @property
    def trains_in_place(self) -> bool:
        """Whether the trainer works on the table itself, unless that has gaps."""
        plan = self.plan
        several = plan.n_jobs > 1 or plan.relabel or plan.deterministic
        return self._in_blocks or not several

    @property
    def _in_blocks(self) -> bool:
        source = self.source
        return isinstance(source, MemorySource) and isinstance(source.rows, RelationalRows)

    def placement(self) -> Placement:
        plan, source, in_blocks = self.plan, self.source, self._in_blocks
        return place_features(
            source.n_features, lambda: source.occurrences(plan.n_jobs), source.n_visited,
            n_jobs=1 if in_blocks else plan.n_jobs,
            relabel=plan.relabel and not in_blocks,
            deterministic=plan.deterministic and not in_blocks,
            frequent=plan.family.frequent,
        )  # fmt: skip


def _nothing() -> None:
    """The table itself is trained."""
