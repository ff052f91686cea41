"""Factorization machines as scikit-learn estimators (Rendle, ICDM 2010)."""

from __future__ import annotations

from typing import Any

from .classifier import Classifier
from .common import set_parameters
from .docstrings import CLASSIFIER, REGRESSOR, documented
from .registry import register
from .regressor import Regressor


@register("fm", "regression")
@documented(**REGRESSOR)
class FMRegressor(Regressor):
    """Factorization machine for real targets, such as ratings, or counts.

    The score of a row x is

        w0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j,

    computed in time linear in the row's non-zeros [1]_, and with a higher `degree` products of more
    features; it is the prediction, but for counts (loss="poisson"), whose logarithm it is. Training
    minimises, one row at a time in random order, the loss plus ``l2 / 2`` times the square of each
    parameter that the row touches, so a feature's penalty grows with the number of its rows, as in
    libFM; "ftrl" and "als" count it once.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    intercept_ : float
    coef_ : ndarray of shape (n_features,)
    factors_ : ndarray of shape (n_features, n_factors)
        If each order has its own: (degree - 1, n_features, n_factors), from order 2 on.
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
    >>> from fastfm_cy import FMRegressor
    >>> from fastfm_cy.datasets import make_ratings
    >>> data = make_ratings(n_users=50, n_items=40, n_ratings=2000, random_state=0)
    >>> model = FMRegressor(random_state=0).fit(data.X, data.y)
    >>> model.predict(data.X[:2]).shape
    (2,)
    """

    def __init__(
        self, n_factors: int = 16, *, degree: int = 2, share_factors: bool = False,
        categorical_features: Any = "from_dtype", n_hash: int | None = None,
        max_memory: int | str | None = None,
        loss: str = "squared_error", solver: str = "adagrad", learning_rate: float | None = None,
        schedule: str = "constant", power_t: float = 0.5,
        adam_betas: tuple[float, float] = (0.9, 0.999), ftrl_beta: float = 1.0,
        max_iter: int | None = None,
        l1_linear: Any = 0.0, l1_factors: Any = 0.0, l2_linear: Any = None, l2_factors: Any = None,
        l2_intercept: float = 0.0, feature_groups: Any = None, init_scale: float = 0.01,
        init_intercept: float | None = None, fit_intercept: bool = True, fit_linear: bool = True,
        huber_delta: float = 1.0, clip_predictions: bool | tuple[float, float] = True,
        tuning: str | None = "auto", scaling: str | None = "auto",
        shuffle: str | bool = "block", early_stopping: bool | str = False,
        validation_fraction: float = 0.1, scoring: Any = None, n_iter_no_change: int = 3,
        tol: float | None = None, warm_start: bool = False, grow_features: bool = False,
        relabel: bool = False, n_jobs: int | None = None, deterministic: bool = False,
        random_state: Any = None, verbose: int = 0, dtype: str = "float32",
    ) -> None:  # fmt: skip
        set_parameters(self, locals())


@register("fm", "classification")
@documented(**CLASSIFIER)
class FMClassifier(Classifier):
    """Factorization machine for two classes, such as clicked or not, or more.

    The score of a row x is

        w0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j,

    computed in time linear in the row's non-zeros [1]_, and with a higher `degree` products of more
    features; positive scores mean ``classes_[1]``. Of more than two classes, each has parameters
    and a score of its own, and the highest wins. Training minimises, one row at a time in random
    order, the loss plus ``l2 / 2`` times the square of each parameter that the row touches, so a
    feature's penalty grows with the number of its rows, as in libFM; "ftrl" and "als" count it
    once.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; of two, the second is the positive class.
    intercept_ : float, or ndarray of shape (n_classes,)
    coef_ : ndarray of shape (n_features,) or (n_classes, n_features)
    factors_ : ndarray of shape (n_features, n_factors) or (n_classes, n_features, n_factors)
        If each order has its own, with an axis of degree - 1 orders before that of the features.
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
    >>> from fastfm_cy import FMClassifier
    >>> from fastfm_cy.datasets import make_clicks
    >>> data = make_clicks(n_rows=1000, random_state=0)
    >>> model = FMClassifier(random_state=0).fit(data.X, data.y)
    >>> model.predict_proba(data.X[:3]).shape
    (3, 2)
    """

    def __init__(
        self, n_factors: int = 16, *, degree: int = 2, share_factors: bool = False,
        categorical_features: Any = "from_dtype", n_hash: int | None = None,
        max_memory: int | str | None = None,
        loss: str = "log_loss", solver: str = "adagrad", learning_rate: float | None = None,
        schedule: str = "constant", power_t: float = 0.5,
        adam_betas: tuple[float, float] = (0.9, 0.999), ftrl_beta: float = 1.0,
        max_iter: int | None = None,
        l1_linear: Any = 0.0, l1_factors: Any = 0.0, l2_linear: Any = None, l2_factors: Any = None,
        l2_intercept: float = 0.0, feature_groups: Any = None, init_scale: float = 0.01,
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
