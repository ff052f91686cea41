"""Field-aware estimators: the methods that take `fields`, of the entries, beside X."""

from __future__ import annotations

from sklearn.utils.metaestimators import available_if

from ..data.fields import joined
from .classifier import Classifier, is_probabilistic
from .regressor import Regressor


class FieldAwareRegressor(Regressor):
    """Real targets or counts."""

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

    def partial_fit(self, X, y, sample_weight=None, fields=None):
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

    @property
    def n_fields_(self) -> int:
        """int : number of fields."""
        return self._model_for("n_fields_").inputs.n_fields


class FieldAwareClassifier(Classifier):
    """Labels of two classes or more."""

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

    def partial_fit(self, X, y, classes=None, sample_weight=None, fields=None):
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

    @property
    def n_fields_(self) -> int:
        """int : number of fields."""
        return self._model_for("n_fields_").inputs.n_fields
