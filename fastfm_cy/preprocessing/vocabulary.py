"""Vocabulary of categories, texts or numbers: category -> number in order of arrival."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.text.vocabulary import NUMBER_OF_MISSING, NUMBER_OF_UNKNOWN, TextVocabulary
from .columns import BOOL, DATE, LIST, NOTHING, NUMBER, TEXT, ArrayColumn, Column, refuse_content
from .state import StateReader, StateWriter

MISSING, UNKNOWN = NUMBER_OF_MISSING, NUMBER_OF_UNKNOWN
_EXACT_IN_FLOAT = 2**53
_DTYPES = {BOOL: (np.bool_,), NUMBER: (np.int64, np.uint64, np.float64)}


class Vocabulary:
    """Categories of one content. Within a batch, new ones are numbered in ascending order.

    Attributes
    ----------
    content : str or None
        TEXT (dates become text), NUMBER or BOOL; None before there is a category.
    """

    def __init__(self) -> None:
        self.content: str | None = None
        self._texts = TextVocabulary()
        self._values = np.empty(0, dtype=np.int64)  # numbers or bools, in order of arrival
        self._order: NDArray[np.int64] | None = None  # that sorts them, once it was asked for

    def __len__(self) -> int:
        return len(self._texts) if self.content == TEXT else len(self._values)

    def encode(self, column: Column, *, add: bool) -> NDArray[np.int32]:
        """The number of each row's category: MISSING or UNKNOWN if it has none.

        `add` gives unknown categories numbers.
        """
        if column.content == NOTHING:
            return np.full(column.n_rows, MISSING, dtype=np.int32)
        content = TEXT if column.content == DATE else column.content
        if content == LIST or (self.content is not None and content != self.content):
            raise refuse_content(column, f"{self.content or TEXT} as categories")
        if column.content == DATE:
            column = _dates_as_text(column)
        if content == TEXT:
            numbers = column.text_numbers(self._texts, add=add)
        else:
            numbers = self._encode_numbers(column, add)
        if add and (numbers >= 0).any():
            self.content = content
        return numbers

    def _encode_numbers(self, column: Column, add: bool) -> NDArray[np.int32]:
        values, missing = column.numbers()
        present = values if not missing.any() else values[~missing]
        if not len(present):
            return np.full(column.n_rows, MISSING, dtype=np.int32)
        uniques, inverse = factorize(_narrowest(present))
        if add:
            self._add(uniques, column)
        of_present = self.find(uniques)[inverse]
        if len(present) == len(values):
            return of_present
        numbers = np.full(column.n_rows, MISSING, dtype=np.int32)
        numbers[~missing] = of_present
        return numbers

    def find(self, uniques: NDArray[Any]) -> NDArray[np.int32]:
        """The numbers of some bools or numbers; UNKNOWN if there is none."""
        numbers = np.full(len(uniques), UNKNOWN, dtype=np.int32)
        if not len(self._values):
            return numbers
        cast, fits = _cast(uniques, self._values.dtype)
        if self._order is None or len(self._order) != len(self._values):
            self._order = np.argsort(self._values, kind="stable")
        order = self._order
        places = np.searchsorted(self._values, cast, sorter=order)
        found = order[np.minimum(places, len(order) - 1)]
        return np.where(fits & (self._values[found] == cast), found, numbers).astype(np.int32)

    def _add(self, uniques: NDArray[Any], column: Column) -> None:
        known = self._values
        if not len(known):
            known = known.astype(uniques.dtype)
        elif known.dtype != uniques.dtype:
            wider = np.promote_types(known.dtype, uniques.dtype)
            for values in (known, uniques):
                if not _cast(values, wider)[1].all():
                    raise ValueError(
                        f"Column {column.name!r} has categories of {known.dtype} and of "
                        f"{uniques.dtype} that no type of numbers holds together; give them as "
                        "text (column.astype(str))."
                    )
            known, uniques = known.astype(wider), uniques.astype(wider)
        self._values = known
        new = uniques[self.find(uniques) == UNKNOWN]
        if len(new):
            self._values = np.concatenate([known, new])

    def numbers_in(self, other: Vocabulary) -> NDArray[np.int32]:
        """The number in `other` of each category; UNKNOWN if it has none."""
        if not len(self) or other.content is None:
            return np.full(len(self), UNKNOWN, dtype=np.int32)
        if self.content != TEXT:
            return other.find(self._values)
        texts = ArrayColumn("", np.array(self._texts.texts(), dtype=object))
        return texts.text_numbers(other._texts, add=False)

    def ascending(self, numbers: NDArray[Any]) -> NDArray[np.int64]:
        """Some numbers in the order of their categories."""
        numbers = np.asarray(numbers, dtype=np.int64)
        if self.content != TEXT:
            return numbers[np.argsort(self._values[numbers], kind="stable")]
        return _ascending_texts(self._texts, numbers)

    def labels(self) -> list[str]:
        """Each category as text."""
        if self.content == TEXT:
            return self._texts.texts()
        return [str(value) for value in self._values.tolist()]

    def values(self) -> NDArray[Any]:
        """The categories: an array of objects if they are texts."""
        if self.content == TEXT:
            return np.array(self._texts.texts(), dtype=object)
        return self._values

    def hashes(self, n_hash: int) -> NDArray[np.int32]:
        """A number below n_hash for each category: the same whatever else there is."""
        texts = self._texts
        if self.content != TEXT:
            texts = TextVocabulary()
            labels = np.array(self.labels(), dtype=object)
            texts.encode_objects(labels, np.empty(len(labels), dtype=np.int32), True)
        high = texts.hashes() >> np.uint64(32)
        return (high * np.uint64(n_hash) >> np.uint64(32)).astype(np.int32)

    def checkpoint(self) -> tuple[Any, ...]:
        return self.content, self._values, len(self._texts)

    def roll_back(self, checkpoint: tuple[Any, ...]) -> None:
        """Forget all that came after a checkpoint."""
        self.content, self._values, n_texts = checkpoint
        if len(self._texts) > n_texts:
            text, offsets = self._texts.to_arrays()
            offsets = offsets[: n_texts + 1]
            self._texts = TextVocabulary.from_arrays(text[: offsets[-1]], offsets)

    def to_state(self, writer: StateWriter) -> dict[str, Any]:
        arrays = self._texts.to_arrays() if self.content == TEXT else (self._values,)
        return {"content": self.content, "arrays": [writer.put(array) for array in arrays]}

    @classmethod
    def from_state(cls, state: Any, reader: StateReader) -> Vocabulary:
        vocabulary = cls()
        content = vocabulary.content = state["content"]
        reader.require(content in (None, TEXT, NUMBER, BOOL), "vocabulary")
        if content == TEXT:
            text, offsets = state["arrays"]
            text, offsets = reader.get(text, np.uint8), reader.get(offsets, np.int64)
            _check_utf8(text, offsets)
            vocabulary._texts = TextVocabulary.from_arrays(text, offsets)
            return vocabulary
        (values,) = state["arrays"]
        values = reader.get(values, *_DTYPES.get(content, (np.int64,)))
        reader.require(len(np.unique(values)) == len(values), "vocabulary")
        reader.require(bool(np.isfinite(values).all()), "vocabulary")
        reader.require(content is not None or not len(values), "vocabulary")
        vocabulary._values = values
        return vocabulary


def _check_utf8(text: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
    """Refuse texts that could not be decoded one by one."""
    text.tobytes().decode("utf-8", "surrogatepass")
    if len(offsets) and (offsets.min() < 0 or offsets.max() > len(text)):
        raise ValueError("the offsets of the texts do not fit the texts")
    starts = offsets[offsets < len(text)]
    if ((text[starts] & 0xC0) == 0x80).any():
        raise ValueError("a text begins inside a character")


def _narrowest(values: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers as integers, whatever they were stored as: int64 if they fit, else uint64."""
    if values.dtype == np.uint64:
        return values.astype(np.int64) if values.max() <= np.iinfo(np.int64).max else values
    if values.dtype == np.float64:
        cast, fits = _cast(values, np.dtype(np.int64))
        return cast if fits.all() else values
    return values


def _cast(values: NDArray[Any], dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Values in another type of numbers, and which of them it holds exactly."""
    if values.dtype == dtype:
        return values, np.ones(len(values), dtype=bool)
    if values.dtype.kind == "f":
        low, high = (0.0, 2.0**64) if dtype.kind == "u" else (-(2.0**63), 2.0**63)
        fits = (values >= low) & (values < high) & (values == np.floor(values))
        return np.where(fits, values, 0).astype(dtype), fits
    if dtype.kind == "f":
        exact = np.uint64(_EXACT_IN_FLOAT)
        fits = values <= exact if values.dtype.kind == "u" else np.abs(values) <= _EXACT_IN_FLOAT
        return values.astype(dtype), fits
    if dtype.kind == "u":
        return values.astype(dtype), values >= 0
    return values.astype(dtype), values <= np.uint64(np.iinfo(np.int64).max)


def factorize(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Sorted distinct values, and the place of each value among them."""
    if values.dtype.kind in "iu" and len(values):
        low, high = values.min(), values.max()
        if int(high) - int(low) < 4 * len(values) + 1024:
            shifted = (values - low).astype(np.intp)
            is_there = np.zeros(int(high) - int(low) + 1, dtype=bool)
            is_there[shifted] = True
            uniques = np.flatnonzero(is_there).astype(values.dtype) + low
            return uniques, (np.cumsum(is_there) - 1)[shifted]
    uniques, inverse = np.unique(values, return_inverse=True)
    return uniques, inverse


def _ascending_texts(texts: TextVocabulary, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sorted by their first eight bytes; those that are equal so far by eight more, and so on."""
    if not len(numbers):
        return numbers
    words = texts.words(numbers, 0)
    order = np.argsort(words)
    numbers, groups, is_tied = numbers[order], *_groups(words[order])
    lengths = np.diff(texts.to_arrays()[1])
    place, places, groups = 0, np.flatnonzero(is_tied), groups[is_tied]
    while len(places):
        tied = numbers[places]
        words = texts.words(tied, place)
        order = np.lexsort((lengths[tied], words, groups))
        numbers[places] = tied = tied[order]
        place += 1
        groups, is_tied = _groups(groups[order], words[order])
        is_tied &= np.bincount(groups, lengths[tied] > 8 * place)[groups] > 0
        places, groups = places[is_tied], groups[is_tied]
    return numbers


def _groups(*keys: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Numbers of runs of equal keys, and which elements are in a run of several."""
    starts = np.ones(len(keys[0]), dtype=bool)
    starts[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    groups = np.cumsum(starts) - 1
    return groups, np.bincount(groups, minlength=1)[groups] > 1


def _dates_as_text(column: Column) -> ArrayColumn:
    """2026-11-22, or with the time of day if a date has one."""
    dates = column.dates()
    missing = np.isnat(dates)
    uniques, inverse = np.unique(dates[~missing], return_inverse=True)
    days = uniques.astype("datetime64[D]")
    texts = np.where(days == uniques, np.datetime_as_string(days), np.datetime_as_string(uniques))
    values = np.full(column.n_rows, None, dtype=object)
    values[~missing] = texts.astype(object)[inverse]
    return ArrayColumn(column.name, values)
