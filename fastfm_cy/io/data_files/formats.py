"""The formats by their names, and files whose format is not known."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ...exceptions import FileFormatError
from ...utils.checks import check_choice
from ..files import listed, opened
from .collect import collected
from .csv import TableForm
from .dataset import Dataset
from .libfm_binary import BINARY_SUFFIXES, read_libfm_binary
from .line_reader import LineReader, first_line
from .sparse_lines import SparseForm

_SNIFFED = 1 << 16  # bytes


def _libffm_form(**options):
    return SparseForm(has_fields=True, **options)


_FORMS = {"libsvm": SparseForm, "libffm": _libffm_form, "csv": TableForm}
FORMATS = ("auto", *_FORMS, "libfm_binary")


def read(
    source: Any, *, format: str = "auto", on_error: str = "raise", n_jobs: int | None = None,
    **options: Any,
) -> Dataset:  # fmt: skip
    """Read a file of any format.

    Parameters
    ----------
    source : path, binary file object, or list of these
        As the readers take it; libFM's binary format by its path only.
    format : {"auto", "libsvm", "libffm", "csv", "libfm_binary"}, default="auto"
        "auto" looks at the suffix (.x, .xt), then at the first line with data.
    on_error, n_jobs
        As of `read_libsvm`.
    **options
        Further parameters of the format's reader, such as n_features or target.

    Returns
    -------
    Dataset
    """
    if is_binary(source, format):
        return read_libfm_binary(only_path(source), **options)
    return collected(text_reader(source, format, options, on_error=on_error, n_jobs=n_jobs))


def detect_format(path: str | Path) -> str:
    """The format of a file, by its suffix or its first line with data.

    Parameters
    ----------
    path : path

    Returns
    -------
    str
        "libsvm", "libffm", "csv" or "libfm_binary".
    """
    if is_binary(path, "auto"):
        return "libfm_binary"
    with opened(path) as (file, name):
        line = first_line(file.peek(_SNIFFED) + b"\n")
    if line is None:
        raise FileFormatError(f"{name}: no line with data near its beginning tells the format.")
    return _format_of(line[1])


def _format_of(line):
    """By the colons of its second word, or the one behind qid."""
    words = [word for word in line.split()[1:] if not word.startswith(b"qid:")]
    n_colons = words[0].split(b"#")[0].count(b":") if words else 0
    return {1: "libsvm", 2: "libffm"}.get(n_colons, "csv")


def is_binary(source, format):
    """Whether the source is to be read as libFM's binary format."""
    check_choice(format, "format", dict.fromkeys(FORMATS))
    if format != "auto":
        return format == "libfm_binary"
    first = listed(source)[0]
    return isinstance(first, str | os.PathLike) and Path(first).suffix in BINARY_SUFFIXES


def only_path(source):
    """The one path that a source in libFM's binary format must be."""
    sources = listed(source)
    if len(sources) > 1 or hasattr(sources[0], "read"):
        raise ValueError("Of libFM's binary format, one file can be read, by its path.")
    return sources[0]


def text_reader(source, format, options, **others):
    """A LineReader; `others` are its parameters."""
    form = _AnyForm(options) if format == "auto" else _FORMS[format](**options)
    return LineReader(source, form, **others)


class _AnyForm:
    """A form as LineReader takes it, of the format that the first line with data has."""

    def __init__(self, options):
        self._options, self._form = options, None

    def begin(self, text, name):
        if self._form is None:
            line = first_line(text)
            if line is None:
                return None
            self._form = _FORMS[_format_of(line[1])](**self._options)
        return self._form.begin(text, name)

    def __getattr__(self, name):
        return getattr(self._form, name)
