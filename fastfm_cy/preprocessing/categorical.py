"""Categorical fields: one feature a category."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..utils.checks import check_integer
from .columns import Column
from .field import HANDLE_UNKNOWN, Field, Part
from .state import StateReader, StateWriter
from .views import View
from .vocabulary import Vocabulary

MOST_CATEGORIES = 10_000_000  # unless the user says what to do with so many


@dataclass(frozen=True)
class Categorical:
    """A column of categories: one-hot, as by scikit-learn's OneHotEncoder.

    What is None here is as the encoder has it for all columns.

    Parameters
    ----------
    min_frequency : int or float, default=None
        Categories in fewer rows, or in a smaller fraction of them, share one feature.
    max_categories : int, default=None
        At most so many features; the rarest categories share one of them.
    handle_unknown : {"error", "ignore", "infrequent_if_exist"}, default=None
        What is done with categories that were not there in `fit`: an error, no entry, or the
        feature that rare categories share, if there is one.
    n_hash : int, default=None
        Rare and unknown categories share so many features, by a hash of them; without
        `min_frequency` and `max_categories` all categories do, and none is remembered.
    """

    min_frequency: float | None = None
    max_categories: int | None = None
    handle_unknown: str | None = None
    n_hash: int | None = None

    def check(self) -> None:
        frequency = self.min_frequency
        if frequency is not None and not _is_frequency(frequency):
            raise ValueError(
                "min_frequency must be a number of rows (int >= 1) or a fraction of them (0 < "
                f"float < 1); got {frequency!r}."
            )
        for name in ("max_categories", "n_hash"):
            if getattr(self, name) is not None:
                check_integer(getattr(self, name), name, 1)
        if self.handle_unknown not in (None, *HANDLE_UNKNOWN):
            raise ValueError(
                f"handle_unknown must be one of {', '.join(map(repr, HANDLE_UNKNOWN))}; got "
                f"{self.handle_unknown!r}."
            )

    def filled(self, defaults: Categorical) -> Categorical:
        names = ("min_frequency", "max_categories", "handle_unknown", "n_hash")
        given = {n: getattr(self, n) for n in names if getattr(self, n) is not None}
        return replace(defaults, **given)

    @property
    def has_limits(self) -> bool:
        return self.min_frequency is not None or self.max_categories is not None

    def fields(self, name: str, column: Column, defaults: Categorical) -> list[Field]:
        return [self.filled(defaults).field(name, column.name)]

    def field(self, name: str, source: str, view: View | None = None) -> CategoricalField:
        is_hashed = self.n_hash is not None and not self.has_limits
        return (HashedField if is_hashed else CategoricalField)(name, source, self, view)


class CategoricalField(Field):
    """Categories with features of their own, and features that the rare ones share.

    The categories known at first are numbered in ascending order, then comes a missing value, then
    the features shared; whatever comes with later chunks follows.
    """

    kind = "categorical"

    def __init__(self, name: str, source: str, options: Categorical, view: View | None) -> None:
        super().__init__(name, source)
        self.options = options
        self.view = view
        self.vocabulary = Vocabulary()
        self.n_rows = 0
        self._n_features = 0
        # The feature of each entry of the vocabulary and, last, of missing values; -1: none.
        self.features = np.full(1, -1, dtype=np.int32)
        self.shared = np.empty(0, dtype=np.int32)  # features of rare and unknown categories
        self.counts = np.zeros(1, dtype=np.int64)  # rows of each, like features
        # The features and their global numbers that were asked for last, and the answer.
        self._places: tuple[NDArray[Any], NDArray[Any], NDArray[np.int32]] | None = None

    @property
    def n_features(self) -> int:
        return self._n_features

    @property
    def has_values(self) -> bool:
        return len(self.vocabulary) > 0

    @property
    def takes(self) -> str | None:
        return self.vocabulary.content if self.view is None else self.view.takes

    def learn(self, column: Column) -> Any:
        if self.view is not None:
            self.view = self.view.learned(column)
            column = self.view.of(column)
            if not self.has_values and (values := self.view.all_values()) is not None:
                self.vocabulary.encode(values, add=True)
        numbers = self.vocabulary.encode(column, add=True)
        self.learn_numbers(numbers, column.n_rows)
        return self._reading(column, numbers)

    def learn_numbers(self, numbers: NDArray[np.int32], n_rows: int) -> None:
        """Give features to what came in, or came often enough by now."""
        n = len(self.vocabulary)
        self._check_size(n)
        self.n_rows += n_rows
        counts = np.bincount(np.where(numbers >= 0, numbers, n), minlength=n + 1)
        counts[:n] += _resized(self.counts[:-1], n, 0)
        counts[n] += self.counts[-1]
        self.counts = counts
        before = np.append(_resized(self.features[:-1], n, -1), self.features[-1])
        waiting = before < 0
        waiting[n] &= counts[n] > 0
        own = np.flatnonzero(waiting & self._is_frequent(counts, before))
        is_missing = own == n
        own = np.append(self.vocabulary.ascending(own[~is_missing]), own[is_missing])
        before[own] = self._n_features + np.arange(len(own))
        self._n_features += len(own)
        self.features = before.astype(np.int32)
        has_rare = waiting.sum() > len(own)
        if not len(self.shared) and (has_rare or self.options.n_hash is not None):
            self.shared = np.arange(self.options.n_hash or 1, dtype=np.int32) + self._n_features
            self._n_features += len(self.shared)

    def _check_size(self, n: int) -> None:
        if n > MOST_CATEGORIES and not self.options.has_limits:
            raise ValueError(
                f"Column {self.source!r} has more than {MOST_CATEGORIES:,} categories ({n:,}), "
                "each of which would be a feature. Let the rare ones share one (min_frequency=, "
                "max_categories=), hash them (n_hash=), or drop the column; "
                f"max_categories={n + 1} keeps all."
            )

    def _is_frequent(
        self, counts: NDArray[np.int64], features: NDArray[np.int32]
    ) -> NDArray[np.bool_]:
        """Which entries have, or may now have, features of their own."""
        options = self.options
        frequent = np.ones(len(counts), dtype=bool)
        if options.min_frequency is not None:
            least = options.min_frequency
            frequent = counts >= (least if isinstance(least, Integral) else least * self.n_rows)
        known = features >= 0
        frequent |= known
        if options.max_categories is not None:
            exist = counts > 0
            # One of those allowed is for the rest, as in scikit-learn even if there is none.
            if int((frequent & exist).sum()) + 1 > options.max_categories:
                n_free = max(0, options.max_categories - 1 - int(known.sum()))
                # The most frequent ones, of equals the last ones, as in scikit-learn.
                order = np.append(self.vocabulary.ascending(np.arange(len(counts) - 1)),
                                  len(counts) - 1)  # fmt: skip
                order = order[(exist & ~known & frequent)[order]]
                order = order[np.argsort(counts[order], kind="stable")]
                frequent = known.copy()
                frequent[order[len(order) - n_free :]] = True
        return frequent

    def read(self, column: Column) -> Any:
        if self.view is not None:
            column = self.view.of(column)
        if self.options.n_hash is None:
            return self._reading(column, self.vocabulary.encode(column, add=False))
        # The hashes of unknown categories are wanted, too.
        vocabulary = Vocabulary()
        numbers = vocabulary.encode(column, add=True)
        return self._reading(column, numbers, vocabulary)

    def _reading(
        self, column: Column, numbers: NDArray[np.int32], vocabulary: Vocabulary | None = None
    ) -> CategoryReading:
        return CategoryReading(numbers, lambda row: (row, column.objects()[row]), vocabulary)

    def part(
        self, reading: CategoryReading, numbers: NDArray[np.int32], dtype: np.dtype[Any]
    ) -> Part:
        if self.options.handle_unknown == "error":
            self._refuse_unknown(reading)
        if reading.vocabulary is not None:
            places = np.append(numbers, np.int32(-1))[self._local(reading.vocabulary)]
        else:
            places = self._known_places(numbers)
        return places[reading.numbers], None, None

    def _known_places(self, numbers: NDArray[np.int32]) -> NDArray[np.int32]:
        """The global number of each of the vocabulary's; kept, since single rows want it, too."""
        known = self._places
        if known is None or known[0] is not self.features or known[1] is not numbers:
            places = np.append(numbers, np.int32(-1))[self._local(None)]
            self._places = known = self.features, numbers, places
        return known[2]

    def _local(self, vocabulary: Vocabulary | None) -> NDArray[np.int64]:
        """The feature, or -1, of each category of another vocabulary or of the field's own; the
        last two are those of UNKNOWN and of MISSING."""
        features = self.features
        own, is_known = features[:-1], np.ones(1, dtype=bool)
        if vocabulary is not None:
            found = vocabulary.numbers_in(self.vocabulary)
            is_known = found >= 0
            own = np.where(is_known, features[np.maximum(found, -1)], -1)
        to_shared = self.options.handle_unknown == "infrequent_if_exist"
        first_shared = int(self.shared[0]) if len(self.shared) else -1
        of_rare: Any = first_shared
        if self.options.n_hash is not None:
            hashed = self.vocabulary if vocabulary is None else vocabulary
            of_rare = self.shared[hashed.hashes(len(self.shared))]
        local = np.where(own >= 0, own, of_rare)
        if not to_shared:
            local = np.where(is_known, local, -1)
        of_missing = int(features[-1])
        if of_missing < 0 and (self.counts[-1] or to_shared):
            of_missing = first_shared
        of_unknown = first_shared if to_shared else -1
        return np.concatenate([local, [of_unknown, of_missing]]).astype(np.int64)

    def _refuse_unknown(self, reading: CategoryReading) -> None:
        of_row = self._local(reading.vocabulary)[reading.numbers]
        if (of_row < 0).any():
            row, value = reading.entry(int(np.argmax(of_row < 0)))
            raise ValueError(
                f"Column {self.source!r}, row {row}: found unknown category {value!r}, which was "
                'not there when the encoder was fitted. handle_unknown="ignore" leaves such '
                'entries out; "infrequent_if_exist" puts them to the rare categories.'
            )

    def feature_names(self) -> list[str]:
        labels: list[str] = [""] * self._n_features
        of_entries = self.vocabulary.labels()
        if self.view is not None:
            of_entries = [self.view.label(label) for label in of_entries]
        for label, feature in zip([*of_entries, "<missing>"], self.features, strict=True):
            if feature >= 0:
                labels[feature] = label
        for place, feature in enumerate(self.shared):
            labels[feature] = "<rare>" if self.options.n_hash is None else f"<hash {place}>"
        return [f"{self.name}={label}" for label in labels]

    def checkpoint(self) -> Any:
        return super().checkpoint(), self.vocabulary.checkpoint()

    def roll_back(self, checkpoint: Any) -> None:
        attributes, of_vocabulary = checkpoint
        super().roll_back(attributes)
        self.vocabulary.roll_back(of_vocabulary)

    def to_state(self, writer: StateWriter) -> dict[str, Any]:
        return {
            "options": vars(self.options),
            "view": None if self.view is None else self.view.to_state(writer),
            "vocabulary": self.vocabulary.to_state(writer),
            "n_rows": self.n_rows,
            "n_features": self._n_features,
            "arrays": [writer.put(a) for a in (self.features, self.shared, self.counts)],
        }

    @classmethod
    def from_state(
        cls, name: str, source: str, state: Any, reader: StateReader
    ) -> CategoricalField:
        options = Categorical(**state["options"])
        options.check()
        view = None if state["view"] is None else View.from_state(state["view"], reader)
        field = options.field(name, source, view)
        field._restore(state, reader)
        return field

    def _restore(self, state: Any, reader: StateReader) -> None:
        self.vocabulary = Vocabulary.from_state(state["vocabulary"], reader)
        self.n_rows = reader.count(state["n_rows"], 2**62)
        self._n_features = reader.count(state["n_features"])
        features, shared, counts = state["arrays"]
        self.features = reader.get(features, np.int32)
        self.shared = reader.get(shared, np.int32)
        self.counts = reader.get(counts, np.int64)
        n = len(self.vocabulary) + 1
        reader.require(len(self.features) == len(self.counts) == n, "categories")
        own = np.concatenate([self.features[self.features >= 0], self.shared])
        reader.require(self.features.min() >= -1, "categories")
        reader.require(np.array_equal(np.sort(own), np.arange(self._n_features)), "categories")
        n_hash = self.options.n_hash
        reader.require(len(self.shared) in ((n_hash,) if n_hash else (0, 1)), "categories")


@dataclass(frozen=True)
class CategoryReading:
    """A column as numbers of entries of the field's vocabulary, or of one of its own."""

    numbers: NDArray[np.int32]
    entry: Callable[[int], tuple[int, object]]
    """The row and the value of an element of `numbers`, for messages."""
    vocabulary: Vocabulary | None = None


class HashedField(CategoricalField):
    """n_hash features that all categories share, and one for missing values; learns nothing."""

    def __init__(
        self, name: str, source: str, options: Categorical, view: View | None = None
    ) -> None:
        super().__init__(name, source, options, view)
        n_hash = options.n_hash or 1
        self.shared = np.arange(n_hash, dtype=np.int32)
        self.features = np.full(1, n_hash, dtype=np.int32)
        self._n_features = n_hash + 1

    @property
    def has_values(self) -> bool:
        return True

    def learn(self, column: Column) -> Any:
        return self.read(column)

    def to_state(self, writer: StateWriter) -> dict[str, Any]:
        return {"options": vars(self.options), "view": None}

    def _restore(self, state: Any, reader: StateReader) -> None:
        reader.require(self.view is None, "view")

    def _local(self, vocabulary: Vocabulary | None) -> NDArray[np.int64]:
        assert vocabulary is not None
        local = self.shared[vocabulary.hashes(len(self.shared))]
        return np.concatenate([local, [-1, self.features[-1]]])


def _is_frequency(value: Any) -> bool:
    if isinstance(value, Integral):
        return not isinstance(value, bool) and int(value) >= 1
    return isinstance(value, Real) and 0 < float(value) < 1


def _resized(array: NDArray[Any], n: int, fill: int) -> NDArray[np.int64]:
    return np.concatenate([array, np.full(n - len(array), fill)]).astype(np.int64)
