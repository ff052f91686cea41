"""Two-sided model: queries and items as vectors whose inner product is the ranking score.

Of a second-order factorization machine over x = [query, item], all that depends on the item is

    score(c, i) = b_i + <q_c, q_i>,    q = sum_l x_l v_l,
    b_i = sum_l w_l x_l + 1/2 (|q_i|^2 - sum_l |x_l v_l|^2),

so that [q_c, 1] and [q_i, b_i] are the two sides of an inner product, whatever features there are.
The second term of b_i is absent from a model without interactions among an item's own features.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from ..data.csr import CSRRows
from ..data.interactions import Ids
from .sides import Side, joined_rows
from .table import ParameterTable


@dataclass(frozen=True)
class SideKind:
    """What the features of one side are.

    Parameters
    ----------
    n_rows : int
        Users or items, known by number.
    n_features, n_context : int
        Further features of them, and of contexts, in this order behind the numbers.
    has_own : bool
        Whether a row's own number is a feature.
    """

    n_rows: int
    n_features: int
    n_context: int
    has_own: bool

    @property
    def n_own(self) -> int:
        return self.n_rows if self.has_own else 0

    @property
    def size(self) -> int:
        return self.n_own + self.n_features + self.n_context

    @property
    def numbers(self) -> np.ndarray:
        """uint32, a number a feature that stays its own when there are more rows."""
        others = np.arange(self.n_features + self.n_context, dtype=np.uint32)
        if not self.has_own:
            return others
        return np.concatenate([np.arange(self.n_own, dtype=np.uint32), 2**31 + others])


@dataclass
class TwoSidedModel:
    """A trained recommender.

    Parameters
    ----------
    users, items : SideKind
    user_table, item_table : ParameterTable
    user_rows, item_rows : CSRRows or None
        Features of the known users and items, with their own numbers; None if these are all.
    item_interactions : bool
    fit_linear : bool
    user_ids, item_ids : Ids or None
    seen : csr_array of shape (n_users, n_items)
        What every user had in training.
    """

    users: SideKind
    items: SideKind
    user_table: ParameterTable
    item_table: ParameterTable
    user_rows: CSRRows | None
    item_rows: CSRRows | None
    item_interactions: bool
    user_ids: Ids | None
    item_ids: Ids | None
    seen: sparse.csr_array
    _items: np.ndarray | None = field(default=None, repr=False)

    @property
    def n_factors(self) -> int:
        return self.item_table.n_factors

    @property
    def known_users(self) -> np.ndarray:
        """Raw ids by number."""
        return np.arange(self.users.n_rows) if self.user_ids is None else self.user_ids.values

    @property
    def known_items(self) -> np.ndarray:
        """Raw ids by number."""
        return np.arange(self.items.n_rows) if self.item_ids is None else self.item_ids.values

    def item_vectors(self, n_jobs: int = 1) -> np.ndarray:
        """[q_i, b_i] of the known items, shape (n_items, n_factors + 1)."""
        if self._items is None:
            side = Side(self.item_rows, self.item_table, interacts=self.item_interactions)
            self._items = self._with_constants(side, self.items.n_rows, n_jobs)
        return self._items

    def forget_vectors(self) -> None:
        """Compute the items' vectors anew when they are next asked for."""
        self._items = None

    def vectors_of_new_items(self, features: CSRRows, n_jobs: int = 1) -> np.ndarray:
        """[q_i, b_i] of items that only their features describe."""
        rows = _shifted(features, self.items.n_own)
        side = Side(rows, self.item_table, interacts=self.item_interactions)
        return self._with_constants(side, features.n_rows, n_jobs)

    def query_vectors(
        self, users: np.ndarray | None, features: CSRRows | None = None,
        context: CSRRows | None = None, n_jobs: int = 1,
    ) -> np.ndarray:  # fmt: skip
        """[q_c, 1], shape (n_queries, n_factors + 1).

        Parameters
        ----------
        users : int64 array or None
            Numbers of known users, -1 for others; None if all are new.
        features : CSRRows, default=None
            In place of the known users' features, a row a query.
        context : CSRRows, default=None
            A row a query.
        """
        parts = []
        if users is not None:
            parts.append(self._of_users(users, features is None, n_jobs))
        if features is not None:
            rows = _shifted(features, self.users.n_own)
            parts.append(Side(rows, self.user_table).vectors(rows.n_rows, n_jobs)[0])
        if context is not None:
            rows = _shifted(context, self.users.n_own + self.users.n_features)
            parts.append(Side(rows, self.user_table).vectors(rows.n_rows, n_jobs)[0])
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return self._padded_queries(total)

    def _of_users(self, users: np.ndarray, with_features: bool, n_jobs: int) -> np.ndarray:
        known = np.where(users < 0, 0, users)
        if with_features and self.user_rows is not None:
            side = Side(self.user_rows.take(known), self.user_table)
        elif self.users.has_own:
            rows = CSRRows(
                np.arange(len(users) + 1), known.astype(np.int32),
                np.ones(len(users), dtype=self.user_table.dtype), self.users.size,
            )  # fmt: skip
            side = Side(rows, self.user_table)
        else:
            return np.zeros((len(users), self.user_table.n_padded), self.user_table.dtype)
        vectors = side.vectors(len(users), n_jobs)[0]
        vectors[users < 0] = 0
        return vectors

    def _padded_queries(self, vectors: np.ndarray) -> np.ndarray:
        queries = np.ones((len(vectors), self.n_factors + 1), dtype=vectors.dtype)
        queries[:, :-1] = vectors[:, : self.n_factors]
        return queries

    def _with_constants(self, side: Side, n_rows: int, n_jobs: int) -> np.ndarray:
        vectors, constants = side.vectors(n_rows, n_jobs)
        return np.column_stack([vectors[:, : self.n_factors], constants])

    def kept(self, users: np.ndarray) -> sparse.csr_array:
        """What the users had in training; nothing for -1."""
        is_known = users >= 0
        if not self.users.n_rows:
            return sparse.csr_array((len(users), self.items.n_rows), dtype=bool)
        kept = self.seen[np.where(is_known, users, 0)]
        if not is_known.all():
            sizes = np.diff(kept.indptr)
            entries = np.repeat(is_known, sizes)
            indptr = np.concatenate([[0], np.cumsum(np.where(is_known, sizes, 0))])
            parts = kept.data[entries], kept.indices[entries], indptr
            kept = sparse.csr_array(parts, shape=kept.shape)
        kept.sort_indices()
        return kept


def _shifted(features: CSRRows, by: int) -> CSRRows:
    indices = (features.indices + np.int32(by)).astype(np.int32)
    return replace(features, indices=indices, n_features=features.n_features + by)


def rows_of_side(kind: SideKind, features: CSRRows | None, dtype: str) -> CSRRows | None:
    """Rows of all users or items of a side."""
    rows = joined_rows(kind.n_rows, features, dtype, own=kind.has_own, n_own=kind.n_own)
    return None if rows is None else replace(rows, n_features=kind.size)


def lists_of(matrix: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """The sorted items of each row, as top_n takes them."""
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
