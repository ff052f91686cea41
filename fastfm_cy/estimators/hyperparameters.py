"""Hyper-parameters: the checks of all of them, and the plan of a fit that they make."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils import check_array

from ..model.families import FM, HIGHEST_DEGREE
from ..model.losses import LOSSES
from ..training.plan import TrainingPlan
from ..training.regularization import NAMES
from ..training.schedules import SCHEDULES
from ..training.solvers import ALL_SOLVERS, SOLVERS, Solver
from ..utils.checks import check_bool, check_choice, check_integer, check_real, plain_number, shown
from ..utils.memory import check_memory
from .tables import check_categorical_features

DTYPES = {"float32": np.float32, "float64": np.float64}
_INITS = {"normal": "normal", "uniform": "uniform"}


def resolve(
    params: dict[str, Any], task: str, family: type[FM], *, partial: bool = False
) -> TrainingPlan:
    """The plan of a fit: checked parameters, with the solver's defaults where they are None.

    Parameters
    ----------
    params : dict
        Of an estimator of gradient or coordinate solvers.
    task : {"regression", "classification"}
    family : class
        Of the model; if it knows fields, it gets their number later.
    partial : bool, default=False
        Whether it is for partial_fit, which knows no epochs.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter.
    """
    check_parameters(params, task, partial=partial)
    params = {name: plain_number(value) for name, value in params.items()}
    solver = ALL_SOLVERS[params["solver"]]
    strengths = {name: params[name] for name in NAMES}
    learned = tuple(name for name in NAMES if isinstance(strengths[name], str))
    for name in ("l2_linear", "l2_factors"):
        if strengths[name] is None or name in learned:
            of_family = getattr(family, name, None) if solver.learns_strengths else None
            strengths[name] = of_family or getattr(solver, name)[task]
    plain = {name: params[name] for name in _TAKEN_AS_THEY_ARE if name in params}
    if params.get("fit_pair_weights"):
        given = params["l2_pair_weights"]
        plain["l2_pair_weights"] = solver.l2_pair_weights if given is None else given
    memory = params.get("max_memory")
    return TrainingPlan(
        family=family.of(params),
        loss=LOSSES[task][params["loss"]],
        solver=solver,
        learning_rate=params["learning_rate"] or family.step_factor * solver.learning_rate,
        has_default_rate=params["learning_rate"] is None,
        strengths=strengths,
        learned=learned,
        max_iter=_number_of_epochs(params, partial),
        n_jobs=effective_n_jobs(params["n_jobs"]),
        max_memory=None if memory is None else check_memory(memory),
        scaling=params["scaling"] is not None,
        tunes=_tunes(params) and not partial and not learned,
        early_stopping=bool(params["early_stopping"]),
        refits=params["early_stopping"] == "refit",
        defaults=frozenset(
            name for name in ("learning_rate", "l2_linear", "l2_factors") if params[name] is None
        ),
        stratifies=task == "classification",
        **plain,
    )


_EPOCHS, _EPOCHS_AT_MOST = 20, 100  # the latter where early stopping ends them


def _number_of_epochs(params: dict[str, Any], partial: bool) -> int:
    if partial:
        return 1
    return params["max_iter"] or (_EPOCHS_AT_MOST if params["early_stopping"] else _EPOCHS)


def _tunes(params: dict[str, Any]) -> bool:
    """Whether it is left to us how long to train: nothing else says when to stop."""
    says_when = params["early_stopping"] or params["warm_start"] or params["max_iter"] is not None
    return params["tuning"] is not None and params["schedule"] == "constant" and not says_when


_TAKEN_AS_THEY_ARE = (
    "n_factors", "dtype", "feature_groups", "l2_intercept", "schedule", "power_t", "adam_betas",
    "ftrl_beta", "huber_delta", "init", "init_scale", "init_intercept", "fit_intercept",
    "fit_linear", "fit_pair_weights", "shuffle", "validation_fraction",
    "n_iter_no_change", "tol", "relabel", "deterministic", "verbose",
)  # fmt: skip


def check_parameters(params: dict[str, Any], task: str, *, partial: bool = False) -> None:
    """Check all parameters, each alone and then what must fit together."""
    check_choice(params["loss"], "loss", LOSSES[task])
    solver = check_choice(params["solver"], "solver", ALL_SOLVERS)
    check_each(params)
    _check_strength_words(params, solver, partial)
    _check_fits_dtype(params)
    if partial and params["early_stopping"]:
        raise ValueError(
            "partial_fit trains for one epoch and cannot stop early; set early_stopping=False."
        )
    if params["schedule"] != "constant":
        _check_schedule(params, solver, partial)
    if "fields" in params:
        _check_of_field_aware(params)
    if solver.by_columns:
        _check_coordinate(params, solver)


def check_each(params: dict[str, Any]) -> None:
    """Check each parameter alone, of those that all families know."""
    for name, check in _CHECKS.items():
        if name in params:
            check(params[name], name)


# Checks of one parameter -------------------------------------------------------------------------


def _at_least(minimum: int) -> Callable:
    return lambda value, name: check_integer(value, name, minimum)


def _above_zero(value: Any, name: str) -> None:
    check_real(value, name, above=True)


def _not_negative(value: Any, name: str) -> None:
    check_real(value, name)


def _or_none(check: Callable) -> Callable:
    return lambda value, name: None if value is None else check(value, name)


def _one_of(choices: dict) -> Callable:
    return lambda value, name: check_choice(value, name, choices)


def _check_degree(value: Any, name: str) -> None:
    check_integer(value, name, 2)
    if value > HIGHEST_DEGREE:
        raise ValueError(f"degree must be at most {HIGHEST_DEGREE}; got {value}.")


def _check_n_hash(value: Any, name: str) -> None:
    check_integer(value, name, 1)
    if value > np.iinfo(np.int32).max:
        raise ValueError(f"{name} must be at most {np.iinfo(np.int32).max}; got {value}.")


def _bool_or(word: str) -> Callable:
    def check(value: Any, name: str) -> None:
        if isinstance(value, str) and value != word:
            raise ValueError(f"{name} must be True, False or {word!r}; got {shown(value)}.")
        if not isinstance(value, str):
            check_bool(value, name)

    return check


def _check_betas(value: Any, name: str) -> None:
    if not (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(isinstance(beta, Real) and 0 <= float(beta) < 1 for beta in value)
    ):
        raise ValueError(f"{name} must be two numbers of at least 0, below 1; got {shown(value)}.")


def _check_fraction(value: Any, name: str) -> None:
    if check_real(value, name, above=True) >= 1:
        raise ValueError(f"{name} must lie between 0 and 1; got {value}.")


def _check_scoring(value: Any, name: str) -> None:
    if not (value is None or isinstance(value, str) or callable(value)):
        raise TypeError(
            f"{name} must be None, a scorer's name or a callable (estimator, X, y); got "
            f"{shown(value)}."
        )


def _check_class_weight(value: Any, name: str) -> None:
    is_word = isinstance(value, str) and value == "balanced"
    if not (value is None or isinstance(value, dict) or is_word):
        raise ValueError(
            f"{name} must be a dict {{label: weight}}, 'balanced' or None; got {shown(value)}."
        )


def _check_normalize(value: Any, name: str) -> None:
    if value is not None and value != "l2":
        raise ValueError(f"{name} must be 'l2' or None; got {shown(value)}.")


def check_clip(value: Any, name: str = "clip_predictions") -> bool | tuple[float, float]:
    """True, False, or (low, high)."""
    if not isinstance(value, tuple | list):
        return check_bool(value, name)
    bounds = check_array(value, dtype=np.float64, ensure_2d=False, input_name=name)
    if bounds.shape != (2,) or bounds[0] > bounds[1]:
        raise ValueError(f"{name} must be a bool or (low, high); got {shown(value)}.")
    return float(bounds[0]), float(bounds[1])


_CHECKS: dict[str, Callable] = {
    "n_factors": _at_least(0),
    "schedule": _one_of(SCHEDULES),
    "dtype": _one_of(DTYPES),
    "degree": _check_degree,
    "share_factors": check_bool,
    **dict.fromkeys(
        (
            "fit_intercept", "fit_linear", "relabel", "deterministic", "warm_start",
            "grow_features",
        ),
        check_bool,
    ),
    "tuning": _or_none(_one_of({"auto": "auto"})),
    "scaling": _or_none(_one_of({"auto": "auto"})),
    "shuffle": _bool_or("block"),
    "early_stopping": _bool_or("refit"),
    "learning_rate": _or_none(_above_zero),
    **dict.fromkeys(("ftrl_beta", "power_t", "init_scale", "huber_delta"), _above_zero),
    "l2_intercept": _not_negative,
    "l2_pair_weights": _or_none(_not_negative),
    "init_intercept": _or_none(lambda value, name: check_real(value, name, -np.inf)),
    "max_iter": _or_none(_at_least(1)),
    "verbose": _at_least(0),
    "n_jobs": _or_none(_at_least(-1)),
    "adam_betas": _check_betas,
    "n_iter_no_change": _at_least(1),
    "tol": _or_none(_not_negative),
    "validation_fraction": _check_fraction,
    "scoring": _check_scoring,
    "clip_predictions": check_clip,
    "init": _one_of(_INITS),
    "same_field": check_bool,
    "normalize": _check_normalize,
    "class_weight": _check_class_weight,
    "n_fields": _or_none(_at_least(1)),
    "n_hash": _or_none(_check_n_hash),
    "max_memory": _or_none(check_memory),
    "fit_pair_weights": check_bool,
    "categorical_features": check_categorical_features,
}  # fmt: skip


# Checks of several -------------------------------------------------------------------------------


def _check_strength_words(params: dict[str, Any], solver: Solver, partial: bool) -> None:
    for name in ("l1_linear", "l1_factors", "l2_linear", "l2_factors"):
        value = params[name]
        is_l2 = name.startswith("l2")
        if isinstance(value, str):
            if value != "auto" or not is_l2:
                words = 'a number, an array, None or "auto"' if is_l2 else "a number or an array"
                raise ValueError(f"{name} must be {words}; got {shown(value)}.")
            if partial or not solver.learns_strengths:
                where = "partial_fit" if partial else f"solver={params['solver']!r}"
                raise ValueError(
                    f'{name}="auto" does not work with {where}; learn the strength with fit and a '
                    "solver whose strengths act step by step (sgd, adagrad, adam, adamw), and give "
                    "it as a number."
                )
        elif value is None and not is_l2:
            raise ValueError(f"{name} must be a number or an array, not None.")


def _check_fits_dtype(params: dict[str, Any]) -> None:
    """Refuse numbers that the model's type takes for infinite, or divisors for zero."""
    divisors = "learning_rate", "ftrl_beta", "init_scale"
    for name in (*divisors, "l2_intercept", "l2_pair_weights", "init_intercept", *NAMES):
        value = params.get(name)
        if value is None or isinstance(value, str) or np.ndim(value):
            continue  # arrays are checked when the number of features is known
        dtype = "float32" if name == "init_scale" else params["dtype"]  # of all starts
        number = check_real(value, name, -np.inf)
        if abs(number) > float(np.finfo(dtype).max):
            raise ValueError(f"{name} is too large for {dtype}; got {shown(value)}.")
        if name in divisors and number < float(np.finfo(dtype).tiny):
            raise ValueError(f"{name} is zero for {dtype}; got {shown(value)}.")


def _check_schedule(params: dict[str, Any], solver: Solver, partial: bool) -> None:
    if partial:
        raise ValueError(
            "partial_fit does not know which epoch it is in; use schedule='constant' and change "
            "learning_rate between calls, or a solver that adapts its steps."
        )
    if not solver.schedules:
        raise ValueError(
            f"solver={params['solver']!r} shrinks its own steps; use schedule='constant'."
        )


def _check_of_field_aware(params: dict[str, Any]) -> None:
    check_choice(params["solver"], "solver", SOLVERS)
    for name in ("l2_linear", "l2_factors"):
        if isinstance(params[name], str):
            raise ValueError(
                f'{name}="auto" is learned for plain machines only; give a number or an array.'
            )


def _check_coordinate(params: dict[str, Any], solver: Solver) -> None:
    if params["loss"] not in (solver.losses or ()):
        names = ", ".join(map(repr, solver.losses or ()))
        raise ValueError(
            f"solver={params['solver']!r} minimises {names}, not loss={params['loss']!r}."
        )
    if np.any(params["l1_linear"]) or np.any(params["l1_factors"]):
        raise ValueError(
            f"solver={params['solver']!r} knows no L1; use 'ftrl' for weights of exactly zero."
        )


def can_stream(estimator: Any) -> bool:
    """For available_if: whether partial_fit makes sense."""
    solver = ALL_SOLVERS.get(estimator.solver)
    if solver is not None and solver.by_columns:
        raise AttributeError(
            f"partial_fit: solver={estimator.solver!r} needs all rows at once; use fit with "
            "warm_start=True, or a gradient solver."
        )
    return True
