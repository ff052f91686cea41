"""What all factorization machine estimators share: checks, start, training, prediction."""

import copy
from contextlib import contextmanager
from typing import ClassVar

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._matrix import check_rows, check_rows_and_target
from ._parameters import ParameterTable
from ._prediction import score_rows
from ._shards import lay_out
from ._solvers import SOLVERS
from ._training import Trainer
from ._validation import (
    check_bool,
    check_cast,
    check_choice,
    check_integer,
    check_not_all_zero,
    check_real,
)
from .kernels import fm
from .kernels.settings import Settings

_DTYPES = {"float32": np.float32, "float64": np.float64}


@contextmanager
def unchanged_on_error(estimator):
    """All of a fit or none of it: an error leaves the estimator as it was before."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


class BaseFM(BaseEstimator):
    """Second-order factorization machine; subclasses name the losses and prepare the target."""

    _losses: ClassVar[dict] = {}

    @property
    def intercept_(self):
        """float : the bias w0."""
        return float(self._fitted_table("intercept_").intercept[0])

    @property
    def coef_(self):
        """ndarray of shape (n_features,) : the linear weights w."""
        return self._fitted_table("coef_").coef

    @property
    def factors_(self):
        """ndarray of shape (n_features, n_factors) : the factor vectors v, a row a feature."""
        return self._fitted_table("factors_").factor_vectors

    def __sklearn_is_fitted__(self):
        return "_table" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _fitted_table(self, attribute):
        # An attribute that does not exist before fit, as scikit-learn's conventions have it.
        try:
            return vars(self)["_table"]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__} has no {attribute} before it is fitted."
            ) from None

    def _check_parameters(self):
        check_integer(self.n_factors, "n_factors", 0)
        check_choice(self.loss, "loss", self._losses)
        check_choice(self.solver, "solver", SOLVERS)
        if self.learning_rate is not None:
            check_real(self.learning_rate, "learning_rate", above=True)
        check_integer(self.max_iter, "max_iter", 1)
        check_real(self.l2_linear, "l2_linear")
        check_real(self.l2_factors, "l2_factors")
        check_real(self.init_scale, "init_scale", above=True)
        check_bool(self.fit_intercept, "fit_intercept")
        check_bool(self.fit_linear, "fit_linear")
        if not isinstance(self.shuffle, str) or self.shuffle != "block":
            check_bool(self.shuffle, "shuffle")
        check_bool(self.relabel, "relabel")
        if self.n_jobs is not None:
            check_integer(self.n_jobs, "n_jobs", -1)
        check_bool(self.deterministic, "deterministic")
        check_integer(self.verbose, "verbose", 0)
        check_choice(self.dtype, "dtype", _DTYPES)

    def _checked(self, X, y, *, y_numeric):
        n_jobs = effective_n_jobs(self.n_jobs)
        return check_rows_and_target(self, X, y, self.dtype, y_numeric=y_numeric, n_jobs=n_jobs)

    def _train(self, rows, y, weights):
        """Fit the table to checked rows, float64 targets and float64 weights (or None)."""
        y = check_cast(y, self.dtype, "y")
        if weights is not None:
            weights = check_cast(weights, self.dtype, "sample_weight")
            check_not_all_zero(weights)
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))
        n_jobs = effective_n_jobs(self.n_jobs)
        visited = np.arange(rows.n_rows) if weights is None else np.flatnonzero(weights)
        layout = lay_out(
            rows, visited, n_jobs=n_jobs, relabel=self.relabel, deterministic=self.deterministic
        )
        table = self._start(layout, y, weights, rng)
        trainer = Trainer(
            layout, y, weights, table, self._settings(),
            shuffle=self.shuffle, rng=rng, n_jobs=n_jobs, decay=self._decay(rows),
        )  # fmt: skip
        history = trainer.run(self.max_iter, verbose=self.verbose)
        self._table = table.for_prediction(layout.home)
        self.n_iter_ = self.max_iter
        self.history_ = history

    def _start(self, layout, y, weights, rng):
        state_start = SOLVERS[self.solver].state_start
        table = ParameterTable(layout.n_table_rows, self.n_factors, self.dtype, state_start)
        table.draw_factors(self.init_scale, rng, layout.home)
        if layout.head:
            table.copy_head(layout.head, len(layout.shards))
        if self.fit_intercept:
            table.intercept[0] = self._losses[self.loss].best_constant(y, weights)
        return table

    def _rate(self):
        return self.learning_rate or SOLVERS[self.solver].learning_rate

    def _decay(self, rows):
        """The part of its distance to the optimum that one update covers: of w, and of v."""
        square = float(np.dot(rows.data, rows.data)) / max(1, rows.data.size)
        curvature = self._losses[self.loss].curvature * square + self.l2_linear
        shrink = 0.0 if SOLVERS[self.solver].steps_shrink else self.l2_factors
        return self._rate() * np.array([curvature, shrink])

    def _settings(self):
        return Settings(
            loss=self._losses[self.loss].code,
            solver=SOLVERS[self.solver].code,
            learning_rate=self._rate(),
            l2_linear=self.l2_linear,
            l2_factors=self.l2_factors,
            fit_intercept=self.fit_intercept,
            fit_linear=self.fit_linear,
        )

    def compile(self):
        """Prepare the model, as it is now, for scoring single rows and small batches fast.

        Returns
        -------
        Scorer
            ``scorer.row(indices, data)`` scores one row, ``scorer.rows(indptr, indices, data)`` a
            CSR matrix; columns are int32, offsets int64, values of the model's dtype.
        """
        check_is_fitted(self)
        table = copy.deepcopy(self._table)
        arrays = table.intercept, table.linear, table.factors
        return fm.Scorer(arrays, table.n_padded, *self._score_range())

    def _score_range(self):
        """What predictions are clipped to."""
        return -np.inf, np.inf

    def _scores(self, X):
        """The model's value of each row, in its dtype."""
        check_is_fitted(self)
        table = self._table
        n_jobs = effective_n_jobs(self.n_jobs)
        rows = check_rows(self, X, table.dtype, n_jobs)
        if rows.n_features != table.n_features:
            raise ValueError(f"X has {rows.n_features} features, the model {table.n_features}.")
        return score_rows(table, rows, n_jobs)
