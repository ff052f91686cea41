"""Interactions of features: the pairs that matter most, found without a number a pair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from ..data.csr import CSRRows
from ..utils.checks import check_integer
from .columns import Columns
from .intervals import check_level, with_interval
from .names import Fields
from .pairs import Nodes, PairWeights
from .running_top import RunningTop, strongest_pairs
from .view import View, view_of

_PAIRS_AT_ONCE = 1 << 21


def top_interactions(
    model: Any, n: int = 20, *, fields: Any = None, X: Any = None, names: Any = None,
    level: float = 0.9,
) -> Columns:  # fmt: skip
    """The pairs of features whose interaction is strongest.

    Without X a pair counts by its weight, <v_i, v_j> of a plain machine [1]_, as if all values were
    1. That includes pairs that never occur, whose weights are guesses. With X it counts by what it
    does to scores: the mean over the rows of abs(weight x_i x_j), which is 0 for pairs that do not
    occur.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted machine of this package, or a pipeline that ends in one.
    n : int, default=20
        Number of pairs, at most; of several classes, of all together.
    fields : array of shape (n_features,) or CSR matrix, default=None
        For plain machines, the number or the name of the field of each feature: pairs within one
        field, which often cannot occur, are left out. For machines that were fitted with fields
        beside the data, the fields of X's entries.
    X : what the model predicts from, default=None
        Rows in which to count how often, and with what values, features meet.
    names : array of shape (n_features,) or fitted transformer, default=None
        Names of the features, or what has `get_feature_names_out` (and perhaps `fields_`, as
        FieldEncoder). None takes the pipeline's, or those of the data frame that the model saw.
    level : float, default=0.9
        Of the interval in which the weight of a Bayesian machine lies.

    Returns
    -------
    Columns
        "first" and "second" feature and "weight", of several classes "class"; the strongest first.
        With X: "rows" in which both occur, and "importance", by which they are sorted. Of Bayesian
        machines "weight" is the posterior mean, between "low" and "high".

    Notes
    -----
    Of higher degrees these are the interactions of order 2. Without X the time grows with the
    number of pairs that are not ruled out by the lengths of their vectors; with X, with the number
    of pairs in the rows. The memory grows with neither.

    References
    ----------
    .. [1] S. Rendle, "Factorization Machines", ICDM 2010.

    Examples
    --------
    >>> from fastfm_cy import FMClassifier
    >>> from fastfm_cy.datasets import make_clicks
    >>> from fastfm_cy.inspection import top_interactions
    >>> data = make_clicks(2000, n_fields=4, n_features=40, random_state=0)
    >>> model = FMClassifier(random_state=0).fit(data.X, data.y)
    >>> table = top_interactions(model, 3, X=data.X)
    >>> list(table)
    ['first', 'second', 'weight', 'rows', 'importance']
    """
    view, n = view_of(model, names), check_integer(n, "n", 1)
    level = check_level(level)
    if X is None:
        if view.has_fields_beside and fields is not None:
            raise ValueError("fields= of the entries belongs to an X; give both.")
        nodes, columns = view.all_nodes(), None
        found = _of_all(view, n, nodes, view.fields(fields))
    else:
        beside = fields if view.has_fields_beside else None
        groups = view.fields(None if view.has_fields_beside else fields)
        seen = view.rows(X, beside)
        columns = seen.columns if view.inputs.n_hash is not None else None
        nodes, of_entry = view.nodes_of(seen.rows)
        found = _of_rows(view, n, seen.rows, nodes, of_entry, groups)
    return _table(view, nodes, found, view.names_of(nodes, columns), level)


Found = dict[str, np.ndarray]
"""Arrays of pairs: "output", "first", "second", "strength", and with X "rows"."""


def _of_all(view: View, n: int, nodes: Nodes, groups: Fields | None) -> Found:
    top, of_nodes = RunningTop(n, 3), _groups_of(view, nodes, groups)
    for output in range(view.weights.n_outputs):
        pairs = PairWeights(view.weights, output)
        first, second = strongest_pairs(pairs, nodes, n, of_nodes)
        strengths = np.abs(pairs.means_of_pairs(nodes, first, second))
        top.add(strengths, np.full(len(first), output), first, second)
    return dict(zip(("strength", "output", "first", "second"), top.sorted(), strict=True))


def _groups_of(view: View, nodes: Nodes, groups: Fields | None) -> np.ndarray | None:
    """Within which pairs do not count; machines that know fields say themselves what counts."""
    if groups is None or view.knows_fields:
        return None
    if view.inputs.n_hash is not None:
        raise ValueError("Hashed features of several fields may meet; leave out fields=.")
    return groups.of_features[nodes.features]


def _of_rows(
    view: View, n: int, rows: CSRRows, nodes: Nodes, of_entry: np.ndarray, groups: Fields | None
) -> Found:
    top, of_nodes = RunningTop(n, 4), _groups_of(view, nodes, groups)
    machines = [PairWeights(view.weights, output) for output in range(view.weights.n_outputs)]
    for first, second, counts, sums in _meetings(rows, of_entry, len(nodes)):
        if of_nodes is not None:
            differ = of_nodes[first] != of_nodes[second]
            first, second, counts, sums = (array[differ] for array in (first, second, counts, sums))
        for output, pairs in enumerate(machines):
            weights = pairs.means_of_pairs(nodes, first, second)
            strengths = np.abs(weights) * sums / rows.n_rows
            top.add(strengths, np.full(len(first), output), first, second, counts)
    return dict(zip(("strength", "output", "first", "second", "rows"), top.sorted(), strict=True))


def _meetings(
    rows: CSRRows, of_entry: np.ndarray, n_nodes: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """(first, second, rows with both, sum over these of abs(x_i x_j)), for some pairs at a time."""
    sizes = np.abs(rows.data.astype(np.float64))
    by_row = sparse.csr_array((sizes, of_entry.copy(), rows.indptr.copy()), (rows.n_rows, n_nodes))
    by_row.sum_duplicates()  # a feature may be there twice, with fields beside the data
    by_node = by_row.T.tocsr()
    met = _pattern(by_node) @ np.diff(by_row.indptr)  # with what each node meets, row after row
    most = np.minimum(met, n_nodes).cumsum()
    start = 0
    while start < n_nodes:
        before = most[start - 1] if start else 0
        stop = int(np.searchsorted(most, before + _PAIRS_AT_ONCE, side="right"))
        stop = min(n_nodes, max(stop, start + 1))
        part = by_node[start:stop]
        sums = sparse.triu(part @ by_row, k=start + 1, format="csr")
        counts = sparse.triu(_pattern(part) @ _pattern(by_row), k=start + 1, format="csr")
        for matrix in (sums, counts):
            matrix.sort_indices()
        first = start + np.repeat(np.arange(stop - start), np.diff(sums.indptr))
        yield first, sums.indices.astype(np.int64), counts.data, sums.data
        start = stop


def _pattern(matrix: sparse.csr_array) -> sparse.csr_array:
    """Ones where it has entries."""
    ones = np.ones(len(matrix.data), dtype=np.int64)
    return sparse.csr_array((ones, matrix.indices, matrix.indptr), matrix.shape)


def _table(view: View, nodes: Nodes, found: Found, names: np.ndarray, level: float) -> Columns:
    draws = np.empty((view.weights.n_draws, len(found["first"])))
    for output in np.unique(found["output"]).astype(int).tolist():
        here = found["output"] == output
        first, second = (found[name][here].astype(np.int64) for name in ("first", "second"))
        draws[:, here] = PairWeights(view.weights, output).of_pairs(nodes, first, second)
    table = Columns()
    if view.classes is not None:
        table["class"] = view.classes[found["output"].astype(int)]
    for name in ("first", "second"):
        table[name] = names[found[name].astype(np.int64)]
    table["weight"] = draws.mean(axis=0)
    with_interval(table, draws, level)
    if "rows" in found:
        table["rows"] = found["rows"].astype(np.int64)
        table["importance"] = found["strength"]
    return table
