"""Views: a column seen as another one, such as a number as its bin or a date as its hour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import BOOL, DATE, NOTHING, NUMBER, ArrayColumn, Column, refuse_content
from .state import StateReader, StateWriter


class View:
    """A column made of another one, whose values become categories or numbers.

    A view is never changed: learning gives another one.
    """

    takes: str | None = None
    """The content that the column must have; None if several will do."""

    def learned(self, column: Column) -> View:
        """The view that knows a first column; itself if it knows one, or needs none."""
        return self

    def of(self, column: Column) -> ArrayColumn:
        """The column, seen so."""
        raise NotImplementedError

    def all_values(self) -> ArrayColumn | None:
        """All that it will ever show, if it knows."""
        return None

    def label(self, value: str) -> str:
        """For the names of features."""
        return value

    def to_state(self, writer: StateWriter) -> dict[str, Any]:
        return {"kind": type(self).__name__, **self._state(writer)}

    def _state(self, writer: StateWriter) -> dict[str, Any]:
        raise NotImplementedError

    @staticmethod
    def from_state(state: Any, reader: StateReader) -> View:
        kinds = {kind.__name__: kind for kind in View.__subclasses__()}
        reader.require(state["kind"] in kinds, "view")
        return kinds[state["kind"]]._from_state(state, reader)

    @classmethod
    def _from_state(cls, state: Any, reader: StateReader) -> View:
        raise NotImplementedError


def numbers_of(column: Column) -> NDArray[np.float64]:
    """The finite numbers of a column, NaN where they are missing."""
    if column.content == NOTHING:
        return np.full(column.n_rows, np.nan)
    if column.content not in (NUMBER, BOOL):
        raise refuse_content(column, "numbers")
    values, missing = column.numbers()
    values = values.astype(np.float64)
    is_infinite = np.isinf(values) & ~missing
    if is_infinite.any():
        row = int(np.argmax(is_infinite))
        raise ValueError(
            f"Column {column.name!r}, row {row}: {values[row]} is not finite; replace it, or make "
            "it missing (None)."
        )
    return np.where(missing, np.nan, values)


class Quantiles(View):
    """A number as its bin, of bins that hold equally many values each."""

    takes = NUMBER

    def __init__(self, n_bins: int, edges: Any = None) -> None:
        self.n_bins = n_bins
        self.edges = edges  # between the bins: a float64 array once they are known

    def learned(self, column: Column) -> Quantiles:
        if self.edges is not None:
            return self
        values = numbers_of(column)
        values = values[~np.isnan(values)]
        if not len(values):
            raise ValueError(f"Column {column.name!r} has no value from which to learn its bins.")
        edges = np.unique(np.quantile(values, np.linspace(0, 1, self.n_bins + 1)))
        return Quantiles(self.n_bins, edges[1:-1])

    def of(self, column: Column) -> ArrayColumn:
        values = numbers_of(column)
        bins = np.searchsorted(self.edges, values, side="right").astype(np.float64)
        bins[np.isnan(values)] = np.nan
        return ArrayColumn(column.name, bins)

    def all_values(self) -> ArrayColumn:
        return ArrayColumn("", np.arange(len(self.edges) + 1))

    def label(self, value: str) -> str:
        bounds = ["-inf", *(f"{edge:.6g}" for edge in self.edges), "inf"]
        low, high = bounds[int(value)], bounds[int(value) + 1]
        return f"{'(' if low == '-inf' else '['}{low}, {high})"

    def _state(self, writer: StateWriter) -> dict[str, Any]:
        return {"n_bins": self.n_bins, "edges": writer.put(self.edges)}

    @classmethod
    def _from_state(cls, state: Any, reader: StateReader) -> Quantiles:
        edges = reader.get(state["edges"], np.float64)
        reader.require(bool((np.diff(edges) > 0).all()), "bins")
        return cls(reader.count(state["n_bins"]), edges)


class LogSquare(View):
    """A number x as floor(ln(x)^2) if it is above 2, else as floor(x); below -2 alike with a minus.

    The buckets of the winners of Criteo's challenge, who had no numbers below -3.
    """

    takes = NUMBER

    _FIRST = 3  # the number of bucket 0: above the numbers that stand for themselves

    def of(self, column: Column) -> ArrayColumn:
        values = numbers_of(column)
        size = np.abs(values)
        buckets = self._FIRST + np.floor(np.log(np.maximum(size, 1)) ** 2)
        return ArrayColumn(
            column.name, np.where(size > 2, np.sign(values) * buckets, np.floor(values))
        )

    def label(self, value: str) -> str:
        bucket = int(value)
        if abs(bucket) < self._FIRST:
            return value
        return f"{'-' if bucket < 0 else ''}ln^2 {abs(bucket) - self._FIRST}"

    def _state(self, writer: StateWriter) -> dict[str, Any]:
        return {}

    @classmethod
    def _from_state(cls, state: Any, reader: StateReader) -> LogSquare:
        return cls()


class Composed(View):
    """A view of a view."""

    def __init__(self, inner: View, outer: View) -> None:
        self.inner = inner
        self.outer = outer
        self.takes = inner.takes

    def learned(self, column: Column) -> Composed:
        inner = self.inner.learned(column)
        return Composed(inner, self.outer.learned(inner.of(column)))

    def of(self, column: Column) -> ArrayColumn:
        return self.outer.of(self.inner.of(column))

    def all_values(self) -> ArrayColumn | None:
        return self.outer.all_values()

    def label(self, value: str) -> str:
        return self.outer.label(value)

    def _state(self, writer: StateWriter) -> dict[str, Any]:
        return {"inner": self.inner.to_state(writer), "outer": self.outer.to_state(writer)}

    @classmethod
    def _from_state(cls, state: Any, reader: StateReader) -> Composed:
        inner, outer = (View.from_state(state[name], reader) for name in ("inner", "outer"))
        reader.require(not isinstance(inner, Composed) and not isinstance(outer, Composed), "view")
        return cls(inner, outer)


UNITS = {"D": 86_400 * 10**6, "h": 3600 * 10**6, "m": 60 * 10**6, "s": 10**6, "ms": 1000, "us": 1}
_MOST_MICROSECONDS = 2.0**62


def dates_of(column: Column, unit: str) -> NDArray[np.datetime64]:
    """The dates of a column of dates, of texts (ISO 8601) or of numbers (`unit`s since 1970)."""
    if column.content == DATE:
        return column.dates()
    if column.content in (NUMBER, NOTHING):
        values = numbers_of(column)
        values = np.where(np.isnan(values), np.nan, values * UNITS[unit])
        too_far = np.abs(values) > _MOST_MICROSECONDS
        if too_far.any():
            row = int(np.argmax(too_far))
            raise ValueError(
                f"Column {column.name!r}, row {row}: {numbers_of(column)[row]:.15g} is no date in "
                f"{unit!r} since 1970; Dates(unit=) says what the numbers count."
            )
        dates = np.where(np.isnan(values), 0, values).astype("datetime64[us]")
        dates[np.isnan(values)] = np.datetime64("NaT")
        return dates
    if column.content == BOOL:
        raise refuse_content(column, "dates")
    return _parsed(column)


def _parsed(column: Column) -> NDArray[np.datetime64]:
    from .vocabulary import Vocabulary

    vocabulary = Vocabulary()
    numbers = vocabulary.encode(column, add=True)
    dates = np.full(len(vocabulary) + 1, np.datetime64("NaT"), dtype="datetime64[us]")
    for number, text in enumerate(vocabulary.labels()):
        try:
            dates[number] = np.datetime64(text)
            is_date = not np.isnat(dates[number])
        except ValueError:
            is_date = False
        if not is_date:
            row = int(np.argmax(numbers == number))
            raise ValueError(
                f"Column {column.name!r}, row {row}: {text!r} is no date as ISO 8601 writes it "
                "(2026-11-22 or 2026-11-22T18:30); convert the column to dates."
            )
    return dates[numbers]


class DatePart(View):
    """A date as one of its parts, a whole number."""

    PARTS = ("year", "quarter", "month", "day", "weekday", "hour", "minute", "date")

    def __init__(self, part: str, unit: str) -> None:
        self.part = part
        self.unit = unit

    def of(self, column: Column) -> ArrayColumn:
        dates = dates_of(column, self.unit)
        if self.part == "date":
            return ArrayColumn(column.name, dates.astype("datetime64[D]"))
        values = _part(dates, self.part).astype(np.float64)
        values[np.isnat(dates)] = np.nan
        return ArrayColumn(column.name, values)

    def _state(self, writer: StateWriter) -> dict[str, Any]:
        return {"part": self.part, "unit": self.unit}

    @classmethod
    def _from_state(cls, state: Any, reader: StateReader) -> DatePart:
        reader.require(state["part"] in cls.PARTS and state["unit"] in UNITS, "dates")
        return cls(state["part"], state["unit"])


def _part(dates: NDArray[np.datetime64], part: str) -> NDArray[np.int64]:
    days = dates.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    if part == "year":
        return dates.astype("datetime64[Y]").astype(np.int64) + 1970
    if part == "month":
        return months.astype(np.int64) % 12 + 1
    if part == "quarter":
        return months.astype(np.int64) % 12 // 3 + 1
    if part == "day":
        return (days - months).astype(np.int64) + 1
    if part == "weekday":  # Monday is 0; the first day of 1970 was a Thursday
        return (days.astype(np.int64) + 3) % 7
    minutes = (dates - days).astype("timedelta64[m]").astype(np.int64)
    return minutes // 60 if part == "hour" else minutes % 60


class Days(View):
    """A date as the number of days since the earliest one of the first column."""

    def __init__(self, unit: str, first: int | None = None) -> None:
        self.unit = unit
        self.first = first  # in microseconds since 1970

    def learned(self, column: Column) -> Days:
        if self.first is not None:
            return self
        dates = dates_of(column, self.unit)
        dates = dates[~np.isnat(dates)]
        return Days(self.unit, int(dates.min().astype(np.int64))) if len(dates) else self

    def of(self, column: Column) -> ArrayColumn:
        dates = dates_of(column, self.unit)
        values = (dates.astype(np.int64) - float(self.first or 0)) / UNITS["D"]
        values[np.isnat(dates)] = np.nan
        return ArrayColumn(column.name, values)

    def _state(self, writer: StateWriter) -> dict[str, Any]:
        return {"unit": self.unit, "first": self.first}

    @classmethod
    def _from_state(cls, state: Any, reader: StateReader) -> Days:
        first = state["first"]
        reader.require(state["unit"] in UNITS, "dates")
        reader.require(first is None or (type(first) is int and abs(first) < 2**63), "dates")
        return cls(state["unit"], first)
