"""Estimators from the weights of models that others trained, and back."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._parameter_checks import DTYPES, check_fit_parameters
from .._parameters import ParameterTable
from .._solvers import ALL_SOLVERS, COORDINATE_SOLVERS
from .._validation import check_choice
from ..exceptions import ModelFileError
from ..fm import FMClassifier, FMRegressor

TASKS = {"regression": FMRegressor, "classification": FMClassifier}


@dataclass(frozen=True)
class Weights:
    """Of a factorization machine with one output."""

    intercept: float
    coef: np.ndarray
    """Shape (n_features,)."""
    factors: np.ndarray
    """Shape (n_features, n_factors)."""


def estimator_of(task, weights, *, classes, y_range, **parameters):
    """A fitted estimator.

    Parameters
    ----------
    task : {"regression", "classification"}
    weights : Weights
    classes : pair of labels
        Of a classifier, the negative and the positive, in their order of sorting.
    y_range : (low, high) or None
        Of a regressor, to which predictions are clipped.
    **parameters
        Of the estimator.
    """
    is_classifier = check_choice(task, "task", TASKS) is FMClassifier
    if not is_classifier:
        parameters.setdefault("clip_predictions", False if y_range is None else tuple(y_range))
    model = TASKS[task](n_factors=weights.factors.shape[1], **parameters)
    check_fit_parameters(model)
    model._table = _table_of(model, weights)
    if is_classifier:
        model.classes_ = np.unique(classes)
        if model.classes_.tolist() != list(classes) or len(model.classes_) != 2:
            raise ValueError(
                "classes must be two labels in their order of sorting, the second the positive "
                f"one; got {classes!r}."
            )
    else:
        model.y_range_ = model._known_range() or (-np.inf, np.inf)
    model._state_fits, model._rng = None, model._new_rng()
    model.n_features_in_, model.n_iter_ = len(weights.coef), 0
    model.history_ = {"train_loss": [], "seconds": []}
    return model


def _table_of(model, weights):
    solver, (n_features, n_factors) = ALL_SOLVERS[model.solver], weights.factors.shape
    if n_features == 0:
        raise ModelFileError("The model has no features.")
    table = ParameterTable(
        n_features, n_factors, DTYPES[model.dtype], 1, solver.state_start, solver.n_row_state,
        model.solver in COORDINATE_SOLVERS,
    )  # fmt: skip
    with np.errstate(over="ignore"):
        table.intercepts[0] = weights.intercept
        table.coef[...], table.factor_vectors[...] = weights.coef, weights.factors
    if not table.is_finite():
        raise ModelFileError(f"A weight is not finite, or too large for dtype={model.dtype!r}.")
    return table


def weights_of(model, what):
    """The Weights of a fitted estimator, to write for `what`, in the model's dtype."""
    if type(model) not in TASKS.values():
        raise TypeError(
            f"{what} holds the weights of FMClassifier or FMRegressor, not of a "
            f"{type(model).__name__}."
        )
    check_is_fitted(model)
    if model.loss == "poisson":
        raise ValueError(f"{what} cannot say that predictions are exponentials (loss='poisson').")
    table = model._dense_table()
    if table.n_outputs > 1:
        raise ValueError(
            f"{what} holds one score a row; this model has {table.n_outputs}, one a class."
        )
    return Weights(table.intercepts[0], table.coef, table.factor_vectors)
