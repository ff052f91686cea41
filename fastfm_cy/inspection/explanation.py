"""Explanations: a row's score as a sum of a bias, linear terms and interactions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.csr import CSRRows
from .columns import Columns
from .contributions import (
    contributions_of_pairs,
    interaction_shares,
    linear_contributions,
)
from .intervals import bounds, check_level, with_interval
from .pairs import Nodes
from .view import View, one_row, view_of


@dataclass(frozen=True)
class Explanation:
    """A row's score as a sum; `explain` makes it.

    Of Bayesian machines all numbers are posterior means, and the tables have intervals.

    Attributes
    ----------
    score : float
        What the model gives before any link or clipping: of a classifier the decision value of the
        class. The sum of all terms, but for rounding.
    intercept : float
        The bias.
    linear : Columns
        "feature", "value" and "contribution", w_i x_i; the largest first.
    pairs : Columns
        "first", "second" and "contribution", <v_i, v_j> x_i x_j of a plain machine; the largest
        first.
    orders : dict of int: float
        What each order adds: 1 all linear terms, 2 all pairs, 3 all triples ...
    features : Columns
        "feature", "value", "linear", "interactions" and "contribution", their sum: each product of
        d features is shared out among them equally. These are the Shapley values of the score, of a
        row without a feature as one in which its value is 0.
    label : object or None
        The class whose score it is.
    prediction : object
        What the model predicts for the row.
    interval : tuple of float or None
        In which the score of a Bayesian machine lies.
    """

    score: float
    intercept: float
    linear: Columns
    pairs: Columns
    orders: dict[int, float]
    features: Columns
    label: Any
    prediction: Any
    interval: tuple[float, float] | None = None

    def __repr__(self) -> str:
        label = "" if self.label is None else f" of {self.label}"
        lines = [f"score{label} {self.score:.6g} = {self.intercept:.6g} (bias)"]
        names = {1: "linear", 2: "pairs"}
        lines += [
            f"  {value:+.6g} ({names.get(order, f'order {order}')})"
            for order, value in self.orders.items()
        ]
        return "\n".join([*lines, repr(self.features)])


def explain(
    model: Any, X: Any, row: int = 0, *, fields: Any = None, class_: Any = None,
    names: Any = None, level: float = 0.9,
) -> Explanation:  # fmt: skip
    """A row's score as bias + linear terms + pairs, and the sums of higher orders.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted machine of this package, or a pipeline that ends in one.
    X : what the model predicts from
    row : int, default=0
        Which of its rows; only that one is looked at.
    fields : CSR matrix, default=None
        The fields of X's entries, if the model was fitted so.
    class_ : label, default=None
        Whose score to explain. None is the second of two classes, and the predicted one of several.
    names : array of shape (n_features,) or fitted transformer, default=None
        Names of the features, or what has `get_feature_names_out`. None takes the pipeline's, or
        those of the data frame that the model saw.
    level : float, default=0.9
        Of the intervals of a Bayesian machine.

    Returns
    -------
    Explanation

    References
    ----------
    .. [1] L. S. Shapley, "A Value for n-Person Games", Contributions to the Theory of Games II,
       1953.

    Examples
    --------
    >>> import numpy as np
    >>> from fastfm_cy import FMRegressor
    >>> from fastfm_cy.datasets import make_ratings
    >>> from fastfm_cy.inspection import explain
    >>> data = make_ratings(n_users=50, n_items=40, n_ratings=2000, random_state=0)
    >>> model = FMRegressor(random_state=0).fit(data.X, data.y)
    >>> found = explain(model, data.X, row=7)
    >>> terms = [found.intercept, *found.linear["contribution"], *found.pairs["contribution"]]
    >>> bool(np.isclose(sum(terms), found.score))
    True
    """
    view, level = view_of(model, names), check_level(level)
    X, fields = view.unpacked(X, fields)
    X, fields = one_row(X, row), None if fields is None else one_row(fields, row)
    prediction = _predicted(model, X, fields)
    seen = view.rows(X, fields)
    label, outputs = _outputs(view, class_, prediction)
    nodes, of_entry = view.nodes_of(seen.rows)
    columns = seen.columns if view.inputs.n_hash is not None else None
    names_of_entries = view.names_of(nodes, columns)[of_entry]
    terms = [_Terms.of(view, output, seen.rows, nodes, of_entry) for output in outputs]
    total = _Terms.combined(terms, list(outputs.values()))
    return _explanation(total, names_of_entries, seen.rows, level, label, prediction)


def _predicted(model: Any, X: Any, fields: Any) -> Any:
    predictions = model.predict(X) if fields is None else model.predict(X, fields=fields)
    return predictions[0].item() if hasattr(predictions[0], "item") else predictions[0]


def _outputs(view: View, class_: Any, prediction: Any) -> tuple[Any, dict[int, float]]:
    """The class that is explained, and what each output's score counts for it."""
    classes, n_outputs = getattr(view.estimator, "classes_", None), view.weights.n_outputs
    has_scores = classes is not None and (n_outputs > 1 or len(classes) == 2)
    if not has_scores:  # a regressor, a ranker, or classes in order that share a score
        if class_ is not None:
            raise ValueError("The model has one score a row, and none of a single class.")
        return None, {0: 1.0}
    assert classes is not None
    chosen = class_
    if class_ is None:
        chosen = classes[1] if len(classes) == 2 else prediction
    found = np.flatnonzero(classes == chosen)
    if not len(found):
        raise ValueError(f"class_ must be one of {classes.tolist()}; got {class_!r}.")
    number = int(found[0])
    if n_outputs == 1:
        return chosen, {0: 1.0 if number else -1.0}
    if n_outputs == 2:  # the decision value is the difference of the two scores
        return chosen, {number: 1.0, 1 - number: -1.0}
    return chosen, {number: 1.0}


@dataclass(frozen=True)
class _Terms:
    """What adds up to a row's score; the first axis of each array is that of the draws."""

    intercept: np.ndarray
    linear: np.ndarray
    shares: dict[int, np.ndarray]
    first: np.ndarray
    second: np.ndarray
    pairs: np.ndarray

    @classmethod
    def of(
        cls, view: View, output: int, rows: CSRRows, nodes: Nodes, of_entry: np.ndarray
    ) -> _Terms:
        weights = view.weights
        parts = list(contributions_of_pairs(weights, output, nodes, of_entry, rows))
        empty = np.zeros(0, dtype=np.int64)
        return cls(
            weights.intercepts(output),
            linear_contributions(weights, output, rows),
            interaction_shares(weights, output, rows, nodes, of_entry),
            np.concatenate([empty, *(first for first, _, _ in parts)]),
            np.concatenate([empty, *(second for _, second, _ in parts)]),
            np.concatenate([np.zeros((weights.n_draws, 0)), *(p for _, _, p in parts)], axis=1),
        )

    @classmethod
    def combined(cls, terms: list[_Terms], factors: list[float]) -> _Terms:
        """The sum of terms of several outputs, each times a factor."""
        first = terms[0]

        def total(arrays: list[np.ndarray]) -> np.ndarray:
            return sum(
                (factor * array for factor, array in zip(factors, arrays, strict=True)),
                np.zeros_like(arrays[0]),
            )

        return cls(
            total([t.intercept for t in terms]),
            total([t.linear for t in terms]),
            {order: total([t.shares[order] for t in terms]) for order in first.shares},
            first.first,
            first.second,
            total([t.pairs for t in terms]),
        )


def _explanation(
    terms: _Terms, names: np.ndarray, rows: CSRRows, level: float, label: Any, prediction: Any
) -> Explanation:
    values = rows.data.astype(np.float64)
    of_orders = {1: terms.linear, 2: terms.pairs}
    of_orders |= {order: share for order, share in terms.shares.items() if order > 2}
    sums = {order: np.array([math.fsum(draw) for draw in array])
            for order, array in of_orders.items()}  # fmt: skip
    scores = terms.intercept + sum(sums.values())
    everything = [terms.intercept[:, None], *of_orders.values()]
    score = math.fsum(math.fsum(draws.mean(axis=0)) for draws in everything)
    interaction = sum(terms.shares.values(), np.zeros_like(terms.linear))
    interval = None
    if len(scores) > 1:
        low, high = bounds(scores[:, None], level)
        interval = float(low[0]), float(high[0])
    feature, value = {"feature": names, "value": values}, terms.linear
    whole = value + interaction
    halves = {"linear": value.mean(axis=0), "interactions": interaction.mean(axis=0)}
    pair = {"first": names[terms.first], "second": names[terms.second]}
    return Explanation(
        score,
        float(terms.intercept.mean()),
        _sorted(feature, value, level),
        _sorted(pair, terms.pairs, level),
        {order: float(numbers.mean()) for order, numbers in sums.items()},
        _sorted(feature | halves, whole, level),
        label,
        prediction,
        interval,
    )


def _sorted(columns: dict[str, np.ndarray], draws: np.ndarray, level: float) -> Columns:
    table = Columns(columns, contribution=draws.mean(axis=0))
    with_interval(table, draws, level)
    return table.take(np.argsort(-np.abs(table["contribution"]), kind="stable"))
