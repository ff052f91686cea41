"""Registry: the estimators by name, family and task. Files and commands read it.

An estimator registers itself where it is defined; docs/extending/family.md says how to add one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sklearn.base import BaseEstimator


@dataclass(frozen=True)
class Entry:
    """A registered estimator."""

    estimator: type[BaseEstimator]
    family: str
    """The name that commands know: "fm", "ffm", ..."""
    task: str
    """"regression", "classification" or another."""


ESTIMATORS: dict[str, Entry] = {}
"""By the name of the class."""


def register(family: str, task: str) -> Callable[[type], type]:
    """Class decorator: enter an estimator, whose import path for users is ``fastfm_cy``."""

    def enter(cls: type) -> type:
        cls.__module__ = "fastfm_cy"
        ESTIMATORS[cls.__name__] = Entry(cls, family, task)
        return cls

    return enter


def of_family(family: str) -> dict[str, type[BaseEstimator]]:
    """The estimators of a family by their task; none if there is no such family."""
    entries = ESTIMATORS.values()
    return {entry.task: entry.estimator for entry in entries if entry.family == family}


def families() -> list[str]:
    """Names of all families, the shortest first."""
    return sorted(
        {entry.family for entry in ESTIMATORS.values()}, key=lambda name: (len(name), name)
    )
