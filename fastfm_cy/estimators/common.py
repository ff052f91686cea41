"""Common parts of all estimators: parameters, fits that happen whole or not at all, seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from ..utils.gates import reading


def set_parameters(estimator: BaseEstimator, parameters: dict[str, Any]) -> None:
    """Set the attributes of __init__'s parameters, given its locals()."""
    for name in estimator._get_param_names():
        setattr(estimator, name, parameters[name])


# Estimators that are being fitted, by their id: a note that no copy or pickle takes along.
_FITTED_NOW: set[int] = set()
_LOCK = Lock()

Estimator = TypeVar("Estimator", bound=BaseEstimator)


@contextmanager
def one_fit(estimator: BaseEstimator, name: str = "fit") -> Iterator[None]:
    """All of a fit or none of it, and no other meanwhile.

    An error leaves the estimator as it was before.
    """
    with _LOCK:
        refuse_while_fitted(estimator, name)
        _FITTED_NOW.add(id(estimator))
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        now = vars(estimator)
        now.update(before)
        for name in now.keys() - before.keys():
            del now[name]
        raise
    finally:
        _FITTED_NOW.discard(id(estimator))


def refuse_while_fitted(estimator: BaseEstimator, what: str) -> None:
    """Refuse what would change a model that a fit is working on."""
    if id(estimator) in _FITTED_NOW:
        raise RuntimeError(
            f"{what}: this {type(estimator).__name__} is being fitted, and one fit at a time can "
            "work on it. In a callback or another thread, use a copy: sklearn.base.clone for its "
            "parameters, copy.deepcopy for the model so far."
        )


def as_of_now(estimator: Estimator) -> Estimator:
    """A shallow copy, all of one moment: a fit in another thread may change the estimator next."""
    copy = object.__new__(type(estimator))
    vars(copy).update(vars(estimator))
    return copy


@contextmanager
def held_as_it_is(estimator: Estimator) -> Iterator[Estimator]:
    """A context with `as_of_now`, whose numbers no partial_fit changes meanwhile."""
    while True:
        now = as_of_now(estimator)
        trained = getattr(vars(now).get("_fitted"), "trained", None)
        if trained is None:
            yield now
            return
        with reading(trained.table):
            if vars(now)["_fitted"] is vars(estimator).get("_fitted"):
                yield now
                return


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
