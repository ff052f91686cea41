"""IntervalCoverageDisplay: whether predictive intervals hold what they promise."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_array, column_or_1d

from .figures import BLUE, LIGHT, ORANGE, new_axes, tidy

_LEVELS = tuple(np.linspace(0.1, 0.9, 9).round(12).tolist())


class IntervalCoverageDisplay:
    """The share of targets inside the central predictive intervals of each level.

    Make it with `from_estimator` or `from_predictions`. On the diagonal intervals cover what they
    promise; below it they are too narrow, above it too wide.

    Parameters
    ----------
    levels : ndarray of shape (n_levels,)
    covered : ndarray of shape (n_levels,)
        Shares of the targets inside.
    widths : ndarray of shape (n_levels,)
        Mean widths of the intervals.

    Attributes
    ----------
    ax_ : matplotlib Axes
    width_ax_ : matplotlib Axes
        Of the widths, on the right.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from fastfm_cy import BayesianFMRegressor
    >>> from fastfm_cy.datasets import make_ratings
    >>> from fastfm_cy.inspection import IntervalCoverageDisplay
    >>> data = make_ratings(n_users=50, n_items=40, n_ratings=2000, random_state=0)
    >>> model = BayesianFMRegressor(max_iter=40, random_state=0).fit(data.X[:1500], data.y[:1500])
    >>> display = IntervalCoverageDisplay.from_estimator(model, data.X[1500:], data.y[1500:])
    >>> display.covered.shape
    (9,)
    """

    def __init__(self, levels: np.ndarray, covered: np.ndarray, widths: np.ndarray) -> None:
        self.levels, self.covered, self.widths = levels, covered, widths

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, levels: Any = _LEVELS, name: str = "targets",
        ax: Any = None,
    ) -> IntervalCoverageDisplay:  # fmt: skip
        """Draw the coverage of what an estimator predicts of rows that it did not see.

        Parameters
        ----------
        estimator : fitted estimator
            With a method ``predict_quantiles(X, q)``, such as BayesianFMRegressor.
        X : what the model predicts from
        y : array of shape (n_samples,)
        levels : array of shape (n_levels,), default=0.1, 0.2, ..., 0.9
        name : str, default="targets"
            For the legend.
        ax : matplotlib Axes, default=None

        Returns
        -------
        IntervalCoverageDisplay
        """
        if not hasattr(estimator, "predict_quantiles"):
            raise TypeError(
                f"{type(estimator).__name__} has no predict_quantiles; BayesianFMRegressor has."
            )
        levels = _checked_levels(levels)
        q = np.concatenate([(1 - levels) / 2, (1 + levels) / 2])
        quantiles = estimator.predict_quantiles(X, q)
        low, high = quantiles[:, : len(levels)], quantiles[:, len(levels) :]
        return cls.from_predictions(y, low, high, levels=levels, name=name, ax=ax)

    @classmethod
    def from_predictions(
        cls, y: Any, low: Any, high: Any, *, levels: Any = _LEVELS, name: str = "targets",
        ax: Any = None,
    ) -> IntervalCoverageDisplay:  # fmt: skip
        """Draw the coverage of given intervals.

        Parameters
        ----------
        y : array of shape (n_samples,)
        low, high : arrays of shape (n_samples, n_levels)
            Ends of the intervals.
        levels : array of shape (n_levels,), default=0.1, 0.2, ..., 0.9
        name : str, default="targets"
            For the legend.
        ax : matplotlib Axes, default=None

        Returns
        -------
        IntervalCoverageDisplay
        """
        levels = _checked_levels(levels)
        y = column_or_1d(y).astype(np.float64)
        low, high = (check_array(end, dtype=np.float64) for end in (low, high))
        if not low.shape == high.shape == (len(y), len(levels)):
            raise ValueError(
                f"low and high must have a row a target and a column a level, "
                f"{(len(y), len(levels))}; got {low.shape} and {high.shape}."
            )
        inside = (low <= y[:, None]) & (y[:, None] <= high)
        display = cls(levels, inside.mean(axis=0), (high - low).mean(axis=0))
        return display.plot(name=name, ax=ax)

    def plot(self, *, name: str = "targets", ax: Any = None) -> IntervalCoverageDisplay:
        """Draw it.

        Parameters
        ----------
        name : str, default="targets"
            For the legend.
        ax : matplotlib Axes, default=None

        Returns
        -------
        IntervalCoverageDisplay
        """
        self.figure_, self.ax_ = new_axes(ax)
        promised = self.ax_.plot([0, 1], [0, 1], color=LIGHT, label="as promised")
        covered = self.ax_.plot(self.levels, self.covered, "o-", color=BLUE, label=f"{name} inside")
        self.ax_.set(
            xlabel="level of the interval", ylabel="share inside", xlim=(0, 1), ylim=(0, 1),
            title="Coverage of predictive intervals",
        )  # fmt: skip
        self.width_ax_ = self.ax_.twinx()
        width = self.width_ax_.plot(
            self.levels, self.widths, "s--", color=ORANGE, markersize=4, label="mean width"
        )
        self.width_ax_.set_ylim(0, None)
        self.width_ax_.set_ylabel("mean width, in units of the target")
        self.ax_.legend(handles=[*promised, *covered, *width], frameon=False, loc="upper left")
        tidy(self.ax_)
        self.width_ax_.spines["top"].set_visible(False)
        return self


def _checked_levels(levels: Any) -> np.ndarray:
    checked = check_array(levels, ensure_2d=False, dtype=np.float64, input_name="levels")
    if checked.ndim != 1 or not ((checked > 0) & (checked < 1)).all():
        raise ValueError(f"levels must lie between 0 and 1; got {levels}.")
    return checked
