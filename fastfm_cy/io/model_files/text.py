"""What text models of all kinds have in common: lines of numbers."""

import io
import os
from contextlib import contextmanager

import numpy as np

from ...exceptions import FileFormatError, ModelFileError
from ...kernels.text.writer import table_lines
from ..files import check_text
from ..outputs import model_written_aside

_LOOKED_AT = 1 << 12  # bytes that tell whether a file is text
_SHOWN = 60  # characters of a bad line


def bad_line(path, number, line, expected):
    """The error for line `number`, from 1."""
    shown = line if len(line) <= _SHOWN else line[:_SHOWN] + "..."
    return ModelFileError(f"{path}, line {number}: expected {expected}, got {shown!r}.")


def read_lines(path):
    """All lines of a text file."""
    with open(path, "rb") as file:
        content = file.read()
    try:
        check_text(content[:_LOOKED_AT], os.fspath(path))
        text = content.decode("utf-8-sig")
    except FileFormatError as error:
        raise ModelFileError(str(error)) from error
    except UnicodeDecodeError as error:
        raise ModelFileError(f"{path} is no text: {error}.") from error
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


@contextmanager
def text_written_aside(path):
    """A text file to write to, which takes its name only once it is whole."""
    with model_written_aside(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
        yield text
        text.detach()


def parse_numbers(path, lines, first_number, n_columns):
    """Finite numbers from lines that hold n_columns each: float64, shape (n_lines, n_columns)."""
    expected = "a number" if n_columns == 1 else f"{n_columns} numbers"
    fewest = 2 * n_columns - 1  # characters; so that no more is allocated than the file holds
    short = next((row for row, line in enumerate(lines) if len(line) < fewest), None)
    if short is not None:
        raise bad_line(path, first_number + short, lines[short], expected)
    values = np.empty((len(lines), n_columns))
    for row, line in enumerate(lines):
        fields = line.split()
        try:
            if len(fields) != n_columns:
                raise ValueError
            values[row] = fields
        except ValueError:
            raise bad_line(path, first_number + row, line, expected) from None
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        row = int(finite.argmin())
        raise bad_line(path, first_number + row, lines[row], f"{expected} that are finite")
    return values


def lines_of(table):
    """The rows of a 2-D array as text: numbers as `line_of` has them, but faster."""
    if not table.shape[1]:
        return "\n" * len(table)
    nothing = np.empty((len(table), 0))
    return table_lines(nothing, np.ascontiguousarray(table), ord(" ")).decode()


def line_of(values):
    """The shortest numbers that read back as the same, in the dtype of `values`."""
    return " ".join(map(str, values))
