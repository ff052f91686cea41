"""From tables of any columns to rows on disk, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...data.sample_checks import check_target
from ...preprocessing import FieldEncoder
from ...preprocessing.encoder_file import encoder_bytes
from ...preprocessing.from_dtype import columns_without_values, contents_of
from ...preprocessing.plan import all_missing
from ..files import is_path, listed
from .disk_writer import FolderWriter
from .frames import FrameChunks


def write_table(
    writer: FolderWriter, source: Any, encoder: FieldEncoder, *, target: int | str | None = 0,
    drop: Sequence[int | str] = (), missing: Sequence[str] = (),
    contents: dict[str, str | None] | None = None, block_size: int | None = None,
) -> None:  # fmt: skip
    """Write the rows of tables as an encoder makes them, and the encoder beside them.

    An encoder that is not fitted learns all rows first, some at a time. `target` and `drop` are
    columns by number or name, `missing` and `contents` as of `read_frame`.
    """
    sources = listed(source)
    if not all(map(is_path, sources)):
        raise TypeError("Tables are read several times; give the paths of files.")
    if not isinstance(encoder, FieldEncoder):
        raise TypeError(f"encoder must be a FieldEncoder; got {encoder!r}.")
    is_fitted = encoder.__sklearn_is_fitted__()
    if is_fitted:
        contents = contents_of(encoder)
    size = {} if block_size is None else {"block_size": block_size}
    chunks = FrameChunks(sources, missing=missing, contents=contents, **size)
    target_name = None if target is None else column_name(chunks.columns, target, "target")
    dropped = {column_name(chunks.columns, column, "drop") for column in drop}
    features = [name for name in chunks.columns if name != target_name and name not in dropped]
    if not features:
        raise ValueError("There is no column but the target's.")
    if is_fitted:
        known = set(contents_of(encoder))
        features = [name for name in features if name in known]
    else:
        for first, frame in _numbered(chunks):
            with _in_rows_from(first):
                encoder.partial_fit(frame.select(features))
        if empty := columns_without_values(encoder):
            raise ValueError(all_missing(empty, first + len(frame)))
    for first, frame in _numbered(chunks):
        with _in_rows_from(first):
            X = encoder.transform(frame.select(features))
            y = None if target_name is None else _targets(frame[target_name], X)
        ends = X.indptr[1:].astype(np.int64)
        writer.append(ends, indices=X.indices, data=X.data, target=y)
    writer.finish(len(encoder.fields_), encoder=encoder_bytes(encoder), target_name=target_name)


def column_name(names: Sequence[str], key: int | str, option: str) -> str:
    """A column's name, given it or its number."""
    if isinstance(key, str) and key in names:
        return key
    if isinstance(key, int) and -len(names) <= key < len(names):
        return names[key]
    raise ValueError(
        f"{option}: there is no column {key!r}; there are {', '.join(map(repr, names[:20]))}."
    )


def check_every_value(cells: Any) -> None:
    """Refuse a column of targets that lacks one."""
    if cells.null_count():
        row = int(cells.is_null().arg_max())
        raise ValueError(f"The target, column {cells.name!r}, has no value in row {row}.")


def _targets(cells: Any, X: Any) -> np.ndarray:
    check_every_value(cells)
    if not (cells.dtype.is_numeric() or cells.dtype == bool):
        raise ValueError(
            f"The target, column {cells.name!r}, is {cells.dtype}; data sets on disk have numbers "
            f"as targets. Row 0 has {cells[0]!r}; write classes as numbers."
        )
    return check_target(cells.cast(float).to_numpy(), X, is_numeric=True)


def _numbered(chunks: FrameChunks) -> Iterator[tuple[int, Any]]:
    """The frames, and the number of each one's first row."""
    first = 0
    for frame in chunks:
        yield first, frame
        first += len(frame)


@contextmanager
def _in_rows_from(first: int) -> Iterator[None]:
    """Errors say from where they count rows."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if not first:
            raise
        raise type(error)(f"In the rows from {first} on, counted from there: {error}") from error
