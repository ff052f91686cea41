"""Estimators from the weights of models that others trained, and back."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ...estimators.from_parameters import Parameters
from ...estimators.from_parameters import estimator_of as fitted_estimator
from ...estimators.registry import of_family
from ...exceptions import ModelFileError
from ...utils.checks import check_choice

PLAIN = of_family("fm")
FIELD_AWARE = of_family("ffm")


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
    elif len(classes) != 2:
        raise ValueError(f"classes must be two labels; got {classes!r}.")
    if parameters.get("n_hash") is not None:
        raise ValueError("These models know no hashing of features; leave n_hash out.")
    if len(weights.coef) == 0:
        raise ModelFileError("The model has no features.")
    beside = weights.is_field_aware and parameters.get("fields") is None
    squares, arrays = weights.squares, (weights.intercept, weights.coef, weights.factors)
    _check_finite(*arrays, squares, dtype=parameters.get("dtype"))
    model = fitted_estimator(
        kinds[task], Parameters(*arrays), classes=classes, beside=beside, **parameters
    )
    table = model._fitted.table
    if squares is not None and table.kept_start == (1.0,):
        _vectors(table.state)[...] = squares
    return model


def _check_finite(*arrays, dtype):
    dtype = "float64" if dtype == "float64" else "float32"
    with np.errstate(over="ignore"):
        for array in arrays:
            if array is not None and not np.isfinite(np.asarray(array).astype(dtype)).all():
                raise ModelFileError(f"A weight is not finite, or too large for dtype={dtype!r}.")


def _vectors(table):
    """View of the factors, or of the table of their state, in the shape of Weights.factors."""
    n_vectors = table.family.n_vectors
    numbers = table.factor_blocks[:, 0, 0, : n_vectors * table.n_padded]
    vectors = numbers.reshape(table.n_features, n_vectors, table.n_padded)[..., : table.n_factors]
    return vectors if hasattr(table.family, "n_fields") else vectors[:, 0]


def weights_of(model, what, kinds=PLAIN):
    """The Weights of a fitted estimator, to write for `what`, in the model's dtype."""
    if type(model) not in kinds.values():
        names = " or ".join(kind.__name__ for kind in kinds.values())
        raise TypeError(f"{what} holds the weights of {names}, not of a {type(model).__name__}.")
    check_is_fitted(model)
    if model._fitted.inputs.n_hash is not None:
        raise ValueError(f"{what} cannot say that features are hashed (n_hash).")
    if model._fitted.link.is_exponential:
        raise ValueError(f"{what} cannot say that predictions are exponentials (loss='poisson').")
    table = model._fitted.dense_table
    if table.n_outputs > 1:
        raise ValueError(
            f"{what} holds one score a row; this model has {table.n_outputs}, one a class."
        )
    squares = _vectors(table.state) if table.kept_start == (1.0,) else None
    return Weights(table.intercepts[0], table.coef, _vectors(table), squares)
