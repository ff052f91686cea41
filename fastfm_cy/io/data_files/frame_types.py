"""Types of a table's columns, whose cells are text: numbers, bools, dates, or text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...preprocessing.columns import BOOL, NUMBER, TEXT

if TYPE_CHECKING:
    import polars as pl

_LEAST_NUMBERS = 0.9  # of a column's cells, for the others to be a mistake
_BOOLS = ("true", "false")


def typed(cells: pl.Series, content: str | None) -> pl.Series:
    """A column as what it must hold, TEXT, NUMBER or BOOL; for None, as what all its cells are."""
    if content == TEXT:
        return cells
    if content == NUMBER:
        return _numbers(cells, must=True)
    if content == BOOL:
        return _bools(cells)
    return _inferred(cells)


def as_type(cells: pl.Series, dtype: Any) -> pl.Series:
    """A column of text as a type that all of its cells are known to have."""
    import polars as pl

    if dtype == pl.String:
        return cells
    if dtype == pl.Boolean:
        return _bools(cells)
    if dtype.is_temporal():
        return cells.str.to_datetime(strict=False, time_unit="us").cast(dtype)
    return cells.cast(dtype, strict=False)


def common_type(some: Any, others: Any) -> Any:
    """The type of a column whose parts have these types; None of parts without a value."""
    import polars as pl

    if some is None or others is None or some == others:
        return others if some is None else some
    if some.is_numeric() and others.is_numeric():
        return pl.Float64
    if some.is_temporal() and others.is_temporal():
        return pl.Datetime("us")
    return pl.String


def _inferred(cells: pl.Series) -> pl.Series:
    """A column of text as what all its cells are."""
    import polars as pl

    present = cells.drop_nulls()
    if not len(present) or present.str.contains(r"^[+-]?(0[0-9]|[0-9]{19})").any():
        return cells  # numbers with zeros before them, and long ones, are names
    if present.str.to_lowercase().is_in(_BOOLS).all():
        return _bools(cells)
    if present.str.contains(r"^\d{4}-\d\d-\d\d").all():
        dates = cells.str.to_datetime(strict=False, time_unit="us")
        if dates.null_count() == cells.null_count():
            days = dates.cast(pl.Date)
            return days if (days.cast(pl.Datetime("us")) == dates).all() else dates
        return cells
    return _numbers(cells, must=False)


def _numbers(cells: pl.Series, *, must: bool) -> pl.Series:
    """Numbers; the text as it is if hardly a cell is one, unless all `must` be."""
    import polars as pl

    for dtype in (pl.Int64, pl.Float64):
        numbers = cells.cast(dtype, strict=False)
        if numbers.null_count() == cells.null_count():
            return numbers
    n_cells = len(cells) - cells.null_count()
    n_numbers = len(numbers) - numbers.null_count()
    if not must and n_numbers < _LEAST_NUMBERS * n_cells:
        return cells
    row = (numbers.is_null() & cells.is_not_null()).to_list().index(True)
    raise ValueError(
        f"Column {cells.name!r}, row {row}: {cells[row]!r} is no number, as "
        f"{'all must be' if must else 'the others are'}. If it stands for a missing "
        f"value, say so (--missing {cells[row]!r})"
        + ("." if must else f"; if the column is text, too (--categorical {cells.name}).")
    )


def _bools(cells: pl.Series) -> pl.Series:
    lower = cells.str.to_lowercase()
    bad = ~lower.is_in(_BOOLS) & cells.is_not_null()
    if bad.any():
        row = bad.to_list().index(True)
        raise ValueError(
            f"Column {cells.name!r}, row {row}: {cells[row]!r} is neither true nor false, as those "
            "of the model are."
        )
    return (lower == "true").alias(cells.name)
