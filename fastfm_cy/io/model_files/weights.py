"""Estimators from the weights of models that others trained, and back."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ...estimators.ffm import FFMClassifier, FFMRegressor
from ...estimators.fm import FMClassifier, FMRegressor
from ...estimators.hyperparameters import DTYPES, check_fit_parameters
from ...exceptions import ModelFileError
from ...model.table import ParameterTable
from ...training.solvers import ALL_SOLVERS, COORDINATE_SOLVERS
from ...utils.checks import check_choice

PLAIN = {"regression": FMRegressor, "classification": FMClassifier}
FIELD_AWARE = {"regression": FFMRegressor, "classification": FFMClassifier}


@dataclass(frozen=True)
class Weights:
    """Of a machine with one output."""

    intercept: float
    coef: np.ndarray
    """Shape (n_features,)."""
    factors: np.ndarray
    """Shape (n_features, n_factors) or, field-aware, (n_features, n_fields, n_factors)."""
    squares: np.ndarray | None = None
    """AdaGrad's state of the factors, of the same shape, where a model has it."""

    @property
    def is_field_aware(self):
        return self.factors.ndim == 3


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
    kinds = FIELD_AWARE if weights.is_field_aware else PLAIN
    if check_choice(task, "task", dict.fromkeys(kinds, task)) == "regression":
        parameters.setdefault("clip_predictions", False if y_range is None else tuple(y_range))
    model = kinds[task](n_factors=weights.factors.shape[-1], **parameters)
    check_fit_parameters(model)
    model._check_more()
    if weights.is_field_aware:
        model.n_fields_, model._fields_beside = weights.factors.shape[1], model.fields is None
    model._table = _table_of(model, weights)
    if task == "classification":
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
    solver = ALL_SOLVERS[model.solver]
    if len(weights.coef) == 0:
        raise ModelFileError("The model has no features.")
    table = ParameterTable(
        len(weights.coef), weights.factors.shape[-1], DTYPES[model.dtype], 1, solver.state_start,
        solver.n_row_state, model.solver in COORDINATE_SOLVERS, model._machine(),
    )  # fmt: skip
    if table.begun is not None:
        table.begin(np.arange(table.n_features), np.zeros)
    with np.errstate(over="ignore"):
        table.intercepts[0] = weights.intercept
        table.coef[...], _vectors(table)[...] = weights.coef, weights.factors
        if weights.squares is not None and model.solver == "adagrad":
            _vectors(table, 1)[...] = weights.squares
    if not table.is_finite():
        raise ModelFileError(f"A weight is not finite, or too large for dtype={model.dtype!r}.")
    return table


def _vectors(table, slot=0):
    """View of the factors, or of a number of their state, in the shape of Weights.factors."""
    n_vectors = table.machine.n_vectors
    numbers = table.factor_blocks[:, 0, slot, : n_vectors * table.n_padded]
    vectors = numbers.reshape(table.n_features, n_vectors, table.n_padded)[..., : table.n_factors]
    return vectors if hasattr(table.machine, "n_fields") else vectors[:, 0]


def weights_of(model, what, kinds=PLAIN):
    """The Weights of a fitted estimator, to write for `what`, in the model's dtype."""
    if type(model) not in kinds.values():
        names = " or ".join(kind.__name__ for kind in kinds.values())
        raise TypeError(f"{what} holds the weights of {names}, not of a {type(model).__name__}.")
    check_is_fitted(model)
    if model.loss == "poisson":
        raise ValueError(f"{what} cannot say that predictions are exponentials (loss='poisson').")
    table = model._dense_table()
    if table.n_outputs > 1:
        raise ValueError(
            f"{what} holds one score a row; this model has {table.n_outputs}, one a class."
        )
    squares = _vectors(table, 1) if table.state_start == (1.0,) else None
    return Weights(table.intercepts[0], table.coef, _vectors(table), squares)
