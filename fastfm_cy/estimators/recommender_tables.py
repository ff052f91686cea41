"""Tables of features: users, items and contexts as data frames describe them, encoded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
from sklearn.base import clone

from ..data.side_features import split_ids
from ..preprocessing import FieldEncoder

NAMES = ("user_features", "item_features", "context")
"""Arguments of fit that may be tables."""


class FeatureTables:
    """The encoders of a recommender's tables.

    Parameters
    ----------
    given : dict or None
        The estimator's parameter `encoders`.
    fitted : dict of str: FieldEncoder, default=None
        Those of a model, by NAMES; None if there is none yet, and tables are to be learned.
    """

    def __init__(self, given: Any, fitted: dict[str, FieldEncoder] | None = None) -> None:
        self._given, self._learns = _checked(given), fitted is None
        self.fitted = dict(fitted or {})

    def encoded(self, name: str, features: Any) -> Any:
        """Features as matrices, with ids if there were any; what is no table stays as it is."""
        if features is None:
            return None
        ids, table = (None, features) if name == "context" else split_ids(features, name)
        if self._learns and (name in self._given or _has_other_columns(table)):
            encoder = clone(self._given.get(name, FieldEncoder()))
            matrix = _named(name, encoder.fit_transform, table)
            self.fitted[name] = encoder
        elif name in self.fitted:
            matrix = _named(name, self.fitted[name].transform, table)
        else:
            return features
        return matrix if ids is None else (ids, matrix)


def _checked(given: Any) -> dict[str, FieldEncoder]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"encoders must be a dict of name: FieldEncoder, or None; got {given!r}.")
    for name, encoder in given.items():
        if name not in NAMES:
            names = ", ".join(map(repr, NAMES))
            raise ValueError(f"encoders has one for {name!r}; there may be some for {names}.")
        if not isinstance(encoder, FieldEncoder):
            raise TypeError(f"encoders[{name!r}] must be a FieldEncoder; got {encoder!r}.")
    return dict(given)


def _has_other_columns(table: Any) -> bool:
    """Whether a table has columns that hold no numbers."""
    if isinstance(table, list):
        return bool(table) and all(isinstance(row, Mapping) for row in table)
    if isinstance(table, Mapping):
        return True
    if not hasattr(table, "columns"):
        return False
    frame = nw.from_native(table, eager_only=True)
    kinds = frame.schema.values()
    return not all(kind.is_numeric() or kind in (nw.Boolean, nw.Unknown) for kind in kinds)


def _named(name: str, function: Any, table: Any) -> Any:
    """The function of the table; what it does not like names the argument."""
    try:
        return function(table)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from error
