"""Summaries of targets that come in blocks, which a fit needs before it sees the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from ...exceptions import FileFormatError
from ..sample_checks import check_not_all_zero
from ..targets import (
    ClassRules,
    Ends,
    RealRules,
    TargetScale,
    check_labels,
    learn_target_scale,
)
from .dataset import DiskDataset

_ROWS_A_READ = 1 << 17


@dataclass(frozen=True)
class TargetSummary:
    """What a fit must know of all targets.

    Attributes
    ----------
    values : array
        All labels, or the smallest and the largest target.
    value_weights : array or None
        What the rows of each label weigh together.
    class_weights : dict or None
        Of the labels.
    typical, typical_weights : arrays
        A few targets with weights, whose weighted mean is that of all.
    n_visited : int
        Rows with a positive weight.
    mean_square : float
        Weighted, of numbers.
    ends : Ends
        Of numbers.
    """

    values: np.ndarray
    value_weights: np.ndarray | None
    class_weights: dict | None
    typical: np.ndarray
    typical_weights: np.ndarray
    n_visited: int
    mean_square: float = 1.0
    ends: Ends | None = None

    def learn(self, rules: Any, before: Any) -> Any:
        """The target of a fit, by an estimator's rules."""
        if self.ends is None:
            return rules.learn(self.values, self.value_weights, before)
        return rules.learn(self.values, self.value_weights, before, ends=self.ends)

    def scale(self, *, centres: bool) -> TargetScale | None:
        """As learn_target_scale has it."""
        mean = float(np.average(self.typical, weights=self.typical_weights))
        spread = np.sqrt(max(0.0, self.mean_square - mean**2))
        # Two numbers with the mean and the spread of all.
        return learn_target_scale(np.array([mean - spread, mean + spread]), None, centres=centres)


def summarise_targets(dataset: DiskDataset, rules: RealRules | ClassRules) -> TargetSummary:
    """The summary, by what an estimator's rules say of targets."""
    tally = tally_of(rules)
    for y, weights in _blocks_of_targets(dataset):
        tally.add(y, weights)
    return tally.summary(rules)


def _blocks_of_targets(dataset: DiskDataset) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for first in range(0, dataset.shape[0], _ROWS_A_READ):
        block = [(first, min(first + _ROWS_A_READ, dataset.shape[0]))]
        y = dataset.read("target", block)
        if not np.isfinite(y).all():
            raise FileFormatError(f"{dataset.folder}: target.npy was altered.")
        weights = dataset.read("weights", block) if dataset.has("weights") else np.ones(len(y))
        if not (np.isfinite(weights) & (weights >= 0)).all():
            raise FileFormatError(f"{dataset.folder}: weights.npy was altered.")
        yield y, weights


@dataclass
class LabelTally:
    """Labels of blocks of rows, counted; tallies of several places can be put together."""

    counts: dict[Any, int] = field(default_factory=dict)
    weight_sums: dict[Any, float] = field(default_factory=dict)
    n_visited: int = 0

    def add(self, y: np.ndarray, weights: np.ndarray) -> None:
        """Take in a block of labels and their rows' weights."""
        found, codes = np.unique(y, return_inverse=True)
        check_labels(found)
        sums = np.bincount(codes, weights)
        for label, count, total in zip(found.tolist(), np.bincount(codes), sums, strict=True):
            self._count(label, int(count), float(total))
        self.n_visited += int(np.count_nonzero(weights))

    def _count(self, label: Any, count: int, weight: float) -> None:
        self.counts[label] = self.counts.get(label, 0) + count
        self.weight_sums[label] = self.weight_sums.get(label, 0.0) + weight

    def take(self, other: LabelTally) -> None:
        """Take in another tally."""
        for label, count in other.counts.items():
            self._count(label, count, other.weight_sums[label])
        self.n_visited += other.n_visited

    def summary(self, rules: ClassRules) -> TargetSummary:
        """Of all that was taken in."""
        labels = np.array(sorted(self.counts))
        numbers = np.array([self.counts[label] for label in labels.tolist()])
        class_weights: Any = rules.class_weight
        if isinstance(class_weights, str):  # "balanced"
            shares = numbers.sum() / (len(labels) * numbers)
            class_weights = dict(zip(labels.tolist(), shares.tolist(), strict=True))
        totals = np.array([self.weight_sums[label] for label in labels.tolist()])
        if class_weights is not None:
            totals = totals * compute_sample_weight(class_weights, labels)
        check_not_all_zero(totals)
        return TargetSummary(labels, totals, class_weights, labels, totals, self.n_visited)


@dataclass
class NumberTally:
    """The same of numbers."""

    ends: Ends = field(default_factory=Ends)
    means: list[float] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)
    squares: float = 0.0
    n_visited: int = 0

    def add(self, y: np.ndarray, weights: np.ndarray) -> None:
        self.ends = self.ends.and_of(Ends.of(y))
        total = weights.sum()
        if total > 0:
            self.means.append(np.average(y, weights=weights))
            self.totals.append(total)
            self.squares += float(weights @ np.square(y))
        self.n_visited += int(np.count_nonzero(weights))

    def take(self, other: NumberTally) -> None:
        self.ends = self.ends.and_of(other.ends)
        self.means += other.means
        self.totals += other.totals
        self.squares += other.squares
        self.n_visited += other.n_visited

    def summary(self, rules: RealRules) -> TargetSummary:
        values = np.array([self.ends.low, self.ends.high])
        of_weight, mean_square = np.array(self.totals), self.squares / max(sum(self.totals), 1e-300)
        check_not_all_zero(of_weight)
        return TargetSummary(
            values, None, None, np.array(self.means), of_weight, self.n_visited, mean_square,
            self.ends,
        )  # fmt: skip


Tally = LabelTally | NumberTally


def tally_of(rules: RealRules | ClassRules) -> Any:
    """An empty one for targets of the rules' kind."""
    return LabelTally() if isinstance(rules, ClassRules) else NumberTally()
