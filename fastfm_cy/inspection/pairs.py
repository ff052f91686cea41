"""Pair weights: what the factors of two features make of their meeting, in any family."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .weights import Weights

NUMBERS_AT_ONCE = 1 << 22  # that temporary arrays hold


@dataclass(frozen=True)
class Nodes:
    """What interacts: features, each in a field of the family, of which a plain one has one."""

    features: np.ndarray
    """Rows of the table."""
    fields: np.ndarray

    def __len__(self) -> int:
        return len(self.features)


class PairWeights:
    """The second-order interactions of one output of a machine."""

    def __init__(self, weights: Weights, output: int) -> None:
        self._weights, self._output = weights, output
        self.scales = weights.pair_scales(output)

    def of_pairs(self, nodes: Nodes, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Each draw's weights of some pairs of nodes, shape (n_draws, n_pairs)."""
        f, g = nodes.fields[first], nodes.fields[second]
        a = self._vectors(nodes.features[first], g)
        b = self._vectors(nodes.features[second], f)
        return self.scales[f, g] * np.einsum("dpk,dpk->dp", a, b)

    def means_of_pairs(self, nodes: Nodes, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The mean over the draws of the weights of many pairs, shape (n_pairs,)."""
        means = np.empty(len(first))
        for part in blocks(len(first), self._weights):
            means[part] = self.of_pairs(nodes, first[part], second[part]).mean(axis=0)
        return means

    def side(self, features: np.ndarray, toward: np.ndarray) -> np.ndarray:
        """Vectors whose inner products are, but for a scale, the draws' mean weights.

        Parameters
        ----------
        features : int array of shape (n,)
        toward : int array of shape (n,)
            The fields of what they are to meet.

        Returns
        -------
        ndarray of shape (n, n_draws * n_factors)
        """
        vectors = self._vectors(features, toward)
        joined = vectors.swapaxes(0, 1).reshape(len(features), -1)
        return joined / np.sqrt(len(vectors))

    def lengths(self, features: np.ndarray, toward: np.ndarray) -> np.ndarray:
        """Euclidean lengths of the same, shape (n,)."""
        lengths = np.empty(len(features))
        for part in blocks(len(features), self._weights):
            side = self.side(features[part], toward[part])
            lengths[part] = np.sqrt(np.einsum("ij,ij->i", side, side))
        return lengths

    def _vectors(self, features: np.ndarray, toward: np.ndarray) -> np.ndarray:
        which = self._weights.family.vectors_toward(toward)
        return self._weights.vectors(self._output, features, which)


def blocks(n: int, weights: Weights) -> Iterator[slice]:
    """Slices of n features or pairs, all of whose vectors take little memory."""
    size = max(1, NUMBERS_AT_ONCE // (width_of(weights) * weights.family.n_vectors))
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def width_of(weights: Weights) -> int:
    """Numbers in all draws of a vector."""
    return weights.n_draws * max(1, weights.n_factors)
