"""From the types of a table to an encoder: how estimators take tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from .columns import BOOL, NUMBER, TEXT, Column, first_present
from .encoder import FieldEncoder
from .plan import FROM_DTYPE, name_of
from .table import Table, read_table
from .vocabulary import Vocabulary


def encoder_for(
    X: Any, categorical_features: Any = FROM_DTYPE, **parameters: Any
) -> FieldEncoder | None:
    """An encoder, not fitted, for the X that an estimator gets; None if it is all numbers.

    Parameters
    ----------
    X : table, array or sparse matrix
    categorical_features : "from_dtype" or list of columns, default="from_dtype"
        Columns that are categorical beside those whose type says so.
    **parameters : other parameters of FieldEncoder

    Raises
    ------
    ValueError
        X is an array without a type, in which a column's texts are all numbers: perhaps numbers
        that were read as text.
    """
    names_some = not (isinstance(categorical_features, str) and categorical_features == FROM_DTYPE)
    encoder = FieldEncoder(categorical=categorical_features, **parameters)
    if sparse.issparse(X):
        if names_some:
            raise TypeError("categorical_features takes a table, and X is a sparse matrix.")
        return None
    if not names_some and _is_of_numbers(X):
        return None
    table = read_table(X)
    if not names_some and all(map(_is_number, table.columns)):
        if _is_of_dicts(X):  # which checks of arrays do not know
            return FieldEncoder(numeric="passthrough", **parameters)
        return None
    if not table.has_names:
        _refuse_numbers_as_text(table, categorical_features if names_some else ())
    return encoder


def contents_of(encoder: FieldEncoder) -> dict[str, str | None]:
    """What each column that a fitted encoder knows must hold: TEXT, NUMBER, BOOL or, of dates,
    None; for readers of files whose cells have no type."""
    fitted = encoder._fitted
    contents = {field.source: field.takes for field in fitted.fields}
    return {name: contents.get(name) for name in fitted.names_in if name not in fitted.dropped}


def columns_without_values(encoder: FieldEncoder) -> list[str]:
    """Columns all of whose values were missing in all rows that an encoder learned."""
    fields = encoder._fitted.fields
    return list(dict.fromkeys(field.source for field in fields if not field.has_values))


def refuse_other_than_numbers(X: Any) -> None:
    """Refuse a table with a column that is not numbers."""
    if sparse.issparse(X) or _is_of_numbers(X):
        return
    for place, column in enumerate(read_table(X).columns):
        if not _is_number(column):
            row, value = first_present(column.objects())
            raise TypeError(
                f"Column {column.name!r} (number {place}) of X holds "
                f"{'categories' if column.is_category else column.content}, as row {row} shows "
                f"({value!r}), but the model was fitted on numbers alone."
            )


def _is_of_numbers(X: Any) -> bool:
    """Whether its type, or the types of its columns, say that it holds nothing else."""
    if isinstance(X, np.ndarray):
        return X.dtype.kind in "biufc"
    types = getattr(X, "dtypes", ())  # of pandas and polars
    types = () if callable(types) else list(types)
    return bool(types) and all(map(_is_number_type, types))


def _is_of_dicts(X: Any) -> bool:
    """Whether it is a dict of columns, or a list of dicts."""
    return isinstance(X, dict) or (isinstance(X, list) and bool(X) and isinstance(X[0], dict))


def _is_number_type(dtype: Any) -> bool:
    if hasattr(dtype, "is_numeric"):
        return bool(dtype.is_numeric())
    return getattr(dtype, "kind", "O") in "biufc"


def _is_number(column: Column) -> bool:
    return column.content in (NUMBER, BOOL) and not column.is_category


def _refuse_numbers_as_text(table: Table, categorical: Any) -> None:
    named = {name_of(table, key, "categorical_features") for key in categorical}
    for place, column in enumerate(table.columns):
        if column.content != TEXT or column.name in named:
            continue
        vocabulary = Vocabulary()
        row = int(np.argmax(vocabulary.encode(column, add=True) >= 0))
        if all(map(_reads_as_number, vocabulary.labels())):
            raise ValueError(
                f"Column {place} of X holds text that looks like numbers: row {row} has "
                f"{column.objects()[row]!r}. If they are numbers, convert them "
                f"(X.astype(float), or a data frame with types); if they are categories, say so: "
                f"categorical_features=[{place}]."
            )


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
