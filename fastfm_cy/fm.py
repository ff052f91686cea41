"""Factorization machines as scikit-learn estimators (Rendle, ICDM 2010)."""

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if

from ._docs import CLASSIFIER, REGRESSOR, documented
from ._estimator import BaseFM
from ._losses import CLASSIFICATION, REGRESSION
from ._parameter_checks import can_stream
from ._solvers import COORDINATE_SOLVERS
from ._targets import check_labels, classes_of, encoded
from ._validation import check_bool, check_real


@documented(**REGRESSOR)
class FMRegressor(RegressorMixin, BaseFM):
    """Factorization machine for real targets, such as ratings, or counts.

    The score of a row x is

        w0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j,

    computed in time linear in the row's non-zeros [1]_; it is the prediction, but for counts
    (loss="poisson"), whose logarithm it is. Training minimises, one row at a time in random order,
    the loss plus ``l2 / 2`` times the square of each parameter that the row touches, so a feature's
    penalty grows with the number of its rows, as in libFM; "ftrl" and "als" count it once.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    intercept_ : float
    coef_ : ndarray of shape (n_features,)
    factors_ : ndarray of shape (n_features, n_factors)
    y_range_ : tuple of float
        Smallest and largest target in training, or the given range, to which predictions are
        clipped.
    {attributes}

    Raises
    ------
    DivergenceError
        (a FloatingPointError) by ``fit`` if training diverges, by ``predict`` on overflow.

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

    _losses = REGRESSION
    _task = "regression"

    def __init__(
        self, n_factors=16, *, loss="squared_error", solver="adagrad", learning_rate=None,
        schedule="constant", power_t=0.5, adam_betas=(0.9, 0.999), ftrl_beta=1.0, max_iter=20,
        l1_linear=0.0, l1_factors=0.0, l2_linear=None, l2_factors=None, feature_groups=None,
        init_scale=0.01, init_intercept=None, fit_intercept=True, fit_linear=True, huber_delta=1.0,
        clip_predictions=True, shuffle="block", early_stopping=False, validation_fraction=0.1,
        scoring=None, n_iter_no_change=3, tol=None, warm_start=False, grow_features=False,
        relabel=False, n_jobs=None, deterministic=False, random_state=None, verbose=0,
        dtype="float32",
    ):  # fmt: skip
        self._keep(locals())

    def fit(self, X, y=None, sample_weight=None, eval_set=None, callbacks=None):
        """Train from scratch, or go on if `warm_start`.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features), or DiskDataset
            Of a data set on disk (`fastfm_cy.io.open_dataset`), never more than its memory budget
            is held.
        y : array of shape (n_samples,)
            None for a DiskDataset, which has its own.
        {fit_parameters}

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, eval_set, callbacks)

    @available_if(can_stream)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on a block of rows, going on from the model so far.

        The first call starts the model, its intercept at the mean of its targets unless
        `init_intercept` says where. The optimiser's state is kept between calls.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)
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
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features), or DiskDataset

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


def _is_probabilistic(estimator):
    if estimator.loss not in ("log_loss", "softmax"):
        raise AttributeError(
            "predict_proba needs loss='log_loss' or 'softmax'; this model's loss is "
            f"{estimator.loss!r}."
        )
    return True


@documented(**CLASSIFIER)
class FMClassifier(ClassifierMixin, BaseFM):
    """Factorization machine for two classes, such as clicked or not, or more.

    The score of a row x is

        w0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j,

    computed in time linear in the row's non-zeros [1]_; positive scores mean ``classes_[1]``. Of
    more than two classes, each has parameters and a score of its own, and the highest wins.
    Training minimises, one row at a time in random order, the loss plus ``l2 / 2`` times the square
    of each parameter that the row touches, so a feature's penalty grows with the number of its
    rows, as in libFM; "ftrl" and "als" count it once.

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
    {attributes}

    Raises
    ------
    DivergenceError
        (a FloatingPointError) by ``fit`` if training diverges, by predictions on overflow.

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

    _losses = CLASSIFICATION
    _task = "classification"

    def __init__(
        self, n_factors=16, *, loss="log_loss", solver="adagrad", learning_rate=None,
        schedule="constant", power_t=0.5, adam_betas=(0.9, 0.999), ftrl_beta=1.0, max_iter=20,
        l1_linear=0.0, l1_factors=0.0, l2_linear=None, l2_factors=None, feature_groups=None,
        init_scale=0.01, init_intercept=None, fit_intercept=True, fit_linear=True,
        class_weight=None, shuffle="block", early_stopping=False, validation_fraction=0.1,
        scoring=None, n_iter_no_change=3, tol=None, warm_start=False, grow_features=False,
        relabel=False, n_jobs=None, deterministic=False, random_state=None, verbose=0,
        dtype="float32",
    ):  # fmt: skip
        self._keep(locals())

    def fit(self, X, y=None, sample_weight=None, eval_set=None, callbacks=None):
        """Train from scratch, or go on if `warm_start`.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features), or DiskDataset
            Of a data set on disk (`fastfm_cy.io.open_dataset`), never more than its memory budget
            is held.
        y : array of shape (n_samples,)
            Labels of any type. None for a DiskDataset, which has its own.
        {fit_parameters}

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, eval_set, callbacks)

    @available_if(can_stream)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on a block of rows, going on from the model so far.

        The first call starts the model, its intercepts at the best constant for its labels unless
        `init_intercept` says where. The optimiser's state is kept between calls.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = self.solver not in COORDINATE_SOLVERS
        return tags

    def _n_outputs(self):
        return len(self.classes_) if self._counts_classes() else 1

    def _counts_classes(self):
        """Whether each class has an output of its own."""
        return len(self.classes_) > 2 or self.loss == "softmax"

    def _row_weights(self, y, sample_weight):
        if self.class_weight is None:
            return sample_weight
        weights = compute_sample_weight(self.class_weight, y)
        return weights if sample_weight is None else weights * sample_weight

    def _encode(self, y, weights, *, continues, classes=None):
        check_labels(y)
        if classes is not None:
            classes = np.unique(column_or_1d(classes))
            if len(classes) < 2:
                raise ValueError(f"classes must hold at least two labels; got {classes.tolist()}.")
        if not continues:
            name = type(self).__name__
            self.classes_ = classes_of(y, weights, name) if classes is None else classes
        elif classes is not None and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"classes must stay as in the first call, {self.classes_.tolist()}; got "
                f"{classes.tolist()}."
            )
        return self._encode_more(y)

    def _encode_more(self, y):
        if self.solver in COORDINATE_SOLVERS and self._counts_classes():
            raise ValueError(
                "Only binary classification is supported. The type of the target is multiclass: "
                f"solver={self.solver!r} is for two classes, y has {len(self.classes_)}. Use a "
                "gradient solver, or OneVsRestClassifier of scikit-learn."
            )
        return encoded(y, self.classes_, as_numbers=self._counts_classes())

    def decision_function(self, X):
        """Score each row; of two classes, positive scores mean ``classes_[1]``.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features), or DiskDataset

        Returns
        -------
        ndarray of shape (n_samples,), or (n_samples, n_classes) of more than two classes, of the
        model's dtype
        """
        scores = self._scores(X)
        if len(self.classes_) > 2:
            return scores
        return scores[:, 0] if scores.shape[1] == 1 else scores[:, 1] - scores[:, 0]

    def predict(self, X):
        """Predict the label of each row.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features), or DiskDataset

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        scores = self.decision_function(X)
        best = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[best]

    @available_if(_is_probabilistic)
    def predict_proba(self, X):
        """Probability of each class ("log_loss" and "softmax" only).

        The logistic function of the score, of more than two classes divided by their sum; or the
        softmax of the scores.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features), or DiskDataset

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64, columns in the order of ``classes_``
        """
        scores = self._scores(X).astype(np.float64)
        if self.loss == "softmax":
            return softmax(scores, axis=1)
        if scores.shape[1] == 1:
            return np.column_stack([expit(-scores), expit(scores)])
        # Divided by the largest first, so that classes that are all unlikely do not give 0 / 0.
        logs = -np.logaddexp(0, -scores)
        return softmax(logs, axis=1)
