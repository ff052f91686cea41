"""Tables of numbers in text: a row a line, a target in one column, features in the others."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from ...data.csr import matrix_of
from ...data.dataset import Dataset
from ...data.sample_checks import check_weights
from ...kernels.text import writer
from ..outputs import written_aside
from .collect import collected
from .line_reader import LONGEST_LINE, LineReader
from .table_lines import TableForm
from .writing import checked_rows, checked_target, unpacked

_CELLS = 1 << 18  # that are written at a time


def read_csv(
    source: Any, *, target: int | str | None = 0, weight: int | str | None = None,
    drop: Any = (), separator: str = "auto", header: str | bool = "auto", dtype: str = "float32",
    n_hash: int | None = None, on_error: str = "raise", n_jobs: int | None = None,
) -> Dataset:  # fmt: skip
    """Read a table of numbers; every line has the same columns.

    Numbers may stand in double quotes, and are as `read_libsvm` has them; so are comments, empty
    lines, the ends of lines, packed files, and the parameters that are not explained here.

    Parameters
    ----------
    source : path, binary file object, or list of these
    target : int, str or None, default=0
        The column of the target: its number, from the end if negative, or its name in the header;
        None if there is none. The default, 0, is the first column that is not dropped.
    weight : int, str or None, default=None
        The column of the rows' weights, likewise.
    drop : int, str, or list of these, default=()
        Columns to leave out, which may hold any text. A column that has no name in the header must
        be among them: pandas and R write the numbers of the rows so.
    separator : str, default="auto"
        One character between columns; " " stands for any number of blanks. "auto": a tab, comma,
        semicolon or bar, whichever comes first in the first line, else blanks.
    header : bool or "auto", default="auto"
        Whether each file begins with the columns' names; "auto": if no cell of its first line is a
        number.
    dtype : as of `read_libsvm`
    n_hash : int, default=None
        Into how many features to hash the cells of all features, which then may hold any text: a
        column and what stands in its cell together make a feature of value 1, an empty cell makes
        none. Columns go by their names if there is a header, else by their numbers, and are the
        entries' fields.
    on_error, n_jobs : as of `read_libsvm`

    Returns
    -------
    Dataset
        Features are the other columns, in order; zeros are not stored. y is None without target.
    """
    form = TableForm(
        target=target, weight=weight, drop=drop, separator=separator, header=header, dtype=dtype,
        n_hash=n_hash,
    )  # fmt: skip
    return collected(LineReader(source, form, on_error=on_error, n_jobs=n_jobs), "csv")


def write_csv(
    target: Any, X: Any, y: Any = None, *, weights: Any = None, feature_names: Any = None,
    separator: str = ",",
) -> None:  # fmt: skip
    """Write a table as `read_csv` reads it: the target (if any), the weight (if any), all features.

    Parameters
    ----------
    target, X, y : as of `write_libsvm`
        Without y there is no column for it.
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
    if 2 * rows.n_features > LONGEST_LINE:  # a digit and a separator
        raise ValueError(
            f"A table of {rows.n_features} columns is longer a line than can be read; write a "
            "sparse format, such as libsvm."
        )
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
