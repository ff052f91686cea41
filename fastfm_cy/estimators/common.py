"""Common parts of all estimators: parameters, fits that happen whole or not at all, seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state


def set_parameters(estimator: BaseEstimator, parameters: dict[str, Any]) -> None:
    """Set the attributes of __init__'s parameters, given its locals()."""
    for name in estimator._get_param_names():
        setattr(estimator, name, parameters[name])


@contextmanager
def unchanged_on_error(estimator: BaseEstimator) -> Iterator[None]:
    """All of a fit or none of it: an error leaves the estimator as it was before."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        now = vars(estimator)
        now.update(before)
        for name in now.keys() - before.keys():
            del now[name]
        raise


def new_rng(random_state: Any) -> np.random.Generator:
    """A generator from scikit-learn's random_state."""
    return np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))


def no_attribute(estimator: BaseEstimator, name: str) -> AttributeError:
    """For an attribute that does not exist before fit."""
    return AttributeError(f"{type(estimator).__name__} has no {name} before it is fitted.")


def check_callbacks(callbacks: Any) -> list[Callable]:
    """A list of functions, from one, several or None."""
    callbacks = [callbacks] if callable(callbacks) else callbacks or []
    if not isinstance(callbacks, list | tuple) or not all(map(callable, callbacks)):
        raise TypeError(
            "callbacks must be a function of (estimator, history) or a list of them; got "
            f"{callbacks!r}."
        )
    return list(callbacks)
