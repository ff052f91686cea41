"""Interactions: who chose what, with raw ids mapped to numbers and everything checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse

from .matrix_checks import check_structure

_ORDER = {"user": 0, "item": 1}  # of columns with these names; others stay in their order


class Ids:
    """Raw ids and their numbers, 0 for the first.

    Parameters
    ----------
    values : array of shape (n,)
        Ids by number, each once: integers, strings, or whatever NumPy sorts.
    """

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self._order = np.argsort(values, kind="stable")
        self._sorted = values[self._order]

    def __len__(self) -> int:
        return len(self.values)

    def numbers_of(self, ids: np.ndarray) -> np.ndarray:
        """Numbers of ids as int64, -1 for those that are unknown."""
        ids = np.asarray(ids)
        if not len(self.values) or not len(ids):
            return np.full(len(ids), -1, dtype=np.int64)
        if (ids.dtype.kind in "US") != (self.values.dtype.kind in "US"):
            return np.full(len(ids), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self._sorted, ids), len(self.values) - 1)
        return np.where(self._sorted[places] == ids, self._order[places], -1)

    def grown(self, ids: np.ndarray) -> Ids:
        """With those of `ids` that are new behind the others, in rising order."""
        new = np.unique(ids[self.numbers_of(ids) < 0])
        if not len(new):
            return self
        if (new.dtype.kind in "US") != (self.values.dtype.kind in "US"):
            raise TypeError(f"ids were {self.values.dtype}, new ones are {new.dtype}.")
        return Ids(np.concatenate([self.values, new]))


@dataclass(frozen=True)
class Interactions:
    """Pairs of a user and an item, by number.

    Parameters
    ----------
    users, items : int32 arrays of shape (n,)
    weights : float64 array of shape (n,)
        Above 0; of explicit negatives, too.
    is_negative : bool array of shape (n,)
    n_users, n_items : int
    user_ids, item_ids : Ids or None
        None where users or items are rows or columns of a matrix.
    source : int64 array of shape (n,)
        Where each stood in what was passed in.
    """

    users: np.ndarray
    items: np.ndarray
    weights: np.ndarray
    is_negative: np.ndarray
    n_users: int
    n_items: int
    user_ids: Ids | None = None
    item_ids: Ids | None = None
    source: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.users)

    @property
    def n_positives(self) -> int:
        return len(self) - int(self.is_negative.sum())

    def take(self, numbers: np.ndarray) -> Interactions:
        """Some of them, of the same users and items."""
        source = None if self.source is None else self.source[numbers]
        return Interactions(
            self.users[numbers], self.items[numbers], self.weights[numbers],
            self.is_negative[numbers], self.n_users, self.n_items, self.user_ids, self.item_ids,
            source,
        )  # fmt: skip

    def positives(self) -> sparse.csr_array:
        """Users x items, True where there is a positive."""
        chosen = ~self.is_negative
        ones = np.ones(int(chosen.sum()), dtype=bool)
        shape = self.n_users, self.n_items
        matrix = sparse.csr_array((ones, (self.users[chosen], self.items[chosen])), shape=shape)
        matrix.sum_duplicates()
        matrix.sort_indices()
        return matrix


def check_interactions(
    interactions: Any,
    sample_weight: np.ndarray | None = None,
    *,
    user_ids: Ids | None = None,
    item_ids: Ids | None = None,
    n_users: int | None = None,
    n_items: int | None = None,
    unknown: str = "grow",
    merge: bool = True,
    name: str = "interactions",
) -> Interactions:
    """Interactions from what users pass in.

    Parameters
    ----------
    interactions : sparse matrix, data frame, or arrays (user, item[, weight])
        A sparse matrix of users x items holds weights; a table has one interaction a row. Weights
        are 1 where there are none; those <= 0 mark explicit negatives, whose weight is the absolute
        value, or 1 for zero.
    sample_weight : array, default=None
        Further factors, one a stored entry or row.
    user_ids, item_ids : Ids, default=None
        Those known so far.
    n_users, n_items : int, default=None
        Numbers known so far, for matrices.
    unknown : {"grow", "error", "skip"}
        What becomes of ids that are not known.
    merge : bool
        Whether an interaction that occurs several times becomes one, of the sum of the weights.
    name : str
        For error messages.
    """
    if sparse.issparse(interactions):
        users, items, values, shape = _of_matrix(interactions, name)
        n_users = _size(shape[0], n_users, "rows (users)", unknown, name)
        n_items = _size(shape[1], n_items, "columns (items)", unknown, name)
        user_ids = item_ids = None
        source = np.arange(len(users))
    else:
        raw_users, raw_items, values = _columns(interactions, name)
        users, user_ids = _numbered(raw_users, user_ids, unknown, f"{name}: user", n_users)
        items, item_ids = _numbered(raw_items, item_ids, unknown, f"{name}: item", n_items)
        n_users = len(user_ids) if user_ids is not None else n_users
        n_items = len(item_ids) if item_ids is not None else n_items
        source = np.arange(len(users))
    values = _checked_values(values, name, len(users))
    weights = np.where(values == 0, 1.0, np.abs(values))
    is_negative = values <= 0
    if sample_weight is not None:
        weights = weights * _checked_factors(sample_weight, len(values))
    used = (users >= 0) & (items >= 0) & (weights > 0)
    if not used.all():
        users, items, source = users[used], items[used], source[used]
        weights, is_negative = weights[used], is_negative[used]
    result = Interactions(
        users.astype(np.int32), items.astype(np.int32), weights, is_negative, int(n_users or 0),
        int(n_items or 0), user_ids, item_ids, source,
    )  # fmt: skip
    return _merged(result) if merge else result


def check_ids(ids: Any, name: str) -> np.ndarray:
    """Raw ids as a 1-d array that NumPy can sort."""
    array = np.asarray(ids)
    if array.ndim != 1:
        raise ValueError(f"{name} ids must be 1-dimensional; got shape {array.shape}.")
    if array.dtype == object:
        kinds = {type(one) for one in array.tolist()}
        if all(issubclass(kind, str) for kind in kinds):
            return array.astype(str)
        if all(issubclass(kind, int | np.integer) and kind is not bool for kind in kinds):
            return array.astype(np.int64)
        first = array[0]
        bad = next(
            (row for row, one in enumerate(array.tolist()) if type(one) is not type(first)), 0
        )
        raise TypeError(
            f"{name} ids must be all integers or all strings; row {bad} has {array[bad]!r} of "
            f"type {type(array[bad]).__name__}, row 0 {first!r}."
        )
    if array.dtype.kind in "fc":
        bad_rows = np.flatnonzero(~np.isfinite(array))
        if bad_rows.size:
            raise ValueError(f"{name} ids contain {array[bad_rows[0]]} in row {bad_rows[0]}.")
    return array


def _of_matrix(
    matrix: Any, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
    """(users, items, weights, shape) of a sparse matrix's entries."""
    matrix = check_structure(matrix)
    if matrix.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold numbers; its dtype is {matrix.dtype}.")
    entries = matrix.tocoo()
    return (
        entries.row.astype(np.int64), entries.col.astype(np.int64), entries.data, entries.shape
    )  # fmt: skip


def _size(n_here: int, n_known: int | None, axis: str, unknown: str, name: str) -> int:
    if n_known is None or n_here == n_known or (n_here > n_known and unknown == "grow"):
        return n_here
    raise ValueError(f"{name} has {n_here} {axis}, the model knows {n_known}.")


def _columns(table: Any, name: str) -> tuple[np.ndarray, np.ndarray, Any]:
    """(users, items, weights or None) of a table with a row an interaction."""
    if isinstance(table, tuple | list) and len(table) in (2, 3):
        columns = list(table)
    elif hasattr(table, "columns"):
        frame = nw.from_native(table, eager_only=True)
        names = sorted(frame.columns, key=lambda name: _ORDER.get(name, len(_ORDER)))
        columns = [frame[column].to_numpy() for column in names]
    elif isinstance(table, np.ndarray) and table.ndim == 2 and table.shape[1] in (2, 3):
        columns = list(table.T)
    else:
        columns = []
    if len(columns) not in (2, 3):
        raise ValueError(
            f"{name} must be a sparse matrix of users x items, or a table with the columns user, "
            f"item and perhaps weight; got {_described(table)}."
        )
    columns[:2] = [
        check_ids(column, f"{name}: {what}")
        for column, what in zip(columns, ("user", "item"), strict=False)
    ]
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(f"{name}: the columns have different lengths, {lengths}.")
    users, items, weights = (*columns, None)[:3]
    return users, items, weights


def _described(table: Any) -> str:
    shape = getattr(table, "shape", None)
    return f"{type(table).__name__}" + (f" of shape {shape}" if shape is not None else "")


def _numbered(
    raw: np.ndarray, ids: Ids | None, unknown: str, name: str, n_known: int | None
) -> tuple[np.ndarray, Ids | None]:
    """(numbers, Ids); a model of a matrix has numbers for ids, and no Ids."""
    if ids is None and n_known is not None:
        if raw.dtype.kind not in "iu":
            raise TypeError(f"{name}s of a model that was fitted on a matrix are row numbers.")
        numbers = np.where((raw >= 0) & (raw < n_known), raw, -1).astype(np.int64)
        if unknown == "grow":
            unknown = "error"
    else:
        if ids is None:
            ids = Ids(np.unique(raw))
        elif unknown == "grow":
            ids = ids.grown(raw)
        numbers = ids.numbers_of(raw)
    if unknown == "error" and (numbers < 0).any():
        row = int(np.argmax(numbers < 0))
        more = len(np.unique(raw[numbers < 0])) - 1
        also = f" (and {more} more)" if more else ""
        raise ValueError(
            f"{name} {raw[row : row + 1].tolist()[0]!r} in row {row} is unknown{also}; it was not "
            "in fit."
        )
    return numbers, ids


def _checked_values(values: Any, name: str, n: int) -> np.ndarray:
    if values is None:
        return np.ones(n)
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name}: weights must be numbers: {error}") from None
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise ValueError(f"{name}: the weight of entry {bad[0]} is {values[bad[0]]}.")
    return values


def _checked_factors(sample_weight: Any, n: int) -> np.ndarray:
    factors = np.asarray(sample_weight, dtype=np.float64)
    if factors.shape != (n,):
        raise ValueError(
            f"sample_weight must hold a number an interaction, shape ({n},); got {factors.shape}."
        )
    bad = np.flatnonzero(~(np.isfinite(factors) & (factors >= 0)))
    if bad.size:
        raise ValueError(
            f"sample_weight must be finite and not negative; entry {bad[0]} has {factors[bad[0]]}."
        )
    return factors


def _merged(given: Interactions) -> Interactions:
    """One interaction a user and item; what occurs as both is what its weights sum up to."""
    key = given.users.astype(np.int64) * max(1, given.n_items) + given.items
    if len(key) < 2 or (np.diff(key) > 0).all():
        return given
    unique, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    if len(unique) == len(key):
        return given.take(first)
    signed = np.where(given.is_negative, -given.weights, given.weights)
    total = np.bincount(inverse, signed, minlength=len(unique))
    one = given.take(first)
    return Interactions(
        one.users, one.items, np.where(total == 0, 1.0, np.abs(total)), total <= 0, given.n_users,
        given.n_items, given.user_ids, given.item_ids, one.source,
    )  # fmt: skip
