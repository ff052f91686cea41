"""Multi-valued fields: several categories a row, such as the genres of a film."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .categorical import Categorical, CategoricalField, CategoryReading, HashedField
from .columns import LIST, NOTHING, TEXT, ArrayColumn, Column, Lists, refuse_content
from .field import Field, Part
from .sets import check_normalize, part_of, sets_of
from .state import StateReader, StateWriter
from .vocabulary import MISSING, Vocabulary


@dataclass(frozen=True)
class MultiValued:
    """A column whose rows have several categories: as by scikit-learn's MultiLabelBinarizer.

    Lists (sets, arrays), dicts from categories to weights, or text that a separator splits.

    Parameters
    ----------
    separator : str, default=None
        Splits text; spaces around the parts are dropped, and so are empty parts.
    weights : str, default=None
        Separates a category from its weight, in text: with ``"|"`` and ``":"``,
        ``"Comedy:0.7|Drama:0.3"``. A category without a weight has 1.
    normalize : {None, "l1", "l2"}, default=None
        Divide a row's values by the sum of their sizes ("l1": by their number, without weights) or
        by their Euclidean length ("l2": by the root of their number).
    categories : Categorical, default=Categorical()
        Limits of the number of categories, and what unknown ones become.

    Notes
    -----
    A category that is there twice in a row counts once; weights are added. A missing value is a
    category of its own, an empty list has no entry.
    """

    separator: str | None = None
    weights: str | None = None
    normalize: str | None = None
    categories: Categorical = field(default_factory=Categorical)

    def check(self) -> None:
        for name in ("separator", "weights"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or not value):
                raise ValueError(f"{name} must be a text such as '|', or None; got {value!r}.")
        if self.weights is not None and self.separator is None:
            raise ValueError("weights separates within parts of text: give a separator, too.")
        check_normalize(self.normalize)
        self.categories.check()

    def fields(self, name: str, column: Column, defaults: Categorical) -> list[Field]:
        options = replace(self, categories=self.categories.filled(defaults))
        return [MultiValuedField(name, column.name, options)]


@dataclass(frozen=True)
class _SetsReading:
    """Some sets of categories and, if they are not those of the rows, the set of each row."""

    indptr: NDArray[np.int64]
    categories: CategoryReading
    weights: NDArray[np.float64] | None
    set_of_row: NDArray[np.int32] | None


class MultiValuedField(Field):
    """Several categories a row; the categories themselves are learned by a categorical field."""

    kind = "multi"

    def __init__(self, name: str, source: str, options: MultiValued) -> None:
        super().__init__(name, source)
        self.options = options
        self.categories = options.categories.field(name, source)

    @property
    def n_features(self) -> int:
        return self.categories.n_features

    @property
    def has_values(self) -> bool:
        return self.categories.has_values

    @property
    def takes(self) -> str:
        return TEXT

    def learn(self, column: Column) -> _SetsReading:
        if isinstance(self.categories, HashedField):
            return self.read(column)
        sets, set_of_row = self._sets(column)
        flat = self.categories.vocabulary.encode(sets.values, add=True)
        indptr, numbers, weights = _with_missing(sets, flat)
        counted = numbers
        if set_of_row is not None:  # each set as often as it is there
            of_sets = np.bincount(set_of_row, minlength=len(indptr) - 1)
            counted = np.repeat(numbers, np.repeat(of_sets, np.diff(indptr)))
        self.categories.learn_numbers(counted, column.n_rows)
        if self.categories.options.n_hash is not None:
            return self.read(column)
        reading = CategoryReading(numbers, _entries(sets, indptr, numbers, flat, set_of_row))
        return _SetsReading(indptr, reading, weights, set_of_row)

    def read(self, column: Column) -> _SetsReading:
        sets, set_of_row = self._sets(column)
        flat = self.categories.read(sets.values)
        indptr, numbers, weights = _with_missing(sets, flat.numbers)
        entry = _entries(sets, indptr, numbers, flat.numbers, set_of_row)
        reading = CategoryReading(numbers, entry, flat.vocabulary)
        return _SetsReading(indptr, reading, weights, set_of_row)

    def _sets(self, column: Column) -> tuple[Lists, NDArray[np.int32] | None]:
        """The distinct sets of a column of text, and the set of each row; or the rows' lists."""
        if column.content == LIST:
            return column.lists(), None
        if column.content == NOTHING:
            missing = np.ones(1, dtype=bool)
            empty = ArrayColumn(self.source, np.empty(0, dtype=object))
            lists = Lists(np.zeros(2, dtype=np.int64), empty, None, missing)
            return lists, np.zeros(column.n_rows, dtype=np.int32)
        if column.content != TEXT or self.options.separator is None:
            raise refuse_content(column, "lists, or text that a separator splits")
        vocabulary = Vocabulary()
        set_of_row = vocabulary.encode(column, add=True)
        lists = self._split(vocabulary.labels(), set_of_row)
        return lists, np.where(set_of_row == MISSING, len(vocabulary), set_of_row)

    def _split(self, texts: list[str], set_of_row: NDArray[np.int32]) -> Lists:
        """The sets that texts stand for and, if a row needs it, last a missing one."""
        parts = [[part.strip() for part in text.split(self.options.separator)] for text in texts]
        parts = [[part for part in row if part] for row in parts]
        if (set_of_row == MISSING).any():
            parts.append([])
        indptr = np.concatenate([[0], np.cumsum([len(row) for row in parts], dtype=np.int64)])
        values = [part for row in parts for part in row]
        weights = None
        if self.options.weights is not None:
            pairs = [part.partition(self.options.weights) for part in values]
            values = [value.strip() for value, _, _ in pairs]
            weights = np.ones(len(pairs))
            for place, (_, separator, weight) in enumerate(pairs):
                if separator:
                    weights[place] = _weight(weight)
            if not np.isfinite(weights).all():
                place = int(np.argmax(~np.isfinite(weights)))
                number = int(np.searchsorted(indptr, place, side="right")) - 1
                row = int(np.argmax(set_of_row == number))
                raise ValueError(
                    f"Column {self.source!r}, row {row}: {''.join(pairs[place])!r} has no finite "
                    f"number as weight behind {self.options.weights!r}."
                )
        is_missing = np.arange(len(parts)) >= len(texts)
        flat = np.empty(len(values), dtype=object)
        flat[:] = values
        return Lists(indptr, ArrayColumn(self.source, flat), weights, is_missing)

    def part(self, reading: _SetsReading, numbers: NDArray[np.int32], dtype: np.dtype[Any]) -> Part:
        features = self.categories.part(reading.categories, numbers, dtype)[0]
        sets = sets_of(reading.indptr, features, reading.weights, self.options.normalize)
        return part_of(sets, reading.set_of_row, dtype)

    def feature_names(self) -> list[str]:
        return self.categories.feature_names()

    def checkpoint(self) -> Any:
        return self.categories.checkpoint()

    def roll_back(self, checkpoint: Any) -> None:
        self.categories.roll_back(checkpoint)

    def to_state(self, writer: StateWriter) -> dict[str, Any]:
        return {
            "separator": self.options.separator,
            "weights": self.options.weights,
            "normalize": self.options.normalize,
            "categories": self.categories.to_state(writer),
        }

    @classmethod
    def from_state(
        cls, name: str, source: str, state: Any, reader: StateReader
    ) -> MultiValuedField:
        options = MultiValued(state["separator"], state["weights"], state["normalize"])
        options.check()
        categories = CategoricalField.from_state(name, source, state["categories"], reader)
        field = cls(name, source, replace(options, categories=categories.options))
        field.categories = categories
        return field


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _entries(
    sets: Lists,
    indptr: NDArray[np.int64],
    numbers: NDArray[np.int32],
    flat: NDArray[np.int32],
    set_of_row: NDArray[np.int32] | None,
) -> Callable[[int], tuple[int, object]]:
    """Row and value of an entry of the numbers that _with_missing made of the flat ones."""

    def entry(place: int) -> tuple[int, object]:
        row = int(np.searchsorted(indptr, place, side="right")) - 1
        row = row if set_of_row is None else int(np.argmax(set_of_row == row))
        if numbers[place] == MISSING:
            return row, None
        nth = int((numbers[:place] != MISSING).sum())
        return row, sets.values.objects()[np.flatnonzero(flat != MISSING)[nth]]

    return entry


def _with_missing(
    sets: Lists, numbers: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64] | None]:
    """indptr, numbers and weights: without values missing in a list, but with one for a missing
    list."""
    kept = numbers != MISSING
    indptr = np.concatenate([[0], np.cumsum(kept)])[sets.indptr]
    numbers = numbers[kept]
    weights = None if sets.weights is None else sets.weights[kept]
    places = indptr[:-1][sets.is_missing]
    numbers = np.insert(numbers, places, MISSING).astype(np.int32)
    weights = None if weights is None else np.insert(weights, places, 1.0)
    indptr = indptr + np.concatenate([[0], np.cumsum(sets.is_missing)])
    return indptr, numbers, weights
