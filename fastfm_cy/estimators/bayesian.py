"""Bayesian factorization machines by Gibbs sampling, as scikit-learn estimators."""

import numpy as np
from scipy.special import ndtr, ndtri
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import check_array

from ..data.targets import check_labels, classes_of, encoded
from ..training.gibbs.likelihoods import ProbitTarget, RegressionTarget, probability
from ..utils.checks import check_bool, check_cast
from .bayesian_base import BaseBayesianFM
from .docstrings import SAMPLER, documented_sampler

_ROWS_A_BLOCK = 4096  # of quantiles
_MOST_STEPS = 60  # a handful is usual; if all halve the bracket, it is tight by then
_CLOSE = 1e-9


@documented_sampler(**SAMPLER)
class BayesianFMRegressor(RegressorMixin, BaseBayesianFM):
    """Bayesian factorization machine for real targets: predictions with their uncertainty.

    Of the score w0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j and normal noise, all parameters
    and the strengths of their regularisation are drawn from their posterior [1]_ [2]_; predictions
    are means over the draws. There is no strength and no learning rate to choose.

    Parameters
    ----------
    {parameters}
    clip_predictions : bool, default=True
        Clip each draw's prediction to the range of the training targets, as libFM does.

    Attributes
    ----------
    {attributes}
    y_range_ : tuple of float
        Smallest and largest target in training.

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

    _error_name = "rmse"

    def __init__(
        self, n_factors=8, *, max_iter=200, n_burn_in=20, thin=1, n_kept_samples=None,
        feature_groups=None, init_scale=0.1, alpha_0=1.0, beta_0=1.0, gamma_0=1.0, mu_0=0.0,
        fit_intercept=True, fit_linear=True, clip_predictions=True, warm_start=False,
        max_memory="2GB", n_jobs=None, random_state=None, verbose=0, dtype="float32",
    ):  # fmt: skip
        self._keep(locals())

    def fit(self, X, y=None, eval_set=None, callbacks=None):
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

    def predict(self, X, return_std=False):
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
            return self._mean_value(X)
        total = squares = 0.0
        for value in self._values(X):
            total, squares = total + value, squares + value**2
        n_samples = len(self._samples)
        mean = total / n_samples
        noise = np.mean(1 / self._samples.alpha.astype(np.float64))
        return mean, np.sqrt(np.maximum(squares / n_samples - mean**2, 0) + noise)

    def predict_quantiles(self, X, q):
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
        draws = self.sample_predictions(X)
        scale = 1 / np.sqrt(self._samples.alpha.astype(np.float64))[:, None]
        blocks = [
            np.stack([_mixture_quantile(draws[:, start : start + _ROWS_A_BLOCK], scale, level)
                      for level in levels], axis=1)
            for start in range(0, draws.shape[1], _ROWS_A_BLOCK)
        ]  # fmt: skip
        quantiles = np.concatenate(blocks)
        return quantiles if np.ndim(q) else quantiles[:, 0]

    def _target(self, y, *, continues):
        y = self._encode(y)
        check_bool(self.clip_predictions, "clip_predictions")
        before = self.y_range_ if continues else (np.inf, -np.inf)
        self.y_range_ = min(before[0], float(y.min())), max(before[1], float(y.max()))
        return RegressionTarget(check_cast(y, self.dtype, "y"))

    def _encode(self, y):
        return y.astype(np.float64, copy=False)

    def _value(self, scores, cutpoints):
        scores = scores.astype(np.float64)
        return scores.clip(*self.y_range_) if self.clip_predictions else scores

    def _error_of_value(self, values, y):
        return np.sqrt(np.mean(np.square(values - y, dtype=np.float64)))


def _mixture_quantile(means, scale, level):
    """Of mixtures of normals, one a column of `means`: Newton's method, held by a bracket."""
    low, high = (means - 9 * scale).min(axis=0), (means + 9 * scale).max(axis=0)
    spread = np.sqrt(means.var(axis=0) + np.mean(scale**2))
    quantile = np.clip(means.mean(axis=0) + spread * ndtri(level), low, high)
    for _ in range(_MOST_STEPS):
        distances = (quantile - means) / scale
        excess = ndtr(distances).mean(axis=0) - level
        density = (np.exp(-0.5 * distances**2) / scale).mean(axis=0) / np.sqrt(2 * np.pi)
        low, high = np.where(excess < 0, quantile, low), np.where(excess < 0, high, quantile)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            following = quantile - excess / density
        inside = (low <= following) & (following <= high)
        following = np.where(inside, following, (low + high) / 2)
        change, quantile = np.abs(following - quantile), following
        if (change <= _CLOSE * spread).all():
            break
    return quantile


@documented_sampler(**SAMPLER)
class BayesianFMClassifier(ClassifierMixin, BaseBayesianFM):
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

    _error_name = "log_loss"

    def __init__(
        self, n_factors=8, *, max_iter=200, n_burn_in=20, thin=1, n_kept_samples=None,
        feature_groups=None, init_scale=0.1, alpha_0=1.0, beta_0=1.0, gamma_0=1.0, mu_0=0.0,
        fit_intercept=True, fit_linear=True, warm_start=False, max_memory="2GB", n_jobs=None,
        random_state=None, verbose=0, dtype="float32",
    ):  # fmt: skip
        self._keep(locals())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X, y=None, eval_set=None, callbacks=None):
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

    def predict_proba(self, X):
        """Posterior mean of the probability of each class.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, 2), float64, columns in the order of ``classes_``
        """
        positive = self._mean_value(X)
        return np.column_stack([1 - positive, positive])

    def predict(self, X):
        """The more probable label of each row.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        is_positive = self._mean_value(X) > 0.5
        return self.classes_[is_positive.astype(np.intp)]

    def _target(self, y, *, continues):
        check_labels(y)
        if not continues:
            classes = classes_of(y, None, type(self).__name__)
            if len(classes) > 2:
                raise ValueError(
                    "Only binary classification is supported. The type of the target is "
                    f"multiclass: y has {len(classes)} labels. FMClassifier takes several."
                )
            self.classes_ = classes
        return ProbitTarget(self._encode(y))

    def _encode(self, y):
        return encoded(y, self.classes_, as_numbers=False)

    def _value(self, scores, cutpoints):
        return probability(scores.astype(np.float64))

    def _error_of_value(self, values, y):
        right = np.where(y > 0, values, 1 - values)
        return -np.mean(np.log(np.maximum(right, np.finfo(float).tiny)))
