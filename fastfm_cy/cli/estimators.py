"""Estimators from the options of commands."""

import difflib
from typing import Any

import numpy as np
import typer
from sklearn.base import clone
from sklearn.metrics import get_scorer_names
from sklearn.utils import check_random_state

from ..estimators.bayesian_base import BayesianBase
from ..estimators.registry import families, of_family
from ..training.regularization import NAMES as STRENGTHS
from ..training.regularization import check_strengths
from .config import configured_parameters, value_of
from .ranking import RANKING, check_ranking

# Options of commands, and the parameters that they are.
_PARAMETERS = {
    "n_factors": "n_factors", "max_iter": "max_iter", "solver": "solver", "loss": "loss",
    "learning_rate": "learning_rate", "l2_linear": "l2_linear", "l2_factors": "l2_factors",
    "n_jobs": "n_jobs", "seed": "random_state", "metric": "scoring",
    "early_stopping": "early_stopping",
}  # fmt: skip
_CHOSEN = ("regression", "classification")  # by the targets, if the task is not given
_WORDS = ("l2_linear", "l2_factors")  # a number or a word
_METRICS = (
    "accuracy, average_precision, balanced_accuracy, f1, neg_log_loss and roc_auc of "
    "classification, neg_mean_absolute_error, neg_root_mean_squared_error and r2 of regression"
)


class EstimatorChoice:
    """The estimator that a command's options ask for, checked before there are data.

    --set comes before options, and these before the configuration's parameters.

    Parameters
    ----------
    context : typer.Context
    """

    def __init__(self, context: typer.Context):
        options = context.params
        family, self.task = options["estimator"], options["task"]
        kinds = of_family(family)
        if not kinds:
            names = ", ".join(families())
            raise ValueError(f"The estimator must be one of {names}; got {family!r}.")
        if self.task not in ("auto", *kinds):
            raise ValueError(f"The task must be auto, {' or '.join(kinds)}; got {self.task!r}.")
        parameters = _parameters_of(context)
        if self.task == "auto" and len(kinds) == 1:
            (self.task,) = kinds
        tasks = _CHOSEN if self.task == "auto" else (self.task,)
        self.estimators: dict[str, Any] = {}
        self._errors: list[Exception] = []
        for task in tasks:
            try:
                self.estimators[task] = _new_estimator(kinds[task], parameters)
            except (TypeError, ValueError) as error:
                self._errors.append(error)
        if not self.estimators:
            raise self._errors[0]

    @property
    def recommender(self) -> Any:
        """The estimator, if it learns from interactions, else None."""
        return self.estimators.get("recommendation")

    def of(self, y: np.ndarray) -> Any:
        """The estimator of data with these targets: a classifier, unless the task is given, if
        they are text or have two different values."""
        task = self.task
        if task == "auto":
            are_labels = y.dtype.kind not in "biuf" or len(np.unique(y[:100_000])) == 2
            task = "classification" if are_labels else "regression"
        if task not in self.estimators:  # what was asked for suits the other task only
            raise self._errors[0]
        return self.estimators[task]


def _new_estimator(kind, parameters):
    estimator = kind()
    known = estimator.get_params()
    for name in parameters:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else f": {', '.join(known)}"
            raise ValueError(f"{kind.__name__} has no parameter {name!r}{hint}")
    estimator.set_params(**parameters)
    check_parameters(estimator)
    return estimator


def check_parameters(estimator: Any) -> None:
    """Raise what fit would raise of the parameters, whatever the data."""
    check_random_state(estimator.random_state)
    if isinstance(estimator, RANKING):
        check_ranking(estimator)
        return
    if isinstance(getattr(estimator, "scoring", None), str):
        check_metric(estimator.scoring)
    if isinstance(estimator, BayesianBase):
        plan = clone(estimator).set_params(verbose=0)._plan()
        plan.n_to_keep((1, plan.n_factors, 0), 0, 0)
        return
    plan = estimator._plan()
    estimator._check_parameters()
    for name, value in plan.strengths.items():
        values = {**dict.fromkeys(STRENGTHS, 0.0), name: value}
        check_strengths(values, None, max(1, np.size(value)), estimator.dtype)


def check_metric(name: str) -> None:
    """Raise if there is no scorer of this name."""
    names = get_scorer_names()
    if name in names:
        return
    near = difflib.get_close_matches(name, names, 1, cutoff=0.5)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise ValueError(
        f"The metric must be the name of a scikit-learn scorer, such as {_METRICS}; got {name!r}."
        f"{hint}"
    )


def _parameters_of(context):
    options, parameters = context.params, configured_parameters(context)
    for option, name in _PARAMETERS.items():
        value = options.get(option)
        if value is not None and value is not False:
            parameters[name] = value_of(value) if option in _WORDS else value
    return parameters | _pairs(options["settings"] or [])


def _pairs(words):
    """Parameters from "name=value"."""
    parameters = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ValueError(f"--set wants name=value; got {word!r}.")
        parameters[name.strip().replace("-", "_")] = value_of(text.strip())
    return parameters
