"""What text models of all kinds have in common: lines of numbers."""

import io
from contextlib import contextmanager

import numpy as np

from ..exceptions import ModelFileError
from ._files import model_written_aside

_SHOWN = 60  # characters of a bad line


def bad_line(path, number, line, expected):
    """The error for line `number`, from 1."""
    shown = line if len(line) <= _SHOWN else line[:_SHOWN] + "..."
    return ModelFileError(f"{path}, line {number}: expected {expected}, got {shown!r}.")


def read_lines(path):
    """All lines of a text file."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise ModelFileError(f"{path} is no text: {error}.") from error


@contextmanager
def text_written_aside(path):
    """A text file to write to, which takes its name only once it is whole."""
    with model_written_aside(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
        yield text
        text.detach()


def parse_numbers(path, lines, first_number, n_columns):
    """Finite numbers from lines that hold n_columns each: float64, shape (n_lines, n_columns)."""
    values = np.empty((len(lines), n_columns))
    expected = "a number" if n_columns == 1 else f"{n_columns} numbers"
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


def line_of(values):
    """The shortest numbers that read back as the same, in the dtype of `values`."""
    return " ".join(map(str, values))
