"""Tables of any columns: text of texts, numbers and dates, and Parquet, read by polars."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...exceptions import FileFormatError
from ...kernels.text.numbers import parse
from ...preprocessing.columns import BOOL, NUMBER, TEXT
from ..files import check_text, damage_reported, opened
from .line_reader import data_lines
from .table_lines import TableForm

if TYPE_CHECKING:
    import polars as pl

PARQUET_MAGIC = b"PAR1"
_LOOKED_AT = 1 << 16  # bytes that tell whether a table holds text
_LOOKED_AT_LINES = 100
_LEAST_NUMBERS = 0.9  # of a column's cells, for the others to be a mistake
_BOOLS = ("true", "false")


def import_polars() -> Any:
    """polars; or an error that says how to get it."""
    try:
        import polars
    except ImportError:
        raise ImportError(
            "Tables of text, and Parquet files, are read by polars, which is missing: python -m "
            "pip install 'fastfm_cy[frame]'."
        ) from None
    return polars


def is_parquet(source: Any) -> bool:
    with open(source, "rb") as file:
        return file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC


def holds_text(source: Any, drop: Sequence[int | str] = ()) -> bool:
    """Whether the first lines of a table hold something else than numbers in columns that stay."""
    with opened(source) as (file, name), damage_reported(name):
        beginning = file.read(_LOOKED_AT)
    check_text(beginning[: 1 << 12], name)
    form = TableForm(target=None, drop=list(drop))
    start = form.begin(beginning, name)
    if start is None or form.separator == " ":
        return False
    stays = form.is_feature
    lines = beginning[start:].rpartition(b"\n")[0] + b"\n"
    for number, line in enumerate(data_lines(lines)):
        if number == _LOOKED_AT_LINES:
            break
        try:
            cells = next(csv.reader([line.decode("utf-8", "replace")], delimiter=form.separator))
        except csv.Error:
            return True
        if any(
            cell.strip() and keeps and parse(cell.strip().encode()) is None
            for cell, keeps in zip(cells, stays, strict=False)
        ):
            return True
    return False


def read_frame(
    sources: Iterable[Any], *, missing: Sequence[str] = (),
    contents: Mapping[str, str | None] | None = None,
) -> pl.DataFrame:  # fmt: skip
    """Read tables with the same columns, one below the other.

    Columns of text files are numbers, bools, dates or text as all their cells say.

    Parameters
    ----------
    sources : paths or binary file objects
        Text with separators, perhaps packed, or Parquet.
    missing : sequence of str
        Cells of text that are missing, beside empty ones.
    contents : dict, default=None
        What columns must hold, whatever they look like: TEXT, NUMBER or BOOL.
    """
    pl = import_polars()
    frames = [
        pl.read_parquet(source)
        if not hasattr(source, "read") and is_parquet(source)
        else _read_text(source, list(missing))
        for source in sources
    ]
    first = frames[0]
    for frame in frames[1:]:
        if frame.columns != first.columns:
            raise FileFormatError(
                f"The files have different columns: {first.columns[:10]} and {frame.columns[:10]}."
            )
    frame = first if len(frames) == 1 else pl.concat(frames, how="vertical_relaxed")
    wanted = dict(contents or {})
    return frame.with_columns(
        frame[name].cast(pl.String) if dtype.is_integer() else _typed(frame[name], wanted.get(name))
        for name, dtype in frame.schema.items()
        if dtype == pl.String or (dtype.is_integer() and wanted.get(name) == TEXT)
    )


def _read_text(source: Any, missing: list[str]) -> pl.DataFrame:
    """A table whose columns are all text; empty cells are missing."""
    pl = import_polars()
    with opened(source) as (file, name), damage_reported(name):
        text = file.read()
    check_text(text[: 1 << 12], name)
    form = TableForm(target=None)
    start = form.begin(text[: 1 << 20], name)
    if start is None:
        raise FileFormatError(f"{name}: there is no line with data.")
    if form.separator == " ":
        raise FileFormatError(
            f"{name}: tables of text need a separator, such as a comma or a tab, in the first line."
        )
    names = form.feature_names or [str(place) for place in range(form.n_columns)]
    if len(set(names)) < len(names):
        twice = next(column for column in names if names.count(column) > 1)
        raise FileFormatError(f"{name} has several columns of the name {twice!r}; rename them.")
    try:
        frame = pl.read_csv(
            text[start:], has_header=False, new_columns=names, separator=form.separator,
            infer_schema=False, comment_prefix="#", schema=dict.fromkeys(names, pl.String),
        )  # fmt: skip
    except (pl.exceptions.ComputeError, pl.exceptions.NoDataError) as error:
        said = str(error).splitlines()[0]
        raise FileFormatError(
            f"{name} is no table of {form.n_columns} columns, as in its first line: {said}"
        ) from error
    stripped = pl.all().str.strip_chars()
    is_missing = stripped.is_in(["", *missing])
    return frame.select(pl.when(is_missing).then(None).otherwise(stripped).name.keep())


def _typed(cells: pl.Series, content: str | None) -> pl.Series:
    if content == TEXT:
        return cells
    if content == NUMBER:
        return _numbers(cells, must=True)
    if content == BOOL:
        return _bools(cells)
    return _inferred(cells)


def _inferred(cells: pl.Series) -> pl.Series:
    """A column of text as what all its cells are."""
    pl = import_polars()
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
    pl = import_polars()
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
