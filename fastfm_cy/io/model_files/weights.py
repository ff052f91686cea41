"""Estimators from the weights of models that others trained, and back."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ...data.inputs import input_of
from ...data.targets import EVERYTHING, RealTarget
from ...estimators.common import new_rng
from ...estimators.registry import of_family
from ...exceptions import ModelFileError
from ...model.fitted import FittedModel
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
    model = kinds[task](n_factors=weights.factors.shape[-1], **parameters)
    plan, inputs = model._plan(), input_of(model.get_params(deep=False))
    if inputs.n_hash is not None:
        raise ValueError("These models know no hashing of features; leave n_hash out.")
    if weights.is_field_aware:
        inputs = replace(inputs, n_fields=weights.factors.shape[1])
        inputs = inputs.of_model(len(weights.coef), beside=model.fields is None)
    rules = model._rules(plan)
    if task == "classification":
        target = rules.target(np.unique(classes))
        if target.classes.tolist() != list(classes) or len(target.classes) != 2:
            raise ValueError(
                "classes must be two labels in their order of sorting, the second the positive "
                f"one; got {classes!r}."
            )
    else:
        target = RealTarget(rules.known_range or EVERYTHING, rules.known_range is not None)
    plan = replace(plan, family=plan.family.with_fields(inputs.n_fields))
    table, n_features = _table_of(plan, weights), len(weights.coef)
    model._fitted = FittedModel(table, inputs, target, plan.loss.link, n_features)
    model._state_key, model._rng = None, new_rng(model.random_state)
    model.n_features_in_, model.n_iter_ = n_features, 0
    model.history_ = {"train_loss": [], "seconds": []}
    return model


def _table_of(plan, weights):
    if len(weights.coef) == 0:
        raise ModelFileError("The model has no features.")
    table = plan.new_table(len(weights.coef))
    if table.has_started is not None:
        table.start_factors(np.arange(table.n_features), np.zeros)
    with np.errstate(over="ignore"):
        table.intercepts[0] = weights.intercept
        table.coef[...], _vectors(table)[...] = weights.coef, weights.factors
        if weights.squares is not None and table.state_start == (1.0,):
            _vectors(table, 1)[...] = weights.squares
    if not table.is_finite():
        raise ModelFileError(f"A weight is not finite, or too large for dtype={plan.dtype!r}.")
    return table


def _vectors(table, slot=0):
    """View of the factors, or of a number of their state, in the shape of Weights.factors."""
    n_vectors = table.family.n_vectors
    numbers = table.factor_blocks[:, 0, slot, : n_vectors * table.n_padded]
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
    squares = _vectors(table, 1) if table.state_start == (1.0,) else None
    return Weights(table.intercepts[0], table.coef, _vectors(table), squares)
