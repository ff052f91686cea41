"""Neighbours: the features whose factor vectors point the same way."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..utils.checks import check_choice, check_integer
from .columns import Columns
from .embeddings import output_of
from .intervals import check_level, with_interval
from .names import Fields
from .pairs import Nodes, PairWeights, blocks
from .view import View, view_of

_MEASURES = {"cosine": True, "weight": False}
"""Whether vectors count by their direction alone."""


def nearest(
    model: Any, feature: Any, n: int = 10, *, field: Any = None, measure: str = "cosine",
    class_: Any = None, fields: Any = None, names: Any = None, level: float = 0.9,
) -> Columns:  # fmt: skip
    """The features most like one, or those that go with it best.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted machine of this package, or a pipeline that ends in one.
    feature : str or int
        Its name, or its number among X's features.
    n : int, default=10
        Number of neighbours, at most.
    field : int or str, default=None
        Look among the features of one field, by its number or name. None is that of `feature` for
        the cosine, where fields are known, and else all.
    measure : {"cosine", "weight"}, default="cosine"
        "cosine" of the angle between two vectors finds features that do alike; "weight", that of
        their interaction, finds those that raise the score most together with `feature`.
    class_ : label, default=None
        Of several classes, whose vectors. None is the first.
    fields : array of shape (n_features,), default=None
        For plain machines, the number or the name of the field of each feature. None takes those of
        the FieldEncoder of the pipeline, or of `names`.
    names : array of shape (n_features,) or fitted transformer, default=None
        Names of the features, or what has `get_feature_names_out`. None takes the pipeline's, or
        those of the data frame that the model saw.
    level : float, default=0.9
        Of the intervals of a Bayesian machine.

    Returns
    -------
    Columns
        "feature" and the measure, the largest first; of Bayesian machines its posterior mean,
        between "low" and "high".

    Notes
    -----
    The vectors of a field-aware machine are compared all together; in a weight, each feature has
    its vector for the other's field.

    Examples
    --------
    >>> from fastfm_cy import FMRegressor
    >>> from fastfm_cy.datasets import make_ratings
    >>> from fastfm_cy.inspection import nearest
    >>> data = make_ratings(n_users=50, n_items=40, n_ratings=2000, random_state=0)
    >>> model = FMRegressor(8, random_state=0).fit(data.X, data.y)
    >>> list(nearest(model, 55, 3))
    ['feature', 'cosine']
    """
    view, level = view_of(model, names), check_level(level)
    n = check_integer(n, "n", 1)
    by_direction = check_choice(measure, "measure", _MEASURES)
    if view.inputs.n_hash is not None or view.has_fields_beside:
        raise ValueError("Features that are hashed, or have fields beside the data, have no one "
                         "place of their own; nearest needs one.")  # fmt: skip
    own, number = view.fields(fields), _number(view, feature)
    others = _others(view, number, own, field, by_direction=by_direction)
    output = output_of(view, class_)
    compare = _cosines if by_direction else _weights
    means = np.concatenate(
        [np.zeros(0)]
        + [
            compare(view, output, number, others[part], own).mean(axis=0)
            for part in blocks(len(others), view.weights)
        ]
    )
    best = np.argsort(-means, kind="stable")[:n]
    draws = compare(view, output, number, others[best], own)
    table = Columns(feature=view.names.of_table(others[best]))
    table[measure] = means[best]
    return with_interval(table, draws, level)


def _number(view: View, feature: Any) -> int:
    """Among X's features, by its name or number."""
    names = view.names.names
    if isinstance(feature, str) and names is not None:
        found = np.flatnonzero(names.astype(object) == feature)
        if not len(found):
            raise ValueError(f"There is no feature {feature!r}; see embeddings(model).names.")
        return int(found[0])
    if isinstance(feature, str) and feature[:1] == "x" and feature[1:].isdecimal():
        feature = int(feature[1:])
    number = check_integer(feature, "feature", 0)
    if number >= view.n_features:
        raise ValueError(f"feature must lie below {view.n_features}; got {number}.")
    return number


def _others(
    view: View, number: int, own: Fields | None, field: Any, *, by_direction: bool
) -> np.ndarray:
    """The features to compare with."""
    used = view.weights.used
    others = used[used != number]
    if field is not None and own is None:
        raise ValueError(f"The features' fields are not known; give fields= with {field=}.")
    if own is None or (field is None and not by_direction):
        return others
    wanted = own.of_features[number] if field is None else own.number(field)
    return others[own.of_features[others] == wanted]


def _cosines(
    view: View, output: int, number: int, others: np.ndarray, own: Fields | None
) -> np.ndarray:
    """Of each draw, shape (n_draws, n_others); 0 where a vector is zero."""
    weights = view.weights
    toward = np.unique(weights.family.vectors_toward(np.arange(len(weights.pair_scales(0)))))
    both = np.concatenate([[number], others])
    vectors = np.concatenate([weights.vectors(output, both, which) for which in toward], axis=2)
    lengths = np.sqrt(np.square(vectors).sum(axis=2, keepdims=True))
    vectors = vectors / np.where(lengths > 0, lengths, 1.0)
    return np.einsum("dk,dnk->dn", vectors[:, 0], vectors[:, 1:])


def _weights(
    view: View, output: int, number: int, others: np.ndarray, own: Fields | None
) -> np.ndarray:
    """Of each draw's interactions, shape (n_draws, n_others)."""
    features = np.concatenate([[number], others])
    fields = np.zeros(len(features), dtype=np.int64)
    if view.knows_fields and own is not None:
        fields = own.of_features[features]
    first = np.zeros(len(others), dtype=np.int64)
    pairs = PairWeights(view.weights, output)
    return pairs.of_pairs(Nodes(features, fields), first, first + 1 + np.arange(len(others)))
