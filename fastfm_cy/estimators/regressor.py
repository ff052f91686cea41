"""What the regressors of all families share: real targets or counts, and their range."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array
from sklearn.utils.metaestimators import available_if

from ..model.losses import REGRESSION
from ..utils.checks import check_bool, check_real
from .gradient_base import BaseFM
from .hyperparameters import can_stream


class BaseFMRegressor(RegressorMixin, BaseFM):
    """Fitting and predictions of a regressor; subclasses have the parameters."""

    _losses = REGRESSION
    _task = "regression"

    def fit(self, X, y=None, sample_weight=None, eval_set=None, callbacks=None):
        """Train from scratch, or go on if `warm_start`.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
            Or a Dataset, as the readers of `fastfm_cy.io` return it, or a DiskDataset
            (`open_dataset`), of which never more than its memory budget is held.
        y : array of shape (n_samples,)
            None for a Dataset or DiskDataset, which has its own.
        {fit_parameters}

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, eval_set, callbacks)

    @available_if(can_stream)
    def partial_fit(self, X, y=None, sample_weight=None):
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

    def predict(self, X):
        """Predict the target of each row.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
            Or a Dataset, or a DiskDataset.

        Returns
        -------
        ndarray of shape (n_samples,), of the model's dtype
        """
        scores = self._scores(X)[:, 0]
        if self._is_exponential:
            with np.errstate(over="ignore"):  # the range clips it, or infinity is the answer
                np.exp(scores, out=scores)
        return scores.clip(*self._score_range(), out=scores)

    @property
    def _is_exponential(self):
        return self.loss == "poisson"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self._is_exponential
        return tags

    def _n_outputs(self):
        return 1

    def _encode(self, y, weights, *, continues):
        y = self._encode_more(y)
        check_real(self.huber_delta, "huber_delta", above=True)
        known = self._known_range()
        if known:
            self.y_range_ = known
        else:
            before = self.y_range_ if continues else (np.inf, -np.inf)
            self.y_range_ = min(before[0], float(y.min())), max(before[1], float(y.max()))
        return y

    def _encode_more(self, y):
        y = y.astype(np.float64, copy=False)
        if self._is_exponential and (y < 0).any():
            where = int(np.argmax(y < 0))
            raise ValueError(
                f"loss='poisson' needs targets of at least 0; row {where} has {y[where]}."
            )
        return y

    def _known_range(self):
        """The range in clip_predictions, or None."""
        clip = self.clip_predictions
        if not isinstance(clip, tuple | list):
            check_bool(clip, "clip_predictions")
            return None
        bounds = check_array(clip, dtype=np.float64, ensure_2d=False, input_name="clip_predictions")
        if bounds.shape != (2,) or bounds[0] > bounds[1]:
            raise ValueError(f"clip_predictions must be a bool or (low, high); got {clip}.")
        return float(bounds[0]), float(bounds[1])

    def _score_range(self):
        return self.y_range_ if self.clip_predictions else super()._score_range()
