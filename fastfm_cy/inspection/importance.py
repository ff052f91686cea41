"""Importance of features: what they do to scores, where they occur."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.csr import CSRRows
from .columns import Columns
from .contributions import interaction_shares, linear_contributions, row_blocks
from .intervals import check_level, with_interval
from .pairs import Nodes
from .view import View, view_of


def feature_importance(
    model: Any, X: Any, *, fields: Any = None, names: Any = None, level: float = 0.9
) -> Columns:
    """How much each feature moves the scores of rows, by how often it occurs.

    A feature's contribution to a row is its linear term and its equal share of each interaction, as
    in `explain`; its importance is the mean of the absolute contributions over all rows. The rows
    of X need no targets, and a sample of some thousands will do.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted machine of this package, or a pipeline that ends in one.
    X : what the model predicts from
    fields : CSR matrix, default=None
        The fields of X's entries, if the model was fitted so.
    names : array of shape (n_features,) or fitted transformer, default=None
        Names of the features, or what has `get_feature_names_out`. None takes the pipeline's, or
        those of the data frame that the model saw.
    level : float, default=0.9
        Of the intervals of a Bayesian machine.

    Returns
    -------
    Columns
        "feature", "importance", "occurrence" (the share of the rows that have it), "effect" (its
        mean contribution where it occurs), of several classes "class"; the most important first.
        Features that do not occur are left out.

    Examples
    --------
    >>> from fastfm_cy import FMRegressor
    >>> from fastfm_cy.datasets import make_ratings
    >>> from fastfm_cy.inspection import feature_importance
    >>> data = make_ratings(n_users=50, n_items=40, n_ratings=2000, random_state=0)
    >>> model = FMRegressor(random_state=0).fit(data.X, data.y)
    >>> list(feature_importance(model, data.X[:500]))
    ['feature', 'importance', 'occurrence', 'effect']
    """
    view, level = view_of(model, names), check_level(level)
    X, fields = view.unpacked(X, fields)
    seen = view.rows(X, fields)
    nodes, of_entry = view.nodes_of(seen.rows)
    counts = np.bincount(of_entry, minlength=len(nodes))
    columns = seen.columns if view.inputs.n_hash is not None else None
    names = view.names_of(nodes, columns)
    tables, of_draws = [], []
    for output in range(view.weights.n_outputs):
        sizes, sums = _of_output(view, output, seen.rows, nodes, of_entry)
        of_draws.append(sizes / seen.rows.n_rows)
        table = Columns()
        if view.classes is not None:
            table["class"] = np.repeat(view.classes[output : output + 1], len(nodes))
        table |= {
            "feature": names, "importance": of_draws[-1].mean(axis=0),
            "occurrence": counts / seen.rows.n_rows, "effect": sums.mean(axis=0) / counts,
        }  # fmt: skip
        tables.append(table)
    whole = Columns({name: np.concatenate([t[name] for t in tables]) for name in tables[0]})
    with_interval(whole, np.concatenate(of_draws, axis=1), level)
    return whole.take(np.argsort(-whole["importance"], kind="stable"))


def _of_output(
    view: View, output: int, rows: CSRRows, nodes: Nodes, of_entry: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sums over the rows of absolute contributions, and of contributions: (n_draws, n_nodes)."""
    sizes, sums = np.zeros((2, view.weights.n_draws, len(nodes)))
    for some, entries in row_blocks(view.weights, rows):
        numbers = of_entry[entries]
        whole = linear_contributions(view.weights, output, some)
        for shares in interaction_shares(view.weights, output, some, nodes, numbers).values():
            whole = whole + shares
        for draw, contributions in enumerate(whole):
            sizes[draw] += np.bincount(numbers, np.abs(contributions), len(nodes))
            sums[draw] += np.bincount(numbers, contributions, len(nodes))
    return sizes, sums
