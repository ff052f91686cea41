"""Estimators from the options of commands."""

import difflib

import numpy as np

from ..estimators.bayesian import BayesianFMClassifier, BayesianFMRegressor
from ..estimators.ffm import FFMClassifier, FFMRegressor
from ..estimators.fm import FMClassifier, FMRegressor
from ..estimators.fwfm import FwFMClassifier, FwFMRegressor
from .config import configured_parameters, value_of

# A new family of models is one entry here.
FAMILIES = {
    "fm": {"regression": FMRegressor, "classification": FMClassifier},
    "ffm": {"regression": FFMRegressor, "classification": FFMClassifier},
    "fwfm": {"regression": FwFMRegressor, "classification": FwFMClassifier},
    "bayes": {"regression": BayesianFMRegressor, "classification": BayesianFMClassifier},
}

# Options of commands, and the parameters that they are.
_PARAMETERS = {
    "n_factors": "n_factors", "max_iter": "max_iter", "solver": "solver", "loss": "loss",
    "learning_rate": "learning_rate", "l2_linear": "l2_linear", "l2_factors": "l2_factors",
    "n_jobs": "n_jobs", "seed": "random_state", "metric": "scoring",
    "early_stopping": "early_stopping",
}  # fmt: skip
_WORDS = ("l2_linear", "l2_factors")  # a number or a word


def new_estimator(family, task, y, parameters):
    """An estimator with some parameters.

    Parameters
    ----------
    family : str
        Of FAMILIES.
    task : {"auto", "regression", "classification"}
        "auto" is classification if the targets have two different values.
    y : ndarray
    parameters : dict
    """
    if family not in FAMILIES:
        raise ValueError(f"The estimator must be one of {', '.join(FAMILIES)}; got {family!r}.")
    if task == "auto":
        task = "classification" if len(np.unique(y[:100_000])) == 2 else "regression"
    if task not in FAMILIES[family]:
        raise ValueError(f"The task must be auto, regression or classification; got {task!r}.")
    estimator = FAMILIES[family][task]()
    known = estimator.get_params()
    for name in parameters:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else f": {', '.join(known)}"
            raise ValueError(f"{type(estimator).__name__} has no parameter {name!r}{hint}")
    return estimator.set_params(**parameters)


def estimator_of(context, y):
    """The estimator that a command's options ask for; --set comes before options, and these
    before the configuration's parameters."""
    options = context.params
    parameters = configured_parameters(context)
    for option, name in _PARAMETERS.items():
        value = options.get(option)
        if value is not None and value is not False:
            parameters[name] = value_of(value) if option in _WORDS else value
    parameters |= _pairs(options["settings"] or [])
    return new_estimator(options["estimator"], options["task"], y, parameters)


def _pairs(words):
    """Parameters from "name=value"."""
    parameters = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ValueError(f"--set wants name=value; got {word!r}.")
        parameters[name.strip().replace("-", "_")] = value_of(text.strip())
    return parameters
