"""Field-weighted factorization machines as scikit-learn estimators (Pan et al., WWW 2018)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..model.families import FwFM
from .common import set_parameters
from .docstrings import CLASSIFIER, FWFM_TEXTS, REGRESSOR, documented_with_fields
from .field_aware import FieldAwareClassifier, FieldAwareRegressor
from .registry import register


def _pair_weights(estimator: Any) -> np.ndarray:
    """ndarray of shape (n_fields, n_fields) or (n_classes, n_fields, n_fields), symmetric."""
    table = estimator._model_for("pair_weights_").table
    n_fields = table.family.n_fields
    weights = table.shared_blocks[:, 0].reshape(-1, n_fields, n_fields)
    weights = np.triu(weights) + np.triu(weights, 1).swapaxes(1, 2)
    return weights[0] if table.n_outputs == 1 else weights


@register("fwfm", "regression")
@documented_with_fields(FWFM_TEXTS, REGRESSOR)
class FwFMRegressor(FieldAwareRegressor):
    """Field-weighted factorization machine for real targets, such as ratings, or counts.

    The score of a row x, whose feature i is of field f(i), is

        w0 + sum_i w_i x_i + sum_{i<j} r_f(i),f(j) <v_i, v_j> x_i x_j:

    one factor vector a feature, and one weight r for each pair of fields, which says how much they
    interact [10]_. It takes O(nnz * n_factors + n_fields^2 * n_factors) a row, and hardly more
    memory than a plain machine.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    intercept_ : float
    coef_ : ndarray of shape (n_features,)
    factors_ : ndarray of shape (n_features, n_factors)
    pair_weights_ : ndarray of shape (n_fields, n_fields), symmetric
    n_fields_ : int
    y_range_ : tuple of float
        To which predictions are clipped: from the smallest to the largest target in training,
        and beyond an end that hardly any row has by half as much again; or the given range.
    {attributes}

    Raises
    ------
    DivergenceError
        (a FloatingPointError) by ``fit`` if training diverges, by ``predict`` on overflow.
    MemoryError
        By ``fit`` if the parameters would take more than `max_memory`; nothing is allocated then.

    References
    ----------
    {references}

    Examples
    --------
    >>> from fastfm_cy import FwFMRegressor
    >>> from fastfm_cy.datasets import make_ratings
    >>> data = make_ratings(n_users=50, n_items=40, n_ratings=2000, random_state=0)
    >>> X = data.X[:, :90]
    >>> model = FwFMRegressor(fields=[0] * 50 + [1] * 40, random_state=0).fit(X, data.y)
    >>> model.predict(X[:2]).shape
    (2,)
    """

    _family = FwFM
    pair_weights_ = property(_pair_weights)

    def __init__(
        self, n_factors: int = 8, *, fields: Any = None, n_fields: int | None = None,
        same_field: bool = True, normalize: str | None = None, n_hash: int | None = None,
        categorical_features: Any = "from_dtype", max_memory: int | str | None = None,
        fit_pair_weights: bool = True, l2_pair_weights: float | None = None,
        loss: str = "squared_error", solver: str = "adagrad", learning_rate: float | None = None,
        schedule: str = "constant", power_t: float = 0.5,
        adam_betas: tuple[float, float] = (0.9, 0.999), ftrl_beta: float = 1.0,
        max_iter: int | None = None,
        l1_linear: Any = 0.0, l1_factors: Any = 0.0, l2_linear: Any = None, l2_factors: Any = None,
        l2_intercept: float = 0.0, feature_groups: Any = None, init: str = "normal",
        init_scale: float = 0.01, init_intercept: float | None = None, fit_intercept: bool = True,
        fit_linear: bool = True, huber_delta: float = 1.0,
        clip_predictions: bool | tuple[float, float] = True, tuning: str | None = "auto",
        scaling: str | None = "auto", shuffle: str | bool = "block",
        early_stopping: bool | str = False, validation_fraction: float = 0.1, scoring: Any = None,
        n_iter_no_change: int = 3, tol: float | None = None, warm_start: bool = False,
        grow_features: bool = False, relabel: bool = False, n_jobs: int | None = None,
        deterministic: bool = False, random_state: Any = None, verbose: int = 0,
        dtype: str = "float32",
    ) -> None:  # fmt: skip
        set_parameters(self, locals())


@register("fwfm", "classification")
@documented_with_fields(FWFM_TEXTS, CLASSIFIER)
class FwFMClassifier(FieldAwareClassifier):
    """Field-weighted factorization machine for two classes, such as clicked or not, or more.

    The score of a row x, whose feature i is of field f(i), is

        w0 + sum_i w_i x_i + sum_{i<j} r_f(i),f(j) <v_i, v_j> x_i x_j:

    one factor vector a feature, and one weight r for each pair of fields, which says how much they
    interact [10]_. It takes O(nnz * n_factors + n_fields^2 * n_factors) a row, and hardly more
    memory than a plain machine.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    intercept_ : float, or ndarray of shape (n_classes,)
    coef_ : ndarray of shape (n_features,) or (n_classes, n_features)
    factors_ : ndarray of shape (n_features, n_factors) or (n_classes, n_features, n_factors)
    pair_weights_ : ndarray of shape (n_fields, n_fields) or (n_classes, ...), symmetric
    n_fields_ : int
    {attributes}

    Raises
    ------
    DivergenceError
        (a FloatingPointError) by ``fit`` if training diverges, by predictions on overflow.
    MemoryError
        By ``fit`` if the parameters would take more than `max_memory`; nothing is allocated then.

    References
    ----------
    {references}

    Examples
    --------
    >>> import numpy as np
    >>> from fastfm_cy import FwFMClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))  # each column a field
    >>> y = X[:, 0] * X[:, 1] > 0
    >>> FwFMClassifier(random_state=0).fit(X, y).predict_proba(X[:2]).shape
    (2, 2)
    """

    _family = FwFM
    pair_weights_ = property(_pair_weights)

    def __init__(
        self, n_factors: int = 8, *, fields: Any = None, n_fields: int | None = None,
        same_field: bool = True, normalize: str | None = None, n_hash: int | None = None,
        categorical_features: Any = "from_dtype", max_memory: int | str | None = None,
        fit_pair_weights: bool = True, l2_pair_weights: float | None = None,
        loss: str = "log_loss",
        solver: str = "adagrad", learning_rate: float | None = None, schedule: str = "constant",
        power_t: float = 0.5, adam_betas: tuple[float, float] = (0.9, 0.999),
        ftrl_beta: float = 1.0, max_iter: int | None = None, l1_linear: Any = 0.0,
        l1_factors: Any = 0.0, l2_linear: Any = None, l2_factors: Any = None,
        l2_intercept: float = 0.0,
        feature_groups: Any = None, init: str = "normal", init_scale: float = 0.01,
        init_intercept: float | None = None, fit_intercept: bool = True, fit_linear: bool = True,
        class_weight: dict | str | None = None, tuning: str | None = "auto",
        scaling: str | None = "auto", shuffle: str | bool = "block",
        early_stopping: bool | str = False, validation_fraction: float = 0.1, scoring: Any = None,
        n_iter_no_change: int = 3, tol: float | None = None, warm_start: bool = False,
        grow_features: bool = False, relabel: bool = False, n_jobs: int | None = None,
        deterministic: bool = False, random_state: Any = None, verbose: int = 0,
        dtype: str = "float32",
    ) -> None:  # fmt: skip
        set_parameters(self, locals())
