"""Hyper-parameters of the ranking estimators: their checks, and the plan that they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from joblib import effective_n_jobs

from ..training.ranking.losses import NEGATIVES, RankingLoss
from ..training.ranking.plan import RankingPlan
from ..training.regularization import NAMES, Strengths
from ..training.solvers import ALL_SOLVERS, SOLVERS
from ..utils.checks import check_bool, check_choice, check_integer, check_real, plain_number
from .hyperparameters import check_each
from .whole_data_plan import whole_data_settings

# By solver, as chosen by benchmarks/accuracy/ranking.py.
LEARNING_RATES = {"sgd": 0.05, "adagrad": 0.07, "adam": 0.002, "adamw": 0.002, "ftrl": 0.1}

_FLAGS = ("user_identity", "item_identity")
_OF_CONSTANTS = ("item_interactions", "fit_linear")  # None is the loss's default
_COUNTS = ("max_sampled", "top")
_TAKEN_AS_THEY_ARE = (
    "n_factors", "dtype", "schedule", "power_t", "adam_betas", "ftrl_beta", "max_sampled",
    "init_scale", "shuffle", "early_stopping", "validation_fraction",
    "n_iter_no_change", "tol", "deterministic", "verbose",
)  # fmt: skip


def resolve_ranking(
    params: dict[str, Any], losses: dict[str, RankingLoss], *, partial: bool = False
) -> RankingPlan:
    """The plan of a fit: checked parameters, defaults filled in.

    Parameters
    ----------
    params : dict
        Of a ranking estimator.
    losses : dict
        Those that it knows, by name.
    partial : bool, default=False
        Whether it is for partial_fit, which knows no epochs.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter.
    """
    loss = check_choice(params["loss"], "loss", losses)
    solvers = ALL_SOLVERS if any(one.is_whole for one in losses.values()) else SOLVERS
    solver = check_choice(params["solver"], "solver", solvers)
    negatives = check_choice(params.get("negatives", "uniform"), "negatives", NEGATIVES)
    elsewhere = ("scoring", *_OF_CONSTANTS)
    check_each({name: value for name, value in params.items() if name not in elsewhere})
    constants: dict[str, Any] = {
        name: loss.has_constants if params.get(name) is None else check_bool(params[name], name)
        for name in _OF_CONSTANTS
    }
    for name in _FLAGS:
        check_bool(params.get(name, True), name)
    for name in _COUNTS:
        check_integer(params[name], name, 1)
    if partial and params["early_stopping"]:
        raise ValueError(
            "partial_fit trains for one epoch and cannot stop early; set early_stopping=False."
        )
    whole_data = whole_data_settings(params, loss, solver)
    if params["schedule"] != "constant" and (partial or not solver.schedules):
        who = "partial_fit does not know which epoch it is in" if partial else (
            f"solver={params['solver']!r} shrinks its own steps"
        )  # fmt: skip
        raise ValueError(f"{who}; use schedule='constant'.")
    params = {name: plain_number(value) for name, value in params.items()}
    strengths = {name: params[name] for name in NAMES}
    if strengths["l2_factors"] is None:
        strengths["l2_factors"] = loss.l2_factors
    return RankingPlan(
        loss=loss, solver=solver, negatives=negatives, strengths=strengths,
        learning_rate=float(params["learning_rate"] or LEARNING_RATES.get(params["solver"], 1.0)),
        whole_data=whole_data, **constants,
        max_iter=1 if partial else params["max_iter"],
        n_jobs=effective_n_jobs(params["n_jobs"]),
        **{name: params[name] for name in _TAKEN_AS_THEY_ARE},
    )  # fmt: skip


def group_strengths(strengths: Mapping[str, Any], groups: dict[str, int], dtype: str) -> Strengths:
    """Strengths of features that come in groups, one after the other.

    Parameters
    ----------
    strengths : dict
        By NAMES of training/regularization.py: a number, or a dict of numbers by group; a group
        that is not in it has 0.
    groups : dict of str: int
        How many features each group has, in the order of the table.
    """
    values = np.zeros((len(groups), len(NAMES)), dtype=dtype)
    for column, name in enumerate(NAMES):
        value = strengths[name]
        for row, group in enumerate(groups):
            one = value.get(group, 0.0) if isinstance(value, Mapping) else value
            values[row, column] = check_real(one, name)
    sizes = np.array(list(groups.values()))
    used = np.flatnonzero(sizes)
    if len(used) and (values[used] == values[used[0]]).all():
        return Strengths(np.ascontiguousarray(values[used[:1]]))
    return Strengths(values, np.repeat(np.arange(len(sizes), dtype=np.int32), sizes))


def check_group_names(strengths: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Refuse strengths that are neither numbers nor dicts of the groups' names."""
    for name, value in strengths.items():
        if not isinstance(value, Mapping):
            check_real(value, name)
            continue
        unknown = set(value) - set(names)
        if unknown:
            raise ValueError(
                f"{name} has a strength for {sorted(unknown)[0]!r}; the groups are "
                f"{', '.join(map(repr, names))}."
            )


def check_same_kind(plan: RankingPlan, table: Any, also: dict[str, tuple[Any, Any]] | None = None):
    """Refuse to train on with parameters that a table cannot have; `also` has pairs (new, old)."""
    kinds = {
        "n_factors": (plan.n_factors, table.n_factors),
        "dtype": (np.dtype(plan.dtype), table.dtype),
        "solver": (plan.solver.state_start, table.state_start),
        "solver's state": (plan.solver.n_row_state, table.n_row_state),
    } | (also or {})
    for name, (new, old) in kinds.items():
        if new != old:
            raise ValueError(
                f"{name} cannot change between fits that go on (warm_start, partial_fit): the "
                f"model has {old}, now {new} is asked for. Fit anew with warm_start=False."
            )
