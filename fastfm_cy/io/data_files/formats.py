"""Data formats: each a row of one registry, which readers, `convert` and the command line share.

docs/extending/format.md says how to add one.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...data.dataset import Dataset
from ..files import PACKED
from .csv import write_csv
from .libffm import write_libffm
from .libfm_binary import MAGIC, outputs_of, read_libfm_binary, read_pieces, write_libfm_dataset
from .libsvm import write_libsvm
from .sparse_lines import FieldForm, SparseForm, colons_of_first_entry
from .table_lines import TableForm


def _itself(name: str) -> list[str]:
    return [name]


@dataclass(frozen=True)
class DataFormat:
    """How files of one format are known, read and written.

    They are read line by line, if there is a `form`, or else from a path by `read`.
    """

    name: str
    write: Callable[[Any, Dataset], None]
    """To a path or, of text, a file object."""
    form: Callable[..., Any] | None = None
    """Options -> what the lines look like."""
    knows_line: Callable[[bytes], bool] | None = None
    """Whether a line with data can only be of this format."""
    read: Callable[..., Dataset] | None = None
    """(path, options)"""
    pieces: Callable[..., Iterator[Dataset]] | None = None
    """The same, some rows at a time, for files that do not fit into memory."""
    magic: bytes = b""
    """What files begin with."""
    suffixes: tuple[str, ...] = ()
    """Of files; the first is that of files that are written."""
    outputs_of: Callable[[str], list[str]] = _itself
    """The files that are written for a name."""
    is_table: bool = False
    """Whether features are columns, of which each row has all."""

    def in_pieces(self, path: str, options: dict[str, Any]) -> Iterator[Dataset]:
        """The data of a file that is not text, some rows at a time if it can be."""
        if self.pieces is not None:
            yield from self.pieces(path, **options)
        elif self.read is not None:
            yield self.read(path, **options)

    @property
    def is_text(self) -> bool:
        return self.form is not None

    @property
    def options(self) -> list[str]:
        """What a reader can be told."""
        if self.form is not None:
            return list(inspect.signature(self.form).parameters)
        assert self.read is not None  # a format has a form or a reader
        return list(inspect.signature(self.read).parameters)[1:]

    def check_options(self, options: dict[str, Any]) -> None:
        """Refuse options that readers of this format do not have."""
        for option in options:
            if option not in self.options:
                those = [row.name for row in DATA_FORMATS.values() if option in row.options]
                where = f"is for {', '.join(those)}" if those else "is for no format"
                raise TypeError(f"The option {option} {where}; the data are {self.name}.")


_ROWS = (
    DataFormat(
        "libsvm", write_libsvm, SparseForm, lambda line: colons_of_first_entry(line) == 1,
        suffixes=(".libsvm", ".svm", ".libfm"),
    ),
    DataFormat(
        "libffm", write_libffm, FieldForm, lambda line: colons_of_first_entry(line) == 2,
        suffixes=(".libffm", ".ffm"),
    ),
    DataFormat(
        "csv", write_csv, TableForm, lambda line: colons_of_first_entry(line) not in (None, 1, 2),
        suffixes=(".csv", ".tsv"), is_table=True,
    ),
    DataFormat(
        "libfm_binary", write_libfm_dataset, read=read_libfm_binary, pieces=read_pieces,
        magic=MAGIC, suffixes=(".x", ".xt"), outputs_of=outputs_of,
    ),
)  # fmt: skip
DATA_FORMATS = {row.name: row for row in _ROWS}
LAST_RESORT = "csv"  # of text that no format knows: one of numbers, a line each


def format_by_name(name: str) -> DataFormat | None:
    """The format that a file's name tells by its suffix, before that of packed files."""
    path = Path(name)
    suffix = Path(path.stem).suffix if path.suffix in PACKED else path.suffix
    return next((row for row in DATA_FORMATS.values() if suffix in row.suffixes), None)
