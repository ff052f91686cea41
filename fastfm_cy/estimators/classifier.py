"""Classifiers of all families: labels, their weights and probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if

from ..data.targets import ClassRules
from ..model.losses import CLASSIFICATION
from ..training.plan import TrainingPlan
from ..training.solvers import ALL_SOLVERS
from .base import Base
from .from_parameters import Parameters, as_the_formula, estimator_of
from .hyperparameters import can_stream

if TYPE_CHECKING:
    from typing_extensions import Self


def is_probabilistic(estimator: Any) -> bool:
    """For available_if: whether scores have probabilities."""
    model, loss = vars(estimator).get("_fitted"), CLASSIFICATION.get(estimator.loss)
    link = loss.link if loss else None
    if model:
        link = model.link
    if link is not None and link.probabilities is None:
        names = [name for name, loss in CLASSIFICATION.items() if loss.link.probabilities]
        raise AttributeError(
            f"predict_proba needs loss={', '.join(map(repr, names[:-1]))} or {names[-1]!r}; this "
            f"model's loss is {estimator.loss!r}."
        )
    return True


class Classifier(ClassifierMixin, Base):
    """Fitting and predictions of a classifier; subclasses have the parameters."""

    _task = "classification"

    @property
    def classes_(self) -> np.ndarray:
        """ndarray of shape (n_classes,) : the labels, sorted."""
        return self._model_for("classes_").target.classes

    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, eval_set: Any = None,
        callbacks: Any = None,
    ) -> Self:  # fmt: skip
        """Train from scratch, or go on if `warm_start`.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
            Or a DiskDataset (`fastfm_cy.io.open_dataset`), of which never more than its memory
            budget is held.
        y : array of shape (n_samples,)
            Labels of any type. None for a DiskDataset, which has its own.
        {fit_parameters}

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, eval_set, callbacks)

    @classmethod
    def from_parameters(
        cls, intercept: Any, coef: Any, factors: Any, *, classes: Any = None,
        pair_weights: Any = None, encoder: Any = None, **parameters: Any,
    ) -> Self:  # fmt: skip
        """A fitted estimator made of arrays, for models that something else trained.

        It predicts, compiles, can be saved, and goes on learning with `warm_start` or
        ``partial_fit``, whose optimiser starts anew.

        Parameters
        ----------
        intercept : float, or array of shape (n_classes,)
        coef : array of shape (n_features,) or (n_classes, n_features)
        factors : array of the shape of ``factors_``
        classes : array of shape (n_classes,), default=None
            The labels in their order of sorting, of two the second the positive one; None is 0, 1,
            ...
        pair_weights : array of shape (n_fields, n_fields) or (n_classes, ...), default=None
            Symmetric; of FwFMClassifier, None is ones.
        encoder : FieldEncoder, default=None
            Fitted; the estimator takes tables then, and has its fields.
        **parameters
            Of the estimator, such as `loss`, `fields` and `dtype`; but `normalize` is None unless
            given, so that scores are the formula's.

        Returns
        -------
        estimator

        Raises
        ------
        ValueError
            An array has another shape than ``coef_``, ``factors_`` or ``pair_weights_`` would
            have, or a number that is not finite.
        """
        arrays = Parameters(intercept, coef, factors, pair_weights)
        options = as_the_formula(cls) | parameters
        return estimator_of(cls, arrays, classes=classes, encoder=encoder, **options)

    @available_if(can_stream)
    def partial_fit(
        self, X: Any, y: Any = None, classes: Any = None, sample_weight: Any = None
    ) -> Self:
        """Train for one epoch on a block of rows, going on from the model so far.

        The first call starts the model, its intercepts at the best constant for its labels unless
        `init_intercept` says where. The optimiser's state is kept between calls.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
        y : array of shape (n_samples,)
        classes : array of shape (n_classes,), default=None
            All labels that will ever come; the first call needs them.
        sample_weight : array of shape (n_samples,), default=None
            Factors >= 0 on each row's loss.

        Returns
        -------
        self
        """
        if isinstance(self.class_weight, str):
            raise ValueError(
                "partial_fit cannot know how often each class will come; give class_weight as a "
                "dict."
            )
        if classes is None and not self.__sklearn_is_fitted__():
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return self._partial_fit(X, y, sample_weight, classes=classes)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        solver = ALL_SOLVERS.get(self.solver)
        tags.classifier_tags.multi_class = solver is None or not solver.by_columns
        return tags

    def _rules(self, plan: TrainingPlan) -> ClassRules:
        two_only = None
        if plan.solver.by_columns:
            two_only = (
                f"solver={self.solver!r} is for two classes; use a gradient solver, or "
                "OneVsRestClassifier of scikit-learn."
            )
        return ClassRules(type(self).__name__, plan.loss.is_joint, self.class_weight, two_only)

    def decision_function(self, X: Any) -> np.ndarray:
        """Score each row; of two classes, positive scores mean ``classes_[1]``.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
            Or a DiskDataset.

        Returns
        -------
        ndarray of shape (n_samples,), or (n_samples, n_classes) of more than two classes, of the
        model's dtype
        """
        return self._decisions(X)[1]

    def _decisions(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """The classes, and what decision_function returns."""
        model, scores = self._scores(X)
        classes = model.target.classes
        if len(classes) > 2:
            return classes, scores
        return classes, scores[:, 0] if scores.shape[1] == 1 else scores[:, 1] - scores[:, 0]

    def predict(self, X: Any) -> np.ndarray:
        """Predict the label of each row.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
            Or a DiskDataset.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        classes, scores = self._decisions(X)
        best = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return classes[best]

    @available_if(is_probabilistic)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each class ("log_loss", "probit" and "softmax" only).

        The logistic or the normal distribution function of the score, of more than two classes
        divided by their sum; or the softmax of the scores.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
            Or a DiskDataset.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64, columns in the order of ``classes_``
        """
        model, scores = self._scores(X)
        probabilities: Any = model.link.probabilities  # is_probabilistic has looked
        return probabilities(scores.astype(np.float64))
