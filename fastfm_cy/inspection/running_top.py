"""Running top: the n largest of numbers that come a block at a time, and of inner products."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .pairs import Nodes, PairWeights

_SIDE = 1024  # nodes a block
_BYTES = 1 << 23  # of a block's vectors, at most


class RunningTop:
    """The n largest numbers above zero so far, and what belongs to them.

    Parameters
    ----------
    n : int
    n_more : int
        Arrays that belong to the numbers.
    """

    def __init__(self, n: int, n_more: int) -> None:
        self._n = n
        self._columns = [np.zeros(0)] * (1 + n_more)
        self.threshold = 0.0
        """What a number must exceed to be among them."""

    def add(self, numbers: np.ndarray, *more: np.ndarray) -> None:
        """Look at more numbers, of shape (n_numbers,) as all arrays."""
        new = np.flatnonzero(numbers > self.threshold)
        if not len(new):
            return
        both = zip(self._columns, (numbers, *more), strict=True)
        columns = [np.concatenate([have, array[new]]) for have, array in both]
        if len(columns[0]) > self._n:
            best = np.argpartition(columns[0], -self._n)[-self._n :]
            columns = [column[best] for column in columns]
        if len(columns[0]) == self._n:
            self.threshold = float(columns[0].min())
        self._columns = columns

    def sorted(self) -> list[np.ndarray]:
        """The numbers, the largest first, and what belongs to them."""
        order = np.lexsort((*self._columns[:0:-1], -self._columns[0]))
        return [column[order] for column in self._columns]


def strongest_pairs(
    pairs: PairWeights, nodes: Nodes, n: int, groups: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The n pairs of nodes with the largest mean weights, by their absolute values.

    No array has a number a pair. The lengths of two nodes' vectors bound the weight of their pair,
    so nodes go by length, and what can no longer be among the n largest is not computed.

    Parameters
    ----------
    pairs : PairWeights
    nodes : Nodes
    n : int
    groups : int array of shape (n_nodes,) or None
        Of the nodes; pairs within a group do not count. None: all pairs count.

    Returns
    -------
    first, second : int arrays of shape (at most n,)
    """
    top = RunningTop(n, 2)
    for bound, f, g in sorted(_parts(pairs, nodes, groups), key=lambda part: -part[0]):
        if bound <= top.threshold:
            break
        _search(pairs, nodes, f, g, top)
    _, first, second = top.sorted()
    return first.astype(np.int64), second.astype(np.int64)


def _parts(
    pairs: PairWeights, nodes: Nodes, groups: np.ndarray | None
) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """(a bound of the weights, nodes, nodes): sets whose pairs are all that count.

    The nodes of a set are in one group and in one field.
    """
    keys = nodes.fields if groups is None else groups
    order = np.argsort(keys, kind="stable")
    sets = np.split(order, np.flatnonzero(np.diff(keys[order])) + 1) if len(order) else []
    fields = [int(nodes.fields[members[0]]) for members in sets]
    longest = {
        (number, field): _longest(pairs, nodes, members, field)
        for number, members in enumerate(sets)
        for field in set(fields)
    }
    for i, f in enumerate(fields):
        for j in range(i if groups is None else i + 1, len(sets)):
            g = fields[j]
            scale = abs(pairs.scales[f, g])
            yield scale * longest[i, g] * longest[j, f], sets[i], sets[j]


def _longest(pairs: PairWeights, nodes: Nodes, members: np.ndarray, field: int) -> float:
    toward = np.full(len(members), field)
    return float(pairs.lengths(nodes.features[members], toward).max())


def _search(
    pairs: PairWeights, nodes: Nodes, f: np.ndarray, g: np.ndarray, top: RunningTop
) -> None:
    """Look at the pairs of a node of the set f and one of the set g, the longest first."""
    is_one = f is g
    field_f, field_g = int(nodes.fields[f[0]]), int(nodes.fields[g[0]])
    scale = float(pairs.scales[field_f, field_g])
    f, of_f = _by_length(pairs, nodes, f, field_g)
    g, of_g = (f, of_f) if is_one else _by_length(pairs, nodes, g, field_f)
    size = max(1, min(_SIDE, _BYTES // max(1, 8 * _width(pairs, nodes, f, field_g))))
    for start in range(0, len(f), size):
        if abs(scale) * of_f[start] * of_g[0] <= top.threshold:
            break
        rows = f[start : start + size]
        left = scale * pairs.side(nodes.features[rows], np.full(len(rows), field_g))
        for other in range(start if is_one else 0, len(g), size):
            if abs(scale) * of_f[start] * of_g[other] <= top.threshold:
                break
            columns = g[other : other + size]
            right = pairs.side(nodes.features[columns], np.full(len(columns), field_f))
            strengths = np.abs(left @ right.T)
            if is_one and other == start:
                strengths = np.triu(strengths, 1)
            _take(strengths, rows, columns, top)


def _take(strengths: np.ndarray, rows: np.ndarray, columns: np.ndarray, top: RunningTop) -> None:
    i, j = np.nonzero(strengths > top.threshold)
    first, second = rows[i], columns[j]
    top.add(strengths[i, j], np.minimum(first, second), np.maximum(first, second))


def _by_length(
    pairs: PairWeights, nodes: Nodes, members: np.ndarray, toward: int
) -> tuple[np.ndarray, np.ndarray]:
    lengths = pairs.lengths(nodes.features[members], np.full(len(members), toward))
    order = np.argsort(-lengths, kind="stable")
    return members[order], lengths[order]


def _width(pairs: PairWeights, nodes: Nodes, members: np.ndarray, toward: int) -> int:
    return pairs.side(nodes.features[members[:1]], np.array([toward])).shape[1]
