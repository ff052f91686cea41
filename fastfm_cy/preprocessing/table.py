"""Tables of every library, read through narwhals, and of NumPy and plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v1 as nw
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..kernels.text.arrow_text import encode_arrow
from ..kernels.text.vocabulary import TextVocabulary
from .columns import (
    BOOL,
    DATE,
    LIST,
    NOTHING,
    NUMBER,
    TEXT,
    ArrayColumn,
    CodedColumn,
    Column,
    Lists,
)


@dataclass(frozen=True)
class Table:
    """Columns of one length.

    Attributes
    ----------
    columns : list of Column
    has_names : bool
        Whether the names are the table's own; else they are x0, x1, ...
    """

    columns: list[Column]
    n_rows: int
    has_names: bool

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


def read_table(X: Any) -> Table:
    """The columns of a table.

    Parameters
    ----------
    X : data frame, array, dict of columns, list of dicts or list of rows
        A data frame of pandas, polars, pyarrow or another library that narwhals reads.
    """
    if sparse.issparse(X):
        raise TypeError(
            "X is a sparse matrix, which is encoded already; a table has columns, such as a data "
            "frame or a NumPy array of objects."
        )
    if isinstance(X, Mapping):
        return _from_columns(X)
    if isinstance(X, list | tuple) and X and all(isinstance(row, Mapping) for row in X):
        return _from_columns(_columns_of_dicts(X))
    if isinstance(X, np.ndarray | list | tuple):
        return _from_array(X)
    _check_names(_names_of(X))
    try:
        frame = nw.from_native(X)
    except TypeError:
        if hasattr(X, "__array__"):
            return _from_array(np.asarray(X))
        raise TypeError(
            f"X is a {type(X).__name__}, not a table: give a data frame (pandas, polars, pyarrow, "
            "...), a 2-D array, a dict of columns or a list of dicts."
        ) from None
    frame = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    return _from_frame(frame)


def _names_of(X: Any) -> list[Any]:
    if hasattr(X, "collect"):  # a lazy frame, whose names cost a query, and are different
        return []
    names = getattr(X, "column_names", None)  # pyarrow, whose `columns` are arrays
    names = getattr(X, "columns", []) if names is None else names
    return [] if callable(names) else list(names)


def _check_names(names: list[Any]) -> bool:
    """Whether all names are strings; refuses doubles, and strings beside others."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"X has several columns of the name {twice[0]!r}; rename them.")
    are_texts = {isinstance(name, str) for name in names}
    if len(are_texts) > 1:
        other = next(name for name in names if not isinstance(name, str))
        raise TypeError(
            "Feature names are only supported if all input features have string names, but X has "
            f"the column name {other!r} of type {type(other).__name__}, too; "
            "X.columns = X.columns.astype(str) converts them."
        )
    return are_texts == {True}


def _from_frame(frame: Any) -> Table:
    has_names = _check_names(list(frame.columns))
    columns = [
        _frame_column(str(name) if has_names else f"x{place}", frame[name])
        for place, name in enumerate(frame.columns)
    ]
    return Table(columns, len(frame), has_names)


def _from_columns(columns: Mapping[Any, Any]) -> Table:
    has_names = _check_names(list(columns))
    read = [
        _any_column(str(name) if has_names else f"x{place}", values)
        for place, (name, values) in enumerate(columns.items())
    ]
    n_rows = read[0].n_rows if read else 0
    for column in read:
        if column.n_rows != n_rows:
            raise ValueError(
                f"Column {column.name!r} has {column.n_rows} rows, column {read[0].name!r} has "
                f"{n_rows}."
            )
    return Table(read, n_rows, has_names)


def _any_column(name: str, values: Any) -> Column:
    if isinstance(values, list | tuple):
        return ArrayColumn(name, _objects(list(values)))
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise ValueError(f"Column {name!r} must be 1-D; it has shape {values.shape}.")
        return ArrayColumn(name, values)
    try:
        return _frame_column(name, nw.from_native(values, series_only=True))
    except TypeError:
        raise TypeError(
            f"Column {name!r} is a {type(values).__name__}; give a list, an array or a series."
        ) from None


def _columns_of_dicts(rows: list[Any] | tuple[Any, ...]) -> dict[Any, Any]:
    names: dict[Any, None] = {}
    for row in rows:
        names.update(dict.fromkeys(row))
    return {name: [row.get(name) for row in rows] for name in names}


def _from_array(X: Any) -> Table:
    if not isinstance(X, np.ndarray):
        # np.array would turn numbers beside text into text.
        rows = [list(row) if isinstance(row, list | tuple | np.ndarray) else row for row in X]
        is_table = all(isinstance(row, list) for row in rows)
        if is_table and len({len(row) for row in rows}) > 1:
            row = next(r for r, cells in enumerate(rows) if len(cells) != len(rows[0]))
            raise ValueError(f"Row {row} of X has {len(rows[row])} values, row 0 {len(rows[0])}.")
        if is_table and rows:
            columns = [_objects(list(cells)) for cells in zip(*rows, strict=True)]
            read: list[Column] = [ArrayColumn(f"x{j}", cells) for j, cells in enumerate(columns)]
            return Table(read, len(rows), False)
        X = _objects(rows)
    if X.dtype.kind == "c":
        raise ValueError("Complex data not supported: give real and imaginary parts as columns.")
    if X.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {X.ndim}D array instead: a table has rows and columns. "
            "Reshape your data: X.reshape(-1, 1) if it has a single column, X.reshape(1, -1) if a "
            "single row."
        )
    read = [ArrayColumn(f"x{j}", X[:, j]) for j in range(X.shape[1])]
    return Table(read, len(X), False)


def _objects(values: list[Any]) -> NDArray[np.object_]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _frame_column(name: str, series: Any) -> Column:
    """A column of narwhals' Series."""
    native = series.to_native()
    dtype = series.dtype
    is_pandas = hasattr(native, "array") and hasattr(native, "dtype")
    if is_pandas and dtype in (nw.Categorical, nw.Enum):
        categories = ArrayColumn(name, native.cat.categories.to_numpy(dtype=object))
        return CodedColumn(name, native.cat.codes.to_numpy(), categories)
    if is_pandas and (dtype == nw.Object or (dtype == nw.String and not _arrow_of(native))):
        return ArrayColumn(name, native.to_numpy(dtype=object))
    return SeriesColumn(name, series)


def _arrow_of(native: Any) -> Any:
    """What gives a column's Arrow stream, or None: old versions of the libraries do not."""
    if hasattr(native, "array"):  # pandas: its own conversion may copy, its array's does not
        native = native.array
        if "pyarrow" not in str(native.dtype) and "Arrow" not in type(native).__name__:
            return None
    if not hasattr(native, "__arrow_c_stream__") and hasattr(native, "__arrow_array__"):
        import pyarrow

        native = native.__arrow_array__()
        native = pyarrow.chunked_array([native]) if isinstance(native, pyarrow.Array) else native
    return native if hasattr(native, "__arrow_c_stream__") else None


class SeriesColumn:
    """A column that is a narwhals Series."""

    def __init__(self, name: str, series: Any) -> None:
        self.name = name
        self.n_rows = len(series)
        dtype = series.dtype
        self.type_name = str(dtype)
        self.is_category = dtype in (nw.Categorical, nw.Enum)
        if self.is_category:
            series = series.cast(nw.String)
        self._series = series
        self.content = self._content(dtype)

    def _content(self, dtype: Any) -> str:
        if self.is_category or dtype == nw.String:
            return TEXT
        if dtype == nw.Boolean:
            return BOOL
        if dtype.is_numeric():
            return NUMBER
        if dtype in (nw.Date, nw.Datetime):
            return DATE
        if dtype in (nw.List, nw.Array):
            return LIST
        if self._series.is_null().all():
            return NOTHING
        if dtype == nw.Object:
            return ArrayColumn(self.name, self.objects()).content
        raise TypeError(
            f"Column {self.name!r} is of type {self.type_name}, which is not supported; convert it "
            "to text, numbers, bools, dates or lists, or drop it (columns={...: 'drop'})."
        )

    def text_numbers(self, vocabulary: TextVocabulary, *, add: bool) -> NDArray[np.int32]:
        arrow = _arrow_of(self._series.to_native())
        if arrow is None:
            return ArrayColumn(self.name, self.objects()).text_numbers(vocabulary, add=add)
        numbers = np.empty(self.n_rows, dtype=np.int32)
        encode_arrow(arrow.__arrow_c_stream__(), vocabulary, numbers, add)
        return numbers

    def numbers(self) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        series, dtype = self._series, self._series.dtype
        if dtype == nw.Object:
            return ArrayColumn(self.name, self.objects()).numbers()
        missing = series.is_null().to_numpy()
        if missing.any():
            series = series.fill_null(False if dtype == nw.Boolean else 0)
        if dtype == nw.Decimal:
            series = series.cast(nw.Float64)
        values, more = ArrayColumn(self.name, series.to_numpy()).numbers()
        return values, missing | more

    def dates(self) -> NDArray[np.datetime64]:
        series = self._series
        if series.dtype == nw.Object:
            return ArrayColumn(self.name, self.objects()).dates()
        if series.dtype == nw.Date:
            series = series.cast(nw.Datetime("us"))
        elif getattr(series.dtype, "time_zone", None):
            series = series.dt.replace_time_zone(None)
        return ArrayColumn(self.name, series.to_numpy()).dates()

    def lists(self) -> Lists:
        series = self._series
        if series.dtype == nw.Object:
            return ArrayColumn(self.name, self.objects()).lists()
        if series.dtype == nw.Array:
            series = series.cast(nw.List(series.dtype.inner))
        missing = series.is_null().to_numpy().astype(bool)
        counts = np.asarray(series.list.len().fill_null(0).to_numpy(), dtype=np.int64)
        some = series.filter((counts > 0).tolist())
        indptr = np.concatenate([[0], counts.cumsum()])
        return Lists(indptr, _frame_column(self.name, _flat(some)), None, missing)

    def objects(self) -> NDArray[np.object_]:
        return _objects(self._series.to_list())


def _flat(series: Any) -> Any:
    """All elements of a series of lists that are not empty."""
    native = series.to_native()
    if not hasattr(native, "chunks"):
        return series.alias("values").to_frame().explode("values")["values"]
    import pyarrow  # for which narwhals has no explode

    chunks = [chunk.flatten() for chunk in native.chunks]
    return nw.from_native(pyarrow.chunked_array(chunks, native.type.value_type), series_only=True)
