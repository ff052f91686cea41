"""Field-aware estimators: the methods that take `fields`, of the entries, beside X."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.metaestimators import available_if

from ..data.fields import joined
from .classifier import Classifier, is_probabilistic
from .regressor import Regressor

if TYPE_CHECKING:
    from typing_extensions import Self


class FieldAwareRegressor(Regressor):
    """Real targets or counts."""

    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, eval_set: Any = None,
        callbacks: Any = None, fields: Any = None,
    ) -> Self:  # fmt: skip
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

    def predict(self, X: Any, fields: Any = None) -> np.ndarray:
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

    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, fields: Any = None
    ) -> Self:
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
        inputs: Any = self._model_for("n_fields_").inputs
        return inputs.n_fields


class FieldAwareClassifier(Classifier):
    """Labels of two classes or more."""

    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, eval_set: Any = None,
        callbacks: Any = None, fields: Any = None,
    ) -> Self:  # fmt: skip
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

    def predict(self, X: Any, fields: Any = None) -> np.ndarray:
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

    def partial_fit(
        self, X: Any, y: Any = None, classes: Any = None, sample_weight: Any = None,
        fields: Any = None,
    ) -> Self:  # fmt: skip
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

    def decision_function(self, X: Any, fields: Any = None) -> np.ndarray:
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
    def predict_proba(self, X: Any, fields: Any = None) -> np.ndarray:
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
        inputs: Any = self._model_for("n_fields_").inputs
        return inputs.n_fields
