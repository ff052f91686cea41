"""Fits and predictions on data sets on disk (``fastfm_cy.io.open_dataset``).

Each epoch visits the rows in chunks that fit into the memory budget. A chunk is put together from
pieces of neighbouring rows, drawn from all over the data set, and shuffled like a data set of its
own; a thread reads the next one meanwhile. Everything else is as in memory: one table, one state
of the optimiser, one epoch loop.
"""

import copy
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from ..data.disk.dataset import DiskDataset
from ..data.matrix_checks import AS_MANY_FEATURES
from ..data.targets import check_labels
from ..estimators.base import unchanged_on_error
from ..estimators.hyperparameters import check_fit_parameters
from ..exceptions import FileFormatError
from ..kernels.common.losses import values_and_gradients
from ..kernels.gradient import replicas
from ..model.scoring import score_rows
from ..utils.checks import check_cast, check_not_all_zero
from .fit import Fitting
from .gradient.epochs import Trainer
from .gradient.sharding import place_features
from .solvers import COORDINATE_SOLVERS

# The chunk that is trained on, the next one, and what training needs besides.
_CHUNKS_IN_MEMORY = 3
_PIECES = 16  # a chunk
_BLOCK = 1 << 17  # rows, when only their targets are read


def fit_from_disk(estimator, dataset, y, sample_weight, eval_set, callbacks):
    """The course of ``fit`` with a DiskDataset."""
    with unchanged_on_error(estimator):
        check_fit_parameters(estimator)
        estimator._check_more()
        _check_call(estimator, dataset, y, sample_weight)
        continues = bool(estimator.warm_start) and estimator.__sklearn_is_fitted__()
        _take_features(estimator, dataset, continues)
        estimator._take_disk_fields(dataset, continues=continues)
        targets = _summarised(estimator, dataset)
        estimator._encode(targets.values, targets.value_weights, continues=continues)
        estimator._rng = estimator._new_rng()
        table = estimator._table.copy() if continues else None
        fitting = DiskFitting(estimator, dataset, targets, callbacks)
        fitting.hold_out(eval_set)
        fitting.run(table)
    return estimator


def scores_from_disk(estimator, dataset, n_jobs):
    """The model's value of each row, shape (n_rows, n_outputs)."""
    table = estimator._table
    if dataset.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X has {dataset.shape[1]} features, the model {estimator.n_features_in_}. "
            + AS_MANY_FEATURES
        )
    scores = np.empty((dataset.shape[0], table.n_outputs), dtype=table.dtype)
    done = 0
    for chunk in _read_ahead(dataset, _in_order(dataset), table.dtype):
        rows = estimator._renumbered(estimator._rows_of_chunk(chunk))
        scores[done : done + rows.n_rows] = score_rows(table, rows, n_jobs)
        done += rows.n_rows
        del chunk, rows  # before the next is read
    return scores


def _check_call(estimator, dataset, y, sample_weight):
    if y is not None or sample_weight is not None:
        raise ValueError(
            "A data set on disk has its own targets and weights: fit(dataset), without y and "
            "sample_weight."
        )
    if not dataset.has("target"):
        raise ValueError(f"{dataset.folder} has no targets; convert data that have.")
    if estimator.solver in COORDINATE_SOLVERS:
        raise ValueError(
            f"solver={estimator.solver!r} needs all rows in memory: fit(dataset.X, dataset.y)."
        )
    for name in ("l2_linear", "l2_factors"):
        if isinstance(getattr(estimator, name), str):
            raise ValueError(
                f'{name}="auto" needs rows in memory; learn it on a part of the data, and give it '
                "as a number."
            )


def _take_features(estimator, dataset, continues):
    n_features = dataset.shape[1]
    if continues and n_features != estimator.n_features_in_:
        raise ValueError(
            f"{dataset.folder} has {n_features} features, the model {estimator.n_features_in_}. "
            + AS_MANY_FEATURES
        )
    estimator.n_features_in_ = n_features
    if not continues:
        vars(estimator).pop("feature_names_in_", None)


# Targets ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Targets:
    """What a fit must know of all targets before it sees the rows.

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
    """

    values: np.ndarray
    value_weights: np.ndarray | None
    class_weights: dict | None
    typical: np.ndarray
    typical_weights: np.ndarray
    n_visited: int


def _blocks_of_targets(dataset):
    for first in range(0, dataset.shape[0], _BLOCK):
        block = [(first, min(first + _BLOCK, dataset.shape[0]))]
        y = dataset.read("target", block)
        if not np.isfinite(y).all():
            raise FileFormatError(f"{dataset.folder}: target.npy was altered.")
        weights = dataset.read("weights", block) if dataset.has("weights") else np.ones(len(y))
        if not (np.isfinite(weights) & (weights >= 0)).all():
            raise FileFormatError(f"{dataset.folder}: weights.npy was altered.")
        yield y, weights


def _summarised(estimator, dataset):
    summarise = _of_labels if estimator._task == "classification" else _of_numbers
    targets = summarise(estimator, dataset)
    check_not_all_zero(targets.typical_weights)
    return targets


def _of_labels(estimator, dataset):
    labels = np.empty(0)
    counts, weight_sums, n_visited = {}, {}, 0
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
    class_weights = estimator.class_weight
    if isinstance(class_weights, str):  # "balanced"
        shares = numbers.sum() / (len(labels) * numbers)
        class_weights = dict(zip(labels.tolist(), shares.tolist(), strict=True))
    totals = np.array([weight_sums[label] for label in labels])
    if class_weights is not None:
        totals = totals * compute_sample_weight(class_weights, labels)
    return Targets(labels, totals, class_weights, labels, totals, n_visited)


def _of_numbers(estimator, dataset):
    low, high, n_visited, means, totals = np.inf, -np.inf, 0, [], []
    for y, weights in _blocks_of_targets(dataset):
        low, high = min(low, y.min()), max(high, y.max())
        total = weights.sum()
        if total > 0:
            means.append(np.average(y, weights=weights))
            totals.append(total)
        n_visited += np.count_nonzero(weights)
    values = np.array([low, high])
    return Targets(values, None, None, np.array(means), np.array(totals), n_visited)


# Training --------------------------------------------------------------------------------------


class DiskFitting(Fitting):
    """A Fitting whose rows come chunk by chunk.

    Parameters
    ----------
    estimator : BaseFM
    dataset : DiskDataset
    targets : Targets
    callbacks
        As a Fitting's.
    """

    def __init__(self, estimator, dataset, targets, callbacks):
        no_rows = estimator._rows_of_chunk(dataset.chunk([(0, 0)], estimator.dtype))
        super().__init__(estimator, no_rows, np.empty(0), None, callbacks=callbacks)
        self.dataset, self.targets = dataset, targets

    def hold_out(self, eval_set):
        if isinstance(eval_set, DiskDataset):
            self.validation = DiskValidationSet(self.estimator, eval_set)
        elif eval_set is None and self.estimator.early_stopping:
            raise ValueError(
                "early_stopping on a data set on disk needs an eval_set: (X, y), or another data "
                "set on disk."
            )
        else:
            super().hold_out(eval_set)

    def trainer_of(self, chunk, table, rng):
        """A Trainer of a chunk's rows, or None if none of them is to be visited."""
        part = copy.copy(self)
        part.rows, part._weights = self.estimator._rows_of_chunk(chunk), None
        part._y, weights = _encoded(self.estimator, chunk, self.targets.class_weights)
        visited = np.arange(chunk.rows.n_rows)
        if weights is not None:
            part._weights = check_cast(weights, self.estimator.dtype, "weights")
            visited = np.flatnonzero(part._weights)
        if not len(visited):
            return None
        layout = self.placement.layout(part.rows, visited)
        return Fitting._trainer(part, layout, table, rng)

    def _start_of_intercept(self, visited):
        if self.estimator.init_intercept is not None:
            return self.estimator.init_intercept
        targets = self.targets
        typical = self.estimator._encode_more(targets.typical), targets.typical_weights
        return self.loss.best_constant(*typical, self.estimator._n_outputs(), targets.n_visited)

    def _layout(self, visited):
        estimator = self.estimator
        self.placement = place_features(
            self.rows.n_features, self._occurrences, self.targets.n_visited, n_jobs=self.n_jobs,
            relabel=estimator.relabel, deterministic=estimator.deterministic,
            frequent=estimator._machine().frequent,
        )  # fmt: skip
        return self.placement.layout(self.rows, visited)

    def _occurrences(self, visited=None):
        """How many entries each feature has, in all rows."""
        dataset = self.dataset
        counts = np.zeros(self.rows.n_features, dtype=np.int64)
        for first in range(0, dataset.n_entries, _BLOCK):
            part = [(first, min(first + _BLOCK, dataset.n_entries))]
            indices = dataset.read("indices", part)
            if indices.min() < 0 or indices.max() >= dataset.shape[1]:
                raise FileFormatError(f"{dataset.folder}: indices.npy was altered.")
            replicas.count(self.estimator._table_rows_of(indices), counts)
        return counts

    def _trainer(self, layout, table, rng):
        return ChunkTrainer(self, table, rng)


class ChunkTrainer(Trainer):
    """A Trainer that has another one train each chunk; parameters as of `DiskFitting._trainer`."""

    def __init__(self, fitting, table, rng):
        self.fitting, self.table, self.rng = fitting, table, rng
        self.settings, self.n_jobs, self.rates = fitting.settings, fitting.n_jobs, fitting._rates()
        self._pieces = list(
            pairwise(fitting.dataset.cuts(_chunk_bytes(fitting.dataset) // _PIECES))
        )

    @property
    def n_rows(self):
        return self.fitting.targets.n_visited

    @property
    def n_shards(self):
        return self.fitting.placement.n_shards

    def epoch(self, epoch, run_all, bar):
        total = 0.0
        for chunk in _read_ahead(self.fitting.dataset, self._chunks(), self.table.dtype):
            trainer = self.fitting.trainer_of(chunk, self.table, self.rng)
            if trainer:
                trainer.row_number = chunk.row_number
                total += trainer.epoch(epoch, run_all, bar)
            del chunk, trainer  # before the next is read
        return total

    def _chunks(self):
        """Pieces of each chunk of an epoch."""
        order = np.arange(len(self._pieces))
        if self.fitting.estimator.shuffle:
            self.rng.shuffle(order)
        for first in range(0, len(order), _PIECES):
            yield [self._pieces[number] for number in order[first : first + _PIECES]]

    def _total_weight(self):
        return self.fitting.targets.typical_weights.sum()

    def _targets(self):
        targets = self.fitting.targets
        return self.fitting.estimator._encode_more(targets.values), targets.value_weights


class DiskValidationSet:
    """What ValidationSet is in memory; `score` hands the data set on to the estimator."""

    def __init__(self, estimator, dataset):
        if not dataset.has("target"):
            raise ValueError(f"eval_set: {dataset.folder} has no targets.")
        if dataset.shape[1] != estimator.n_features_in_:
            raise ValueError(
                f"eval_set: {dataset.folder} has {dataset.shape[1]} features, the data to fit "
                f"{estimator.n_features_in_}. " + AS_MANY_FEATURES
            )
        self.estimator, self.dataset = estimator, dataset

    def loss(self, table, settings, n_jobs=1):
        """Weighted mean loss."""
        total = weight = 0.0
        for chunk in _read_ahead(self.dataset, _in_order(self.dataset), table.dtype):
            y, weights = _encoded(self.estimator, chunk, None)
            rows = self.estimator._rows_of_chunk(chunk)
            scores = score_rows(table, rows, n_jobs).astype(np.float64, copy=False)
            losses, _ = values_and_gradients(settings, scores, y.astype(np.float64))
            total += losses.sum() if weights is None else losses @ weights
            weight += len(losses) if weights is None else weights.sum()
            del chunk, rows
        return float(total / weight)

    def score(self, scorer, estimator):
        """What a scikit-learn scorer says; higher is better."""
        weights = self.dataset.weights
        weights = {} if weights is None else {"sample_weight": np.asarray(weights)}
        return float(scorer(estimator, self.dataset, np.asarray(self.dataset.y), **weights))


def _encoded(estimator, chunk, class_weights):
    """A chunk's targets as the kernels take them, and its rows' weights or None."""
    y = check_cast(estimator._encode_more(chunk.y), estimator.dtype, "y")
    if class_weights is None:
        return y, chunk.weights
    weights = compute_sample_weight(class_weights, chunk.y)
    return y, weights if chunk.weights is None else weights * chunk.weights


def _chunk_bytes(dataset):
    return dataset.memory_budget // _CHUNKS_IN_MEMORY


def _in_order(dataset):
    """Ranges of rows, each a chunk."""
    return [[part] for part in pairwise(dataset.cuts(_chunk_bytes(dataset)))]


def _read_ahead(dataset, groups, dtype):
    """The chunks of groups of ranges, the next always being read."""
    coming = deque()
    with ThreadPoolExecutor(1) as thread:
        for group in groups:
            coming.append(thread.submit(dataset.chunk, group, dtype))
            if len(coming) > 1:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
