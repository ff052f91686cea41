"""Plan of an encoder: what each column of a table is, by its type or as the user says."""

from __future__ import annotations

from typing import Any

from .categorical import Categorical
from .columns import BOOL, DATE, LIST, NOTHING, NUMBER, TEXT, Column
from .dates import Dates
from .field import Field
from .joined import Join
from .multi import MultiValued
from .numeric import Numeric
from .table import Table
from .text import Text

DROP = "drop"
KINDS = (Categorical, MultiValued, Numeric, Dates, Text)
_BY_NAME = {
    "categorical": Categorical(),
    "multi": MultiValued(),
    "numeric": Numeric(),
    "dates": Dates(),
}
FROM_DTYPE = "from_dtype"


def plan_fields(
    table: Table,
    columns: dict[Any, Any] | None,
    categorical: Any,
    numeric: Numeric,
    join: dict[str, Join] | None,
    defaults: Categorical,
) -> tuple[list[Field], list[str]]:
    """The fields of a table, which have learned nothing yet, and the names of columns dropped."""
    kinds = _given_kinds(table, columns, categorical)
    fields: list[Field] = []
    dropped, nothing = [], []
    for column in table.columns:
        kind = kinds.get(column.name)
        if kind is None:
            if column.content == NOTHING:
                nothing.append(column.name)
                continue
            kind = _kind_by_type(column, numeric)
        if kind == DROP:
            dropped.append(column.name)
        else:
            fields += kind.fields(column.name, column, defaults)
    if nothing:
        raise ValueError(all_missing(nothing, table.n_rows))
    if join is not None and not isinstance(join, dict):
        raise TypeError(f"join must be a dict from names to Join(...); got {join!r}.")
    for name, one_join in (join or {}).items():
        if not isinstance(one_join, Join):
            raise TypeError(f"join[{name!r}] must be a Join(...); got {one_join!r}.")
        fields += one_join.fields(name, _key(table, name, one_join), defaults)
    _check_unique(fields)
    return fields, dropped


def all_missing(names: list[str], n_rows: int) -> str:
    listed = ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
    return (
        f"All {n_rows} values of column {listed} are missing, so there is nothing to learn: drop "
        f"{'it' if len(names) == 1 else 'them'} (columns={{{names[0]!r}: 'drop'}})."
    )


def _given_kinds(table: Table, columns: dict[Any, Any] | None, categorical: Any) -> dict[str, Any]:
    kinds: dict[str, Any] = {}
    if not (isinstance(categorical, str) and categorical == FROM_DTYPE):
        if isinstance(categorical, str | dict) or not hasattr(categorical, "__iter__"):
            raise ValueError(
                'categorical must be "from_dtype" or a list of columns that are categorical, '
                f"whatever their type; got {categorical!r}."
            )
        kinds = {name_of(table, key, "categorical"): Categorical() for key in categorical}
    if columns is not None and not isinstance(columns, dict):
        raise TypeError(f"columns must be a dict from columns to kinds; got {columns!r}.")
    for key, kind in (columns or {}).items():
        name = name_of(table, key, "columns")
        if isinstance(kind, str) and kind in _BY_NAME:
            kind = _BY_NAME[kind]
        elif not isinstance(kind, KINDS) and kind != DROP:
            raise ValueError(
                f"columns[{key!r}] must be one of {', '.join(map(repr, (*_BY_NAME, DROP)))}, or "
                f"{', '.join(f'{kind.__name__}(...)' for kind in KINDS)}; got {kind!r}."
            )
        if kind != DROP:
            kind.check()
        kinds[name] = kind
    return kinds


def name_of(table: Table, key: Any, parameter: str) -> str:
    """The name of a column, given it or its position."""
    names = table.names
    if isinstance(key, str):
        if key in names:
            return key
        raise ValueError(
            f"{parameter} names the column {key!r}, which X does not have; it has "
            f"{', '.join(map(repr, names[:10]))}{', ...' if len(names) > 10 else ''}."
        )
    try:
        position = key.__index__()
    except AttributeError:
        raise TypeError(f"{parameter} must name columns or their positions, not {key!r}.") from None
    if isinstance(key, bool) or not 0 <= position < len(names):
        raise ValueError(f"{parameter} has {key!r}; X has the columns 0 to {len(names) - 1}.")
    return names[position]


def _kind_by_type(column: Column, numeric: Numeric) -> Any:
    if column.is_category or column.content in (TEXT, BOOL):
        return Categorical()
    return {NUMBER: numeric, DATE: Dates(), LIST: MultiValued()}[column.content]


def _key(table: Table, name: str, join: Join) -> Column:
    join.check()
    key = name_of(table, join.keys[0], f"join[{name!r}]")
    return next(column for column in table.columns if column.name == key)


def _check_unique(fields: list[Field]) -> None:
    seen: dict[str, str] = {}
    for field in fields:
        if field.name in seen:
            raise ValueError(
                f"Two fields have the name {field.name!r} (made of {seen[field.name]!r} and of "
                f"{field.source!r}); rename a column, or the join."
            )
        seen[field.name] = field.source
