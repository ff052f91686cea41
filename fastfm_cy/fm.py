"""Factorization machines as scikit-learn estimators (Rendle, ICDM 2010)."""

import numpy as np
from scipy.special import expit
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from ._estimator import BaseFM, unchanged_on_error
from ._losses import CLASSIFICATION, REGRESSION
from ._validation import (
    check_bool,
    check_not_all_zero,
    check_weights,
)


class FMRegressor(RegressorMixin, BaseFM):
    """Factorization machine for real targets, such as ratings.

    The prediction for a row x is

        w0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j,

    computed in time linear in the row's non-zeros. Training minimises, one row at a time in
    random order, the loss plus ``l2 / 2`` times the square of each parameter that the row
    touches, so a feature's penalty grows with the number of its rows, as in libFM.

    Parameters
    ----------
    n_factors : int, default=16
        Length k of each feature's factor vector; 0 gives the plain linear model.
    loss : {"squared_error"}, default="squared_error"
        Half the squared error.
    solver : {"adagrad", "sgd"}, default="adagrad"
        "sgd" takes steps of one size, and wants features of about unit size; "adagrad" divides
        each parameter's steps by the root of 1 + the sum of its squared gradients [2]_.
    learning_rate : float > 0 or None, default=None
        Step size; None is the solver's default, 0.05 for "adagrad" and 0.02 for "sgd".
    max_iter : int >= 1, default=20
        Number of epochs (passes over the rows).
    l2_linear, l2_factors : float >= 0, default=0.02 and 0.07
        L2 strengths of the linear weights and of the factors; the intercept has none.
    init_scale : float > 0, default=0.01
        Standard deviation of the normal distribution that the factors start from. Linear
        weights start at 0, the intercept at the (weighted) mean of y.
    fit_intercept, fit_linear : bool, default=True
        Whether the model has w0, and the w_i.
    clip_predictions : bool, default=True
        Clip predictions to the range of the training targets, as libFM does.
    shuffle : {"block", True, False}, default="block"
        The order of the rows: "block" shuffles blocks of 64 neighbouring rows anew each epoch,
        which memory likes, and on fewer than 32,768 rows shuffles single rows, as True always
        does; False keeps the order of X.
    relabel : bool, default=False
        Place the parameters by the features' frequency while training. Faster for many features
        and epochs, the same model; holds the column numbers of X once more. Several threads
        always do so.
    n_jobs : int or None, default=None
        Threads for training and prediction; None is 1 and -1 all processors. With several, the
        threads share the parameters of the rarer features without locks (Hogwild [3]_), so two
        fits differ slightly; a model fitted in one thread is reproducible.
    deterministic : bool, default=False
        Train so that the result is the same, bit for bit, for any n_jobs, in up to 4 threads: they
        share nothing between merges. Slower to train and to converge, and 5 times the memory.
    random_state : int, RandomState or None, default=None
        Decides the start values and the orders. The same int gives the same model, bit for bit,
        in one thread or if deterministic.
    verbose : int, default=0
        1 shows a progress bar with the running loss.
    dtype : {"float32", "float64"}, default="float32"
        Type of the parameters and of the arithmetic.

    Attributes
    ----------
    intercept_ : float
    coef_ : ndarray of shape (n_features,)
    factors_ : ndarray of shape (n_features, n_factors)
    n_iter_ : int
        Epochs run.
    history_ : dict
        Lists with a number an epoch: "train_loss", the mean loss, each row's taken just before its
        update, and "seconds".
    y_range_ : tuple of float
        Smallest and largest target in training, to which predictions are clipped.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if X had column names.

    Raises
    ------
    DivergenceError
        (a FloatingPointError) by ``fit`` if training diverges, by ``predict`` on overflow.

    References
    ----------
    .. [1] S. Rendle, "Factorization Machines", ICDM 2010.
    .. [2] J. Duchi, E. Hazan, Y. Singer, "Adaptive Subgradient Methods for Online Learning and
       Stochastic Optimization", JMLR 12, 2011.
    .. [3] F. Niu, B. Recht, C. Re, S. J. Wright, "Hogwild!: A Lock-Free Approach to Parallelizing
       Stochastic Gradient Descent", NIPS 2011.

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

    def __init__(
        self,
        n_factors=16,
        *,
        loss="squared_error",
        solver="adagrad",
        learning_rate=None,
        max_iter=20,
        l2_linear=0.02,
        l2_factors=0.07,
        init_scale=0.01,
        fit_intercept=True,
        fit_linear=True,
        clip_predictions=True,
        shuffle="block",
        relabel=False,
        n_jobs=None,
        deterministic=False,
        random_state=None,
        verbose=0,
        dtype="float32",
    ):
        self.n_factors = n_factors
        self.loss = loss
        self.solver = solver
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.l2_linear = l2_linear
        self.l2_factors = l2_factors
        self.init_scale = init_scale
        self.fit_intercept = fit_intercept
        self.fit_linear = fit_linear
        self.clip_predictions = clip_predictions
        self.shuffle = shuffle
        self.relabel = relabel
        self.n_jobs = n_jobs
        self.deterministic = deterministic
        self.random_state = random_state
        self.verbose = verbose
        self.dtype = dtype

    def fit(self, X, y, sample_weight=None):
        """Train from scratch.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)
        y : array of shape (n_samples,)
        sample_weight : array of shape (n_samples,), default=None
            Factors >= 0 on each row's loss; a row of weight zero is not visited.

        Returns
        -------
        self
        """
        with unchanged_on_error(self):
            self._check_parameters()
            check_bool(self.clip_predictions, "clip_predictions")
            rows, y = self._checked(X, y, y_numeric=True)
            y = y.astype(np.float64, copy=False)
            self._train(rows, y, check_weights(sample_weight, rows.n_rows))
            self.y_range_ = float(y.min()), float(y.max())
        return self

    def predict(self, X):
        """Predict the target of each row.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), of the model's dtype
        """
        scores = self._scores(X)
        return scores.clip(*self._score_range(), out=scores)

    def _score_range(self):
        return self.y_range_ if self.clip_predictions else super()._score_range()


def _is_probabilistic(estimator):
    if estimator.loss != "log_loss":
        raise AttributeError(
            f"predict_proba needs loss='log_loss'; this model's loss is {estimator.loss!r}."
        )
    return True


class FMClassifier(ClassifierMixin, BaseFM):
    """Factorization machine for two classes, such as clicked or not.

    The score of a row x is

        w0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j,

    computed in time linear in the row's non-zeros; positive scores mean ``classes_[1]``.
    Training minimises, one row at a time in random order, the loss plus ``l2 / 2`` times the
    square of each parameter that the row touches, so a feature's penalty grows with the number
    of its rows, as in libFM.

    Parameters
    ----------
    n_factors : int, default=16
        Length k of each feature's factor vector; 0 gives the plain linear model.
    loss : {"log_loss", "hinge", "squared_hinge"}, default="log_loss"
        Of the label as -1 or +1 and the score. Only "log_loss" gives probabilities.
    solver : {"adagrad", "sgd"}, default="adagrad"
        "sgd" takes steps of one size, and wants features of about unit size; "adagrad" divides
        each parameter's steps by the root of 1 + the sum of its squared gradients [2]_.
    learning_rate : float > 0 or None, default=None
        Step size; None is the solver's default, 0.05 for "adagrad" and 0.02 for "sgd".
    max_iter : int >= 1, default=20
        Number of epochs (passes over the rows).
    l2_linear, l2_factors : float >= 0, default=0.02 and 0.002
        L2 strengths of the linear weights and of the factors; the intercept has none. For
        clicks with many rows a feature, less is better: try ``l2_factors=1e-4``.
    init_scale : float > 0, default=0.01
        Standard deviation of the normal distribution that the factors start from. Linear
        weights start at 0, the intercept at the (weighted) log odds, or at 0 for the hinges.
    fit_intercept, fit_linear : bool, default=True
        Whether the model has w0, and the w_i.
    class_weight : dict {label: weight}, "balanced" or None, default=None
        Factors on the losses of each class; "balanced" is inverse to the class frequencies.
    shuffle : {"block", True, False}, default="block"
        The order of the rows: "block" shuffles blocks of 64 neighbouring rows anew each epoch,
        which memory likes, and on fewer than 32,768 rows shuffles single rows, as True always
        does; False keeps the order of X.
    relabel : bool, default=False
        Place the parameters by the features' frequency while training. Faster for many features
        and epochs, the same model; holds the column numbers of X once more. Several threads
        always do so.
    n_jobs : int or None, default=None
        Threads for training and prediction; None is 1 and -1 all processors. With several, the
        threads share the parameters of the rarer features without locks (Hogwild [3]_), so two
        fits differ slightly; a model fitted in one thread is reproducible.
    deterministic : bool, default=False
        Train so that the result is the same, bit for bit, for any n_jobs, in up to 4 threads: they
        share nothing between merges. Slower to train and to converge, and 5 times the memory.
    random_state : int, RandomState or None, default=None
        Decides the start values and the orders. The same int gives the same model, bit for bit,
        in one thread or if deterministic.
    verbose : int, default=0
        1 shows a progress bar with the running loss.
    dtype : {"float32", "float64"}, default="float32"
        Type of the parameters and of the arithmetic.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The labels, sorted; the second is the positive class.
    intercept_ : float
    coef_ : ndarray of shape (n_features,)
    factors_ : ndarray of shape (n_features, n_factors)
    n_iter_ : int
        Epochs run.
    history_ : dict
        Lists with a number an epoch: "train_loss", the mean loss, each row's taken just before its
        update, and "seconds".
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only if X had column names.

    Raises
    ------
    DivergenceError
        (a FloatingPointError) by ``fit`` if training diverges, by predictions on overflow.

    References
    ----------
    .. [1] S. Rendle, "Factorization Machines", ICDM 2010.
    .. [2] J. Duchi, E. Hazan, Y. Singer, "Adaptive Subgradient Methods for Online Learning and
       Stochastic Optimization", JMLR 12, 2011.
    .. [3] F. Niu, B. Recht, C. Re, S. J. Wright, "Hogwild!: A Lock-Free Approach to Parallelizing
       Stochastic Gradient Descent", NIPS 2011.

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

    def __init__(
        self,
        n_factors=16,
        *,
        loss="log_loss",
        solver="adagrad",
        learning_rate=None,
        max_iter=20,
        l2_linear=0.02,
        l2_factors=0.002,
        init_scale=0.01,
        fit_intercept=True,
        fit_linear=True,
        class_weight=None,
        shuffle="block",
        relabel=False,
        n_jobs=None,
        deterministic=False,
        random_state=None,
        verbose=0,
        dtype="float32",
    ):
        self.n_factors = n_factors
        self.loss = loss
        self.solver = solver
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.l2_linear = l2_linear
        self.l2_factors = l2_factors
        self.init_scale = init_scale
        self.fit_intercept = fit_intercept
        self.fit_linear = fit_linear
        self.class_weight = class_weight
        self.shuffle = shuffle
        self.relabel = relabel
        self.n_jobs = n_jobs
        self.deterministic = deterministic
        self.random_state = random_state
        self.verbose = verbose
        self.dtype = dtype

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X, y, sample_weight=None):
        """Train from scratch.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)
        y : array of shape (n_samples,)
            Labels of any type, of two classes.
        sample_weight : array of shape (n_samples,), default=None
            Factors >= 0 on each row's loss; a row of weight zero is not visited.

        Returns
        -------
        self
        """
        with unchanged_on_error(self):
            self._check_parameters()
            rows, y = self._checked(X, y, y_numeric=False)
            weights = self._weights(y, check_weights(sample_weight, rows.n_rows))
            self.classes_, target = _encode_labels(y, weights)
            self._train(rows, target, weights)
        return self

    def _weights(self, y, sample_weight):
        if self.class_weight is None:
            return sample_weight
        weights = compute_sample_weight(self.class_weight, y)
        return weights if sample_weight is None else weights * sample_weight

    def decision_function(self, X):
        """Score each row; positive scores mean ``classes_[1]``.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), of the model's dtype
        """
        return self._scores(X)

    def predict(self, X):
        """Predict the label of each row.

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        scores = self._scores(X)
        return self.classes_[(scores > 0).astype(np.intp)]

    @available_if(_is_probabilistic)
    def predict_proba(self, X):
        """Probability of each class: the logistic function of the score ("log_loss" only).

        Parameters
        ----------
        X : {sparse matrix, array, data frame} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, 2), float64, columns in the order of ``classes_``
        """
        scores = self._scores(X).astype(np.float64)
        return np.column_stack([expit(-scores), expit(scores)])


def _encode_labels(y, weights):
    """The two classes, and y as float64 -1 and +1."""
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind != "binary":
        raise ValueError(
            f"Only binary classification is supported. The type of the target is {kind}."
        )
    classes, codes = np.unique(y, return_inverse=True)
    if weights is not None:
        check_not_all_zero(weights)
        codes_used = np.unique(codes[weights > 0])
    else:
        codes_used = np.unique(codes)
    if len(codes_used) < 2:
        raise ValueError(
            "FMClassifier needs rows of two classes; y has only one class with a positive weight: "
            f"{classes[codes_used[0]]!r}."
        )
    return classes, 2.0 * codes - 1.0
