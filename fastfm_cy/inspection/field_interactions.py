"""Interactions of fields: how much each pair of fields says."""

from __future__ import annotations

from typing import Any

import numpy as np

from .columns import Columns
from .contributions import contributions_of_pairs
from .intervals import check_level, with_interval
from .names import Fields
from .pairs import Nodes, blocks
from .view import SeenRows, View, view_of


def field_interactions(
    model: Any, *, fields: Any = None, X: Any = None, names: Any = None, field_names: Any = None,
    level: float = 0.9,
) -> Columns:  # fmt: skip
    """The strength of the interactions of each pair of fields.

    Without X it is the root mean square of the weights of all pairs of a feature of the one field
    and a feature of the other, as if all of them occurred alike, but for features whose factors are
    zero; it takes O(n_features) time. With
    X it is the root mean square, over the rows, of what the pair of fields adds to the score: how
    much predictions owe to it.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted machine of this package, or a pipeline that ends in one.
    fields : array of shape (n_features,) or CSR matrix, default=None
        For plain machines the number or the name of each feature's field; None takes those of the
        FieldEncoder of the pipeline, or of `names`. For machines that were fitted with fields
        beside the data, the fields of X's entries.
    X : what the model predicts from, default=None
        Rows to look at.
    names : fitted transformer, default=None
        What has `fields_` and `field_names_`, as FieldEncoder.
    field_names : list of str, default=None
        Names of the fields, by their numbers.
    level : float, default=0.9
        Of the intervals of a Bayesian machine.

    Returns
    -------
    Columns
        "first" and "second" field, "strength", of several classes "class"; the strongest first. Of
        Bayesian machines "strength" is the posterior mean, between "low" and "high". A pair of a
        field with itself is there if two features of it can interact.

    References
    ----------
    .. [1] J. Pan et al., "Field-weighted Factorization Machines for Click-Through Rate Prediction
       in Display Advertising", WWW 2018.

    Examples
    --------
    >>> from fastfm_cy import FwFMClassifier
    >>> from fastfm_cy.datasets import make_clicks
    >>> from fastfm_cy.inspection import field_interactions
    >>> data = make_clicks(2000, n_fields=3, n_features=30, random_state=0)
    >>> model = FwFMClassifier(fields=data.fields, random_state=0).fit(data.X, data.y)
    >>> table = field_interactions(model, X=data.X, field_names=["site", "ad", "hour"])
    >>> list(table), table.n_rows
    (['first', 'second', 'strength'], 3)
    """
    view, level = view_of(model, names), check_level(level)
    beside = fields if view.has_fields_beside else None
    own = view.fields(None if view.has_fields_beside else fields)
    if own is None and not view.has_fields_beside:
        raise ValueError(
            "A plain machine knows no fields. Give fields=, the field of each feature, or "
            "names=encoder, a fitted FieldEncoder."
        )
    if X is None:
        strengths = _of_weights(view, view.all_nodes(), own)
    else:
        strengths = _of_rows(view, view.rows(X, beside), own)
    return _table(view, strengths, _names(own, field_names, strengths.shape[-1]), level)


def _names(own: Fields | None, given: Any, n_fields: int) -> np.ndarray:
    if given is None:
        return own.names if own is not None else np.arange(n_fields).astype(str).astype(object)
    if len(given) < n_fields:
        raise ValueError(f"field_names must have {n_fields} names; got {len(given)}.")
    return np.array([str(name) for name in given], dtype=object)


def _fields_of(view: View, nodes: Nodes, own: Fields | None) -> tuple[np.ndarray, int]:
    """Numbers of the fields of nodes, and how many there are."""
    if view.knows_fields or own is None:
        return nodes.fields, len(view.weights.pair_scales(0))
    if view.inputs.n_hash is not None:
        raise ValueError("Hashed features have no fields; fit without n_hash.")
    return own.of_features[nodes.features], len(own.names)


def _of_weights(view: View, nodes: Nodes, own: Fields | None) -> np.ndarray:
    """Shape (n_draws, n_outputs, n_fields, n_fields): the trace of the product of two fields' Gram
    matrices is the sum of their squared inner products."""
    weights = view.weights
    fields, n_fields = _fields_of(view, nodes, own)
    members = [np.flatnonzero(fields == field) for field in range(n_fields)]
    shape = weights.n_draws, weights.n_outputs, n_fields, n_fields
    strengths = np.zeros(shape)
    for output in range(weights.n_outputs):
        scales = weights.pair_scales(output)
        for f in range(n_fields):
            for g in range(f, n_fields):
                scale = scales[f, g] if view.knows_fields else scales[0, 0]
                if not scale:
                    continue
                gram_f, own_f, n_f = _gram(view, output, nodes, members[f], g)
                gram_g, n_g = gram_f, (n_f - 1) / 2
                if f != g:
                    gram_g, _, n_g = _gram(view, output, nodes, members[g], f)
                squares = np.einsum("dab,dba->d", gram_f, gram_g)
                if f == g:
                    squares = np.maximum(squares - own_f, 0.0) / 2
                strengths[:, output, f, g] = abs(scale) * np.sqrt(squares / max(1, n_f * n_g))
    return strengths


def _gram(
    view: View, output: int, nodes: Nodes, members: np.ndarray, toward: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Of each draw: sums over the features of v v^T, and of |v|^4; and how many have a v."""
    weights = view.weights
    gram = np.zeros((weights.n_draws, weights.n_factors, weights.n_factors))
    own, n_present = np.zeros(weights.n_draws), 0
    for part in blocks(len(members), weights):
        features = nodes.features[members[part]]
        which = weights.family.vectors_toward(np.full(len(features), toward))
        vectors = weights.vectors(output, features, which)
        gram += vectors.swapaxes(1, 2) @ vectors
        own += np.square(np.square(vectors).sum(axis=2)).sum(axis=1)
        n_present += int(vectors.any(axis=(0, 2)).sum())
    return gram, own, n_present


def _of_rows(view: View, seen: SeenRows, own: Fields | None) -> np.ndarray:
    rows, weights = seen.rows, view.weights
    nodes, of_entry = view.nodes_of(rows)
    fields, n_fields = _fields_of(view, nodes, own)
    of_entries, row_of = fields[of_entry], np.repeat(np.arange(rows.n_rows), np.diff(rows.indptr))
    n_cells = n_fields * n_fields
    strengths = np.zeros((weights.n_draws, weights.n_outputs, n_fields, n_fields))
    for output in range(weights.n_outputs):
        squares = np.zeros((weights.n_draws, n_cells))
        unfinished = None  # of the last row, whose pairs may go on in the next part
        found = contributions_of_pairs(weights, output, nodes, of_entry, rows)
        for first, second, added in found:
            low = np.minimum(of_entries[first], of_entries[second])
            high = np.maximum(of_entries[first], of_entries[second])
            keys = row_of[first] * n_cells + low * n_fields + high
            if unfinished is not None:
                keys = np.concatenate([unfinished[0], keys])
                added = np.concatenate([unfinished[1], added], axis=1)
            cells, places = np.unique(keys, return_inverse=True)
            sums = np.array([np.bincount(places, draw, len(cells)) for draw in added])
            going_on = cells // n_cells == (cells[-1] // n_cells if len(cells) else -1)
            unfinished = cells[going_on], sums[:, going_on]
            _add_squares(squares, cells[~going_on] % n_cells, sums[:, ~going_on])
        if unfinished is not None:
            _add_squares(squares, unfinished[0] % n_cells, unfinished[1])
        means = np.sqrt(squares / max(1, rows.n_rows))
        strengths[:, output] = means.reshape(-1, n_fields, n_fields)
    return strengths


def _add_squares(squares: np.ndarray, cells: np.ndarray, sums: np.ndarray) -> None:
    for draw, numbers in enumerate(sums):
        squares[draw] += np.bincount(cells, numbers**2, squares.shape[1])


def _table(view: View, strengths: np.ndarray, names: np.ndarray, level: float) -> Columns:
    n_outputs, n_fields = strengths.shape[1:3]
    first, second = np.triu_indices(n_fields)
    draws = strengths[:, :, first, second]
    counts = draws.any(axis=(0, 1)) | (first != second)
    first, second, draws = first[counts], second[counts], draws[:, :, counts]
    flat = draws.reshape(len(draws), -1)
    order = np.argsort(-flat.mean(axis=0), kind="stable")
    table = Columns()
    if view.classes is not None:
        table["class"] = np.repeat(view.classes, len(first))[order]
    table["first"] = np.tile(names[first], n_outputs)[order]
    table["second"] = np.tile(names[second], n_outputs)[order]
    table["strength"] = flat.mean(axis=0)[order]
    return with_interval(table, flat[:, order], level)
