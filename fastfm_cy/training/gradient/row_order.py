"""The order in which training visits its rows."""

from __future__ import annotations

import numpy as np

BLOCK = 64  # rows that stay together: enough for prefetching to find its way
_FEWEST_BLOCKS = 512  # fewer would be no shuffle


def unit_length(shuffle: str | bool, n_rows: int) -> int:
    """How many neighbouring rows a shuffle of n_rows keeps together."""
    return BLOCK if shuffle == "block" and n_rows >= BLOCK * _FEWEST_BLOCKS else 1


class RowOrder:
    """Rows in an order that is made anew each epoch.

    Parameters
    ----------
    rows : int64 array
        The rows to visit.
    shuffle : {"block", True, False}
        "block" shuffles blocks of neighbouring rows, if there are enough of them to make a good
        shuffle, and else rows, as True does; False keeps the order.
    unit : int, default=unit_length(shuffle, len(rows))
        Rows that stay together.
    """

    def __init__(self, rows: np.ndarray, shuffle: str | bool, unit: int | None = None) -> None:
        self.n_rows = len(rows)
        self.shuffles = bool(shuffle)
        self.unit = unit or unit_length(shuffle, len(rows))
        self._units = np.arange(-(-len(rows) // self.unit))
        # Blocks of rows without gaps are known by their first row, which saves a look-up a row.
        self._starts = rows[:: self.unit]
        full = len(rows) // self.unit
        gaps = rows[self.unit - 1 :: self.unit] - self._starts[:full] != self.unit - 1
        self._rows = rows if gaps.any() else None

    def __len__(self) -> int:
        """Number of units; a unit is a block or a row."""
        return len(self._units)

    def shuffle(self, rng: np.random.Generator) -> None:
        """Begin an epoch."""
        if self.shuffles:
            rng.shuffle(self._units)

    def part(self, start: int, stop: int) -> np.ndarray:
        """Row numbers of the units start..stop-1."""
        units = self._units[start:stop]
        if self.unit == 1:
            return self._starts[units]
        if self._rows is None:
            rows = np.add.outer(self._starts[units], np.arange(self.unit)).ravel()
        else:
            places = np.add.outer(units * self.unit, np.arange(self.unit)).ravel()
            rows = self._rows.take(places, mode="clip")
        return self._without_overhang(units, rows)

    def _without_overhang(self, units: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The last block may be shorter than the others."""
        overhang = len(self._units) * self.unit - self.n_rows
        where = np.flatnonzero(units == len(self._units) - 1) if overhang else np.empty(0, int)
        if not len(where):
            return rows
        end = (where[0] + 1) * self.unit
        return np.delete(rows, slice(end - overhang, end))
