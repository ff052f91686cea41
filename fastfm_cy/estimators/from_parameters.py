"""Parameters that something else trained: to a fitted estimator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..data.inputs import FieldInput, PlainInput, input_of
from ..data.targets import EVERYTHING, ClassRules, ClassTarget, RealTarget
from ..model.fitted import FittedModel
from ..model.table import ParameterTable
from ..model.weaving import unwoven
from ..preprocessing import FieldEncoder
from ..training.plan import TrainingPlan
from .common import new_rng
from .tables import take_tables


@dataclass(frozen=True)
class Parameters:
    """Arrays as a user gives them, with the shapes of a fitted estimator's attributes."""

    intercept: Any
    coef: Any
    factors: Any
    pair_weights: Any = None

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Those that are given, by their names, checked to be numbers."""
        given = {name: np.asarray(value) for name, value in vars(self).items() if value is not None}
        for name, array in given.items():
            if array.dtype.kind not in "biuf":
                raise TypeError(f"{name} must be an array of numbers; it is of {array.dtype}.")
        return given


def as_the_formula(cls: Any, **options: Any) -> dict[str, Any]:
    """Parameters with which predictions are what the class's formula says, and further ones."""
    return options | ({"normalize": None} if "normalize" in cls().get_params() else {})


def estimator_of(
    cls: type, parameters: Parameters, *, classes: Any = None, encoder: FieldEncoder | None = None,
    beside: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """A fitted estimator of class `cls`.

    Parameters
    ----------
    parameters : Parameters
    classes : labels in their order, or None for 0, 1, ...
        Of a classifier.
    encoder : FieldEncoder, default=None
        Fitted; the estimator takes tables then.
    beside : bool, default=False
        Whether the fields of entries will come beside X.
    **options
        Parameters of the estimator, but for n_factors.
    """
    arrays = parameters.arrays
    coef, factors = arrays["coef"], arrays["factors"]
    if not coef.ndim or not factors.ndim:
        raise ValueError(f"coef and factors must be arrays; got {coef!r} and {factors!r}.")
    if "n_factors" in options or options.get("n_hash") is not None:
        raise TypeError(
            "n_factors is what factors has, and features that are hashed (n_hash) cannot be told "
            "apart in these arrays; leave them out."
        )
    model = cls(n_factors=factors.shape[-1], **options)  # type: ignore[call-arg]
    plan, rules = model._plan(), model._rules(model._plan())
    target: RealTarget | ClassTarget
    if isinstance(rules, ClassRules):
        target = rules.target(_sorted_classes(classes, coef))
    else:
        known = rules.known_range
        target = RealTarget(known or EVERYTHING, known is not None, rules.are_counts)
    inputs = _inputs(model, arrays, encoder, beside)
    plan = replace(plan, family=plan.family.with_fields(inputs.n_fields))
    table = unwoven(_table(replace(plan, n_outputs=target.n_outputs), arrays))
    model._fitted = FittedModel(table, inputs, target, plan.loss.link, table.n_features)
    model._state_key, model._rng = None, new_rng(model.random_state)
    model.n_features_in_, model.n_iter_ = table.n_features, 0
    model.history_ = {"train_loss": [], "seconds": []}
    if encoder is not None:
        take_tables(model, encoder)
    return model


def _sorted_classes(classes: Any, coef: np.ndarray) -> np.ndarray:
    if classes is None:
        return np.arange(2 if coef.ndim == 1 else len(coef))
    known = np.unique(classes)
    if known.tolist() != list(classes) or len(known) < 2:
        raise ValueError(
            "classes must be labels in their order of sorting, of two the second the positive "
            f"one; got {classes!r}."
        )
    return known


def _inputs(
    model: Any, arrays: dict[str, np.ndarray], encoder: FieldEncoder | None, beside: bool
) -> PlainInput:
    inputs = input_of(model.get_params(deep=False))
    if encoder is not None:
        check_is_fitted(encoder)
    if not isinstance(inputs, FieldInput):
        return inputs
    n_fields = inputs.n_fields
    if n_fields is None and "pair_weights" in arrays:
        n_fields = arrays["pair_weights"].shape[-1] if arrays["pair_weights"].ndim else None
    if n_fields is None and arrays["factors"].ndim == arrays["coef"].ndim + 2:
        n_fields = arrays["factors"].shape[-2]
    inputs = replace(inputs, n_fields=n_fields)
    if encoder is not None and inputs.fields is None:
        inputs = replace(inputs, fields=encoder.fields_, n_fields=n_fields or encoder.n_fields_)
    return inputs.of_model(arrays["coef"].shape[-1], beside=beside)


def _table(plan: TrainingPlan, arrays: dict[str, np.ndarray]) -> ParameterTable:
    """The parameters as the kernels take them, with the optimiser's state at its start."""
    n_features = arrays["coef"].shape[-1]
    if not n_features:
        raise ValueError("The model has no features.")
    table = plan.new_table(n_features)
    if table.has_started is not None:
        table.begin(np.arange(n_features))
    places = {
        "intercept": table.intercepts if table.n_outputs > 1 else table.intercepts[0, ...],
        "coef": table.coef, "factors": table.factor_vectors,
    }  # fmt: skip
    if table.family.n_shared:
        n_fields = plan.family.n_fields  # type: ignore[attr-defined]
        shape = n_fields, n_fields
        shared = table.shared_blocks[:, 0].reshape(table.n_outputs, *shape)
        places["pair_weights"] = shared if table.n_outputs > 1 else shared[0]
    elif "pair_weights" in arrays:
        raise TypeError("pair_weights are for FwFMRegressor and FwFMClassifier.")
    for name, place in places.items():
        if name in arrays:
            _fill(place, arrays[name], name)
    return table


def _fill(place: np.ndarray, array: np.ndarray, name: str) -> None:
    """Copy an array into the table, if it fits."""
    if name == "factors" and array.ndim == place.ndim + 1 and array.shape[-2] == 1:
        array = array[..., 0, :]  # of a single field
    if array.shape != place.shape:
        raise ValueError(
            f"{name} must have shape {place.shape}, as a fitted estimator's; got {array.shape}."
        )
    if name == "pair_weights" and not np.array_equal(array, array.swapaxes(-1, -2)):
        raise ValueError("pair_weights must be symmetric.")
    with np.errstate(over="ignore"):
        place[...] = array
    bad = np.argwhere(~np.isfinite(place))
    if len(bad):
        where = tuple(bad[0].tolist())
        raise ValueError(
            f"{name}{list(where) if where else ''} is {array[where]}, which is not finite, or too "
            f"large for dtype={str(place.dtype)!r}."
        )
