"""Designs whose rows share blocks of features (Rendle, PVLDB 6(5), 2013)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from scipy import sparse

from .matrix_checks import check_structure, own_csr


class RelationalDesign:
    """Rows put together from the rows of smaller matrices, without ever copying them out.

    Row i of the design is the concatenation of row ``row_index[i]`` of each block's matrix: of the
    user's features, of the item's, and so on. It takes the place of X in ``fit`` and predictions,
    and gives the model that the expanded matrix gives; but memory and, for "als" and the Bayesian
    estimators, time grow with the blocks and the rows, not with the expansion [1]_.

    Parameters
    ----------
    blocks : list of (matrix, row_index)
        Each `matrix` is a sparse matrix or array of shape (n_block_rows, n_block_features) and
        `row_index` an int array of shape (n_samples,), or None for a matrix of n_samples rows that
        are the design's own. The features of the blocks follow one another.

    Attributes
    ----------
    shape : tuple of int
        (n_samples, sum of n_block_features).
    blocks : tuple of (matrix, row_index)
        As they were given; a sparse matrix is CSR, an index int32 and read-only.

    Raises
    ------
    TypeError, ValueError
        If a block is no pair, its index is not of integers or points outside its matrix, or the
        blocks differ in their number of samples.

    References
    ----------
    .. [1] S. Rendle, "Scaling Factorization Machines to Relational Data", PVLDB 6(5), 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from fastfm_cy import BayesianFMRegressor, RelationalDesign
    >>> users, items = np.array([0, 0, 1]), np.array([1, 0, 1])
    >>> tastes = np.array([[1.0, 0.0, 0.5, 0.5], [0.0, 1.0, 0.0, 1.0]])  # a user a row
    >>> X = RelationalDesign([(tastes, users), (np.eye(2), items)])
    >>> X.shape
    (3, 6)
    >>> BayesianFMRegressor(2, max_iter=30, random_state=0).fit(X, [5.0, 3.0, 4.0]).predict(X).shape
    (3,)
    """

    ndim = 2

    def __init__(self, blocks: Iterable[tuple[Any, Any]]) -> None:
        self._blocks = tuple(_checked(block, number) for number, block in enumerate(blocks))
        if not self._blocks:
            raise ValueError("RelationalDesign needs at least one block.")
        self._shapes = tuple(matrix.shape for matrix, _ in self._blocks)
        lengths = [_n_rows(block) for block in self._blocks]
        for number, length in enumerate(lengths):
            if length != lengths[0]:
                raise ValueError(
                    f"Block {number} is for {length} samples, block 0 for {lengths[0]}; all must "
                    "be for the same rows."
                )
        self._shape = lengths[0], sum(matrix.shape[1] for matrix, _ in self._blocks)

    @property
    def blocks(self) -> tuple[tuple[Any, np.ndarray | None], ...]:
        return self._blocks

    @property
    def shape(self) -> tuple[int, int]:
        return self._shape

    def checked_blocks(self) -> tuple[tuple[Any, np.ndarray | None], ...]:
        """The blocks, whose matrices may have changed since they were checked.

        Returns
        -------
        tuple of (matrix, row_index)

        Raises
        ------
        ValueError
            One is no longer sound, or has another shape.
        """
        for number, (matrix, _) in enumerate(self._blocks):
            _check_matrix(matrix, number)
            if matrix.shape != self._shapes[number]:
                raise ValueError(
                    f"The matrix of block {number} had shape {self._shapes[number]} when the "
                    f"design was made, and now has {matrix.shape}; make a new design."
                )
        return self._blocks

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of shape {self.shape} in {len(self._blocks)} blocks>"

    def __getitem__(self, rows: Any) -> RelationalDesign:
        """The design of some of the rows: an int array, a mask or a slice."""
        if isinstance(rows, tuple):
            rows, *others = rows
            if any(other is not Ellipsis and other != slice(None) for other in others):
                raise TypeError("A RelationalDesign can be indexed by rows only.")
        rows = np.atleast_1d(np.arange(len(self))[rows])
        return RelationalDesign(
            [
                (matrix[rows], None) if index is None else (matrix, index[rows])
                for matrix, index in self.checked_blocks()
            ]
        )

    def tocsr(self) -> sparse.csr_array:
        """The expanded matrix.

        Returns
        -------
        csr_array of shape (n_rows, n_features)
        """
        parts = [
            sparse.csr_array(matrix) if index is None else sparse.csr_array(matrix)[index]
            for matrix, index in self.checked_blocks()
        ]
        return sparse.hstack(parts, format="csr")


def _n_rows(block: Any) -> int:
    matrix, index = block
    return matrix.shape[0] if index is None else len(index)


def _checked(block: Any, number: int) -> tuple[Any, np.ndarray | None]:
    if not isinstance(block, tuple | list) or len(block) != 2:
        raise TypeError(f"Block {number} must be a pair (matrix, row_index); got {block!r}.")
    matrix, index = block
    if not sparse.issparse(matrix):
        matrix = np.asarray(matrix)
    elif matrix.format != "csr":
        matrix = _located(own_csr, matrix, number)
    _check_matrix(matrix, number)
    if matrix.ndim != 2:
        raise ValueError(
            f"The matrix of block {number} must be 2-dimensional; its shape is {matrix.shape}."
        )
    if index is None:
        return matrix, None
    index = np.asarray(index)
    if index.ndim != 1 or (index.size and index.dtype.kind not in "iu"):
        raise TypeError(
            f"The row_index of block {number} must be a 1-dimensional array of integers; got "
            f"shape {index.shape}, {index.dtype}."
        )
    bad = np.flatnonzero((index < 0) | (index >= matrix.shape[0]))
    if bad.size:
        raise ValueError(
            f"The row_index of block {number} is {index[bad[0]]} in row {bad[0]}, but its matrix "
            f"has {matrix.shape[0]} rows."
        )
    index = index.astype(np.int32)
    index.setflags(write=False)
    return matrix, index


def _check_matrix(matrix: Any, number: int) -> None:
    _located(lambda matrix: check_structure(matrix, every_entry=True), matrix, number)


def _located(function: Callable[[Any], Any], matrix: Any, number: int) -> Any:
    try:
        return function(matrix)
    except ValueError as error:
        raise ValueError(f"Block {number}: {error}") from error
