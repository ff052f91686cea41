"""The lines of tables: numbers, or names that are hashed, between separators."""

import csv
import re

import numpy as np

from ...exceptions import FileFormatError, ParseError
from ...kernels.text.numbers import parse
from ...kernels.text.reader import Problem, Role, Rows, hash_of
from ...utils.checks import check_choice
from .line_reader import first_line
from .sparse_lines import check_size

_SEPARATORS = "\t,;|"
_SHOWN = 80
# What pandas makes of a column without a name; written again, it is its name.
_UNNAMED = re.compile(r"(Unnamed: \d+)?")


class TableForm:
    """Numbers between separators; a LineForm. Parameters as of `read_csv`."""

    def __init__(
        self, *, target=0, weight=None, drop=(), separator="auto", header="auto", dtype="float32",
        n_hash=None,
    ):  # fmt: skip
        check_choice(dtype, "dtype", {"float32": 0, "float64": 0})
        if header not in (True, False, "auto"):
            raise ValueError(f"header must be True, False or 'auto'; got {header!r}.")
        if separator != "auto" and not (
            isinstance(separator, str) and len(separator) == 1 and separator.isascii()
            and separator not in "\r\n\"#+-.eE0123456789"
        ):  # fmt: skip
            raise ValueError(f"separator must be one character or 'auto'; got {separator!r}.")
        drop = list(drop) if isinstance(drop, list | tuple) else [drop]
        for name, column in (("target", target), ("weight", weight), *(("drop", c) for c in drop)):
            is_none = column is None and name != "drop"
            if not (isinstance(column, int | str) or is_none) or isinstance(column, bool):
                raise TypeError(f"{name} must be a column's number or name; got {column!r}.")
        check_size(n_hash, "n_hash")
        self.header, self.separator, self.dtype, self.n_hash = header, separator, dtype, n_hash
        self._target, self._weight, self._drop = target, weight, drop
        self.has_target = target is not None
        self.feature_names, self.target_name = None, None
        self._roles, self._seeds = None, None

    @property
    def n_columns(self):
        return len(self._roles)

    @property
    def is_feature(self):
        """Of each column, whether it holds a feature."""
        return [role in (Role.FEATURE_COLUMN, Role.NAME_COLUMN) for role in self._roles]

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
        if self._roles is None:
            self._set_roles(cells if has_names else None, len(cells), name)
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

    def _set_roles(self, names, n_columns, file):
        """Of each column, from the first line."""

        def place(what, column):
            return _place(what, column, names, n_columns, file)

        dropped = {place("columns to drop", column) for column in self._drop}
        _check_names(names or [], dropped, file)
        weight = place("weight", self._weight)
        target = place("target", self._target)
        if self._target == 0:  # the default
            target = next((c for c in range(n_columns) if c not in dropped), 0)
        if (self.has_target and target == weight) or dropped & {target, weight}:
            raise ValueError("target, weight and drop must be different columns.")
        feature = Role.FEATURE_COLUMN if self.n_hash is None else Role.NAME_COLUMN
        self._roles = np.full(n_columns, feature, np.uint8)
        self._roles[list(dropped)] = Role.DROPPED_COLUMN
        for column, role in ((target, Role.TARGET_COLUMN), (weight, Role.WEIGHT_COLUMN)):
            if column >= 0:
                self._roles[column] = role
        if names is not None and self.has_target:
            self.target_name = names[target]
        if self.n_hash is not None:
            known = names or range(n_columns)
            self._seeds = np.array([hash_of(f"{name}=".encode()) for name in known], np.uint64)
        elif names is not None:
            roles = zip(names, self._roles, strict=True)
            self.feature_names = [name for name, role in roles if role == feature]

    def new_rows(self, text, spare=None):
        return Rows(
            text, self.dtype, has_target=self.has_target, has_fields=self.n_hash is not None,
            has_weights=self._weight is not None, n_hash=self.n_hash or 0, spare=spare,
        )  # fmt: skip

    def read(self, rows, start):
        return rows.read_table(
            start, roles=self._roles, separator=ord(self.separator), seeds=self._seeds
        )

    def extent(self, least, largest):
        return 0, largest + 1 if self.n_hash is None else self.n_hash

    def expected(self, problem):
        texts = {
            Problem.CELL: "a finite number; hash columns of text (n_hash=) or leave them out "
            "(drop=), and fill empty cells first",
            Problem.TOO_LARGE: f"a number that {self.dtype} can hold",
            Problem.COLUMNS: f"{self.n_columns} columns, as in the first line",
            Problem.QUOTE: "a quotation mark at the end of the cell, on the same line",
            Problem.WEIGHT: "a weight of at least 0",
        }
        return texts[problem]


def _place(what, column, names, n_columns, file):
    """The number of a column that has one or a name; -1 for None."""
    if column is None:
        return -1
    if isinstance(column, str):
        n_there = (names or []).count(column)
        if n_there == 1:
            return names.index(column)
        if n_there:
            raise FileFormatError(f"{file} has {n_there} columns {column!r}; give a number.")
        known = f"its columns are {names[:20]}" if names else "it has no header"
        raise FileFormatError(f"{file} has no column {column!r} for the {what}; {known}.")
    if not -n_columns <= column < n_columns:
        raise FileFormatError(
            f"{file} has {n_columns} columns; there is no column {column} for the {what}."
        )
    return column % n_columns


def _check_names(names, dropped, file):
    """Refuse columns without a name, unless they are dropped."""
    for column, name in enumerate(names):
        if column not in dropped and _UNNAMED.fullmatch(name):
            raise FileFormatError(
                f"{file}: column {column} has no name, as where pandas or R write the numbers of "
                f"the rows. Leave it out with drop={column} (--drop {column}), give it a name, or "
                "write the file without it (to_csv(index=False))."
            )
