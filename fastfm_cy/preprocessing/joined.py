"""Joined fields: sets from another table, such as the items that a user rated."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .categorical import Categorical, CategoricalField
from .columns import LIST, Column
from .field import Field, Part
from .numeric import numbers_of
from .sets import check_normalize, part_of, sets_of
from .state import StateReader, StateWriter
from .table import Table, read_table
from .vocabulary import Vocabulary


class Join:
    """Sets from another table: for each row, the values that belong to its key there.

    With a table of ratings, ``Join(ratings, on="user", values="item", normalize="l2")`` gives each
    row the items that its user rated, as SVD++ has them [1]_.

    Parameters
    ----------
    table : table
        Of any kind that the encoder takes. It is read by `fit`, and not copied before.
    on : str or (str, str)
        The column with the key, in X and in the table; or in X, and in the table.
    values : str
        The table's column of the values that make up the sets.
    weights : str, default=None
        The table's column of their weights; None: 1.
    normalize : {None, "l1", "l2"}, default=None
        Divide a row's values by the sum of their sizes, or by their Euclidean length.
    categories : Categorical, default=Categorical()
        Limits of the number of values.

    References
    ----------
    .. [1] Y. Koren, "Factorization Meets the Neighborhood", KDD 2008.
    """

    def __init__(
        self,
        table: Any,
        on: str | tuple[str, str],
        values: str,
        weights: str | None = None,
        normalize: str | None = None,
        categories: Categorical | None = None,
    ) -> None:
        self.table = table
        self.on = on
        self.values = values
        self.weights = weights
        self.normalize = normalize
        self.categories = Categorical() if categories is None else categories

    def __repr__(self) -> str:
        parts = [f"<{type(self.table).__name__}>", f"on={self.on!r}", f"values={self.values!r}"]
        if self.weights is not None:
            parts.append(f"weights={self.weights!r}")
        if self.normalize is not None:
            parts.append(f"normalize={self.normalize!r}")
        return f"Join({', '.join(parts)})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Join:
        # For sklearn.base.clone: the table is shared.
        return Join(self.table, self.on, self.values, self.weights, self.normalize, self.categories)

    @property
    def keys(self) -> tuple[str, str]:
        """The key's column in X, and in the table."""
        return (self.on, self.on) if isinstance(self.on, str) else self.on

    def check(self) -> None:
        is_pair = isinstance(self.on, tuple) and len(self.on) == 2
        if not isinstance(self.on, str) and not (
            is_pair and all(isinstance(key, str) for key in self.on)
        ):
            raise TypeError(f"on must be the name of a column, or a pair of them; got {self.on!r}.")
        check_normalize(self.normalize)
        self.categories.check()
        if self.table is None:
            raise ValueError(
                "The table of a Join is not part of a stored encoder, which can encode but not be "
                "fitted again; set the parameter join anew."
            )

    def fields(self, name: str, column: Column, defaults: Categorical) -> list[Field]:
        return [JoinedField.learned(name, column.name, self, self.categories.filled(defaults))]


class JoinedField(Field):
    """The sets of all keys, and a last empty one."""

    kind = "joined"

    def __init__(
        self,
        name: str,
        source: str,
        keys: Vocabulary,
        categories: CategoricalField,
        sets: sparse.csr_array,
        handle_unknown: str | None,
    ) -> None:
        super().__init__(name, source)
        self.keys = keys
        self.categories = categories
        self.sets = sets
        self.handle_unknown = handle_unknown

    @classmethod
    def learned(cls, name: str, source: str, join: Join, options: Categorical) -> JoinedField:
        table = read_table(join.table)
        what = f"the table of join={{{name!r}: ...}}"
        key, values = (_column(table, wanted, what) for wanted in (join.keys[1], join.values))
        weights = None
        if join.weights is not None:
            weights = numbers_of(_column(table, join.weights, what))
            if np.isnan(weights).any():
                row = int(np.argmax(np.isnan(weights)))
                raise ValueError(f"Column {join.weights!r} of {what}, row {row}: no weight.")
        keys = Vocabulary()
        of_rows = keys.encode(key, add=True)
        if values.content == LIST:
            raise TypeError(f"Column {join.values!r} of {what} must hold one value a row.")
        if not len(keys):
            raise ValueError(f"Column {join.keys[1]!r} of {what} has no keys.")
        categories = options.field(name, source)
        reading = categories.learn(values)
        numbers = np.arange(categories.n_features, dtype=np.int32)
        features = categories.part(reading, numbers, np.dtype(np.float64))[0]
        kept = (reading.numbers != -1) & (of_rows >= 0)  # a missing value is no value of a set
        features = np.where(kept, features, -1)
        order = np.argsort(of_rows, kind="stable")
        indptr = np.searchsorted(of_rows[order], np.arange(len(keys) + 1))
        indptr = np.append(indptr, indptr[-1])
        indptr = indptr - indptr[0]
        order = order[len(order) - indptr[-1] :]
        sets = sets_of(
            indptr.astype(np.int64),
            features[order],
            None if weights is None else weights[order],
            join.normalize,
        )
        return cls(name, source, keys, categories, sets, options.handle_unknown)

    @property
    def n_features(self) -> int:
        return self.categories.n_features

    @property
    def has_values(self) -> bool:
        return True

    def learn(self, column: Column) -> NDArray[np.int32]:
        return self.read(column)

    def read(self, column: Column) -> NDArray[np.int32]:
        numbers = self.keys.encode(column, add=False)
        if self.handle_unknown == "error" and (numbers < 0).any():
            row = int(np.argmax(numbers < 0))
            raise ValueError(
                f"Column {self.source!r}, row {row}: the table of {self.name!r} has no rows for "
                f"{column.objects()[row]!r}."
            )
        return np.where(numbers < 0, len(self.keys), numbers)

    def part(
        self, reading: NDArray[np.int32], numbers: NDArray[np.int32], dtype: np.dtype[Any]
    ) -> Part:
        sets = self.sets[reading]
        sets.indices = numbers[sets.indices]
        return part_of(sets, None, dtype)

    def feature_names(self) -> list[str]:
        return self.categories.feature_names()

    def to_state(self, writer: StateWriter) -> dict[str, Any]:
        arrays = (
            self.sets.indptr.astype(np.int64), self.sets.indices.astype(np.int32), self.sets.data
        )  # fmt: skip
        return {
            "keys": self.keys.to_state(writer),
            "categories": self.categories.to_state(writer),
            "sets": [writer.put(array) for array in arrays],
            "handle_unknown": self.handle_unknown,
        }

    @classmethod
    def from_state(cls, name: str, source: str, state: Any, reader: StateReader) -> JoinedField:
        keys = Vocabulary.from_state(state["keys"], reader)
        categories = CategoricalField.from_state(name, source, state["categories"], reader)
        indptr, indices, data = state["sets"]
        indptr, indices, data = (
            reader.get(indptr, np.int64), reader.get(indices, np.int32),
            reader.get(data, np.float64),
        )  # fmt: skip
        reader.require(len(indptr) == len(keys) + 2 and indptr[0] == 0, "sets")
        reader.require(bool((np.diff(indptr) >= 0).all()), "sets")
        reader.require(indptr[-1] == indptr[-2] == len(indices) == len(data), "sets")
        n_features = categories.n_features
        inside = (indices >= 0) & (indices < n_features)
        reader.require(bool(inside.all() and np.isfinite(data).all()), "sets")
        shape = len(indptr) - 1, max(1, n_features)
        sets = sparse.csr_array((data, indices, indptr), shape=shape)
        sets.has_canonical_format = False
        sets.sum_duplicates()
        options = Categorical(handle_unknown=state["handle_unknown"])
        options.check()
        return cls(name, source, keys, categories, sets, options.handle_unknown)


def _column(table: Table, name: str, what: str) -> Column:
    for column in table.columns:
        if column.name == name:
            return column
    raise ValueError(f"{what} has no column {name!r}; it has {', '.join(map(repr, table.names))}.")
