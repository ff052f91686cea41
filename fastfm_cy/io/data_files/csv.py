"""Tables of numbers in text: a row a line, a target in one column, features in the others."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from ...data.csr import matrix_of
from ...data.sample_checks import check_weights
from ...exceptions import FileFormatError, ParseError
from ...kernels.text import writer
from ...kernels.text.numbers import parse
from ...kernels.text.reader import Problem, Rows
from ...utils.checks import check_choice
from ..files import written_aside
from .collect import collected
from .dataset import Dataset
from .line_reader import LineReader, first_line
from .writing import checked_rows, checked_target, unpacked

_SEPARATORS = "\t,;|"
_SHOWN = 80
_CELLS = 1 << 18  # that are written at a time


def read_csv(
    source: Any, *, target: int | str | None = 0, weight: int | str | None = None,
    separator: str = "auto", header: str | bool = "auto", dtype: str = "float32",
    on_error: str = "raise", n_jobs: int | None = None,
) -> Dataset:  # fmt: skip
    """Read a table of numbers; every line has the same columns.

    Numbers may stand in double quotes, and are as `read_libsvm` has them; so are comments, empty
    lines, packed files, and the parameters that are not explained here.

    Parameters
    ----------
    source : path, binary file object, or list of these
    target : int, str or None, default=0
        The column of the target: its number, from the end if negative, or its name in the header;
        None if there is none.
    weight : int, str or None, default=None
        The column of the rows' weights, likewise.
    separator : str, default="auto"
        One character between columns; " " stands for any number of blanks. "auto": a tab, comma,
        semicolon or bar, whichever comes first in the first line, else blanks.
    header : bool or "auto", default="auto"
        Whether each file begins with the columns' names; "auto": if no cell of its first line is a
        number.

    Returns
    -------
    Dataset
        Features are the other columns, in order; zeros are not stored. y is None without target.
    """
    form = TableForm(target=target, weight=weight, separator=separator, header=header, dtype=dtype)
    return collected(LineReader(source, form, on_error=on_error, n_jobs=n_jobs))


class TableForm:
    """Numbers between separators; a form as LineReader takes it."""

    def __init__(
        self, *, target=0, weight=None, separator="auto", header="auto", dtype="float32"
    ):  # fmt: skip
        check_choice(dtype, "dtype", {"float32": 0, "float64": 0})
        if header not in (True, False, "auto"):
            raise ValueError(f"header must be True, False or 'auto'; got {header!r}.")
        if separator != "auto" and not (
            isinstance(separator, str) and len(separator) == 1 and separator.isascii()
            and separator not in "\r\n\"#+-.eE0123456789"
        ):  # fmt: skip
            raise ValueError(f"separator must be one character or 'auto'; got {separator!r}.")
        for name, column in (("target", target), ("weight", weight)):
            if not isinstance(column, int | str | None) or isinstance(column, bool):
                raise TypeError(f"{name} must be a column's number or name; got {column!r}.")
        self.header, self.separator, self.dtype = header, separator, dtype
        self._wanted = {"target": target, "weight": weight}
        self.has_target = target is not None
        self.n_columns, self.feature_names = None, None

    def begin(self, text, name):
        line = first_line(text)
        if line is None:
            return None
        if self.separator == "auto":
            present = [(line[1].find(s.encode()), s) for s in _SEPARATORS if s.encode() in line[1]]
            self.separator = min(present)[1] if present else " "
        try:
            cells = self._cells(line[1].decode("utf-8", "backslashreplace").strip(" \r\f\v"))
        except csv.Error as error:
            raise FileFormatError(
                f"{name}: the first line is no row of a table: {error}."
            ) from error
        has_names = self.header
        if has_names == "auto":
            has_names = all(parse(cell.encode()) is None for cell in cells)
        if self.n_columns is None:
            self._set_columns(cells if has_names else None, len(cells), name)
        elif has_names and len(cells) != self.n_columns:
            shown = line[1][:_SHOWN].decode("utf-8", "backslashreplace")
            number = text.count(b"\n", 0, line.start(1)) + 1
            raise ParseError(
                name, number, 1, shown, f"{self.n_columns} columns, as in the first file"
            )
        return line.end() if has_names else 0

    def _cells(self, line):
        if self.separator == " ":
            return line.split()
        cells = next(csv.reader([line], delimiter=self.separator))
        return [cell.strip() for cell in cells]

    def _set_columns(self, names, n_columns, file):
        self.n_columns = n_columns
        places = {}
        for what, column in self._wanted.items():
            places[what] = self._place(what, column, names, file)
        self._places = places
        if self.has_target and places["target"] == places["weight"]:
            raise ValueError("target and weight must be different columns.")
        if names is not None:
            left_out = set(places.values())
            self.feature_names = [n for place, n in enumerate(names) if place not in left_out]

    def _place(self, what, column, names, file):
        """The number of a column that has one or a name; -1 for None."""
        if column is None:
            return -1
        if isinstance(column, str):
            if column in (names or ()):
                return names.index(column)
            known = f"its columns are {names[:20]}" if names else "it has no header"
            raise FileFormatError(f"{file} has no column {column!r} for the {what}; {known}.")
        if not -self.n_columns <= column < self.n_columns:
            raise FileFormatError(
                f"{file} has {self.n_columns} columns; there is no column {column} for the {what}."
            )
        return column % self.n_columns

    def new_rows(self, text):
        return Rows(text, self.dtype, has_weights=self._places["weight"] >= 0)

    def read(self, rows, start):
        return rows.read_table(
            start, n_columns=self.n_columns, separator=ord(self.separator),
            target=self._places["target"], weight=self._places["weight"],
        )  # fmt: skip

    def extent(self, least, largest):
        return 0, largest + 1

    def expected(self, problem):
        """What should stand where a Problem is."""
        texts = {
            Problem.CELL: "a finite number",
            Problem.TOO_LARGE: f"a number that {self.dtype} can hold",
            Problem.COLUMNS: f"{self.n_columns} columns, as in the first line",
            Problem.WEIGHT: "a weight of at least 0",
        }
        return texts[problem]


def write_csv(
    target: Any, X: Any, y: Any = None, *, weights: Any = None, feature_names: Any = None,
    separator: str = ",",
) -> None:  # fmt: skip
    """Write a table as `read_csv` reads it: the target (if any), the weight (if any), all features.

    Parameters
    ----------
    target, X, y
        As of `write_libsvm`; without y there is no column for it.
    weights : array of shape (n_rows,), default=None
    feature_names : list of str, default=None
        With it, a header: "target", "weight" and these names.
    separator : str, default=","
    """
    X, y, others = unpacked(X, y, weights=weights, feature_names=feature_names)
    weights, names = others["weights"], others["feature_names"]
    rows = checked_rows(X)
    first_columns = {
        "target": None if y is None else checked_target(y, rows.n_rows),
        "weight": check_weights(weights, rows.n_rows),
    }
    first_columns = {name: column for name, column in first_columns.items() if column is not None}
    if not first_columns and not rows.n_features:
        raise ValueError("There is no column to write.")
    if names is not None and len(names) != rows.n_features:
        raise ValueError(f"There are {rows.n_features} features, but {len(names)} names.")
    before = np.column_stack([np.empty((rows.n_rows, 0)), *first_columns.values()])
    whole = matrix_of(rows.data, rows.indices, rows.indptr, (rows.n_rows, rows.n_features))
    with written_aside(target) as file:
        if names is not None:
            text = io.StringIO()
            header = csv.writer(text, delimiter=separator, lineterminator="\n")
            header.writerow([*first_columns, *names])
            file.write(text.getvalue().encode())
        step = max(1, _CELLS // max(1, rows.n_features))
        for first in range(0, rows.n_rows, step):
            cells = whole[first : first + step].toarray()
            file.write(writer.table_lines(before[first : first + step], cells, ord(separator)))
