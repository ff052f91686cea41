"""Base of the ranking estimators: parameters, their checks, the plan they resolve to."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from ..metrics.ranking import AT_K
from ..training.early_stopping import Patience
from ..training.ranking.plan import LOSSES, NEGATIVES, RankingPlan
from ..training.regularization import NAMES, Strengths
from ..training.schedules import SCHEDULES
from ..training.solvers import SOLVERS
from ..utils.checks import check_bool, check_choice, check_integer, check_real

DTYPES = {"float32": np.float32, "float64": np.float64}

# By solver: chosen by benchmarks/accuracy/ranking.py on validation parts.
LEARNING_RATES = {"sgd": 0.05, "adagrad": 0.05, "adam": 0.002, "adamw": 0.002, "ftrl": 0.1}

SCORINGS = {**AT_K, "auc": None}


class BaseRanking(BaseEstimator):
    """What FMRecommender and FMRanker share."""

    def _set_parameters(self, parameters: dict[str, Any]) -> None:
        """Set the attributes of __init__'s parameters, given its locals()."""
        for name in self._get_param_names():
            setattr(self, name, parameters[name])

    def __sklearn_is_fitted__(self) -> bool:
        return "history_" in vars(self)

    @contextmanager
    def _unchanged_on_error(self):
        """All of a fit or none of it: an error leaves the estimator as it was before."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    def _new_rng(self) -> np.random.Generator:
        return np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))

    def _checked_plan(self, losses: Mapping[str, Any], **more: Any) -> RankingPlan:
        """Check all shared parameters; the plan of a fit."""
        check_choice(self.loss, "loss", losses)
        check_choice(self.solver, "solver", SOLVERS)
        check_choice(self.schedule, "schedule", SCHEDULES)
        check_choice(self.dtype, "dtype", DTYPES)
        check_integer(self.n_factors, "n_factors", 1)
        check_integer(self.max_iter, "max_iter", 1)
        check_integer(self.max_sampled, "max_sampled", 1)
        check_integer(self.verbose, "verbose", 0)
        check_integer(self.n_iter_no_change, "n_iter_no_change", 1)
        for name in ("fit_linear", "early_stopping", "deterministic", "warm_start"):
            check_bool(getattr(self, name), name)
        if not isinstance(self.shuffle, str) or self.shuffle != "block":
            check_bool(self.shuffle, "shuffle")
        for name in ("ftrl_beta", "power_t", "init_scale"):
            check_real(getattr(self, name), name, above=True)
        if self.learning_rate is not None:
            check_real(self.learning_rate, "learning_rate", above=True)
        if self.tol is not None:
            check_real(self.tol, "tol")
        if check_real(self.validation_fraction, "validation_fraction", above=True) >= 1:
            raise ValueError(
                f"validation_fraction must lie between 0 and 1; got {self.validation_fraction}."
            )
        if self.schedule != "constant" and not SOLVERS[self.solver].schedules:
            raise ValueError(
                f"solver={self.solver!r} shrinks its own steps; use schedule='constant'."
            )
        betas = self.adam_betas
        if not (
            isinstance(betas, tuple | list)
            and len(betas) == 2
            and all(isinstance(beta, int | float) and 0 <= beta < 1 for beta in betas)
        ):
            raise ValueError(
                f"adam_betas must be two numbers of at least 0, below 1; got {betas!r}."
            )
        if self.n_jobs is not None:
            check_integer(self.n_jobs, "n_jobs", -1)
        return RankingPlan(
            loss=self.loss, solver=self.solver,
            learning_rate=float(self.learning_rate or LEARNING_RATES[self.solver]),
            n_factors=self.n_factors, max_iter=self.max_iter, schedule=self.schedule,
            power_t=self.power_t, adam_betas=tuple(betas), ftrl_beta=self.ftrl_beta,
            max_sampled=self.max_sampled, fit_linear=bool(self.fit_linear),
            init_scale=self.init_scale, dtype=self.dtype, shuffle=self.shuffle,
            n_jobs=effective_n_jobs(self.n_jobs), deterministic=bool(self.deterministic),
            verbose=self.verbose, **more,
        )  # fmt: skip

    def _patience(self) -> Patience | None:
        return Patience(self.n_iter_no_change, self.tol or 0.0) if self.early_stopping else None


def group_strengths(strengths: dict[str, Any], groups: dict[str, int], dtype: str) -> Strengths:
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
        for row, group in enumerate(groups):
            value = strengths[name]
            if isinstance(value, Mapping):
                value = value.get(group, 0.0)
            values[row, column] = check_real(value, name)
    sizes = list(groups.values())
    if (values == values[0]).all() or sum(map(bool, sizes)) <= 1:
        row = next((i for i, size in enumerate(sizes) if size), 0)
        return Strengths(np.ascontiguousarray(values[row : row + 1]))
    return Strengths(values, np.repeat(np.arange(len(sizes), dtype=np.int32), sizes))


def check_group_names(strengths: dict[str, Any], names: tuple[str, ...]) -> None:
    """Refuse dicts of strengths with unknown groups."""
    for name, value in strengths.items():
        if isinstance(value, Mapping):
            unknown = set(value) - set(names)
            if unknown:
                raise ValueError(
                    f"{name} has a strength for {sorted(unknown)[0]!r}; groups are "
                    f"{', '.join(map(repr, names))}."
                )
        else:
            check_real(value, name)


__all__ = ["LOSSES", "NEGATIVES", "BaseRanking"]
