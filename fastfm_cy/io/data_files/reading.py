"""Reading files of any format, known or not."""

import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...data.dataset import Dataset
from ...exceptions import FileFormatError
from ...utils.checks import check_choice
from ..files import damage_reported, is_path, listed, opened
from .collect import collected
from .formats import DATA_FORMATS, LAST_RESORT, DataFormat, format_by_name
from .line_reader import LineReader, data_lines, texts

_LOOKED_AT = 1 << 12  # bytes
_NAMES_OF_TARGETS = ("target", "label", "y")  # of which there is nothing to say


def read(
    source: Any, *, format: str = "auto", on_error: str = "raise", n_jobs: int | None = None,
    **options: Any,
) -> Dataset:  # fmt: skip
    """Read a file of any format.

    Parameters
    ----------
    source : path, binary file object, or list of these
        As the readers take it; binary formats by their paths only.
    format : {"auto", "libsvm", "libffm", "csv", "libfm_binary"}, default="auto"
        "auto" looks at the first bytes, then at the first lines that tell. Of a table with a
        header it warns which column it takes for the target, unless `target` says so.
    on_error, n_jobs : as of `read_libsvm`
    **options
        Further parameters of the format's reader, such as n_features, target or n_hash.

    Returns
    -------
    Dataset
    """
    row = format_of(source, format)
    if row is not None and not row.is_text:
        row.check_options(options)
        assert row.read is not None  # a format has a form or a reader
        return replace(row.read(only_path(source, row), **options), format=row.name)
    reader = text_reader(source, row, options, on_error=on_error, n_jobs=n_jobs)
    dataset = collected(reader)
    tell_target(reader, format, options)
    return replace(dataset, format=reader.form.row.name)


def detect_format(path: str | Path) -> str:
    """The format of a file, by its first bytes or the first lines that tell.

    Parameters
    ----------
    path : path

    Returns
    -------
    str
        "libsvm", "libffm", "csv" or "libfm_binary".
    """
    row = format_of(path, "auto")
    if row is None:
        with opened(path) as (file, name), damage_reported(name):
            found = (_sniffed(text, name)[0] for text in texts(file, name))
            row = next(filter(None, found), None)
    if row is None:
        raise FileFormatError(f"{path}: there is no line with data, which could tell the format.")
    return row.name


def format_of(source: Any, format: str = "auto") -> DataFormat | None:
    """The row of a format's name; for "auto" that of a binary file, None of text."""
    row = check_choice(format, "format", {"auto": None, **DATA_FORMATS})
    if row is not None:
        return row
    first = listed(source)[0]
    beginning = _beginning(first)
    for row in DATA_FORMATS.values():
        if row.magic and beginning.startswith(row.magic):
            return row
    row = format_by_name(first) if is_path(first) else None
    if row is None or row.is_text:
        return None
    # A name may lie, unless the file is no text: then let the format's reader say what is wrong.
    is_text = bool(beginning) and b"\0" not in beginning
    return None if row.magic and is_text else row


def _beginning(source):
    if is_path(source):
        if os.path.isdir(source):
            raise IsADirectoryError(
                f"{source} is a folder; open_dataset opens the one of a data set on disk."
            )
        with open(source, "rb") as file:
            return file.read(_LOOKED_AT)
    return source.peek(_LOOKED_AT) if hasattr(source, "peek") else b""


def only_path(source: Any, row: DataFormat) -> Any:
    """The one path that a source of a binary format must be."""
    sources = listed(source)
    if len(sources) > 1 or not is_path(sources[0]):
        raise ValueError(f"Of the format {row.name}, one file can be read, by its path.")
    return sources[0]


def text_reader(source: Any, row: DataFormat | None, options: dict, **others: Any) -> LineReader:
    """A LineReader of a format, or of that which the first lines tell; `others` are its
    parameters."""
    return LineReader(source, FormOf(row, options), **others)


class FormOf:
    """The LineForm of a format or, if that is None, of the one that the first lines tell.

    Attributes
    ----------
    row : DataFormat
    """

    def __init__(self, row: DataFormat | None, options: dict):
        self.row, self._options, self._form, self._is_sure = row, options, None, True
        if row is not None:
            self._take(row)

    def _take(self, row):
        row.check_options(self._options)
        self.row, self._form = row, row.form(**self._options)

    def begin(self, text, name):
        if self._form is None:
            row, self._is_sure = _sniffed(text, name)
            if row is None:
                return None
            self._take(row)
        return self._form.begin(text, name)

    def expected(self, problem):
        text = self._form.expected(problem)
        if self._is_sure:
            return text
        return f"{text} (the first lines do not tell the format; name it with format=)"

    def __getattr__(self, name):
        return getattr(self._form, name)


def _sniffed(text, name):
    """The format of a text's first line that tells, None if there is no line with data; and whether
    there was one that tells."""
    rows = [row for row in DATA_FORMATS.values() if row.knows_line is not None]
    line = None
    for line in data_lines(text):
        for row in rows:
            if row.knows_line(line):
                return row, True
    if line is None:
        return None, False
    row = format_by_name(name)
    return (row if row is not None and row.is_text else DATA_FORMATS[LAST_RESORT]), False


def tell_target(reader: LineReader, format: str, options: dict) -> None:
    """Warn which column of a table was taken for the target, if nobody said so."""
    name = reader.form.target_name
    if format != "auto" or "target" in options or name is None:
        return
    if name.strip().lower() not in _NAMES_OF_TARGETS:
        warnings.warn(
            f"{reader.names}: the first column, {name!r}, is taken for the target; target= names "
            "another.",
            stacklevel=3,
        )
