"""FieldInteractionsDisplay: a heat map of the interactions of fields."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..columns import Columns
from ..field_interactions import field_interactions
from .figures import new_axes, shortened

_NUMBERED = 12  # fields, at most, whose cells hold their numbers


class FieldInteractionsDisplay:
    """A heat map of how strongly each pair of fields interacts.

    Make it with `from_estimator`.

    Parameters
    ----------
    strengths : ndarray of shape (n_fields, n_fields)
        Symmetric; NaN for pairs that cannot interact.
    fields : array of shape (n_fields,)
        Names of the fields.
    label : str, default="strength"
        What the numbers are.

    Attributes
    ----------
    ax_ : matplotlib Axes
    im_ : matplotlib AxesImage
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from fastfm_cy import FwFMClassifier
    >>> from fastfm_cy.datasets import make_clicks
    >>> from fastfm_cy.inspection import FieldInteractionsDisplay
    >>> data = make_clicks(2000, n_fields=3, n_features=30, random_state=0)
    >>> model = FwFMClassifier(fields=data.fields, random_state=0).fit(data.X, data.y)
    >>> names = ["site", "ad", "hour"]
    >>> display = FieldInteractionsDisplay.from_estimator(model, data.X, field_names=names)
    >>> display.strengths.shape
    (3, 3)
    """

    def __init__(self, strengths: np.ndarray, fields: Any, label: str = "strength") -> None:
        self.strengths, self.fields, self.label = strengths, fields, label

    @classmethod
    def from_estimator(
        cls, model: Any, X: Any = None, *, class_: Any = None, fields: Any = None,
        names: Any = None, field_names: Any = None, ax: Any = None,
    ) -> FieldInteractionsDisplay:  # fmt: skip
        """Draw what `field_interactions` finds.

        Parameters
        ----------
        model : estimator or Pipeline
        X : what the model predicts from, default=None
            Rows to look at; None looks at the weights alone.
        class_ : label, default=None
            Of several classes, which. None is the first.
        fields, names, field_names : as of `field_interactions`
        ax : matplotlib Axes, default=None

        Returns
        -------
        FieldInteractionsDisplay
        """
        table = field_interactions(model, fields=fields, X=X, names=names, field_names=field_names)
        if "class" in table:
            class_ = table["class"].min() if class_ is None else class_
            table = table.take(table["class"] == class_)
        label = "RMS weight" if X is None else "RMS of what it adds to scores"
        order = None if field_names is None else list(map(str, field_names))
        return cls(*_matrix(table, order), label).plot(ax=ax)

    def plot(self, *, ax: Any = None, cmap: str = "cividis") -> FieldInteractionsDisplay:
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
        cmap : str, default="cividis"
            A colour map of matplotlib.

        Returns
        -------
        FieldInteractionsDisplay
        """
        lower = np.where(np.tri(len(self.fields), dtype=bool), self.strengths, np.nan)
        names = [shortened(name, 18) for name in self.fields]
        rows, columns = names, names
        if len(names) > 1 and np.isnan(np.diag(lower)).all():  # no field meets itself
            lower, rows, columns = lower[1:, :-1], names[1:], names[:-1]
        side = min(9.0, 3.4 + 0.35 * len(rows))
        self.figure_, self.ax_ = new_axes(ax, size=(side + 1.0, side))
        self.im_ = self.ax_.imshow(lower, cmap=cmap, vmin=0)
        self.ax_.set_xticks(
            range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor"
        )
        self.ax_.set_yticks(range(len(rows)), rows)
        self.ax_.spines[:].set_visible(False)
        self.ax_.set_title("Interactions of fields")
        self.figure_.colorbar(self.im_, ax=self.ax_, label=self.label, shrink=0.8)
        if len(rows) <= _NUMBERED:
            middle = np.nanmax(lower) / 2 if np.isfinite(lower).any() else 0
            for (i, j), value in np.ndenumerate(lower):
                if np.isfinite(value):
                    colour = "black" if value > middle else "white"
                    self.ax_.text(j, i, f"{value:.2g}", ha="center", va="center", color=colour)
        return self


def _matrix(table: Columns, order: list[str] | None) -> tuple[np.ndarray, np.ndarray]:
    """(strengths, names), symmetric."""
    known = list(dict.fromkeys([*table["first"], *table["second"]]))
    names = sorted(known, key=_natural) if order is None else [n for n in order if n in known]
    place = {name: number for number, name in enumerate(names)}
    strengths = np.full((len(names), len(names)), np.nan)
    for row in table.rows():
        i, j = place[row["first"]], place[row["second"]]
        strengths[i, j] = strengths[j, i] = row["strength"]
    return strengths, np.array(names, dtype=object)


def _natural(name: str) -> tuple[int, int, str]:
    """Numbers in their order, before names."""
    return (0, int(name), "") if name.isdecimal() else (1, 0, name)
