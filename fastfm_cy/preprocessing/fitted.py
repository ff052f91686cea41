"""What a fitted encoder knows: its fields, and the number of each of their features."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import Column
from .field import Field
from .table import Table

_MOST_FEATURES = np.iinfo(np.int32).max


@dataclass(frozen=True)
class FittedFields:
    """The fields of an encoder.

    Attributes
    ----------
    fields : list of Field
    numbers : list of int32 arrays
        The global number of each feature of each field, ascending.
    n_features : int
    names_in : list of str
        The columns of the table that was learned.
    has_names : bool
        Whether these names are the table's own.
    dropped : frozenset of str
        Columns that are not looked at, and need not be there.
    """

    fields: list[Field]
    numbers: list[NDArray[np.int32]]
    n_features: int
    names_in: list[str]
    has_names: bool
    dropped: frozenset[str]

    @classmethod
    def of(cls, fields: list[Field], table: Table, dropped: Iterable[str]) -> FittedFields:
        nothing = [np.empty(0, dtype=np.int32) for _ in fields]
        return cls(fields, nothing, 0, table.names, table.has_names, frozenset(dropped)).numbered()

    def numbered(self) -> FittedFields:
        """With the next numbers for the features that are new."""
        numbers, n_features = [], self.n_features
        for field, known in zip(self.fields, self.numbers, strict=True):
            n_new = field.n_features - len(known)
            if n_features + n_new > _MOST_FEATURES:
                raise ValueError(
                    f"Column {field.source!r} brings the number of features to "
                    f"{n_features + n_new:,}; at most {_MOST_FEATURES:,} are supported. Use "
                    "min_frequency, max_categories or n_hash."
                )
            new = np.arange(n_features, n_features + n_new, dtype=np.int32)
            numbers.append(np.concatenate([known, new]) if n_new else known)
            n_features += n_new
        return replace(self, numbers=numbers, n_features=n_features)

    @cached_property
    def field_of_feature(self) -> NDArray[np.int32]:
        """Read-only, since matrices and models share it."""
        fields = np.empty(self.n_features, dtype=np.int32)
        for field, numbers in enumerate(self.numbers):
            fields[numbers] = field
        fields.setflags(write=False)
        return fields

    def feature_names(self, names_in: list[str]) -> NDArray[np.object_]:
        """The names of all features, where the columns have these names."""
        new_names = dict(zip(self.names_in, names_in, strict=True))
        names = np.empty(self.n_features, dtype=object)
        for field, numbers in zip(self.fields, self.numbers, strict=True):
            of_field = field.feature_names()
            if field.kind != "joined":  # which has a name of its own
                new, old = new_names[field.source], field.source
                of_field = [new + name[len(old) :] for name in of_field]
            names[numbers] = of_field
        return names

    @property
    def is_in_order(self) -> bool:
        """Whether each field's features all come behind those of the fields before it."""
        ends = [numbers[[0, -1]] for numbers in self.numbers if len(numbers)]
        return all(before[1] < after[0] for before, after in pairwise(ends))

    def columns_of(self, table: Table) -> dict[str, Column]:
        """The columns of another table, by the names that the fields know."""
        columns = {column.name: column for column in table.columns}
        if not (table.has_names and self.has_names):
            if len(columns) != len(self.names_in):
                raise ValueError(
                    f"X has {len(columns)} features, but FieldEncoder is expecting "
                    f"{len(self.names_in)} features as input."
                )
            return dict(zip(self.names_in, table.columns, strict=True))
        known = set(self.names_in)
        unseen = [name for name in columns if name not in known]
        missing = [n for n in self.names_in if n not in columns and n not in self.dropped]
        said = []
        if unseen:
            said.append(f"X has columns that were not there in fit: {_listed(unseen)}.")
        if missing:
            said.append(f"X lacks columns that were there in fit: {_listed(missing)}.")
        if said:
            raise ValueError(" ".join(said))
        return columns

    def checkpoint(self) -> list[Any]:
        return [field.checkpoint() for field in self.fields]

    def roll_back(self, checkpoint: list[Any]) -> None:
        for field, its_checkpoint in zip(self.fields, checkpoint, strict=True):
            field.roll_back(its_checkpoint)


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
