"""Columns of a table: what a column holds, and its content as the fields take it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from itertools import chain
from numbers import Integral, Number
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..kernels.text.vocabulary import TextVocabulary, is_missing

TEXT, NUMBER, BOOL, DATE, LIST, NOTHING = "text", "numbers", "bools", "dates", "lists", "nothing"
_ONE = {TEXT: "text", NUMBER: "a number", BOOL: "a bool", DATE: "a date", LIST: "a list"}
_COLLECTIONS = (list, tuple, set, frozenset, dict, np.ndarray)


class Column(Protocol):
    """A column of a table.

    Attributes
    ----------
    name : str
    n_rows : int
    content : str
        What it holds: TEXT, NUMBER, BOOL, DATE, LIST, or NOTHING if all is missing and the type of
        the column does not tell.
    is_category : bool
        Whether its type says that its values are categories.
    type_name : str
        Of its type, for messages.
    """

    name: str
    n_rows: int
    content: str
    is_category: bool
    type_name: str

    def text_numbers(self, vocabulary: TextVocabulary, *, add: bool) -> NDArray[np.int32]:
        """The number of each text in a vocabulary: -1 if missing, -2 if unknown."""

    def numbers(self) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Bools, int64, uint64 or float64, and which are missing (whatever stands there)."""

    def dates(self) -> NDArray[np.datetime64]:
        """In microseconds, NaT where missing; local time if there is a time zone."""

    def lists(self) -> Lists:
        """Of a column of lists."""

    def objects(self) -> NDArray[np.object_]:
        """Its values as Python objects."""


@dataclass(frozen=True)
class Lists:
    """Several values a row."""

    indptr: NDArray[np.int64]
    values: Column
    weights: NDArray[np.float64] | None
    is_missing: NDArray[np.bool_]


def mixed_types(name: str, rows: tuple[int, int], values: tuple[object, object]) -> TypeError:
    said = " and ".join(
        f"{_described(value)} in row {row}" for row, value in zip(rows, values, strict=True)
    )
    return TypeError(
        f"Column {name!r} mixes types: it has {said}. Convert it to one type (text: "
        "column.astype(str); numbers: numbers only, and missing values as None)."
    )


def refuse_content(column: Column, wanted: str) -> TypeError:
    """The error of a column that holds something else than it must."""
    values = column.objects()
    row, value = first_present(values)
    return TypeError(
        f"Column {column.name!r} must hold {wanted}, but holds {column.content} "
        f"({column.type_name}); row {row} has {value!r}. Convert the column, or say in `columns` "
        "what it is."
    )


def first_present(values: NDArray[np.object_]) -> tuple[int, object]:
    """The first row that has a value, and the value; (-1, None) if none has."""
    return next(((r, v) for r, v in enumerate(values) if not is_missing(v)), (-1, None))


def _described(value: object) -> str:
    return f"{_ONE.get(content_of(value) or '', type(value).__name__)} ({value!r})"


def content_of(value: object) -> str | None:
    """What a column holds that has this value; None if no column can."""
    if isinstance(value, str):
        return TEXT
    if isinstance(value, bool | np.bool_):
        return BOOL
    if isinstance(value, Number) and not isinstance(value, complex | np.complexfloating):
        return NUMBER
    if isinstance(value, datetime.date | np.datetime64):
        return DATE
    return LIST if isinstance(value, _COLLECTIONS) else None


class ArrayColumn:
    """A column that is a 1-D NumPy array."""

    is_category = False

    def __init__(self, name: str, values: NDArray[Any]) -> None:
        self.name = name
        self.n_rows = len(values)
        self.type_name = str(values.dtype)
        if values.dtype.kind in "UT":
            values = values.astype(object)
        self._values = np.ascontiguousarray(values)
        self.content = self._content()

    def _content(self) -> str:
        kind = self._values.dtype.kind
        if kind in "biufM":
            return {"b": BOOL, "M": DATE}.get(kind, NUMBER)
        if kind != "O":
            raise TypeError(f"Column {self.name!r} is of type {self.type_name}, not supported.")
        row, value = first_present(self._values)
        if row < 0:
            return NOTHING
        content = content_of(value)
        if content is None:
            raise TypeError(
                f"Column {self.name!r}, row {row}: a value of type {type(value).__name__} "
                f"({value!r}) is neither text, a number, a bool, a date nor a list."
            )
        return content

    def text_numbers(self, vocabulary: TextVocabulary, *, add: bool) -> NDArray[np.int32]:
        numbers = np.empty(self.n_rows, dtype=np.int32)
        row = vocabulary.encode_objects(self.objects(), numbers, add)
        if row >= 0:
            self._refuse_mixture(row)
        return numbers

    def numbers(self) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        values = self._values
        kind = values.dtype.kind
        if kind == "O":
            missing = self._missing(self.content)
            return _numbers_of(self, values, missing), missing
        if kind == "f":
            values = values.astype(np.float64, copy=False)
            return values, np.isnan(values)
        if kind in "iu":
            values = values.astype(np.int64 if kind == "i" else np.uint64, copy=False)
        return values, np.zeros(self.n_rows, dtype=bool)

    def dates(self) -> NDArray[np.datetime64]:
        if self._values.dtype.kind == "M":
            return self._values.astype("datetime64[us]")
        missing = self._missing(DATE)
        dates = np.full(self.n_rows, np.datetime64("NaT"), dtype="datetime64[us]")
        naive = [_without_zone(value) for value in self._values[~missing]]
        dates[~missing] = np.array(naive, dtype="datetime64[us]")
        return dates

    def lists(self) -> Lists:
        missing = self._missing(LIST)
        cells = [() if skip else cell for cell, skip in zip(self._values, missing, strict=True)]
        indptr = np.concatenate([[0], np.cumsum([len(cell) for cell in cells], dtype=np.int64)])
        values = np.empty(indptr[-1], dtype=object)
        values[:] = list(chain.from_iterable(cells))
        weights = None
        if any(isinstance(cell, dict) for cell in cells):
            weights = self._weights(cells)
        return Lists(indptr, ArrayColumn(self.name, values), weights, missing)

    def _weights(self, cells: list[Any]) -> NDArray[np.float64]:
        weights = []
        for row, cell in enumerate(cells):
            try:
                row_weights = [float(w) for w in cell.values()] if cell != () else []
            except (AttributeError, TypeError, ValueError):
                raise TypeError(
                    f"Column {self.name!r}, row {row}: expected a dict from values to weights, as "
                    f"in other rows; got {cell!r}."
                ) from None
            weights += row_weights
        return np.array(weights, dtype=np.float64)

    def objects(self) -> NDArray[np.object_]:
        return self._values.astype(object, copy=False)

    def _missing(self, content: str) -> NDArray[np.bool_]:
        """Which objects are missing; all others must be of one content."""
        values = self._values
        if set(map(type, values)) <= {*_QUICK.get(content, ()), type(None)}:
            return np.asarray((values == None) | (values != values), dtype=bool)  # noqa: E711
        missing = np.fromiter(map(is_missing, values), bool, self.n_rows)
        kinds = {kind: content_of(kind()) for kind in _PLAIN}
        for row in np.flatnonzero(~missing):
            value = values[row]
            if (kinds.get(type(value)) or content_of(value)) != content:
                self._refuse_mixture(int(row))
        return missing

    def _refuse_mixture(self, row: int) -> None:
        first, value = first_present(self._values)
        raise mixed_types(self.name, (first, row), (value, self._values[row]))


_PLAIN = (str, bool, int, float, list, tuple, set, dict)
_QUICK = {NUMBER: (int, float), BOOL: (bool,)}  # types that compare element by element


def _numbers_of(
    column: ArrayColumn, values: NDArray[np.object_], missing: NDArray[np.bool_]
) -> NDArray[Any]:
    """bool, int64, uint64 or float64 from Python's numbers."""
    if column.content == BOOL:
        return np.where(missing, False, values).astype(bool)
    present = values[~missing]
    if all(isinstance(value, Integral) for value in present):
        whole = np.where(missing, 0, values)
        for dtype in (np.int64, np.uint64):
            try:
                return whole.astype(dtype)
            except OverflowError:
                continue
        row = int(np.argmax([abs(value) >= 2**63 for value in whole]))
        raise ValueError(
            f"Column {column.name!r}, row {row}: {whole[row]} is too large for 64 bits; give such "
            "numbers as text."
        )
    return np.where(missing, np.nan, values).astype(np.float64)


def _without_zone(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None)
    return value


class CodedColumn:
    """A column of numbers of categories, as pandas' category type has it."""

    is_category = True

    def __init__(self, name: str, codes: NDArray[Any], categories: ArrayColumn) -> None:
        self.name = name
        self.n_rows = len(codes)
        self.type_name = "category"
        self._codes = codes.astype(np.intp)
        used = np.zeros(categories.n_rows + 1, dtype=bool)
        used[self._codes] = True  # -1, missing, is the last
        self._used = np.flatnonzero(used[:-1])
        self._categories = ArrayColumn(name, categories.objects()[self._used])
        self.content = categories.content

    def text_numbers(self, vocabulary: TextVocabulary, *, add: bool) -> NDArray[np.int32]:
        of_used = self._categories.text_numbers(vocabulary, add=add)
        return self._spread(of_used, -1)

    def numbers(self) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        of_used, _ = self._categories.numbers()
        return self._spread(of_used, 0), self._codes < 0

    def dates(self) -> NDArray[np.datetime64]:
        return self._spread(self._categories.dates(), np.datetime64("NaT"))

    def lists(self) -> Lists:
        return ArrayColumn(self.name, self.objects()).lists()

    def objects(self) -> NDArray[np.object_]:
        return self._spread(self._categories.objects(), None)

    def _spread(self, of_used: NDArray[Any], of_missing: object) -> NDArray[Any]:
        of_all = np.full(self._used.max(initial=-1) + 2, of_missing, dtype=of_used.dtype)
        of_all[self._used] = of_used
        return of_all[self._codes]
