"""Members: what a worker has of a fit, in the memory of its process, beyond the end of a task."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.class_weight import compute_sample_weight

from ..data.column_scaling import ColumnMoments, needs_no_scaling
from ..data.csr import CSRRows
from ..data.disk.target_summary import tally_of
from ..data.fields import WithFields
from ..data.inputs import PlainInput
from ..data.sample_checks import check_target, check_weights
from ..data.targets import Encoding
from ..estimators.intake import check_features, names_of_features
from ..estimators.tables import encoded
from ..preprocessing.from_dtype import encoder_for
from ..training.distributed.session import Columns, Session
from ..training.fit import check_size
from ..training.plan import TrainingPlan
from ..training.sources import MemorySource
from ..training.step_size import with_bearable_steps
from ..training.validation_set import ValidationSet
from .partitions import Piece

_MEMBERS: dict[tuple[str, int], Member] = {}
_LOCK = threading.Lock()


class MemberGone(RuntimeError):
    """The process does not have the member that was called: it began after the fit."""


def call(fit: str, number: int, method: str, arguments: tuple) -> Any:
    """Call a method of a member of this process."""
    with _LOCK:
        member = _MEMBERS.get((fit, number))
    if member is None:
        raise MemberGone(f"Worker {number} of the fit is not in this process.")
    return getattr(member, method)(*arguments)


def join(fit: str, number: int, pieces: list[Any], eval_pieces: list[Any]) -> int:
    """Make a member of a fit from (number, Piece)s; how many there are."""
    with _LOCK:
        _MEMBERS[fit, number] = Member(pieces, eval_pieces)
    return len(pieces)


def leave(fit: str) -> None:
    """Forget all members of a fit that are in this process."""
    with _LOCK:
        for key in [key for key in _MEMBERS if key[0] == fit]:
            del _MEMBERS[key]


@dataclass(frozen=True)
class Reading:
    """How pieces are read, on every worker alike."""

    checker: BaseEstimator
    """An estimator with the parameters, in whose name the checks speak."""
    inputs: PlainInput
    rules: Any
    encoder: Any = None


@dataclass(frozen=True)
class Found:
    """What a member found in its pieces."""

    n_features: int
    """Of X; -1 if there are no rows."""
    widens: bool
    names: dict[str, Any]
    tally: Any


class Member:
    """The rows of one worker: first as pieces, then checked, then in a session."""

    def __init__(self, pieces: list[tuple[int, Piece]], eval_pieces: list) -> None:
        self._pieces, self._eval_pieces = pieces, eval_pieces
        self.session = Session(None)

    def numbers(self) -> list[int]:
        """Of the partitions."""
        return [number for number, _ in self._pieces]

    def learn_encoder(self, encoder: Any, numbers: list[int], categorical: Any, dtype: str) -> Any:
        """The encoder after some more partitions; False if there is nothing to encode."""
        for number, piece in self._pieces:
            if number not in numbers or not _n_rows(piece.X):
                continue
            if isinstance(piece.X, WithFields):
                return False
            with of_partition(number):
                if encoder is None:
                    encoder = encoder_for(piece.X, categorical, dtype=dtype)
                    if encoder is None:
                        return False
                encoder.partial_fit(piece.X)
        return encoder

    def read(self, reading: Reading) -> Found:
        """Check the rows of all pieces."""
        self._reading = reading
        self._parts, tally = [], tally_of(reading.rules)
        first: Any = None
        for number, piece in self._pieces:
            with of_partition(number):
                checked = self._checked(piece, number, "X")
                if checked is None:
                    continue
                rows, y, weights, checker = checked
                tally.add(y, np.ones(len(y)) if weights is None else weights)
            self._parts.append((number, rows, y, weights))
            if first is None:
                first = checker, piece, number
            else:
                self._check_alike(first, checker, piece, number)
        self._pieces = []
        if first is None:
            return Found(-1, False, {}, tally)
        width = max(rows.n_features for _, rows, _, _ in self._parts)
        return Found(width, first[1].widens, names_of_features(first[0]), tally)

    def _checked(self, piece: Piece, number: int, name: str) -> Any:
        """(rows, y, weights, what knows the features' names), or None if there are no rows."""
        reading = self._reading
        X = piece.X
        if not _n_rows(X):
            return None
        if piece.y is None:
            raise ValueError("there are no targets; give y.")
        checker = _copy_of(reading.checker)
        X = encoded(checker, X, reading.encoder, name)
        rows: Any = check_features(
            checker, X, reading.inputs, reset=True, dtype=checker.dtype, name=name, y=piece.y
        )
        y = check_target(piece.y, reading.inputs.matrix(X), is_numeric=reading.rules.is_numeric)
        return rows, y, check_weights(piece.weights, rows.n_rows), checker

    def _check_alike(self, first: Any, checker: Any, piece: Piece, number: int) -> None:
        known, known_piece, known_number = first
        if piece.widens and known_piece.widens:
            return
        for name in ("n_features_in_", "feature_names_in_"):
            one, other = vars(known).get(name), vars(checker).get(name)
            if not np.array_equal(one, other):
                what = "features" if name == "n_features_in_" else "names of features"
                raise ValueError(
                    f"Partitions {known_number} and {number} have different {what}: {one} and "
                    f"{other}."
                )

    def moments(
        self, class_weights: Any, n_features: int, centres: bool, certainly: bool = False
    ) -> ColumnMoments | None:
        """Of the columns; None if a look at the rows says that they need no scaling, unless they
        are wanted all the same."""
        plain = (
            not certainly and class_weights is None and all(part[3] is None for part in self._parts)
        )
        if plain and all(needs_no_scaling(rows, centres=centres) for _, rows, *_ in self._parts):
            return None
        moments = ColumnMoments(n_features)
        for _, rows, y, weights in self._parts:
            moments.add(rows, _weights(class_weights, y, weights))
        return moments

    def finish(
        self, encoding: Encoding, class_weights: Any, inputs: PlainInput, n_features: int
    ) -> None:
        """Make the session."""
        source = validation = None
        dtype = self._reading.checker.dtype
        if self._parts:
            numbers, parts, ys, weights = zip(*self._parts, strict=True)
            rows = inputs.finish(_joined(parts, n_features), None)
            target = np.concatenate(
                [_encode(encoding, y, number) for number, y in zip(numbers, ys, strict=True)]
            )
            own = [_weights(class_weights, *pair) for pair in zip(ys, weights, strict=True)]
            of_rows = None
            if any(part is not None for part in own):
                of_rows = np.concatenate(
                    [np.ones(len(y)) if w is None else w for y, w in zip(ys, own, strict=True)]
                )
            if of_rows is None or of_rows.any():
                source = MemorySource.of(rows, target, of_rows, dtype)
                source = replace(source, number=_Numbers(numbers, [part.n_rows for part in parts]))
        self._parts = []
        validation = self._validation(encoding, inputs, n_features)
        self.session = Session(source, validation)

    def _validation(
        self, encoding: Encoding, inputs: PlainInput, n_features: int
    ) -> ValidationSet | None:
        found = []
        for number, piece in self._eval_pieces:
            with of_partition(number, "eval_set, "):
                checked = self._checked(piece, number, "X")
                if checked is None:
                    continue
                rows, y, weights, _ = checked
                if rows.n_features > n_features:
                    raise ValueError(f"it has {rows.n_features} features, X has {n_features}.")
                if not piece.widens and rows.n_features != n_features:
                    raise ValueError(f"it has {rows.n_features} features, X has {n_features}.")
                weights = np.ones(len(y)) if weights is None else weights
                found.append((rows, encoding.encode(y), weights))
        self._eval_pieces = []
        if not found:
            return None
        parts, ys, weights = zip(*found, strict=True)
        rows = inputs.finish(_joined(parts, n_features), None)
        return ValidationSet(rows, np.concatenate(ys), np.concatenate(weights))

    def bearable_rate(self, plan: TrainingPlan) -> float:
        """The learning rate that the rows bear, as in a fit of one process."""
        source = self.session.source
        return (plan if source is None else with_bearable_steps(plan, source)).learning_rate

    def open(self, plan: TrainingPlan, *arguments: Any) -> Columns:
        """Begin to train, if there is memory for it."""
        check_size(replace(plan, n_jobs=1, early_stopping=False), self.session.n_own_features)
        return self.session.open(plan, *arguments)

    def sizes(self) -> tuple[int, int]:
        return self.session.sizes()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "session" not in vars(self):
            raise AttributeError(name)
        return getattr(self.session, name)


class _Numbers:
    """Where a row is, for messages."""

    def __init__(self, partitions: Any, sizes: list[int]) -> None:
        self._partitions, self._ends = partitions, np.cumsum(sizes)

    def __call__(self, row: int) -> Any:
        part = int(np.searchsorted(self._ends, row, side="right"))
        first = 0 if part == 0 else self._ends[part - 1]
        return f"{row - first} of partition {self._partitions[part]}"


def _n_rows(X: Any) -> int:
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _copy_of(estimator: BaseEstimator) -> BaseEstimator:
    copied = object.__new__(type(estimator))
    vars(copied).update(vars(estimator))
    return copied


def _weights(class_weights: Any, y: np.ndarray, weights: np.ndarray | None) -> np.ndarray | None:
    if class_weights is None:
        return weights
    of_classes = compute_sample_weight(class_weights, y)
    return of_classes if weights is None else of_classes * weights


def _encode(encoding: Encoding, y: np.ndarray, number: int) -> np.ndarray:
    with of_partition(number):
        return encoding.encode(y)


def _joined(parts: Any, n_features: int) -> CSRRows:
    """Rows of several pieces, one behind the other."""
    if len(parts) == 1:
        return replace(parts[0], n_features=n_features)
    ends = np.cumsum([part.n_entries for part in parts])
    offsets = [parts[0].indptr] + [
        part.indptr[1:] + end for part, end in zip(parts[1:], ends[:-1], strict=True)
    ]
    fields = None
    if parts[0].fields is not None:
        fields = np.concatenate([part.fields for part in parts])
    indices, data = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("indices", "data")
    )
    return CSRRows(np.concatenate(offsets), indices, data, n_features, fields)


@contextmanager
def of_partition(number: int, where: str = "") -> Iterator[None]:
    """Errors say in which partition."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}partition {number}: {error}") from error


def learned_input(inputs: PlainInput, n_features: int, columns: Any) -> PlainInput:
    """What a fit learns of X as a whole."""
    whole: Any = SimpleNamespace(shape=(0, n_features), has=lambda name: False, n_fields=0)
    return inputs.learn_disk(whole, columns)
