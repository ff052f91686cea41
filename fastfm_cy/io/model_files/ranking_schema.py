"""Schema of ranking machines: what model files hold of them, and how it must fit together."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone

from ...data.csr import CSRRows
from ...data.interactions import Ids
from ...estimators.folding import fold_parameters
from ...estimators.ranking_plan import resolve_ranking
from ...estimators.recommender_tables import NAMES as TABLES
from ...model.recommender import SideKind, TwoSidedModel
from ...model.table import ParameterTable
from ...preprocessing import FieldEncoder
from ...training.ranking.losses import PAIR_LOSSES, RECOMMENDER_LOSSES
from ...training.solvers import SOLVERS
from . import value_checks as check
from .codec import require

Attributes = dict[str, Any]

ATTRIBUTES = {
    "best_iter_": check.count,
    "_rng": check.is_a(np.random.Generator),
    "_state": check.is_a(tuple),
    "_table": check.is_a(ParameterTable),
    "_tables": check.is_a(tuple),
    "_sizes": check.is_a(list),
    **dict.fromkeys(("_user_rows", "_item_rows"), check.optional_tuple),
    **dict.fromkeys(("_user_ids", "_item_ids"), check.is_a(np.ndarray)),
    "_seen": check.is_a(tuple),
    "_encoders": check.is_a(dict),
    "_fold_parameters": check.is_a(dict),
}
"""What files hold of them beside what they hold of all estimators, with a check of each."""

_PUBLIC = ("n_features_in_", "feature_names_in_", "n_iter_", "history_", "best_iter_", "_rng")


def _own(model: Any) -> Attributes:
    return {name: vars(model)[name] for name in ("best_iter_", "_rng") if name in vars(model)}


def _take(model: Any, attributes: Attributes) -> None:
    vars(model).update({name: attributes[name] for name in _PUBLIC if name in attributes})


def _state_of(table: ParameterTable) -> tuple:
    return table.state_start, table.n_row_state


def _with_state(table: ParameterTable, attributes: Attributes) -> ParameterTable:
    """A table with state as the solver wants it; files may hold none."""
    state = attributes["_state"]
    require(state in [(row.state_start, row.n_row_state) for row in SOLVERS.values()], "state")
    require(isinstance(table, ParameterTable) and table.n_outputs == 1, "parameter table")
    require(not table.is_tiled or state == ((), 0), "parameter table")
    require(type(table.family).__name__ == "FM", "parameter table")
    return table if _state_of(table) == state else table.with_state(*state)


# Rankers -----------------------------------------------------------------------------------------


def stored_ranker(model: Any) -> Attributes:
    return _own(model) | {"_table": model._table, "_state": _state_of(model._table)}


def check_ranker(model: Any, attributes: Attributes) -> None:
    resolve_ranking(model.get_params(deep=False), PAIR_LOSSES)


def ranker_without_state(attributes: Attributes) -> Attributes:
    return attributes | {"_table": attributes["_table"].with_state()}


def restore_ranker(model: Any, attributes: Attributes, keeps_tables: bool) -> None:
    check_ranker(model, attributes)
    table = _with_state(attributes["_table"], attributes)
    require(table.n_features == attributes["n_features_in_"], "number of features")
    _take(model, attributes)
    model._table = table


# Recommenders ------------------------------------------------------------------------------------


def stored_recommender(model: Any) -> Attributes:
    inner, parts = model._model, {}
    for name, kind, rows, ids in (
        ("user", inner.users, inner.user_rows, inner.user_ids),
        ("item", inner.items, inner.item_rows, inner.item_ids),
    ):
        parts[f"_{name}_rows"] = (
            None if rows is None else (rows.indptr, rows.indices, rows.data, kind.size)
        )
        if ids is not None:
            parts[f"_{name}_ids"] = ids.values
    if model._fold_parameters != fold_parameters(model.get_params(deep=False)):
        parts["_fold_parameters"] = model._fold_parameters
    return _own(model) | parts | {
        "_encoders": {
            name: (name in (model.encoders or {}), *encoder.to_state())
            for name, encoder in model.encoders_.items()
        },
        "_tables": (inner.user_table, inner.item_table),
        "_state": _state_of(inner.item_table),
        "_sizes": [_size(inner.users), _size(inner.items), inner.item_interactions],
        "_seen": (inner.seen.indptr.astype(np.int64), inner.seen.indices.astype(np.int32)),
    }  # fmt: skip


def _size(kind: SideKind) -> list:
    return [kind.n_rows, kind.n_features, kind.n_context, kind.has_own]


def check_recommender(model: Any, attributes: Attributes) -> None:
    resolve_ranking(model.get_params(deep=False), RECOMMENDER_LOSSES)


def recommender_without_state(attributes: Attributes) -> Attributes:
    tables = tuple(table.with_state() for table in attributes["_tables"])
    return attributes | {"_tables": tables}


def restore_recommender(model: Any, attributes: Attributes, keeps_tables: bool) -> None:
    check_recommender(model, attributes)
    users, items, interacts = attributes["_sizes"]
    users, items = _kind(users), _kind(items)
    require(isinstance(interacts, bool) and not items.n_context, "sides")
    tables = [_with_state(table, attributes) for table in attributes["_tables"]]
    for table, kind in zip(tables, (users, items), strict=True):
        require(table.n_features == kind.size, "number of features")
    require(tables[0].n_factors == tables[1].n_factors, "number of factors")
    require(tables[0].dtype == tables[1].dtype, "data type")
    rows = [
        _rows(attributes[f"_{name}_rows"], kind, tables[0].dtype)
        for name, kind in (("user", users), ("item", items))
    ]
    ids = [
        _ids(attributes.get(f"_{name}_ids"), kind)
        for name, kind in (("user", users), ("item", items))
    ]
    indptr, indices = attributes["_seen"]
    _check_lists(indptr, indices, users.n_rows, items.n_rows)
    seen = sparse.csr_array(
        (np.ones(len(indices), dtype=bool), indices, indptr), shape=(users.n_rows, items.n_rows)
    )
    _restore_encoders(model, attributes.get("_encoders", {}), users, items)
    given = fold_parameters(model.get_params(deep=False))
    model._fold_parameters = attributes.get("_fold_parameters", given)
    require(model._fold_parameters.keys() == given.keys(), "parameters")
    resolve_ranking(model.get_params(deep=False) | model._fold_parameters, RECOMMENDER_LOSSES)
    _take(model, attributes)
    model._model = TwoSidedModel(
        users, items, tables[0], tables[1], rows[0], rows[1], interacts, ids[0], ids[1], seen
    )


def _restore_encoders(
    model: Any, stored: dict[str, tuple], users: SideKind, items: SideKind
) -> None:
    """The fitted encoders, and as a parameter those that were one."""
    sizes = users.n_features, items.n_features, users.n_context
    widths = dict(zip(TABLES, sizes, strict=True))
    model.encoders_, given = {}, {}
    for name, (is_given, state, arrays) in stored.items():
        encoder = FieldEncoder.from_state(state, arrays)
        require(len(encoder.fields_) == widths[name], "encoder")
        model.encoders_[name] = encoder
        if is_given:
            given[name] = clone(encoder)
    model.encoders = given or None


def _kind(numbers: list) -> SideKind:
    require(len(numbers) == 4, "sides")
    *sizes, has_own = numbers
    require(isinstance(has_own, bool), "sides")
    require(all(type(size) is int and 0 <= size < 1 << 31 for size in sizes), "sides")
    return SideKind(sizes[0], sizes[1], sizes[2], has_own)


def _rows(parts: tuple | None, kind: SideKind, dtype: np.dtype) -> CSRRows | None:
    if parts is None:
        require(kind.has_own, "features")
        return None
    indptr, indices, data, n_features = parts
    require(n_features == kind.size and data.shape == indices.shape, "features")
    require(data.dtype == dtype and np.isfinite(data).all(), "features")
    _check_lists(indptr, indices, kind.n_rows, kind.size)
    rows = CSRRows(indptr, indices, data, n_features)
    if kind.has_own:
        require((np.diff(indptr) > 0).all(), "features")
        require(np.array_equal(indices[indptr[:-1]], np.arange(kind.n_rows)), "features")
    return rows


def _check_lists(indptr: np.ndarray, indices: np.ndarray, n_rows: int, n_columns: int) -> None:
    """Refuse a CSR matrix whose rows are not lists of rising columns."""
    require(indptr.shape == (n_rows + 1,) and indptr.dtype == np.int64, "lists")
    require(indices.ndim == 1 and indices.dtype == np.int32, "lists")
    require(indptr[0] == 0 and indptr[-1] == len(indices), "lists")
    require((np.diff(indptr) >= 0).all(), "lists")
    if len(indices):
        require(indices.min() >= 0 and indices.max() < n_columns, "lists")
        starts = np.zeros(len(indices) + 1, dtype=bool)
        starts[indptr] = True
        require(((np.diff(indices) > 0) | starts[1:-1]).all(), "lists")


def _ids(values: np.ndarray | None, kind: SideKind) -> Ids | None:
    if values is None:
        return None
    require(values.shape == (kind.n_rows,) and len(np.unique(values)) == len(values), "ids")
    return Ids(values)
