"""Result tables: columns of one length by their names, which print, and become data frames."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import narwhals as nw
import numpy as np

_SHOWN = 20  # rows that are printed


class Columns(dict[str, np.ndarray]):
    """A table as a dict: name of a column -> array; all arrays are of one length.

    ``pandas.DataFrame(columns)`` and ``polars.DataFrame(columns)`` take it as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from fastfm_cy.inspection import Columns
    >>> table = Columns(feature=np.array(["a", "b"]), weight=np.array([0.5, -1.25]))
    >>> print(table)
    feature  weight
    a        0.5
    b        -1.25
    >>> table.head(1)["weight"]
    array([0.5])
    """

    @property
    def n_rows(self) -> int:
        """int : length of the columns."""
        return len(next(iter(self.values()), ()))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row as a dict of plain Python values.

        Returns
        -------
        iterator of dict
        """
        values = zip(*(column.tolist() for column in self.values()), strict=True)
        return (dict(zip(self, row, strict=True)) for row in values)

    def head(self, n: int = 5) -> Columns:
        """The first rows.

        Parameters
        ----------
        n : int, default=5

        Returns
        -------
        Columns
        """
        return self.take(slice(n))

    def take(self, rows: Any) -> Columns:
        """Some of the rows.

        Parameters
        ----------
        rows : slice, mask or int array

        Returns
        -------
        Columns
        """
        return Columns({name: column[rows] for name, column in self.items()})

    def to_frame(self, backend: str = "pandas") -> Any:
        """A data frame.

        Parameters
        ----------
        backend : {"pandas", "polars", "pyarrow"}, default="pandas"
            The library, which must be installed.

        Returns
        -------
        DataFrame or Table of that library
        """
        columns = {name: column.tolist() for name, column in self.items()}
        return nw.from_dict(columns, backend=backend).to_native()  # type: ignore[arg-type]

    def _cells(self) -> list[list[str]]:
        """Rows of texts, the names first."""
        return [list(self), *([_shown(value) for value in r.values()] for r in self._few().rows())]

    def _few(self) -> Columns:
        return self.head(_SHOWN)

    def _rest(self) -> str:
        n_more = self.n_rows - _SHOWN
        return f"... {n_more:,} more rows" if n_more > 0 else ""

    def __repr__(self) -> str:
        cells = self._cells()
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in cells
        ]
        return "\n".join([*lines, *filter(None, [self._rest()])])

    def _repr_html_(self) -> str:
        """For notebooks."""
        head, *body = [[escape(cell) for cell in row] for row in self._cells()]
        rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in body)
        names = "".join(f"<th>{name}</th>" for name in head)
        rest = f"<caption>{self._rest()}</caption>" if self._rest() else ""
        return f"<table>{rest}<thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>"


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
