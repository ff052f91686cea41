"""Targets: what the numbers and labels in y mean to a model.

Rules (`RealRules`, `ClassRules`) hold what an estimator's parameters say; from the y of a fit they
learn a target (`RealTarget`, `ClassTarget`), which encodes further y's and is kept with the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from ..utils.checks import shown
from .sample_checks import check_not_all_zero

EVERYTHING = (-np.inf, np.inf)


@dataclass(frozen=True)
class TargetScale:
    """Targets far from unit scale are trained on as (y - location) / spread."""

    location: float
    spread: float

    def apply(self, y: Any) -> Any:
        """Targets, or a bound of them, as they are trained on."""
        return (y - self.location) / self.spread


def learn_target_scale(
    y: np.ndarray, weights: np.ndarray | None, *, centres: bool
) -> TargetScale | None:
    """The scale that targets need, or None if they are to be left alone.

    Parameters
    ----------
    y, weights : float64 arrays, or None for weights of one
    centres : bool
        Whether there is a bias, which starts at the targets' mean anyway, to fold the location to.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what has no spread is left alone
        mean = float(np.average(y, weights=weights))
        about = mean if centres else 0.0
        spread = float(np.sqrt(np.average(np.square(y - about), weights=weights)))
    if not np.isfinite(spread) or spread <= 1e-12 * abs(mean) or 1 / 3 <= spread <= 3:
        return None
    return TargetScale(about, spread)


@dataclass(frozen=True)
class Ends:
    """The smallest and the largest of some targets, and how many rows have them."""

    low: float = np.inf
    high: float = -np.inf
    n_low: int = 0
    n_high: int = 0
    n_rows: int = 0

    @classmethod
    def of(cls, y: np.ndarray) -> Ends:
        low, high = float(y.min()), float(y.max())
        counts = int(np.count_nonzero(y == low)), int(np.count_nonzero(y == high))
        return cls(low, high, *counts, len(y))

    def and_of(self, other: Ends) -> Ends:
        """Of both."""
        low, high = min(self.low, other.low), max(self.high, other.high)
        return Ends(
            low, high,
            sum(ends.n_low for ends in (self, other) if ends.low == low),
            sum(ends.n_high for ends in (self, other) if ends.high == high),
            self.n_rows + other.n_rows,
        )  # fmt: skip

    @property
    def plausible(self) -> tuple[float, float]:
        """The range that further targets may be expected in.

        An end that several rows share is taken for that of a scale, such as five stars; beyond
        one that few rows happen to have, there may be more: half as much again as was seen.
        """
        beyond, largest = 0.5 * self.high - 0.5 * self.low, float(np.finfo(np.float64).max)
        several = max(2.0, self.n_rows / 1000)
        low = self.low if self.n_low >= several else max(self.low - beyond, -largest)
        high = self.high if self.n_high >= several else min(self.high + beyond, largest)
        return low, high


@dataclass(frozen=True)
class RealTarget:
    """Real numbers, or counts."""

    y_range: tuple[float, float]
    """Where predictions are to be expected (`Ends.plausible`), or as the user gave it."""
    clips: bool
    """Whether predictions are clipped to the range."""
    are_counts: bool = False

    n_outputs = 1

    @property
    def score_range(self) -> tuple[float, float]:
        """What predictions are clipped to."""
        return self.y_range if self.clips else EVERYTHING

    @property
    def attributes(self) -> dict[str, Any]:
        """What an estimator shows of it."""
        return {"y_range_": self.y_range}

    def clipped(self, predictions: np.ndarray) -> np.ndarray:
        """Predictions, clipped in place."""
        with np.errstate(over="ignore"):  # of a bound beyond their type
            return predictions.clip(*self.score_range, out=predictions)

    def encode(self, y: np.ndarray) -> np.ndarray:
        """As the kernels take it, float64."""
        y = y.astype(np.float64, copy=False)
        if self.are_counts and (y < 0).any():
            where = int(np.argmax(y < 0))
            raise ValueError(
                f"loss='poisson' needs targets of at least 0; row {where} has {y[where]}."
            )
        return y


@dataclass(frozen=True)
class Encoding:
    """How targets become the numbers that are trained on."""

    target: RealTarget | ClassTarget
    scale: TargetScale | None = None

    def encode(self, y: np.ndarray) -> np.ndarray:
        """float64."""
        encoded = self.target.encode(y)
        return encoded if self.scale is None else self.scale.apply(encoded)


@dataclass(frozen=True)
class RealRules:
    """What a regressor's parameters say of its targets."""

    clip_predictions: bool | tuple[float, float] = True
    are_counts: bool = False

    is_numeric = True
    stratifies = False

    @property
    def known_range(self) -> tuple[float, float] | None:
        return None if isinstance(self.clip_predictions, bool) else self.clip_predictions

    def row_weights(self, y: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray | None:
        return sample_weight

    def learn(
        self, y: np.ndarray, weights: np.ndarray | None = None, before: RealTarget | None = None,
        ends: Ends | None = None,
    ) -> RealTarget:  # fmt: skip
        """The target of a fit, which may go on from the target `before`.

        `ends` are those of all targets, if y holds only some.
        """
        low, high = (ends or Ends.of(y)).plausible
        if self.are_counts:
            low = max(low, 0.0)
        if before:
            low, high = min(low, before.y_range[0]), max(high, before.y_range[1])
        y_range = self.known_range or (low, high)
        target = RealTarget(y_range, bool(self.clip_predictions), self.are_counts)
        target.encode(y)
        return target


@dataclass(frozen=True)
class ClassTarget:
    """Labels of classes."""

    classes: np.ndarray
    """All labels, in the order of their numbers."""
    are_numbered: bool
    """Whether each class has a number and an output of its own, rather than -1 or +1 and one."""

    score_range = EVERYTHING

    @property
    def n_outputs(self) -> int:
        return len(self.classes) if self.are_numbered else 1

    @property
    def attributes(self) -> dict[str, Any]:
        """What an estimator shows of it."""
        return {"classes_": self.classes}

    def clipped(self, predictions: np.ndarray) -> np.ndarray:
        """Scores of classes have no range."""
        return predictions

    def encode(self, y: np.ndarray) -> np.ndarray:
        """As the kernels take it, float64: numbers of classes from 0, or -1 and +1."""
        codes = self.numbers(y)
        return codes.astype(np.float64) if self.are_numbered else 2.0 * codes - 1.0

    def numbers(self, y: np.ndarray) -> np.ndarray:
        """The number of each label's class."""
        order = np.argsort(self.classes, kind="stable")  # of ordinal models, it may be another
        sorted_classes = self.classes[order]
        places = np.minimum(np.searchsorted(sorted_classes, y), len(order) - 1)
        known = sorted_classes[places] == y
        if not np.all(known):
            where = int(np.argmin(known))
            raise ValueError(
                f"y has the label {shown(y[where])} in row {where}, which is "
                f"not one of the model's classes: {self.classes.tolist()}."
            )
        return order[places]


@dataclass(frozen=True)
class ClassRules:
    """What a classifier's parameters say of its labels."""

    owner: str
    """The estimator's name, for messages."""
    are_joint: bool = False
    """Whether each of two classes, too, has an output of its own."""
    class_weight: dict | str | None = None
    two_only: str | None = None
    """What to use for more than two classes, if they are too many."""

    is_numeric = False
    stratifies = True

    def row_weights(self, y: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray | None:
        """float64 weights of the rows, or None; some classes may weigh more."""
        if self.class_weight is None:
            return sample_weight
        weights = compute_sample_weight(self.class_weight, y)
        if not (np.isfinite(weights) & (weights >= 0)).all():
            raise ValueError(
                f"class_weight must hold finite weights of at least 0; got {self.class_weight!r}."
            )
        if sample_weight is None:
            return weights
        with np.errstate(over="ignore"):
            weights = weights * sample_weight
        if not np.isfinite(weights).all():
            row = int(np.isinf(weights).argmax())
            raise ValueError(f"sample_weight times class_weight is too large in row {row}.")
        return weights

    def learn(
        self, y: np.ndarray, weights: np.ndarray | None = None, before: ClassTarget | None = None,
        classes: Any = None,
    ) -> ClassTarget:  # fmt: skip
        """The target of a fit, which may go on from the target `before`.

        `classes` are all labels that will ever come, if the user says them.
        """
        check_labels(y)
        if classes is not None:
            classes = np.unique(column_or_1d(classes))
            if len(classes) < 2:
                raise ValueError(f"classes must hold at least two labels; got {classes.tolist()}.")
        if before is None:
            target = self.target(classes_of(y, weights, self.owner) if classes is None else classes)
        else:
            target = before
            if self.target(before.classes).are_numbered != before.are_numbered:
                raise ValueError(
                    "loss cannot change between fits that go on (warm_start, partial_fit) from one "
                    "score for two classes to one a class, or back. Fit anew with warm_start=False."
                )
            if classes is not None and not np.array_equal(classes, before.classes):
                raise ValueError(
                    "classes must stay as in the first call, "
                    f"{before.classes.tolist()}; got {classes.tolist()}."
                )
        target.encode(y)
        return target

    def target(self, classes: np.ndarray) -> ClassTarget:
        if len(classes) > 2 and self.two_only:
            raise ValueError(
                "Only binary classification is supported. The type of the target is multiclass: "
                f"y has {len(classes)} labels. {self.two_only}"
            )
        return ClassTarget(classes, len(classes) > 2 or self.are_joint)


def check_labels(y: np.ndarray) -> None:
    """Refuse targets that are not labels of classes."""
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind not in ("binary", "multiclass"):
        raise ValueError(f"y must hold a class a row; the type of the target is {kind}.")


def classes_of(y: np.ndarray, weights: np.ndarray | None, owner: str) -> np.ndarray:
    """The classes in y, sorted; there must be rows of two."""
    classes, codes = np.unique(y, return_inverse=True)
    if weights is not None:
        check_not_all_zero(weights)
        codes = codes[weights > 0]
    used = np.unique(codes)
    if len(used) < 2:
        raise ValueError(
            f"{owner} needs rows of two classes; y has only one class with a positive weight: "
            f"{shown(classes[used[0]])}."
        )
    return classes
