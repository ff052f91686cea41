"""A Bayesian factorization machine for classes in order, such as numbers of stars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import ClassifierMixin

from ..data.ordered_labels import OrdinalRules, declared_order
from ..model.responses import OrdinalResponse
from ..training.gibbs.likelihoods import OrdinalTarget
from ..utils.checks import check_real, shown
from .bayesian_base import BayesianBase
from .bayesian_docstrings import ORDINAL_SAMPLER, documented_sampler
from .common import set_parameters
from .registry import register

if TYPE_CHECKING:
    from typing_extensions import Self


_LEAST_SCALE = 1e-100  # of the prior of the cutpoints


@register("bayes", "ordinal")
@documented_sampler(**ORDINAL_SAMPLER)
class BayesianFMOrdinal(ClassifierMixin, BayesianBase):
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
        The labels in their order.
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

    fit_intercept = False

    def __init__(
        self, n_factors: int = 8, *, max_iter: int = 200, n_burn_in: int = 20, thin: int = 1,
        n_kept_samples: int | None = None, categorical_features: Any = "from_dtype",
        feature_groups: Any = None, init_scale: float = 0.1,
        alpha_0: float = 1.0, beta_0: float = 1.0, gamma_0: float = 1.0, mu_0: float = 0.0,
        classes: Any = None, nu: float = 5.0, cutpoint_scale: float = 10.0, fit_linear: bool = True,
        scaling: str | None = "auto",
        warm_start: bool = False, max_memory: int | str = "2GB", n_jobs: int | None = None,
        random_state: Any = None, verbose: int = 0, dtype: str = "float32",
    ) -> None:  # fmt: skip
        set_parameters(self, locals())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # of classes that lie in no order
        return tags

    @property
    def cutpoints_(self) -> np.ndarray:
        """ndarray of shape (n_classes - 1,) : posterior means of the cutpoints."""
        return self._model_for("cutpoints_").samples.cutpoints.mean(axis=0, dtype=np.float64)

    def fit(self, X: Any, y: Any = None, eval_set: Any = None, callbacks: Any = None) -> Self:
        """Sample from the posterior, from the start or, if `warm_start`, going on.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
        y : array of shape (n_samples,)
            Labels: numbers of any kind, such as half stars; an ordered Categorical of pandas or an
            Enum of polars; or of any type, if `classes` says their order.
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
        ndarray of shape (n_samples, n_classes), float64, columns in the order of ``classes_``
        """
        return self._mean_value(X)[1]

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each row.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        model, probabilities = self._mean_value(X)
        return model.target.classes[probabilities.argmax(axis=1)]

    def predict_mean(self, X: Any) -> np.ndarray:
        """Posterior mean of the label of each row, if the labels are numbers.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), float64
        """
        model, probabilities = self._mean_value(X)
        classes = model.target.classes
        if classes.dtype.kind not in "biuf":
            raise TypeError(f"predict_mean needs labels that are numbers; got {classes}.")
        return probabilities @ classes

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_real(self.nu, "nu", above=True)
        scale = check_real(self.cutpoint_scale, "cutpoint_scale", above=True)
        if not _LEAST_SCALE <= scale <= 1 / _LEAST_SCALE:
            raise ValueError(
                f"cutpoint_scale must lie between {_LEAST_SCALE} and {1 / _LEAST_SCALE:g}, whose "
                f"squares are numbers; got {shown(self.cutpoint_scale)}."
            )

    @property
    def classes_(self) -> np.ndarray:
        """ndarray of shape (n_classes,) : the labels in their order."""
        return self._model_for("classes_").target.classes

    def _rules(self) -> OrdinalRules:
        return OrdinalRules(type(self).__name__, are_joint=True)

    def _learn_target(self, y: np.ndarray, given: Any, before: Any) -> Any:
        classes = declared_order(given) if self.classes is None else self.classes
        return self._rules().learn(y, None, before, classes)

    def _encode(self, target: Any, y: np.ndarray) -> np.ndarray:
        return target.numbers(y).astype(np.int32)

    def _likelihood(self, y: np.ndarray, target: Any) -> OrdinalTarget:
        return OrdinalTarget(y, len(target.classes), float(self.nu), float(self.cutpoint_scale))

    def _response(self, target: Any) -> OrdinalResponse:
        return OrdinalResponse()
