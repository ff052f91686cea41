"""Checks of the estimators' parameters, all at once before a fit."""

from numbers import Real

import numpy as np

from ..model.families import HIGHEST_DEGREE
from ..training.schedules import SCHEDULES
from ..training.solvers import ALL_SOLVERS, COORDINATE_SOLVERS
from ..utils.checks import check_bool, check_choice, check_integer, check_real

DTYPES = {"float32": np.float32, "float64": np.float64}
_FLAGS = (
    "fit_intercept", "fit_linear", "relabel", "deterministic", "early_stopping", "warm_start",
    "grow_features",
)  # fmt: skip
_CALLABLE_OR_NAME = "scoring must be None, a scorer's name or a callable (estimator, X, y)"


def check_fit_parameters(estimator, *, partial=False):
    """Check all that subclasses share; `partial` for partial_fit, which knows no epochs."""
    check_integer(estimator.n_factors, "n_factors", 0)
    check_choice(estimator.loss, "loss", estimator._losses)
    check_choice(estimator.schedule, "schedule", SCHEDULES)
    check_choice(estimator.dtype, "dtype", DTYPES)
    if hasattr(estimator, "degree"):
        _check_degree(estimator)
    solver = check_choice(estimator.solver, "solver", ALL_SOLVERS)
    for name in _FLAGS:
        check_bool(getattr(estimator, name), name)
    if not isinstance(estimator.shuffle, str) or estimator.shuffle != "block":
        check_bool(estimator.shuffle, "shuffle")
    _check_numbers(estimator)
    _check_strength_words(estimator, solver, partial)
    _check_stopping(estimator, partial)
    if estimator.schedule != "constant":
        _check_schedule(estimator, solver, partial)
    if estimator.solver in COORDINATE_SOLVERS:
        _check_coordinate(estimator, solver)


def _check_degree(estimator):
    check_integer(estimator.degree, "degree", 2)
    if estimator.degree > HIGHEST_DEGREE:
        raise ValueError(f"degree must be at most {HIGHEST_DEGREE}; got {estimator.degree}.")
    check_bool(estimator.share_factors, "share_factors")


def _check_numbers(estimator):
    for name in ("learning_rate", "ftrl_beta", "power_t", "init_scale"):
        value = getattr(estimator, name)
        if value is not None or name != "learning_rate":
            check_real(value, name, above=True)
    check_real(estimator.l2_intercept, "l2_intercept")
    if estimator.init_intercept is not None:
        check_real(estimator.init_intercept, "init_intercept", -np.inf)
    check_integer(estimator.max_iter, "max_iter", 1)
    check_integer(estimator.verbose, "verbose", 0)
    if estimator.n_jobs is not None:
        check_integer(estimator.n_jobs, "n_jobs", -1)
    betas = estimator.adam_betas
    if not (
        isinstance(betas, tuple | list)
        and len(betas) == 2
        and all(isinstance(beta, Real) and 0 <= beta < 1 for beta in betas)
    ):
        raise ValueError(f"adam_betas must be two numbers of at least 0, below 1; got {betas!r}.")


def _check_strength_words(estimator, solver, partial):
    for name in ("l1_linear", "l1_factors", "l2_linear", "l2_factors"):
        value = getattr(estimator, name)
        is_l2 = name.startswith("l2")
        if isinstance(value, str):
            if value != "auto" or not is_l2:
                words = 'a number, an array, None or "auto"' if is_l2 else "a number or an array"
                raise ValueError(f"{name} must be {words}; got {value!r}.")
            if partial or not solver.learns_strengths:
                where = "partial_fit" if partial else f"solver={estimator.solver!r}"
                raise ValueError(
                    f'{name}="auto" does not work with {where}; learn the strength with fit and a '
                    "solver whose strengths act step by step (sgd, adagrad, adam, adamw), and give "
                    "it as a number."
                )
        elif value is None and not is_l2:
            raise ValueError(f"{name} must be a number or an array, not None.")


def _check_stopping(estimator, partial):
    check_integer(estimator.n_iter_no_change, "n_iter_no_change", 1)
    if estimator.tol is not None:
        check_real(estimator.tol, "tol")
    fraction = check_real(estimator.validation_fraction, "validation_fraction", above=True)
    if fraction >= 1:
        raise ValueError(f"validation_fraction must lie between 0 and 1; got {fraction}.")
    scoring = estimator.scoring
    if not (scoring is None or isinstance(scoring, str) or callable(scoring)):
        raise TypeError(f"{_CALLABLE_OR_NAME}; got {scoring!r}.")
    if partial and estimator.early_stopping:
        raise ValueError(
            "partial_fit trains for one epoch and cannot stop early; set early_stopping=False."
        )


def _check_schedule(estimator, solver, partial):
    if partial:
        raise ValueError(
            "partial_fit does not know which epoch it is in; use schedule='constant' and change "
            "learning_rate between calls, or a solver that adapts its steps."
        )
    if not solver.schedules:
        raise ValueError(
            f"solver={estimator.solver!r} shrinks its own steps; use schedule='constant'."
        )


def can_stream(estimator):
    """For available_if: whether partial_fit makes sense."""
    if estimator.solver in COORDINATE_SOLVERS:
        raise AttributeError(
            f"partial_fit: solver={estimator.solver!r} needs all rows at once; use fit with "
            "warm_start=True, or a gradient solver."
        )
    return True


def _check_coordinate(estimator, solver):
    if estimator.loss not in solver.losses:
        names = ", ".join(map(repr, solver.losses))
        raise ValueError(
            f"solver={estimator.solver!r} minimises {names}, not loss={estimator.loss!r}."
        )
    if np.any(estimator.l1_linear) or np.any(estimator.l1_factors):
        raise ValueError(
            f"solver={estimator.solver!r} knows no L1; use 'ftrl' for weights of exactly zero."
        )
