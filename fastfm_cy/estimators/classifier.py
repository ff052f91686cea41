"""What the classifiers of all families share: labels, their weights and probabilities."""

import numpy as np
from scipy.special import expit, log_expit, log_ndtr, ndtr, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if

from ..data.targets import check_labels, classes_of, encoded
from ..model.losses import CLASSIFICATION
from ..training.solvers import COORDINATE_SOLVERS
from .gradient_base import BaseFM
from .hyperparameters import can_stream


def is_probabilistic(estimator):
    if estimator.loss not in ("log_loss", "probit", "softmax"):
        raise AttributeError(
            "predict_proba needs loss='log_loss', 'probit' or 'softmax'; this model's loss is "
            f"{estimator.loss!r}."
        )
    return True


class BaseFMClassifier(ClassifierMixin, BaseFM):
    """Fitting and predictions of a classifier; subclasses have the parameters."""

    _losses = CLASSIFICATION
    _task = "classification"

    def fit(self, X, y=None, sample_weight=None, eval_set=None, callbacks=None):
        """Train from scratch, or go on if `warm_start`.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
            Or a Dataset, as the readers of `fastfm_cy.io` return it, or a DiskDataset
            (`open_dataset`), of which never more than its memory budget is held.
        y : array of shape (n_samples,)
            Labels of any type. None for a Dataset or DiskDataset, which has its own.
        {fit_parameters}

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, eval_set, callbacks)

    @available_if(can_stream)
    def partial_fit(self, X, y=None, classes=None, sample_weight=None):
        """Train for one epoch on a block of rows, going on from the model so far.

        The first call starts the model, its intercepts at the best constant for its labels unless
        `init_intercept` says where. The optimiser's state is kept between calls.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
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
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
            Or a Dataset, or a DiskDataset.

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
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
            Or a Dataset, or a DiskDataset.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        scores = self.decision_function(X)
        best = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[best]

    @available_if(is_probabilistic)
    def predict_proba(self, X):
        """Probability of each class ("log_loss", "probit" and "softmax" only).

        The logistic or the normal distribution function of the score, of more than two classes
        divided by their sum; or the softmax of the scores.

        Parameters
        ----------
        X : {sparse matrix, array, data frame, RelationalDesign} of shape (n_samples, n_features)
            Or a Dataset, or a DiskDataset.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64, columns in the order of ``classes_``
        """
        scores = self._scores(X).astype(np.float64)
        if self.loss == "softmax":
            return softmax(scores, axis=1)
        link, log_link = (ndtr, log_ndtr) if self.loss == "probit" else (expit, log_expit)
        if scores.shape[1] == 1:
            return np.column_stack([link(-scores), link(scores)])
        # Divided by the largest first, so that classes that are all unlikely do not give 0 / 0.
        return softmax(log_link(scores), axis=1)
