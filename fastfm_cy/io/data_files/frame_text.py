"""Text of tables: raw frames, whose cells are all text, some rows after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from ...exceptions import FileFormatError
from ..files import check_text, damage_reported, opened
from .table_lines import TableForm

if TYPE_CHECKING:
    import polars as pl

_LOOKED_AT = 1 << 20  # bytes, for the first line


def text_frames(
    source: Any, missing: list[str], block_size: int | None = None
) -> Iterator[pl.DataFrame]:
    """The rows of a text with separators; columns are text, and empty cells missing.

    Parameters
    ----------
    source : path or binary file object
    missing : list of str
        Cells that are missing, too.
    block_size : int, default=None
        About how many bytes to read at a time; None for all in one table.
    """
    form = None
    with opened(source) as (file, name), damage_reported(name):
        for block in _blocks(file, block_size):
            start: int | None = 0
            if form is None:
                check_text(block[: 1 << 12], name)
                form = TableForm(target=None)
                start = form.begin(block[:_LOOKED_AT], name)
                if start is None:
                    break
                names = _names(form, name)
            yield _frame(block[start:], form, names, missing, name)
    if form is None or start is None:
        raise FileFormatError(f"{name}: there is no line with data.")


def _blocks(file: BinaryIO, size: int | None) -> Iterator[bytes]:
    """Whole rows."""
    if size is None:
        yield file.read()
        return
    left = b""
    while block := file.read(size):
        text = left + block
        end = _end_of_rows(text)
        left = text[end:]
        if end:
            yield text[:end]
    if left:
        yield left


def _end_of_rows(text: bytes) -> int:
    """Where the last whole row ends: behind a line's end that is not within quotes."""
    end = text.rfind(b"\n")
    n_quotes = text.count(b'"', 0, end + 1)
    while end >= 0 and n_quotes % 2:
        end = text.rfind(b"\n", 0, text.rfind(b'"', 0, end))
        n_quotes = text.count(b'"', 0, end + 1)
    return end + 1


def _names(form: TableForm, name: str) -> list[str]:
    if form.separator == " ":
        raise FileFormatError(
            f"{name}: tables of text need a separator, such as a comma or a tab, in the first line."
        )
    names = form.feature_names or [str(place) for place in range(form.n_columns)]
    if len(set(names)) < len(names):
        twice = next(column for column in names if names.count(column) > 1)
        raise FileFormatError(f"{name} has several columns of the name {twice!r}; rename them.")
    return names


def _frame(
    rows: bytes, form: TableForm, names: list[str], missing: list[str], name: str
) -> pl.DataFrame:
    import polars as pl

    try:
        frame = pl.read_csv(
            rows, has_header=False, new_columns=names, separator=form.separator,
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
