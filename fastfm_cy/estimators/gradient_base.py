"""What all factorization machine estimators share: parameters, fitting, scores."""

import copy
from typing import ClassVar

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.validation import check_is_fitted

from ..data.dataset import Dataset
from ..data.disk.dataset import DiskDataset
from ..kernels.common.settings import Settings
from ..model.families import FM, HigherOrderFM
from ..model.losses import Loss
from ..model.scoring import score_rows
from ..model.sparse_table import SparsityMixin
from ..training.fit import Fitting
from ..training.out_of_core import fit_from_disk, scores_from_disk
from ..training.regularization import NAMES, check_strengths
from ..training.solvers import ALL_SOLVERS, COORDINATE_SOLVERS
from ..utils.checks import check_eval_set, check_weights
from .base import BaseMachine, unchanged_on_error
from .hyperparameters import check_fit_parameters


class BaseFM(SparsityMixin, BaseMachine):
    """Second-order factorization machine.

    Subclasses name the losses and say what the targets mean: `_encode`, `_n_outputs`.
    """

    _fitted_name = "_table"
    _losses: ClassVar[dict[str, Loss]] = {}
    _task: ClassVar[str]
    _is_exponential = False
    """Whether predictions are the exponential of the score."""

    @property
    def intercept_(self):
        """float, or ndarray of shape (n_classes,) : the bias w0."""
        intercepts = self._fitted("intercept_").intercepts
        return float(intercepts[0]) if len(intercepts) == 1 else intercepts

    @property
    def coef_(self):
        """ndarray of shape (n_features,) or (n_classes, n_features) : the linear weights w."""
        return self._weights_of(self._fitted("coef_"), "coef")

    @property
    def factors_(self):
        """ndarray of shape (n_features, n_factors) or (n_classes, n_features, n_factors)."""
        return self._weights_of(self._fitted("factors_"), "factor_vectors")

    # Fitting -----------------------------------------------------------------------------------

    def _machine(self):
        """The model's family, once its data were checked."""
        return FM() if self.degree == 2 else HigherOrderFM(self.degree, self.share_factors)

    def _check_more(self):
        """Check the parameters that only this family has."""

    def _take_disk_fields(self, dataset, *, continues):
        """Learn what fields there are from a data set on disk, if the family knows fields."""

    def _rows_of_chunk(self, chunk):
        """A part of a data set on disk as the kernels take it."""
        return chunk.rows

    def _table_rows_of(self, columns):
        """Where the table has the features of X's columns."""
        return columns

    def _check_size(self, n_features, n_copies):
        """Refuse a table that is too large, before memory is taken for it."""

    def _check_eval_set(self, eval_set):
        """(X, y, weights or None)."""
        if isinstance(eval_set, Dataset):
            return self._unpacked(eval_set, to_fit=True)
        return check_eval_set(eval_set)

    def _fit(self, X, y, sample_weight, eval_set, callbacks):
        if isinstance(X, DiskDataset):
            return fit_from_disk(self, X, y, sample_weight, eval_set, callbacks)
        X, y, sample_weight = self._unpacked(X, y, sample_weight, to_fit=True)
        with unchanged_on_error(self):
            check_fit_parameters(self)
            self._check_more()
            continues = bool(self.warm_start) and self.__sklearn_is_fitted__()
            rows, y = self._check_data(X, y, reset=not continues)
            weights = self._row_weights(y, check_weights(sample_weight, rows.n_rows))
            target = self._encode(y, weights, continues=continues)
            self._rng = self._new_rng()
            table = self._table.copy() if continues else None
            fitting = Fitting(self, rows, target, weights, X=X, y=y, callbacks=callbacks)
            fitting.hold_out(eval_set)
            fitting.learn_strengths()
            fitting.run(table)
        return self

    def _partial_fit(self, X, y, sample_weight, **encoding):
        X, y, sample_weight = self._unpacked(X, y, sample_weight, to_fit=True)
        with unchanged_on_error(self):
            check_fit_parameters(self, partial=True)
            self._check_more()
            continues = self.__sklearn_is_fitted__()
            rows, y = self._check_data(X, y, reset=not continues, grows=self.grow_features)
            weights = self._row_weights(y, check_weights(sample_weight, rows.n_rows))
            target = self._encode(y, weights, continues=continues, **encoding)
            # A copy: on an error, the generator must be as it was, too.
            self._rng = copy.deepcopy(self._rng) if continues else self._new_rng()
            fitting = Fitting(self, rows, target, weights)
            if continues:
                fitting.go_on()
            else:
                fitting.run(None, max_iter=1)
        return self

    def _row_weights(self, y, sample_weight):
        """float64 weights of the rows, or None; some classes may weigh more."""
        return sample_weight

    def _rate(self):
        return self.learning_rate or ALL_SOLVERS[self.solver].learning_rate

    def _strength_values(self):
        """The user's strengths, the solver's default for None; "auto" learns from there."""
        solver = ALL_SOLVERS[self.solver]
        defaults = {
            "l2_linear": solver.l2_linear[self._task],
            "l2_factors": solver.l2_factors[self._task],
        }
        values = {name: getattr(self, name) for name in NAMES}
        for name, default in defaults.items():
            if values[name] is None or isinstance(values[name], str):
                values[name] = default
        return values

    def _strengths(self, n_features):
        return check_strengths(self._strength_values(), self.feature_groups, n_features, self.dtype)

    def _settings(self, strengths):
        low, high = -np.inf, np.inf
        if self._losses[self.loss].clips and self.solver not in COORDINATE_SOLVERS:
            low, high = self._score_range()
        return Settings(
            loss=self._losses[self.loss].code,
            solver=ALL_SOLVERS[self.solver].code,
            learning_rate=self._rate(),
            beta1=self.adam_betas[0],
            beta2=self.adam_betas[1],
            ftrl_beta=self.ftrl_beta,
            huber_delta=getattr(self, "huber_delta", 1.0),
            l2_intercept=self.l2_intercept,
            low=low,
            high=high,
            has_l1=strengths.has_l1,
            fit_intercept=self.fit_intercept,
            fit_linear=self.fit_linear,
            fit_pair_weights=getattr(self, "fit_pair_weights", False),
        )

    # Scores ------------------------------------------------------------------------------------

    def compile(self):
        """Prepare the model, as it is now, for scoring single rows and small batches fast.

        Returns
        -------
        Scorer
            ``scorer.row(indices, data)`` scores one row, ``scorer.rows(indptr, indices, data)`` a
            CSR matrix; columns are int32, offsets int64, values of the model's dtype.
        """
        check_is_fitted(self)
        table = self._dense_table().copy()
        return table.machine.scorer(table, self._is_exponential, *self._score_range())

    def _score_range(self):
        """What predictions are clipped to."""
        return -np.inf, np.inf

    def _scores(self, X):
        """The model's value of each row, shape (n_rows, n_outputs), in its dtype."""
        check_is_fitted(self)
        n_jobs = effective_n_jobs(self.n_jobs)
        if isinstance(X, DiskDataset):
            return scores_from_disk(self, X, n_jobs)
        rows = self._check_rows(X, self._table.dtype, n_jobs)
        if rows.n_features != self._n_features():
            raise ValueError(f"X has {rows.n_features} features, the model {self._n_features()}.")
        return score_rows(self._table, self._renumbered(rows), n_jobs)
