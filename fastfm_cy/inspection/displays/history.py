"""HistoryDisplay: losses and scores by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...utils.checks import check_choice
from ..columns import Columns
from ..history import learning_curve_frame
from .figures import COLOURS, GREY, new_axes, tidy

_LOSSES = ("loss", "rmse")
_XS = {"epoch": "epoch", "seconds": "total_seconds"}


class HistoryDisplay:
    """The loss of each epoch, in training and in validation, and the epoch that was kept.

    Make it with `from_estimator` or `from_history`.

    Parameters
    ----------
    curves : Columns
        As `learning_curve_frame` makes them.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Of the losses.
    score_ax_ : matplotlib Axes or None
        Of scores, which have a scale of their own on the right.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from fastfm_cy import FMRegressor
    >>> from fastfm_cy.datasets import make_ratings
    >>> from fastfm_cy.inspection import HistoryDisplay
    >>> data = make_ratings(n_users=50, n_items=40, n_ratings=2000, random_state=0)
    >>> model = FMRegressor(early_stopping=True, random_state=0).fit(data.X, data.y)
    >>> HistoryDisplay.from_estimator(model).ax_.get_xlabel()
    'epoch'
    """

    def __init__(self, curves: Columns) -> None:
        self.curves = curves

    @classmethod
    def from_estimator(cls, estimator: Any, *, x: str = "epoch", ax: Any = None) -> HistoryDisplay:
        """Draw what a fit recorded.

        Parameters
        ----------
        estimator : fitted estimator
        x : {"epoch", "seconds"}, default="epoch"
        ax : matplotlib Axes, default=None

        Returns
        -------
        HistoryDisplay
        """
        return cls(learning_curve_frame(estimator)).plot(x=x, ax=ax)

    @classmethod
    def from_history(
        cls, history: Mapping[str, Any], *, x: str = "epoch", ax: Any = None
    ) -> HistoryDisplay:
        """Draw a history.

        Parameters
        ----------
        history : dict of lists
            `history_` of an estimator.
        x : {"epoch", "seconds"}, default="epoch"
        ax : matplotlib Axes, default=None

        Returns
        -------
        HistoryDisplay
        """
        return cls(learning_curve_frame(history)).plot(x=x, ax=ax)

    def plot(self, *, x: str = "epoch", ax: Any = None) -> HistoryDisplay:
        """Draw it.

        Parameters
        ----------
        x : {"epoch", "seconds"}, default="epoch"
        ax : matplotlib Axes, default=None

        Returns
        -------
        HistoryDisplay
        """
        along = check_choice(x, "x", _XS)
        self.figure_, self.ax_ = new_axes(ax)
        names = [name for name in self.curves if name.partition("_")[0] in ("train", "validation")]
        losses = [name for name in names if name.endswith(_LOSSES)]
        scores = [name for name in names if name not in losses]
        self.score_ax_ = self.ax_.twinx() if scores and losses else None
        lines = []
        for place, name in enumerate([*losses, *scores]):
            axes = self.score_ax_ if self.score_ax_ and name in scores else self.ax_
            style = "--" if name in scores and losses else "-"
            lines += axes.plot(
                self.curves[along], self.curves[name], style, marker=_marker(self.curves),
                markersize=3, color=COLOURS[place % len(COLOURS)], label=name.replace("_", " "),
            )  # fmt: skip
        if "is_best" in self.curves:
            best = self.curves[along][self.curves["is_best"]]
            lines += [
                self.ax_.axvline(one, color=GREY, linestyle=":", label="kept epoch") for one in best
            ]
        self.ax_.set(xlabel=x, ylabel="loss" if losses else "score", title="Learning curves")
        if self.score_ax_ is not None:
            self.score_ax_.set_ylabel("score (dashed)")
            self.score_ax_.spines["top"].set_visible(False)
            self.ax_.spines["top"].set_visible(False)
        else:
            tidy(self.ax_)
        if x == "epoch":
            self.ax_.xaxis.get_major_locator().set_params(integer=True)
        # Losses fall, scores rise: between them there is room.
        self.ax_.legend(handles=lines, loc="center right" if scores else "best", edgecolor="none")
        return self


def _marker(curves: Columns) -> str:
    """Points of short histories, whose single numbers matter."""
    return "o" if curves.n_rows <= 40 else ""
