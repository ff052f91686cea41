"""One fit, from checked rows to a trained table: what the estimators' ``fit`` have in common."""

import hashlib
from functools import partial

import numpy as np
from joblib import effective_n_jobs
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing

from ..kernels.gradient import replicas
from ..model.table import ParameterTable
from ..utils.checks import check_callbacks, check_cast, check_not_all_zero, check_weights
from .adaptive_l2 import COLUMNS, learn
from .coordinate.als import CoordinateTrainer
from .early_stopping import Monitor, Patience, ValidationSet
from .gradient.epochs import Trainer
from .gradient.ftrl import match_state
from .gradient.sharding import DETERMINISTIC_SHARDS, lay_out
from .schedules import SCHEDULES
from .solvers import ALL_SOLVERS, COORDINATE_SOLVERS

_SAMPLE = 100_000  # values, to see how large they are
_LARGE = 1e100  # whatever is larger; its square is still a number


class Fitting:
    """The data and the course of one fit of an estimator.

    Parameters
    ----------
    estimator : BaseFM
        With parameters that were checked, and `_rng`.
    rows : CSRRows
    target : float64 array of shape (n_rows,)
        As the kernels take it.
    weights : float64 array of shape (n_rows,) or None
    X, y
        What the user gave, for scorers.
    callbacks : list of functions of (estimator, history), a function, or None
    """

    def __init__(self, estimator, rows, target, weights, X=None, y=None, callbacks=None):
        self.estimator, self.rows, self.target, self.weights = estimator, rows, target, weights
        self.X, self.y = X, y
        self.callbacks = check_callbacks(callbacks)
        self.solver, self.loss = ALL_SOLVERS[estimator.solver], estimator._losses[estimator.loss]
        self.n_jobs = effective_n_jobs(estimator.n_jobs)
        self.by_columns = estimator.solver in COORDINATE_SOLVERS
        self.validation = None
        self.visited = np.arange(rows.n_rows)
        self.strengths = estimator._strengths(rows.n_features)
        self.settings = estimator._settings(self.strengths)
        self._y = check_cast(target, estimator.dtype, "y")
        self._weights = weights
        if weights is not None:
            self._weights = check_cast(weights, estimator.dtype, "sample_weight")
            check_not_all_zero(self._weights)
            self.visited = np.flatnonzero(self._weights)

    # Validation --------------------------------------------------------------------------------

    def hold_out(self, eval_set):
        """Find the rows to validate on: the user's, or some of X if early stopping needs them."""
        estimator = self.estimator
        if eval_set is not None:
            X, y, weights = estimator._check_eval_set(eval_set)
            rows, y = estimator._check_data(X, y, reset=False, name="eval_set")
            weights = check_weights(weights, rows.n_rows)
            self.validation = ValidationSet(rows, estimator._encode_more(y), weights, X, y)
        elif estimator.early_stopping:
            self.visited, held_out = self._split()
            self.validation = self._validation_of(held_out)

    def _split(self):
        """Rows to train on, and rows to hold out: a validation_fraction, stratified by class."""
        estimator = self.estimator
        seed = int(estimator._rng.integers(2**31))
        classes = self.target[self.visited] if estimator._task == "classification" else None
        try:
            parts = train_test_split(
                self.visited, test_size=estimator.validation_fraction, random_state=seed,
                stratify=classes,
            )  # fmt: skip
        except ValueError as error:
            raise ValueError(
                f"validation_fraction={estimator.validation_fraction} of {len(self.visited)} rows "
                f"cannot be held out: {error} Give more rows, another fraction or an eval_set."
            ) from None
        return [np.sort(part) for part in parts]

    def _validation_of(self, held_out):
        weights = None if self.weights is None else self.weights[held_out]
        X, y = None, None
        if self.estimator.scoring is not None:
            X, y = _safe_indexing(self.X, held_out), _safe_indexing(self.y, held_out)
        return ValidationSet(self.rows.take(held_out), self.target[held_out], weights, X, y)

    # Strengths ---------------------------------------------------------------------------------

    def learn_strengths(self):
        """Replace "auto" strengths by what a first fit learns on held-out rows."""
        estimator = self.estimator
        names = [name for name in COLUMNS if isinstance(getattr(estimator, name), str)]
        if not names:
            return
        visited, validation = self.visited, self.validation
        if validation is None:
            visited, held_out = self._split()
            validation = self._validation_of(held_out)
        settings, seed = self.settings, int(estimator._rng.integers(2**31))

        def fit():
            # The same start and orders each time: only the strengths differ.
            rng = np.random.default_rng(seed)
            table = self.new_table(visited, rng)
            followed = validation if estimator.early_stopping else None
            self._course(table, visited, rng, validation=followed)
            return table, settings

        learn(names, self.strengths, fit, validation)
        for name in names:
            learned = self.strengths.values[:, COLUMNS[name][0]].astype(float)
            setattr(estimator, f"{name}_", learned if len(learned) > 1 else float(learned[0]))

    # Training ----------------------------------------------------------------------------------

    def run(self, table, max_iter=None):
        """Train a table, or a new one, and leave the result in the estimator."""
        estimator = self.estimator
        if table is None:
            table = self.new_table(self.visited, estimator._rng)
        else:
            self._check_same_kind(table)
            self._begin_late(table, self.visited, estimator._rng)
            self._match_ftrl(table)
        estimator._table = table
        estimator._forget_sparsity()
        history, monitor = self._course(
            table, self.visited, estimator._rng, validation=self.validation,
            callbacks=self.callbacks, max_iter=max_iter, verbose=estimator.verbose,
        )  # fmt: skip
        estimator.history_, estimator.n_iter_ = history, len(history["train_loss"])
        if monitor.best_iter:
            estimator.best_iter_ = monitor.best_iter

    def _course(self, table, visited, rng, *, validation, callbacks=(), max_iter=None, verbose=0):
        """Train a table for all epochs; the history, and the monitor."""
        if self.by_columns:
            trainer, take_back = self._coordinate_trainer(table, visited), _nothing
        else:
            layout = self._layout(visited)
            placed = layout.placed_table(table)
            trainer = self._trainer(layout, placed, rng)
            take_back = partial(layout.take_back, placed, table)
        monitor = self._monitor(table, take_back, validation, callbacks)
        history = trainer.run(
            max_iter or self.estimator.max_iter, verbose=verbose, after_epoch=monitor
        )
        monitor.finish()
        return history, monitor

    def go_on(self):
        """One epoch more of the estimator's own table; an error leaves it as it was."""
        estimator = self.estimator
        table = estimator._table
        self._check_same_kind(table)
        n_before = table.n_features
        if self.rows.n_features > n_before:
            self._check_size(self.rows.n_features)
            table = table.grown(self.rows.n_features, estimator.init_scale, estimator._rng)
        # Of the new features; of all, if they may be anywhere, or if what ties weights to their
        # state has changed.
        unchanged = estimator._state_fits == self._what_state_fits(n_before)
        unchanged = unchanged and table.begun is None
        layout = self._layout(self.visited)
        touched = None
        if layout.home is None or table.begun is not None:
            touched = _Touched(table, self.rows)
        try:
            self._begin_late(table, self.visited, estimator._rng)
            self._match_ftrl(table, slice(n_before, None) if unchanged else slice(None))
            placed = layout.placed_table(table)
            trainer = self._trainer(layout, placed, estimator._rng)
            history = trainer.run(1, verbose=estimator.verbose)
        except BaseException:
            if touched:
                touched.restore()
            raise
        layout.take_back(placed, table)
        estimator._table = table
        before = estimator.history_
        estimator.history_ = {name: before.get(name, []) + new for name, new in history.items()}
        estimator.n_iter_ += 1

    def new_table(self, visited, rng):
        """A table at its start."""
        estimator, solver = self.estimator, self.solver
        self._check_size(self.rows.n_features)
        table = ParameterTable(
            self.rows.n_features, estimator.n_factors, estimator.dtype, estimator._n_outputs(),
            solver.state_start, solver.n_row_state, self.by_columns, estimator._machine(),
        )  # fmt: skip
        if table.begun is None:
            table.draw_factors(estimator.init_scale, rng)
        self._begin_late(table, visited, rng)
        if estimator.fit_intercept:
            table.intercepts[...] = self._start_of_intercept(visited)
        self._match_ftrl(table)
        return table

    def _check_same_kind(self, table):
        """Refuse to train on with parameters that the table cannot have."""
        estimator, solver = self.estimator, self.solver
        if estimator._is_sparse():
            raise ValueError("The model was made sparse; call densify() before training it on.")
        for name, now, before in (
            ("n_factors", estimator.n_factors, table.n_factors),
            ("dtype", np.dtype(estimator.dtype), table.dtype),
            ("solver", solver.state_start, table.state_start),
            ("solver", solver.n_row_state, table.n_row_state),
            ("solver", self.by_columns, table.in_eights),
            ("the model's kind", estimator._machine(), table.machine),
        ):
            if now != before:
                raise ValueError(
                    f"{name} cannot change between fits that go on (warm_start, partial_fit): the "
                    f"model has {before}, now {now} is asked for. Fit anew with warm_start=False."
                )

    def _begin_late(self, table, visited, rng):
        """Start the factors that begin when their feature occurs, if it has only now."""
        if table.begun is not None:
            occur = np.flatnonzero(self._occurrences(visited))
            table.begin(occur, lambda shape: self.estimator._draw(shape, rng))

    def _occurrences(self, visited):
        """How many entries each feature has in the visited rows."""
        rows = self.rows
        indices = rows.indices
        if len(visited) < rows.n_rows:
            is_visited = np.zeros(rows.n_rows, dtype=bool)
            is_visited[visited] = True
            indices = indices[np.repeat(is_visited, np.diff(rows.indptr))]
        counts = np.zeros(rows.n_features, dtype=np.int64)
        replicas.count(indices, counts)
        return counts

    def _check_size(self, n_features):
        estimator = self.estimator
        n_copies = 1 + bool(estimator.early_stopping)
        if estimator.deterministic:
            n_copies += DETERMINISTIC_SHARDS + 1
        elif self.n_jobs > 1 or estimator.relabel:
            n_copies += 1
        estimator._check_size(n_features, n_copies)

    def _start_of_intercept(self, visited):
        if self.estimator.init_intercept is not None:
            return self.estimator.init_intercept
        y, weights = self._y, self._weights
        if len(visited) < len(y):
            y, weights = y[visited], weights if weights is None else weights[visited]
        return self.loss.best_constant(y, weights, self.estimator._n_outputs(), len(y))

    def _match_ftrl(self, table, rows=slice(None)):
        if self.estimator.solver == "ftrl" and len(table.linear[rows]):
            match_state(table, self.strengths, self.settings, rows)
        self.estimator._state_fits = self._what_state_fits(table.n_features)

    def _what_state_fits(self, n_features):
        """What ties FTRL's state to its weights, in short; None for other solvers."""
        if self.estimator.solver != "ftrl":
            return None
        values = np.ascontiguousarray(self.strengths.of_rows(slice(n_features)))
        digest = hashlib.sha256(values.tobytes()).digest()
        return self.estimator._rate(), self.estimator.ftrl_beta, digest

    def _layout(self, visited):
        estimator = self.estimator
        return lay_out(
            self.rows, visited, n_jobs=self.n_jobs, relabel=estimator.relabel,
            deterministic=estimator.deterministic, frequent=estimator._machine().frequent,
        )  # fmt: skip

    def _trainer(self, layout, table, rng):
        estimator, rows = self.estimator, self.rows
        sample = rows.data[:_SAMPLE].astype(np.float64)
        square = float(np.square(np.minimum(np.abs(sample), _LARGE)).mean()) if sample.size else 0.0
        return Trainer(
            layout, self._y, self._weights, table, self.settings, self.strengths.placed(layout),
            self.solver, shuffle=estimator.shuffle, rng=rng, n_jobs=self.n_jobs,
            rates=self._rates(), curvature=self.loss.curvature * square,
        )  # fmt: skip

    def _rates(self):
        """The learning rate by (epoch, max_iter), or None if it stays."""
        schedule = SCHEDULES[self.estimator.schedule]
        return (
            partial(schedule, self.estimator._rate(), self.estimator.power_t) if schedule else None
        )

    def _coordinate_trainer(self, table, visited):
        estimator, whole = self.estimator, len(visited) == self.rows.n_rows
        rows = self.rows if whole else self.rows.take(visited)
        y = self._y[visited]
        weights = None if self._weights is None else self._weights[visited]
        return CoordinateTrainer(
            rows, y, weights, table, self.settings, self.strengths, curvature=self.loss.curvature,
            fit_intercept=estimator.fit_intercept, fit_linear=estimator.fit_linear,
            n_jobs=self.n_jobs,
        )  # fmt: skip

    def _monitor(self, table, bring_up_to_date, validation, callbacks):
        estimator = self.estimator
        scorer = None
        if callbacks is self.callbacks and estimator.scoring is not None and validation:
            scorer = check_scoring(estimator, scoring=estimator.scoring)
        patience = None
        if estimator.early_stopping or estimator.tol is not None:
            patience = Patience(estimator.n_iter_no_change, estimator.tol or 0.0)
        return Monitor(
            estimator, table, bring_up_to_date, self.settings, validation=validation,
            scorer=scorer, patience=patience, keeps_best=bool(estimator.early_stopping),
            callbacks=callbacks, n_jobs=self.n_jobs,
        )  # fmt: skip


def _nothing():
    """The table itself is trained."""


class _Touched:
    """The numbers that training on some rows may change, to go back to."""

    def __init__(self, table, rows):
        if len(rows.indices) < table.n_features:
            self.features = np.unique(rows.indices)
        else:
            self.features = np.flatnonzero(np.bincount(rows.indices, minlength=table.n_features))
        self.table = table
        self.before = table.take(self.features)

    def restore(self):
        self.table.assign(self.before, self.features)
