"""Schema: what model files hold of each kind of estimator, and how it must fit together.

The estimators themselves are those of the registry. Names in files never change; what an estimator
calls the same thing may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ...data.column_scaling import ColumnScaling
from ...data.inputs import FieldInput, PlainInput, input_of
from ...data.targets import ClassTarget, RealTarget, TargetScale
from ...estimators.base import Base
from ...estimators.bayesian_base import BayesianBase
from ...estimators.bayesian_ordinal import BayesianFMOrdinal
from ...estimators.ranker import FMRanker
from ...estimators.recommender import FMRecommender
from ...estimators.registry import ESTIMATORS
from ...model.fitted import FittedModel, TrainedModel
from ...model.losses import LOSSES
from ...model.posterior import FittedPosterior, Samples
from ...model.sparse_table import SparseTable
from ...model.table import ParameterTable
from ...model.weaving import unwoven
from ...preprocessing import FieldEncoder
from ...training.gibbs.sampler import Chain
from ...training.solvers import ALL_SOLVERS
from . import ranking_schema as ranking
from . import value_checks as check
from .codec import require

Attributes = dict[str, Any]


@dataclass(frozen=True)
class Schema:
    """What files hold of estimators with one base class.

    `attributes` names what is stored, with a check of each value as it comes from a file.
    """

    base: type[BaseEstimator]
    attributes: dict[str, Callable]
    stored: Callable[[Any], Attributes]
    """The attributes of a fitted estimator by their names in files."""
    without_state: Callable[[Attributes], Attributes]
    """The same without what only training needs."""
    check: Callable[[Any, Attributes], None]
    """(estimator, stored attributes): raise an error if its parameters cannot go with them."""
    restore: Callable[[Any, Attributes, bool], None]
    """(estimator, attributes, keeps_tables): check that what was loaded fits, and take it."""
    told_by_attributes: tuple[str, ...] = ()
    """Parameters that files leave out, and restore takes from attributes."""


def schema_of(model: BaseEstimator) -> Schema:
    """The Schema of an estimator; TypeError if it has none."""
    entry = ESTIMATORS.get(type(model).__name__)
    if entry is None or type(model) is not entry.estimator:
        raise TypeError(
            f"Model files hold {', '.join(ESTIMATORS)}; got a {type(model).__name__}. Of a "
            "pipeline, save the last step."
        )
    return next(schema for schema in SCHEMAS if isinstance(model, schema.base))


_COMMON = {
    "n_features_in_": check.count,
    "feature_names_in_": check.is_a(np.ndarray),
    "n_iter_": check.count,
    "history_": check.history,
    "classes_": check.labels,
    "y_range_": check.target_range,
    "_encoder": check.is_a(FieldEncoder),
}
_PUBLIC = ("n_features_in_", "feature_names_in_", "n_iter_", "history_")


def _public(model: Any) -> Attributes:
    return {name: vars(model)[name] for name in _PUBLIC if name in vars(model)}


def _stored_encoder(fitted: FittedModel | FittedPosterior) -> Attributes:
    return {} if fitted.encoder is None else {"_encoder": fitted.encoder}


def _n_features(attributes: Attributes) -> int:
    """How many features the rows have that the model knows."""
    encoder, n_columns = attributes.get("_encoder"), attributes["n_features_in_"]
    if encoder is None:
        return n_columns
    require(encoder.n_features_in_ == n_columns, "encoder")
    return len(encoder.fields_)


def _target(
    attributes: Attributes, *, clips: bool, are_counts: bool, is_joint: bool
) -> RealTarget | ClassTarget:
    if "y_range_" in attributes:
        return RealTarget(attributes["y_range_"], clips, are_counts)
    classes = attributes["classes_"]
    return ClassTarget(classes, len(classes) > 2 or is_joint)


# Machines with a parameter table ----------------------------------------------------------------

_TABLE_ATTRIBUTES = _COMMON | {
    "_table": check.is_a(ParameterTable),
    "_rng": check.is_a(np.random.Generator),
    "_state_fits": check.optional_tuple,
    "best_iter_": check.count,
    "tuned_": check.settings,
    "l2_linear_": check.is_a(float, np.ndarray),
    "l2_factors_": check.is_a(float, np.ndarray),
    "_kept": check.is_a(np.ndarray),
    "_n_dense_features": check.count,
    "_state": check.is_a(tuple),
    "n_fields_": check.count,
    "_fields_beside": check.is_a(bool),
    "_columns": check.columns,
    "_target_scale": check.target_scale,
    "_scaled_table": check.is_a(ParameterTable),
    # Of the fit, where parameters were set to something else since.
    "_fields": check.fields,
    "_n_hash": check.optional_count,
    "_normalize": check.is_a(str, type(None)),
    "_loss": check.is_a(str),
}
_OF_INPUTS = ("fields", "n_hash", "normalize")
_AS_THEY_ARE = ("best_iter_", "tuned_", "l2_linear_", "l2_factors_", "_rng", "_state")


def _stored_table(model: Base) -> Attributes:
    fitted, own = model._fitted, vars(model)
    stored = _public(model) | fitted.target.attributes | fitted.inputs.attributes
    stored |= {name: own[name] for name in _AS_THEY_ARE if name in own}
    stored |= {"_table": fitted.table, "_state_fits": model._state_key}
    table = fitted.table
    if isinstance(table, SparseTable):
        stored |= {
            "_table": table.table, "_kept": table.kept, "_n_dense_features": table.n_features,
            "_state": table.state,
        }  # fmt: skip
    if isinstance(fitted.inputs, FieldInput):
        stored["_fields_beside"] = fitted.inputs.beside
    if fitted.scaled is not None:
        stored["_scaled_table"] = fitted.scaled.table
    stored |= _stored_encoder(fitted)
    return stored | _stored_scaling(fitted.trained) | _changed_since(model)


def _stored_scaling(trained: TrainedModel | FittedPosterior) -> Attributes:
    stored: Attributes = {}
    if trained.inputs.columns is not None:
        scaling = trained.inputs.columns
        stored["_columns"] = [scaling.centre, scaling.scale]
        if scaling.columns is not None:
            stored["_columns"].append(scaling.columns)
    if trained.scale is not None:
        stored["_target_scale"] = (trained.scale.location, trained.scale.spread)
    return stored


def _check_parameters(model: Base, attributes: Attributes) -> None:
    model._check_parameters()


def _changed_since(model: Base) -> Attributes:
    """What the fit took from parameters that are others now; errors name those that are wrong."""
    fitted, now = model._fitted, input_of(model.get_params(deep=False))
    changed = {}
    for name in _OF_INPUTS:
        value = getattr(fitted.inputs, name, None)
        if not np.array_equal(value, getattr(now, name, None)):
            changed[f"_{name}"] = value
    if model._plan().loss.link != fitted.link:
        losses = LOSSES[model._task].items()
        changed["_loss"] = next(name for name, loss in losses if loss.link == fitted.link)
    return changed


def _scaling(attributes: Attributes) -> tuple[ColumnScaling | None, TargetScale | None]:
    columns = attributes.get("_columns")
    scale = attributes.get("_target_scale")
    return columns and ColumnScaling(*columns), scale and TargetScale(*scale)


def _table_without_state(attributes: Attributes) -> Attributes:
    table = attributes["_table"]
    if "_kept" in attributes:
        return attributes  # a sparse model has none
    state = *table.solver_state, table.is_tiled
    # A model of scaled columns could not go on without what it was folded from.
    kept = {name: value for name, value in attributes.items() if name != "_scaled_table"}
    return kept | {"_table": table.with_state(), "_state": state, "_state_fits": None}


def _restore_table(model: Base, attributes: Attributes, keeps_tables: bool) -> None:
    table, n_features = _checked_table(attributes), _n_features(attributes)
    loss = model._plan().loss
    if "_loss" in attributes:
        loss = LOSSES[model._task][attributes["_loss"]]
    inputs = _restored_inputs(model, attributes)
    target = _target(
        attributes, clips=bool(getattr(model, "clip_predictions", False)),
        are_counts=loss.of_counts, is_joint=loss.is_joint,
    )  # fmt: skip
    family = table.family
    require(type(family) in model._family.forms(), "machine")
    require(getattr(family, "n_fields", None) == inputs.n_fields, "number of fields")
    require(table.n_features == inputs.n_table_features(n_features), "number of features")
    require(table.n_outputs == target.n_outputs, "number of outputs")
    is_sparse = isinstance(table, SparseTable)
    if "_state" in attributes and not is_sparse and not keeps_tables:
        table = table.with_state(*attributes["_state"][:2])
    if not is_sparse and not keeps_tables:  # what is mapped stays as the file has it
        table = unwoven(table)
    own = {name: attributes[name] for name in (*_PUBLIC, *_AS_THEY_ARE) if name in attributes}
    if is_sparse or not keeps_tables:
        own.pop("_state", None)
    vars(model).update(own)
    model._state_key = attributes["_state_fits"]
    fitted = FittedModel(
        table, inputs, target, loss.link, n_features, encoder=attributes.get("_encoder")
    )
    model._fitted = _with_scaling(fitted, attributes, keeps_tables)


def _with_scaling(fitted: FittedModel, attributes: Attributes, keeps_tables: bool) -> FittedModel:
    """The model with what it goes on with, if its columns or targets were scaled."""
    columns, scale = _scaling(attributes)
    if columns is None and scale is None:
        return fitted
    if columns is not None:
        require(columns.n_features <= fitted.n_features, "column scaling")
    inputs = replace(fitted.inputs, columns=columns)
    if not inputs.folds:
        fitted = replace(fitted, inputs=inputs)
    table = attributes.get("_scaled_table")
    if table is None:
        return fitted
    require(table.n_features == fitted.table.n_features, "scaled table")
    require(table.family == fitted.table.family, "scaled table")
    trained = table if keeps_tables else unwoven(table)
    return replace(fitted, scaled=TrainedModel(trained, inputs, scale))


def _restored_inputs(model: Base, attributes: Attributes) -> PlainInput:
    inputs = input_of(model.get_params(deep=False))
    stored = {name: attributes[f"_{name}"] for name in _OF_INPUTS if f"_{name}" in attributes}
    inputs = replace(inputs, **stored)
    if isinstance(inputs, FieldInput):
        inputs = replace(inputs, n_fields=attributes["n_fields_"])
        inputs = inputs.of_model(_n_features(attributes), beside=attributes["_fields_beside"])
    return inputs


def _checked_table(attributes: Attributes) -> ParameterTable | SparseTable:
    table, kept = attributes["_table"], attributes.get("_kept")
    states = [(solver.state_start, solver.n_row_state) for solver in ALL_SOLVERS.values()]
    require(table.solver_state in states, "optimiser state")
    if "_state" in attributes:
        state = attributes["_state"]
        require(len(state) == 3 and state[:2] in states, "optimiser state")
        require(state[2] == table.is_tiled, "optimiser state")
    if kept is None:
        return table
    n_features = attributes["_n_dense_features"]
    require(kept.dtype == np.int32 and kept.shape == (table.n_features - 1,), "sparse model")
    require((np.diff(kept) > 0).all() and n_features < 2**31, "sparse model")
    last = n_features - 1
    require(kept.min(initial=0) >= 0 and kept.max(initial=last) <= last, "sparse model")
    return SparseTable(table, kept, n_features, attributes["_state"])


# Bayesian machines -------------------------------------------------------------------------------

_SAMPLER_ATTRIBUTES = _COMMON | {
    "_samples": check.is_a(Samples),
    "_chain": check.is_a(Chain),
    "rhat_": check.is_a(float),
    "_columns": check.columns,
    "_target_scale": check.target_scale,
}


def _stored_samples(model: BayesianBase) -> Attributes:
    fitted = model._fitted
    stored = _public(model) | fitted.target.attributes | {"_samples": fitted.samples}
    stored |= _stored_scaling(fitted) | _stored_encoder(fitted)
    if "rhat_" in vars(model):
        stored["rhat_"] = model.rhat_
    return stored | ({"_chain": model._chain} if "_chain" in vars(model) else {})


def _samples_without_chain(attributes: Attributes) -> Attributes:
    return {name: value for name, value in attributes.items() if name != "_chain"}


def _check_groups(model: BayesianBase, attributes: Attributes) -> None:
    plan, chain = model._plan(), attributes.get("_chain")
    if chain is not None and plan.n_groups(chain.table.n_features) != chain.n_groups:
        raise ValueError(
            f"feature_groups has another number of groups than the chain, {chain.n_groups}. Set it "
            "as it was in the fit, or save with optimizer_state=False"
        )


def _restore_samples(model: BayesianBase, attributes: Attributes, keeps_tables: bool) -> None:
    model._check_parameters()
    samples, chain = attributes["_samples"], attributes.get("_chain")
    _, n_features, n_factors = samples.factors.shape
    require(n_features == _n_features(attributes), "number of features")
    n_cutpoints = samples.cutpoints.shape[1]
    if chain is not None:
        table = chain.table
        require(table.n_features == n_features and table.n_factors == n_factors, "chain")
        require(len(chain.free_cutpoints) == n_cutpoints, "chain")
        _check_groups(model, attributes)
    is_ordinal = isinstance(model, BayesianFMOrdinal)
    clips = bool(getattr(model, "clip_predictions", False))
    target = _target(attributes, clips=clips, are_counts=False, is_joint=is_ordinal)
    if is_ordinal:
        require(len(target.classes) == n_cutpoints + 1, "cutpoints")
    else:
        require(isinstance(target, RealTarget) or len(target.classes) == 2, "target")
    known = (*_PUBLIC, "rhat_")
    vars(model).update({name: attributes[name] for name in known if name in attributes})
    columns, scale = _scaling(attributes)
    model._fitted = FittedPosterior(
        samples, target, model._response(target), PlainInput(columns=columns), scale,
        attributes.get("_encoder"),
    )  # fmt: skip
    if chain is not None:
        model._chain = chain


SCHEMAS = [
    Schema(
        Base, _TABLE_ATTRIBUTES, _stored_table, _table_without_state, _check_parameters,
        _restore_table,
    ),
    Schema(
        BayesianBase, _SAMPLER_ATTRIBUTES, _stored_samples, _samples_without_chain, _check_groups,
        _restore_samples,
    ),
    Schema(
        FMRanker, _COMMON | ranking.ATTRIBUTES,
        lambda model: _public(model) | ranking.stored_ranker(model),
        ranking.ranker_without_state, ranking.check_ranker, ranking.restore_ranker,
    ),
    Schema(
        FMRecommender, _COMMON | ranking.ATTRIBUTES,
        lambda model: _public(model) | ranking.stored_recommender(model),
        ranking.recommender_without_state, ranking.check_recommender,
        ranking.restore_recommender, ("encoders",),
    ),
]  # fmt: skip
