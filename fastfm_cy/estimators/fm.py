"""Factorization machines as scikit-learn estimators (Rendle, ICDM 2010)."""

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
        Smallest and largest target in training, or the given range, to which predictions are
        clipped.
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
        self, n_factors=16, *, degree=2, share_factors=False, n_hash=None, max_memory=None,
        loss="squared_error", solver="adagrad", learning_rate=None, schedule="constant",
        power_t=0.5, adam_betas=(0.9, 0.999), ftrl_beta=1.0, max_iter=20, l1_linear=0.0,
        l1_factors=0.0, l2_linear=None, l2_factors=None, l2_intercept=0.0, feature_groups=None,
        init_scale=0.01, init_intercept=None, fit_intercept=True, fit_linear=True, huber_delta=1.0,
        clip_predictions=True, shuffle="block", early_stopping=False, validation_fraction=0.1,
        scoring=None, n_iter_no_change=3, tol=None, warm_start=False, grow_features=False,
        relabel=False, n_jobs=None, deterministic=False, random_state=None, verbose=0,
        dtype="float32",
    ):  # fmt: skip
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
        self, n_factors=16, *, degree=2, share_factors=False, n_hash=None, max_memory=None,
        loss="log_loss", solver="adagrad", learning_rate=None, schedule="constant",
        power_t=0.5, adam_betas=(0.9, 0.999),
        ftrl_beta=1.0, max_iter=20, l1_linear=0.0, l1_factors=0.0, l2_linear=None, l2_factors=None,
        l2_intercept=0.0,
        feature_groups=None, init_scale=0.01, init_intercept=None, fit_intercept=True,
        fit_linear=True, class_weight=None, shuffle="block", early_stopping=False,
        validation_fraction=0.1, scoring=None, n_iter_no_change=3, tol=None, warm_start=False,
        grow_features=False, relabel=False, n_jobs=None, deterministic=False, random_state=None,
        verbose=0, dtype="float32",
    ):  # fmt: skip
        set_parameters(self, locals())
