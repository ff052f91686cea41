"""Ordered labels: what says in which order the classes of an ordinal model lie."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target

from .targets import ClassRules, ClassTarget, classes_of

# Real numbers of more values than these, in fewer than two rows each, are no classes.
_MANY_CLASSES = 20


def declared_order(y: Any) -> np.ndarray | None:
    """The categories of an ordered Categorical of pandas or an Enum of polars, in their order; None
    of all else."""
    dtype = getattr(y, "dtype", None)
    is_ordered = getattr(dtype, "ordered", None) is True or type(dtype).__name__ == "Enum"
    categories = getattr(dtype, "categories", None)
    if not is_ordered or categories is None:
        return None
    return np.asarray(list(categories))


@dataclass(frozen=True)
class OrdinalRules(ClassRules):
    """What an ordinal model's parameters say of its labels.

    Their order is that of `classes`, as the user or the type of y declares it, or that of numbers.
    """

    def learn(
        self, y: np.ndarray, weights: np.ndarray | None = None, before: ClassTarget | None = None,
        classes: Any = None,
    ) -> ClassTarget:  # fmt: skip
        if classes is not None:
            classes = _checked(classes)
        elif before is None:
            y = _numbers(y)
            classes = classes_of(y, weights, self.owner)
            self._check_few(y, classes)
        if before is None:
            target = self.target(classes)
        else:
            target = before
            if classes is not None and not np.array_equal(classes, before.classes):
                raise ValueError(
                    "classes must stay in warm starts as in the first fit, "
                    f"{before.classes.tolist()}; got {classes.tolist()}."
                )
        if len(np.unique(target.numbers(y))) < 2 and before is None:
            raise ValueError(f"{self.owner} needs rows of two classes; y has only one.")
        return target

    def _check_few(self, y: np.ndarray, classes: np.ndarray) -> None:
        many = len(classes) > max(_MANY_CLASSES, len(y) // 2)
        if many and type_of_target(y, input_name="y") == "continuous":
            raise ValueError(
                f"Unknown label type: continuous. y has {len(classes)} different numbers in "
                f"{len(y)} rows, which are hardly classes; use BayesianFMRegressor, or round them."
            )


def _checked(classes: Any) -> np.ndarray:
    classes = column_or_1d(np.asarray(classes))
    if len(classes) < 2 or len(np.unique(classes)) < len(classes):
        raise ValueError(
            f"classes must hold at least two labels, each once, in their order; got "
            f"{classes.tolist()}."
        )
    return classes


def _numbers(y: np.ndarray) -> np.ndarray:
    """Labels that are numbers, whose order is known."""
    if y.dtype.kind in "biuf":
        return y
    if y.dtype.kind == "O" and all(isinstance(label, Real) for label in y):
        return np.array(y.tolist())
    raise ValueError(
        "y has labels that are no numbers, which lie in no order that is known. Give it with "
        "classes=[...], all labels from the lowest to the highest, or give y as an ordered "
        "Categorical of pandas or an Enum of polars."
    )
