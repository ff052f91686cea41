"""Bayesian factorization machines by Gibbs sampling, as scikit-learn estimators."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import check_array

from ..data.sample_checks import check_cast
from ..data.targets import ClassRules, RealRules, TargetScale, learn_target_scale
from ..model.posterior import FittedPosterior
from ..model.quantiles import mixture_quantile
from ..model.responses import NormalResponse, ProbitResponse
from ..training.gibbs.likelihoods import ProbitTarget, RegressionTarget
from ..utils.checks import check_bool
from .bayesian_base import BayesianBase
from .bayesian_docstrings import REGRESSION_SAMPLER, SAMPLER, documented_sampler
from .common import set_parameters
from .hyperparameters import check_clip
from .registry import register

if TYPE_CHECKING:
    from typing_extensions import Self

_ROWS_A_BLOCK = 4096  # of quantiles


@register("bayes", "regression")
@documented_sampler(**REGRESSION_SAMPLER)
class BayesianFMRegressor(RegressorMixin, BayesianBase):
    """Bayesian factorization machine for real targets: predictions with their uncertainty.

    Of the score w0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j and normal noise, all parameters
    and the strengths of their regularisation are drawn from their posterior [1]_ [2]_; predictions
    are means over the draws. There is no strength and no learning rate to choose.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    y_range_ : tuple of float
        To which predictions are clipped: from the smallest to the largest target in training,
        and beyond an end that hardly any row has by half as much again.

    References
    ----------
    {references}

    Examples
    --------
    >>> from fastfm_cy import BayesianFMRegressor
    >>> from fastfm_cy.datasets import make_ratings
    >>> data = make_ratings(n_users=50, n_items=40, n_ratings=2000, random_state=0)
    >>> model = BayesianFMRegressor(max_iter=30, random_state=0).fit(data.X, data.y)
    >>> mean, std = model.predict(data.X[:2], return_std=True)
    """

    def __init__(
        self, n_factors: int = 8, *, max_iter: int = 200, n_burn_in: int = 20, thin: int = 1,
        n_kept_samples: int | None = None, categorical_features: Any = "from_dtype",
        feature_groups: Any = None, init_scale: float = 0.1,
        alpha_0: float = 1.0, beta_0: float = 1.0, gamma_0: float = 1.0, mu_0: float = 0.0,
        fit_intercept: bool = True, fit_linear: bool = True,
        clip_predictions: bool | tuple[float, float] = True,
        scaling: str | None = "auto",
        warm_start: bool = False, max_memory: int | str = "2GB", n_jobs: int | None = None,
        random_state: Any = None, verbose: int = 0, dtype: str = "float32",
    ) -> None:  # fmt: skip
        set_parameters(self, locals())

    def fit(self, X: Any, y: Any = None, eval_set: Any = None, callbacks: Any = None) -> Self:
        """Sample from the posterior, from the start or, if `warm_start`, going on.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
        y : array of shape (n_samples,)
        {fit_parameters}

        Returns
        -------
        self
        """
        return self._fit(X, y, eval_set, callbacks)

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Posterior mean of the target of each row.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return, too, the standard deviation of an observation: that of the draws'
            scores and of the noise together.

        Returns
        -------
        ndarray of shape (n_samples,), float64; or two of them
        """
        if not check_bool(return_std, "return_std"):
            return self._mean_value(X)[1]
        total: Any = 0.0
        squares: Any = 0.0
        model, values = self._values(X)
        for value in values:
            total, squares = total + value, squares + value**2
        n_samples = len(model.samples)
        mean = total / n_samples
        noise = np.mean(1 / model.samples.alpha.astype(np.float64))
        return mean, np.sqrt(np.maximum(squares / n_samples - mean**2, 0) + noise)

    def predict_quantiles(self, X: Any, q: Any) -> np.ndarray:
        """Quantiles of an observation of each row.

        Its distribution is the mixture, over the kept draws, of normals around their predictions.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
        q : float in (0, 1), or array of them, of shape (n_quantiles,)

        Returns
        -------
        ndarray of shape (n_samples,), or (n_samples, n_quantiles), float64
        """
        levels = check_array(np.atleast_1d(q), dtype=np.float64, ensure_2d=False, input_name="q")
        if not ((levels > 0) & (levels < 1)).all():
            raise ValueError(f"q must lie between 0 and 1; got {q}.")
        model, values = self._values(X)
        draws = np.array(list(values))
        scale = 1 / np.sqrt(model.samples.alpha.astype(np.float64))[:, None]
        blocks = [
            np.stack([mixture_quantile(draws[:, start : start + _ROWS_A_BLOCK], scale, level)
                      for level in levels], axis=1)
            for start in range(0, draws.shape[1], _ROWS_A_BLOCK)
        ]  # fmt: skip
        quantiles = np.concatenate(blocks)
        return quantiles if np.ndim(q) else quantiles[:, 0]

    @property
    def y_range_(self) -> tuple[float, float]:
        """tuple of float : the range that predictions are clipped to."""
        return self._model_for("y_range_").target.y_range

    def _model_to_score(self) -> FittedPosterior:
        model = super()._model_to_score()
        target = replace(model.target, clips=bool(self.clip_predictions))
        return replace(model, response=self._response(target))

    def _rules(self) -> RealRules:
        return RealRules(check_clip(self.clip_predictions))

    def _learn_scale(self, y: np.ndarray) -> TargetScale | None:
        return learn_target_scale(y, None, centres=self.fit_intercept)

    def _likelihood(self, y: np.ndarray, target: Any) -> RegressionTarget:
        return RegressionTarget(check_cast(y, self.dtype, "y"))

    def _response(self, target: Any) -> NormalResponse:
        return NormalResponse(target.score_range)


@register("bayes", "classification")
@documented_sampler(**SAMPLER)
class BayesianFMClassifier(ClassifierMixin, BayesianBase):
    """Bayesian factorization machine for two classes, in the probit model.

    The probability of ``classes_[1]`` is Phi(w0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j),
    with Phi the normal distribution; all parameters and the strengths of their regularisation are
    drawn from their posterior [1]_ [2]_ with latent normals for the labels [3]_, and probabilities
    are means over the draws. There is no strength and no learning rate to choose.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The labels, sorted; the second is the positive class.
    {attributes}

    References
    ----------
    {references}
    .. [3] J. Albert, S. Chib, "Bayesian Analysis of Binary and Polychotomous Response Data", JASA
       88, 1993.

    Examples
    --------
    >>> from fastfm_cy import BayesianFMClassifier
    >>> from fastfm_cy.datasets import make_clicks
    >>> data = make_clicks(n_rows=500, n_fields=4, n_features=40, random_state=0)
    >>> model = BayesianFMClassifier(max_iter=30, random_state=0).fit(data.X, data.y)
    >>> model.predict_proba(data.X[:3]).shape
    (3, 2)
    """

    def __init__(
        self, n_factors: int = 8, *, max_iter: int = 200, n_burn_in: int = 20, thin: int = 1,
        n_kept_samples: int | None = None, categorical_features: Any = "from_dtype",
        feature_groups: Any = None, init_scale: float = 0.1,
        alpha_0: float = 1.0, beta_0: float = 1.0, gamma_0: float = 1.0, mu_0: float = 0.0,
        fit_intercept: bool = True, fit_linear: bool = True, scaling: str | None = "auto",
        warm_start: bool = False,
        max_memory: int | str = "2GB", n_jobs: int | None = None, random_state: Any = None,
        verbose: int = 0, dtype: str = "float32",
    ) -> None:  # fmt: skip
        set_parameters(self, locals())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: Any, y: Any = None, eval_set: Any = None, callbacks: Any = None) -> Self:
        """Sample from the posterior, from the start or, if `warm_start`, going on.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
        y : array of shape (n_samples,)
            Labels of any type, of two classes.
        {fit_parameters}

        Returns
        -------
        self
        """
        return self._fit(X, y, eval_set, callbacks)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Posterior mean of the probability of each class.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, 2), float64, columns in the order of ``classes_``
        """
        positive = self._mean_value(X)[1]
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Any) -> np.ndarray:
        """The more probable label of each row.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        model, positive = self._mean_value(X)
        return model.target.classes[(positive > 0.5).astype(np.intp)]

    @property
    def classes_(self) -> np.ndarray:
        """ndarray of shape (2,) : the labels, sorted."""
        return self._model_for("classes_").target.classes

    def _rules(self) -> ClassRules:
        return ClassRules(type(self).__name__, two_only="FMClassifier takes several.")

    def _likelihood(self, y: np.ndarray, target: Any) -> ProbitTarget:
        return ProbitTarget(y)

    def _response(self, target: Any) -> ProbitResponse:
        return ProbitResponse()
