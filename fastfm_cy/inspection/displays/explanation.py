"""ExplanationDisplay: a row's score, step by step."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...utils.checks import check_choice, check_integer
from ..explanation import Explanation, explain
from .figures import BLUE, GREY, LIGHT, ORANGE, new_axes, shortened, tidy

_BY = {"feature": False, "term": True}
"""Whether interactions are steps of their own."""


class ExplanationDisplay:
    """A waterfall from the bias to a row's score.

    Make it with `from_estimator` or `from_explanation`.

    Parameters
    ----------
    explanation : Explanation

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from fastfm_cy import FMRegressor
    >>> from fastfm_cy.datasets import make_ratings
    >>> from fastfm_cy.inspection import ExplanationDisplay
    >>> data = make_ratings(n_users=50, n_items=40, n_ratings=2000, random_state=0)
    >>> model = FMRegressor(random_state=0).fit(data.X, data.y)
    >>> ExplanationDisplay.from_estimator(model, data.X, row=7).ax_.get_xlabel()
    'score'
    """

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation

    @classmethod
    def from_estimator(
        cls, model: Any, X: Any, row: int = 0, *, by: str = "feature", n_steps: int = 10,
        ax: Any = None, **options: Any,
    ) -> ExplanationDisplay:  # fmt: skip
        """Draw what `explain` finds.

        Parameters
        ----------
        model : estimator or Pipeline
        X : what the model predicts from
        row : int, default=0
        by : {"feature", "term"}, default="feature"
            "feature" has a step a feature, in which it has its share of interactions; "term" a step
            a linear term and one an interaction.
        n_steps : int, default=10
            How many steps, the largest, are drawn by themselves.
        ax : matplotlib Axes, default=None
        **options
            `fields`, `class_` and `names` of `explain`.

        Returns
        -------
        ExplanationDisplay
        """
        explanation = explain(model, X, row, **options)
        return cls.from_explanation(explanation, by=by, n_steps=n_steps, ax=ax)

    @classmethod
    def from_explanation(
        cls, explanation: Explanation, *, by: str = "feature", n_steps: int = 10, ax: Any = None
    ) -> ExplanationDisplay:
        """Draw an explanation.

        Parameters
        ----------
        explanation : Explanation
        by : {"feature", "term"}, default="feature"
        n_steps : int, default=10
        ax : matplotlib Axes, default=None

        Returns
        -------
        ExplanationDisplay
        """
        return cls(explanation).plot(by=by, n_steps=n_steps, ax=ax)

    def plot(self, *, by: str = "feature", n_steps: int = 10, ax: Any = None) -> ExplanationDisplay:
        """Draw it.

        Parameters
        ----------
        by : {"feature", "term"}, default="feature"
        n_steps : int, default=10
        ax : matplotlib Axes, default=None

        Returns
        -------
        ExplanationDisplay
        """
        found = self.explanation
        names, steps = self._steps(
            check_choice(by, "by", _BY), check_integer(n_steps, "n_steps", 1)
        )
        self.figure_, self.ax_ = new_axes(ax, size=(7.0, 1.6 + 0.34 * (len(steps) + 2)))
        ends = found.intercept + np.cumsum(steps)
        starts = ends - steps
        places = np.arange(len(steps)) + 1
        colours = [BLUE if step >= 0 else ORANGE for step in steps]
        self.ax_.barh(places, steps, left=starts, color=colours, height=0.62)
        for place, end in zip(places, ends, strict=True):
            self.ax_.plot([end, end], [place - 0.31, place + 1.31], color=LIGHT, linewidth=0.8,
                          zorder=0)  # fmt: skip
        self.ax_.plot([found.intercept] * 2, [0, 1.31], color=LIGHT, linewidth=0.8, zorder=0)
        self.ax_.plot([found.intercept, found.score], [0, len(steps) + 1], "D", color=GREY)
        self._label(names, steps, starts, ends)
        label = "" if found.label is None else f" of {shortened(found.label)}"
        self.ax_.set(xlabel="score", title=f"Score{label}: {found.score:.4g}")
        self.ax_.invert_yaxis()
        self.ax_.tick_params(axis="y", length=0)
        tidy(self.ax_)
        self.ax_.spines["left"].set_visible(False)
        return self

    def _steps(self, as_terms: bool, n_steps: int) -> tuple[list[str], np.ndarray]:
        """Names and sizes, the largest first; the rest is one step, and orders above 2 are."""
        found = self.explanation
        orders: dict[int, float] = {}
        if as_terms:
            names = [shortened(name) for name in found.linear["feature"]]
            names += [f"{shortened(row['first'], 20)} x {shortened(row['second'], 20)}"
                      for row in found.pairs.rows()]  # fmt: skip
            sizes = np.concatenate([found.linear["contribution"], found.pairs["contribution"]])
            orders = {order: value for order, value in found.orders.items() if order > 2}
        else:
            values = zip(found.features["feature"], found.features["value"], strict=True)
            names = [shortened(name) + ("" if x == 1 else f" = {x:.3g}") for name, x in values]
            sizes = found.features["contribution"]
        order = np.argsort(-np.abs(sizes), kind="stable")
        shown, rest = order[:n_steps], order[n_steps:]
        names = [names[i] for i in shown]
        steps = sizes[shown].tolist()
        if len(rest):
            names.append(f"{len(rest)} others")
            steps.append(float(sizes[rest].sum()))
        names += [f"interactions of {order} features" for order in orders]
        return names, np.array([*steps, *orders.values()])

    def _label(
        self, names: list[str], steps: np.ndarray, starts: np.ndarray, ends: np.ndarray
    ) -> None:
        """Names on the left, and the size of each step at its end."""
        found = self.explanation
        self.ax_.set_yticks(range(len(steps) + 2), ["bias", *names, "score"])
        reach = max(np.ptp([found.intercept, found.score, *ends]), 1e-12)
        for place, (step, start, end) in enumerate(zip(steps, starts, ends, strict=True), start=1):
            self.ax_.text(max(start, end) + 0.012 * reach, place, f"{step:+.3g}", va="center",
                          color=GREY, fontsize="small")  # fmt: skip
        for place, value in ((0, found.intercept), (len(steps) + 1, found.score)):
            self.ax_.text(value + 0.02 * reach, place, f"{value:.4g}", va="center",
                          fontsize="small")  # fmt: skip
        ends = np.array([found.intercept, found.score, *ends])
        self.ax_.set_xlim(ends.min() - 0.04 * reach, ends.max() + 0.13 * reach)
