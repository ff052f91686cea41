"""Regressors of all families: real targets or counts, and their range."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from ..data.targets import RealRules
from ..model.fitted import FittedModel
from ..model.losses import REGRESSION
from ..training.plan import TrainingPlan
from .base import Base
from .from_parameters import Parameters, as_the_formula, estimator_of
from .hyperparameters import can_stream, check_clip

if TYPE_CHECKING:
    from typing_extensions import Self


class Regressor(RegressorMixin, Base):
    """Fitting and predictions of a regressor; subclasses have the parameters."""

    _task = "regression"

    @property
    def y_range_(self) -> tuple[float, float]:
        """tuple of float : the range that predictions are clipped to."""
        return self._model_for("y_range_").target.y_range

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
            None for a DiskDataset, which has its own.
        {fit_parameters}

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, eval_set, callbacks)

    @classmethod
    def from_parameters(
        cls, intercept: float, coef: Any, factors: Any, *, pair_weights: Any = None,
        encoder: Any = None, **parameters: Any,
    ) -> Self:  # fmt: skip
        """A fitted estimator made of arrays, for models that something else trained.

        It predicts, compiles, can be saved, and goes on learning with `warm_start` or
        ``partial_fit``, whose optimiser starts anew.

        Parameters
        ----------
        intercept : float
        coef : array of shape (n_features,)
        factors : array of the shape of ``factors_``
        pair_weights : array of shape (n_fields, n_fields), default=None
            Symmetric; of FwFMRegressor, None is ones.
        encoder : FieldEncoder, default=None
            Fitted; the estimator takes tables then, and has its fields.
        **parameters
            Of the estimator, such as `fields` and `dtype`; but `normalize` is None and
            `clip_predictions` False unless given, so that predictions are the formula's.

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
        options = as_the_formula(cls, clip_predictions=False) | parameters
        return estimator_of(cls, arrays, encoder=encoder, **options)

    @available_if(can_stream)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch on a block of rows, going on from the model so far.

        The first call starts the model, its intercept at the mean of its targets unless
        `init_intercept` says where. The optimiser's state is kept between calls.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
        y : array of shape (n_samples,)
        sample_weight : array of shape (n_samples,), default=None
            Factors >= 0 on each row's loss.

        Returns
        -------
        self
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any) -> np.ndarray:
        """Predict the target of each row.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
            Or a DiskDataset.

        Returns
        -------
        ndarray of shape (n_samples,), of the model's dtype
        """
        model, scores = self._scores(X)
        return model.target.clipped(model.link.predict(scores[:, 0]))

    def _model_to_score(self) -> FittedModel:
        model, clips = super()._model_to_score(), bool(self.clip_predictions)
        return replace(model, target=replace(model.target, clips=clips))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        loss = REGRESSION.get(self.loss)
        tags.target_tags.positive_only = loss is not None and loss.of_counts
        return tags

    def _rules(self, plan: TrainingPlan) -> RealRules:
        return RealRules(check_clip(self.clip_predictions), plan.loss.of_counts)
