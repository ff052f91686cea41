"""Tables of any columns: text of texts, numbers and dates, and Parquet, read by polars."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...exceptions import FileFormatError
from ...kernels.text.numbers import parse
from ...preprocessing.columns import TEXT
from ..files import check_text, damage_reported, opened
from .frame_text import text_frames
from .frame_types import as_type, common_type, typed
from .line_reader import data_lines
from .table_lines import TableForm

if TYPE_CHECKING:
    import polars as pl

PARQUET_MAGIC = b"PAR1"
_LOOKED_AT = 1 << 16  # bytes that tell whether a table holds text
_LOOKED_AT_LINES = 100
_BLOCK = 1 << 26  # bytes of text at a time; several times as much is held
_CELL = 16  # bytes of a cell of Parquet, as a guess


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
    frames: list[Any] = []
    for source in sources:
        frames += _raw_frames(source, missing, None)
        _check_same_columns(frames[0], frames[-1])
    frame = frames[0] if len(frames) == 1 else pl.concat(frames, how="vertical_relaxed")
    wanted = contents or {}
    return frame.with_columns(
        typed(cells, wanted.get(cells.name)) for cells in _text_of(frame, wanted)
    )


class FrameChunks:
    """Tables in files, with the same columns, that are read some rows after the other.

    They are read once to find out what all cells of a column are, and again with each iteration,
    whose frames have the same types.

    Parameters
    ----------
    sources : list of paths
    missing, contents
        As of `read_frame`.
    block_size : int
        About how many bytes to read at a time.
    """

    def __init__(
        self, sources: Sequence[Any], *, missing: Sequence[str] = (),
        contents: Mapping[str, str | None] | None = None, block_size: int = _BLOCK,
    ) -> None:  # fmt: skip
        import_polars()
        self._sources, self._missing, self._block_size = sources, missing, block_size
        self._wanted = contents or {}
        self._types: dict[str, Any] = {}
        self.columns: list[str] = []
        for frame in self._frames():
            for cells in _text_of(frame, self._wanted):
                found = typed(cells, self._wanted.get(cells.name))
                dtype = None if found.null_count() == len(found) else found.dtype
                self._types[cells.name] = common_type(self._types.get(cells.name), dtype)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        pl = import_polars()
        for frame in self._frames():
            yield frame.with_columns(
                as_type(cells, self._types[cells.name] or pl.String)
                for cells in _text_of(frame, self._wanted)
            )

    def _frames(self) -> Iterator[pl.DataFrame]:
        first = None
        for source in self._sources:
            for frame in _raw_frames(source, self._missing, self._block_size):
                first = frame if first is None else first
                self.columns = first.columns
                _check_same_columns(first, frame)
                yield frame


def _raw_frames(
    source: Any, missing: Sequence[str], block_size: int | None
) -> Iterator[pl.DataFrame]:
    """A file's rows; cells of text files are text."""
    pl = import_polars()
    if hasattr(source, "read") or not is_parquet(source):
        yield from text_frames(source, list(missing), block_size)
        return
    if block_size is None:
        yield pl.read_parquet(source)
        return
    lazy = pl.scan_parquet(source)
    n_rows, names = lazy.select(pl.len()).collect().item(), lazy.collect_schema().names()
    step = max(1, block_size // (_CELL * max(1, len(names))))
    for start in range(0, max(1, n_rows), step):
        yield lazy.slice(start, step).collect()


def _check_same_columns(first: pl.DataFrame, other: pl.DataFrame) -> None:
    if other.columns != first.columns:
        raise FileFormatError(
            f"The files have different columns: {first.columns[:10]} and {other.columns[:10]}."
        )


def _text_of(frame: pl.DataFrame, wanted: Mapping[str, str | None]) -> Iterator[pl.Series]:
    """The columns of text, and those of integers that are wanted as text."""
    pl = import_polars()
    for name, dtype in frame.schema.items():
        if dtype == pl.String:
            yield frame[name]
        elif dtype.is_integer() and wanted.get(name) == TEXT:
            yield frame[name].cast(pl.String)
