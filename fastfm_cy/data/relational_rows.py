"""Relational rows: a relational design as the kernels take it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..kernels.matrix.gather import append
from .csr import CSRRows
from .matrix_checks import check_rows
from .relational import RelationalDesign


@dataclass(frozen=True)
class Block:
    """Rows that many samples share."""

    rows: CSRRows
    """Their features, numbered as in the whole design."""
    row_of: np.ndarray | None
    """The row of each sample, int32; None: its own."""
    features: slice
    """Which of the design's features are this block's."""

    @property
    def n_entries(self) -> int:
        """Of the expanded block."""
        if self.row_of is None:
            return self.rows.n_entries
        return int(np.diff(self.rows.indptr)[self.row_of].sum())

    def take(self, numbers: np.ndarray) -> Block:
        if self.row_of is None:
            return replace(self, rows=self.rows.take(numbers))
        return replace(self, row_of=self.row_of[numbers])


@dataclass(frozen=True)
class RelationalRows:
    """A checked RelationalDesign; what it has in common with CSRRows has the same names."""

    blocks: tuple[Block, ...]
    n_rows: int
    n_features: int

    @cached_property
    def n_entries(self) -> int:
        return sum(block.n_entries for block in self.blocks)

    @property
    def indices(self) -> np.ndarray:
        """The features of all entries of the blocks."""
        return np.concatenate([block.rows.indices for block in self.blocks])

    @property
    def data(self) -> np.ndarray:
        """The values of all entries of the blocks."""
        return np.concatenate([block.rows.data for block in self.blocks])

    def take(self, numbers: np.ndarray) -> RelationalRows:
        numbers = np.asarray(numbers)
        blocks = tuple(block.take(numbers) for block in self.blocks)
        return RelationalRows(blocks, len(numbers), self.n_features)

    def renumbered(self, place: np.ndarray, n_features: int) -> RelationalRows:
        blocks = (
            replace(block, rows=block.rows.renumbered(place, n_features)) for block in self.blocks
        )
        return RelationalRows(tuple(blocks), self.n_rows, n_features)

    def expanded(self, numbers: np.ndarray | None = None) -> CSRRows:
        """CSRRows of some of the samples, or all."""
        numbers = np.arange(self.n_rows) if numbers is None else numbers
        sources = [numbers if b.row_of is None else b.row_of[numbers] for b in self.blocks]
        indptr = np.zeros(len(numbers) + 1, dtype=np.int64)
        for block, rows in zip(self.blocks, sources, strict=True):
            indptr[1:] += np.diff(block.rows.indptr)[rows]
        indptr = indptr.cumsum()
        indices = np.empty(indptr[-1], dtype=np.int32)
        data = np.empty(indptr[-1], dtype=self.blocks[0].rows.data.dtype)
        places = indptr[:-1].copy()
        for block, rows in zip(self.blocks, sources, strict=True):
            own = block.rows
            append(own.indptr, own.indices, own.data, rows.astype(np.int64), places, indices, data)
        return CSRRows(indptr, indices, data, self.n_features)

    @cached_property
    def joined(self) -> CSRRows:
        """CSRRows with one feature, of value 1, for each row of a block that a sample points to.

        Behind the design's own features come those for the blocks' rows.
        """
        n_features, blocks = self.n_features, []
        for block in self.blocks:
            if block.row_of is not None:
                n_block_rows = block.rows.n_rows
                indices = np.arange(n_features, n_features + n_block_rows, dtype=np.int32)
                ones = np.ones(n_block_rows, dtype=block.rows.data.dtype)
                rows = CSRRows(np.arange(n_block_rows + 1), indices, ones, n_features)
                block, n_features = replace(block, rows=rows), n_features + n_block_rows
            blocks.append(block)
        return RelationalRows(tuple(blocks), self.n_rows, n_features).expanded()


def check_design(
    design: RelationalDesign, dtype: Any, n_jobs: int, *, name: str = "X"
) -> RelationalRows:
    """RelationalRows of a RelationalDesign in `dtype`; the parameters of check_rows."""
    blocks, first = [], 0
    for number, (matrix, row_of) in enumerate(design.checked_blocks()):
        block_name = f"{name}, block {number}"
        rows = check_rows(matrix, dtype, n_jobs, name=block_name, least_features=0)
        last = design.shape[0] - 1 if row_of is None else row_of.max(initial=-1)
        if last >= rows.n_rows:
            raise ValueError(f"{block_name} changed while it was read.")
        features = slice(first, first + rows.n_features)
        if features.stop > np.iinfo(np.int32).max:
            raise ValueError(f"{name} has {design.shape[1]} features, which are too many.")
        place = np.arange(features.start, features.stop, dtype=np.int32)
        blocks.append(Block(rows.renumbered(place, design.shape[1]), row_of, features))
        first = features.stop
    return RelationalRows(tuple(blocks), design.shape[0], design.shape[1])


def blocks_of(rows: CSRRows | RelationalRows) -> tuple[Block, ...]:
    """Those of RelationalRows; CSRRows are one block, of the samples' own rows."""
    if isinstance(rows, RelationalRows):
        return rows.blocks
    return (Block(rows, None, slice(0, rows.n_features)),)


def expand_if_relational(rows: CSRRows | RelationalRows) -> CSRRows:
    """CSRRows, for what cannot work on blocks."""
    return rows.expanded() if isinstance(rows, RelationalRows) else rows
