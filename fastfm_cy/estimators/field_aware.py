"""What the estimators that know fields share: the fields, hashing, the limit of memory."""

import numpy as np
from scipy import sparse
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..data.fields import (
    WithFields,
    as_kernels_want,
    check_fields_of_entries,
    check_fields_of_features,
    hashes_of,
    joined,
)
from ..data.relational_rows import plain
from ..model.field_scorer import FieldScorer
from ..model.table import table_bytes
from ..training.solvers import SOLVERS
from ..utils.checks import check_bool, check_choice, check_integer
from ..utils.memory import check_memory, free_memory
from .classifier import BaseFMClassifier, is_probabilistic
from .gradient_base import BaseFM
from .regressor import BaseFMRegressor

_INITS = {"normal": "normal", "uniform": "uniform"}


class FieldAware(BaseFM):
    """Fields of the features or, beside the data, of their entries.

    Subclasses name the machine: `_machine`.
    """

    def fit(self, X, y=None, sample_weight=None, eval_set=None, callbacks=None, fields=None):
        """Train from scratch, or go on if `warm_start`.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)
        y : array of shape (n_samples,)
        {fit_parameters}
        {field_parameter}

        Returns
        -------
        self
        """
        return self._fit(joined(X, fields), y, sample_weight, eval_set, callbacks)

    def predict(self, X, fields=None):
        """Predict the target or the label of each row.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)
        {field_parameter}

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return super().predict(joined(X, fields))

    def compile(self):
        """Prepare the model, as it is now, for scoring single rows and small batches.

        Returns
        -------
        FieldScorer
            ``scorer.row(indices, data)`` scores one row, ``scorer.rows(indptr, indices, data)`` a
            CSR matrix; both take `fields`, the entries' fields, of a model that was fitted so.
        """
        check_is_fitted(self)
        return FieldScorer(self, self._dense_table().copy())

    # Hooks of BaseFM ---------------------------------------------------------------------------

    def _check_more(self):
        check_choice(self.solver, "solver", SOLVERS)
        check_choice(self.init, "init", _INITS)
        check_bool(self.same_field, "same_field")
        if self.normalize is not None and self.normalize != "l2":
            raise ValueError(f"normalize must be 'l2' or None; got {self.normalize!r}.")
        for name in ("l2_linear", "l2_factors"):
            if isinstance(getattr(self, name), str):
                raise ValueError(
                    f'{name}="auto" is learned for plain machines only; give a number or an array.'
                )
        for name in ("n_fields", "n_hash"):
            if getattr(self, name) is not None:
                check_integer(getattr(self, name), name, 1)
        if self.max_memory is not None:
            check_memory(self.max_memory)

    def _check_data(self, X, y, *, reset, **others):
        rows, y = super()._check_data(_matrix_of(X), y, reset=reset, **others)
        return self._with_fields(plain(rows), X, reset=reset), y

    def _check_rows(self, X, dtype, n_jobs):
        X, *_ = self._unpacked(X)
        rows = super()._check_rows(_matrix_of(X), dtype, n_jobs)
        return self._with_fields(plain(rows), X, reset=False)

    def _take_disk_fields(self, dataset, *, continues):
        if continues:
            return
        self._fields_beside = dataset.has("fields") and self.fields is None
        self.n_fields_ = self.n_fields
        if self.n_fields_ is None and self._fields_beside:
            self.n_fields_ = max(1, dataset.n_fields)
        elif self.n_fields_ is None:
            fields = check_fields_of_features(self.fields, dataset.shape[1], self.grow_features)
            self.n_fields_ = int(fields.max(initial=0)) + 1

    def _rows_of_chunk(self, chunk):
        rows, X = chunk.rows, chunk.rows
        if self._fields_beside:
            if rows.fields is None:
                raise ValueError("The model was fitted with fields beside the data; X has none.")
            X = rows.as_matrix()
            X = WithFields(X, sparse.csr_array((rows.fields, X.indices, X.indptr), X.shape))
        return self._with_fields(rows, X, reset=False)

    def _table_rows_of(self, columns):
        return columns if self.n_hash is None else hashes_of(columns, self.n_hash)

    def _check_eval_set(self, eval_set):
        if not isinstance(eval_set, tuple) or len(eval_set) != 4:
            return super()._check_eval_set(eval_set)
        X, y, weights, fields = eval_set
        return joined(X, fields), y, weights

    def _with_fields(self, rows, X, *, reset):
        """The rows as the kernels take them; if `reset`, they say how many fields there are."""
        beside = isinstance(X, WithFields)
        if reset or not hasattr(self, "n_fields_"):
            self._fields_beside, self.n_fields_ = beside, self.n_fields
        if beside != self._fields_beside:
            raise ValueError(
                "The model was fitted with the field of each entry, which these data lack: pass "
                "fields= with X, as of read_libffm; a command needs a file of libffm's format."
                if self._fields_beside
                else "The model was fitted with a field a feature; leave out fields=."
            )
        if beside:
            if self.fields is not None:
                raise ValueError("Give fields to the estimator or beside the data, not both.")
            rows = check_fields_of_entries(X, rows, self.n_fields_)
            n_fields = int(rows.fields.max(initial=0)) + 1
        else:
            fields = check_fields_of_features(self.fields, rows.n_features, self.grow_features)
            n_fields = int(fields.max(initial=0)) + 1
            if self.n_fields_ is not None and n_fields > self.n_fields_:
                raise ValueError(
                    f"fields has {n_fields - 1} for feature {fields.argmax()}, but n_fields is "
                    f"{self.n_fields_}."
                )
            fields = fields.astype(np.int32, copy=False)
            rows = rows.with_fields(fields[rows.indices])
        if self.n_fields_ is None:
            self.n_fields_ = n_fields
        return as_kernels_want(rows, n_hash=self.n_hash, normalize=self.normalize)

    def _check_size(self, n_features, n_copies):
        solver = SOLVERS[self.solver]
        needed = n_copies * table_bytes(
            n_features, self.n_factors, self.dtype, self._n_outputs(), solver, self._machine()
        )
        limit = free_memory() if self.max_memory is None else check_memory(self.max_memory)
        what = (
            f"The parameters of {n_features:,} features and {self.n_fields_} fields take "
            f"{needed / 1e6:,.1f} MB"
        )
        if needed > limit:
            fits = max(1, int(n_features * limit / needed))
            most = f"max_memory={self.max_memory!r}"
            if self.max_memory is None:
                most = f"the {limit / 1e6:,.1f} MB that are free"
            raise MemoryError(
                f"{what}{f' in {n_copies} copies' if n_copies > 1 else ''}, more than {most}. Hash "
                f"the features to fewer rows (n_hash={fits}), use fewer factors or fields, or "
                "raise max_memory. Early stopping, and threads or relabel, each hold a copy more."
            )
        if self.verbose:
            print(what)

    def _draw(self, shape, rng):
        """Start values of factors, the same in either dtype."""
        scale = np.float32(self.init_scale)
        if self.init == "normal":
            return scale * rng.standard_normal(shape, dtype=np.float32)
        scale = scale / np.sqrt(np.float32(max(1, self.n_factors)))
        return scale * rng.random(shape, dtype=np.float32)


class FieldAwareRegressor(FieldAware, BaseFMRegressor):
    """Real targets or counts."""

    def partial_fit(self, X, y=None, sample_weight=None, fields=None):
        """Train for one epoch on a block of rows, going on from the model so far.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)
        y : array of shape (n_samples,)
        sample_weight : array of shape (n_samples,), default=None
            Factors >= 0 on each row's loss.
        {field_parameter}

        Returns
        -------
        self
        """
        return super().partial_fit(joined(X, fields), y, sample_weight)


class FieldAwareClassifier(FieldAware, BaseFMClassifier):
    """Labels of two classes or more."""

    def partial_fit(self, X, y=None, classes=None, sample_weight=None, fields=None):
        """Train for one epoch on a block of rows, going on from the model so far.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)
        y : array of shape (n_samples,)
        classes : array of shape (n_classes,), default=None
            All labels that will ever come; the first call needs them.
        sample_weight : array of shape (n_samples,), default=None
            Factors >= 0 on each row's loss.
        {field_parameter}

        Returns
        -------
        self
        """
        return super().partial_fit(joined(X, fields), y, classes, sample_weight)

    def decision_function(self, X, fields=None):
        """Score of each row: above 0 means the second of two classes.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)
        {field_parameter}

        Returns
        -------
        ndarray of shape (n_samples,), or (n_samples, n_classes) of more than two classes, of the
        model's dtype
        """
        return super().decision_function(joined(X, fields))

    @available_if(is_probabilistic)
    def predict_proba(self, X, fields=None):
        """Probability of each class ("log_loss" and "softmax" only).

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)
        {field_parameter}

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64, columns in the order of ``classes_``
        """
        return super().predict_proba(joined(X, fields))


def _matrix_of(X):
    return X.X if isinstance(X, WithFields) else X
