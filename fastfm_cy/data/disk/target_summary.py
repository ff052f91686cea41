"""Summaries of the targets of a data set on disk, which a fit needs before it sees the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
    if isinstance(rules, ClassRules):
        summary = _of_labels(dataset, rules.class_weight)
    else:
        summary = _of_numbers(dataset)
    check_not_all_zero(summary.typical_weights)
    return summary


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


def _of_labels(dataset: DiskDataset, class_weights: dict | str | None) -> TargetSummary:
    counts: dict[float, int] = {}
    weight_sums: dict[float, float] = {}
    n_visited = 0
    for y, weights in _blocks_of_targets(dataset):
        found, codes = np.unique(y, return_inverse=True)
        check_labels(found)
        sums = np.bincount(codes, weights)
        for label, count, total in zip(found.tolist(), np.bincount(codes), sums, strict=True):
            counts[label] = counts.get(label, 0) + count
            weight_sums[label] = weight_sums.get(label, 0.0) + total
        n_visited += np.count_nonzero(weights)
    labels = np.array(sorted(counts))
    numbers = np.array([counts[label] for label in labels])
    if isinstance(class_weights, str):  # "balanced"
        shares = numbers.sum() / (len(labels) * numbers)
        class_weights = dict(zip(labels.tolist(), shares.tolist(), strict=True))
    totals = np.array([weight_sums[label] for label in labels])
    if class_weights is not None:
        totals = totals * compute_sample_weight(class_weights, labels)
    return TargetSummary(labels, totals, class_weights, labels, totals, n_visited)


def _of_numbers(dataset: DiskDataset) -> TargetSummary:
    ends, n_visited = Ends(), 0
    means, totals, squares = [], [], 0.0
    for y, weights in _blocks_of_targets(dataset):
        ends = ends.and_of(Ends.of(y))
        total = weights.sum()
        if total > 0:
            means.append(np.average(y, weights=weights))
            totals.append(total)
            squares += float(weights @ np.square(y))
        n_visited += np.count_nonzero(weights)
    values = np.array([ends.low, ends.high])
    of_weight, mean_square = np.array(totals), squares / max(sum(totals), 1e-300)
    return TargetSummary(
        values, None, None, np.array(means), of_weight, n_visited, mean_square, ends
    )
