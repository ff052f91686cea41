"""A Bayesian factorization machine for classes in order, such as numbers of stars."""

import numpy as np
from sklearn.base import ClassifierMixin

from ..data.targets import check_labels, classes_of, encoded
from ..training.gibbs.likelihoods import OrdinalTarget, class_probabilities
from ..utils.checks import check_real
from .bayesian_base import BaseBayesianFM
from .docstrings import ORDINAL_SAMPLER, documented_sampler


@documented_sampler(**ORDINAL_SAMPLER)
class BayesianFMOrdinal(ClassifierMixin, BaseBayesianFM):
    """Bayesian factorization machine for classes in order, in the ordered probit model.

    A latent normal around the score sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j falls between two
    of the cutpoints, which say what the class is. The parameters and the strengths of their
    regularisation are drawn from their posterior [1]_ [2]_ with the latent normals [3]_, the
    cutpoints given the scores alone [4]_; probabilities are means over the draws. There is no bias:
    the cutpoints are free to move.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; this is their order.
    {attributes}

    References
    ----------
    {references}
    .. [3] J. Albert, S. Chib, "Bayesian Analysis of Binary and Polychotomous Response Data", JASA
       88, 1993.
    .. [4] J. Albert, S. Chib, "Sequential Ordinal Modeling with Applications to Survival Data",
       Biometrics 57, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from fastfm_cy import BayesianFMOrdinal
    >>> from fastfm_cy.datasets import make_ratings
    >>> data = make_ratings(n_users=50, n_items=40, n_ratings=2000, random_state=0)
    >>> stars = np.rint(data.y).clip(1, 5).astype(int)
    >>> model = BayesianFMOrdinal(4, max_iter=30, random_state=0).fit(data.X, stars)
    >>> model.predict_proba(data.X[:2]).shape
    (2, 5)
    """

    _error_name = "log_loss"
    fit_intercept = False

    def __init__(
        self, n_factors=8, *, max_iter=200, n_burn_in=20, thin=1, n_kept_samples=None,
        feature_groups=None, init_scale=0.1, alpha_0=1.0, beta_0=1.0, gamma_0=1.0, mu_0=0.0, nu=5.0,
        cutpoint_scale=10.0, fit_linear=True, warm_start=False, max_memory="2GB", n_jobs=None,
        random_state=None, verbose=0, dtype="float32",
    ):  # fmt: skip
        self._keep(locals())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # of classes that lie in no order
        return tags

    @property
    def cutpoints_(self):
        """ndarray of shape (n_classes - 1,) : posterior means of the cutpoints."""
        return self._fitted("cutpoints_").cutpoints.mean(axis=0, dtype=np.float64)

    def fit(self, X, y=None, eval_set=None, callbacks=None):
        """Sample from the posterior, from the start or, if `warm_start`, going on.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
        y : array of shape (n_samples,)
            Labels of any type that sort in their order.
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
        ndarray of shape (n_samples, n_classes), float64, columns in the order of ``classes_``
        """
        return self._mean_value(X)

    def predict(self, X):
        """The most probable label of each row.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        best = self._mean_value(X).argmax(axis=1)
        return self.classes_[best]

    def predict_mean(self, X):
        """Posterior mean of the label of each row, if the labels are numbers.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), float64
        """
        probabilities = self._mean_value(X)
        if self.classes_.dtype.kind not in "biuf":
            raise TypeError(f"predict_mean needs labels that are numbers; got {self.classes_}.")
        return probabilities @ self.classes_

    def _check_parameters(self):
        super()._check_parameters()
        for name in ("nu", "cutpoint_scale"):
            check_real(getattr(self, name), name, above=True)

    def _n_cutpoints(self):
        return len(self.classes_) - 1

    def _target(self, y, *, continues):
        check_labels(y)
        if not continues:
            self.classes_ = classes_of(y, None, type(self).__name__)
        return OrdinalTarget(
            self._encode(y), len(self.classes_), float(self.nu), float(self.cutpoint_scale)
        )

    def _encode(self, y):
        return encoded(y, self.classes_, as_numbers=True).astype(np.int32)

    def _value(self, scores, cutpoints):
        return class_probabilities(scores.astype(np.float64), cutpoints.astype(np.float64))

    def _error_of_value(self, values, y):
        right = values[np.arange(len(y)), y]
        return -np.mean(np.log(np.maximum(right, np.finfo(float).tiny)))
