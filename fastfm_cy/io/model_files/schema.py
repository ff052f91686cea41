"""What model files hold of each estimator: the attributes, and how they must fit together.

A new model family is one entry here, in FAMILIES.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...estimators.bayesian import BayesianFMClassifier, BayesianFMRegressor
from ...estimators.bayesian_ordinal import BayesianFMOrdinal
from ...estimators.ffm import FFMClassifier, FFMRegressor
from ...estimators.fm import FMClassifier, FMRegressor
from ...estimators.fwfm import FwFMClassifier, FwFMRegressor
from ...estimators.hyperparameters import check_fit_parameters
from ...model.posterior import Samples
from ...model.table import ParameterTable
from ...training.gibbs.sampler import Chain
from ...training.solvers import ALL_SOLVERS
from .codec import require


@dataclass(frozen=True)
class Family:
    """Estimators whose fitted state is of one kind.

    `attributes` names what is stored, with a check of each value as it comes from a file.
    """

    estimators: dict[str, type]
    attributes: dict[str, Callable]
    check_parameters: Callable
    """Of a model whose parameters are set."""
    without_state: Callable
    """Attributes -> the same without what only training needs."""
    finish: Callable
    """(model, keeps_tables): check what was loaded, and complete it."""


def family_of(model):
    """The Family of an estimator; TypeError if it has none."""
    family = ESTIMATORS.get(type(model).__name__)
    if family is None or type(model) is not family.estimators[type(model).__name__]:
        raise TypeError(
            f"Model files hold {', '.join(ESTIMATORS)}; got a {type(model).__name__}. Of a "
            "pipeline, save the last step."
        )
    return family


# Checks of values -------------------------------------------------------------------------------


def _is_a(*types):
    def check(value):
        require(isinstance(value, types), "attribute")

    return check


def _count(value):
    require(type(value) is int and 0 <= value < 2**63, "number")


def _history(value):
    require(isinstance(value, dict), "history")
    for name, numbers in value.items():
        require(isinstance(name, str) and isinstance(numbers, list), "history")
        require(all(isinstance(number, float) for number in numbers), "history")


def _labels(value):
    require(isinstance(value, np.ndarray) and value.ndim == 1 and len(value) >= 2, "classes")


def _range(value):
    low, high = value
    require(isinstance(value, tuple) and float(low) <= float(high), "range of targets")


def _optional_tuple(value):
    require(value is None or isinstance(value, tuple), "optimiser state")


_COMMON = {
    "n_features_in_": _count,
    "feature_names_in_": _is_a(np.ndarray),
    "n_iter_": _count,
    "history_": _history,
    "classes_": _labels,
    "y_range_": _range,
}

# Machines with a parameter table ----------------------------------------------------------------

_TABLE_ATTRIBUTES = _COMMON | {
    "_table": _is_a(ParameterTable),
    "_rng": _is_a(np.random.Generator),
    "_state_fits": _optional_tuple,
    "best_iter_": _count,
    "l2_linear_": _is_a(float, np.ndarray),
    "l2_factors_": _is_a(float, np.ndarray),
    "_kept": _is_a(np.ndarray),
    "_n_dense_features": _count,
    "_state": _is_a(tuple),
}


_FIELD_ATTRIBUTES = _TABLE_ATTRIBUTES | {"n_fields_": _count, "_fields_beside": _is_a(bool)}


def _check_table_parameters(model):
    check_fit_parameters(model)
    model._check_more()


def _table_without_state(attributes):
    table = attributes["_table"]
    if "_kept" in attributes:
        return attributes  # a sparse model has none
    state = table.state_start, table.n_row_state, table.in_eights
    return attributes | {"_table": table.with_state(), "_state": state, "_state_fits": None}


def _finish_table(model, keeps_tables):
    table, attributes = model._table, vars(model)
    kept = attributes.get("_kept")
    if kept is not None:
        require(kept.dtype == np.int32 and kept.shape == (table.n_features - 1,), "sparse model")
        last = model._n_dense_features - 1
        require((np.diff(kept) > 0).all() and last < 2**31 - 1, "sparse model")
        require(kept.min(initial=0) >= 0 and kept.max(initial=last) <= last, "sparse model")
    states = [(solver.state_start, solver.n_row_state) for solver in ALL_SOLVERS.values()]
    require((table.state_start, table.n_row_state) in states, "optimiser state")
    if "_state" in attributes:
        require(model._state[:2] in states and len(model._state) == 3, "optimiser state")
        require(model._state[2] == table.in_eights, "optimiser state")
    if kept is None and "_state" in attributes and not keeps_tables:
        model._table = table.with_state(*model._state[:2])
        del model._state
    machine, n_fields = table.machine, getattr(model, "n_fields_", None)
    require(type(machine) is type(model._machine()), "machine")
    require(getattr(machine, "n_fields", None) == n_fields, "number of fields")
    n_features = getattr(model, "n_hash", None) or model.n_features_in_
    require(model._n_features() == n_features, "number of features")
    require(table.n_outputs == model._n_outputs(), "number of outputs")
    model._score_range()


# Bayesian machines -------------------------------------------------------------------------------

_SAMPLER_ATTRIBUTES = _COMMON | {"_samples": _is_a(Samples), "_chain": _is_a(Chain)}


def _samples_without_chain(attributes):
    return {name: value for name, value in attributes.items() if name != "_chain"}


def _finish_sampler(model, keeps_tables):
    _, n_features, n_factors = model._samples.factors.shape
    require(n_features == model.n_features_in_, "number of features")
    n_cutpoints = model._samples.cutpoints.shape[1]
    if "_chain" in vars(model):
        table = model._chain.table
        require(table.n_features == n_features and table.n_factors == n_factors, "chain")
        require(len(model._chain.free_cutpoints) == n_cutpoints, "chain")
    if isinstance(model, BayesianFMOrdinal):
        require(len(model.classes_) == n_cutpoints + 1, "cutpoints")
    else:
        require("y_range_" in vars(model) or len(model.classes_) == 2, "target")


FAMILIES = [
    Family(
        {"FMClassifier": FMClassifier, "FMRegressor": FMRegressor},
        _TABLE_ATTRIBUTES, _check_table_parameters, _table_without_state, _finish_table,
    ),
    Family(
        {
            "FFMClassifier": FFMClassifier, "FFMRegressor": FFMRegressor,
            "FwFMClassifier": FwFMClassifier, "FwFMRegressor": FwFMRegressor,
        },
        _FIELD_ATTRIBUTES, _check_table_parameters, _table_without_state, _finish_table,
    ),
    Family(
        {
            "BayesianFMClassifier": BayesianFMClassifier,
            "BayesianFMOrdinal": BayesianFMOrdinal,
            "BayesianFMRegressor": BayesianFMRegressor,
        },
        _SAMPLER_ATTRIBUTES, lambda model: model._check_parameters(), _samples_without_chain,
        _finish_sampler,
    ),
]  # fmt: skip
ESTIMATORS = {name: family for family in FAMILIES for name in family.estimators}
