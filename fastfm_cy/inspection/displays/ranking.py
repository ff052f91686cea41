"""RankingDisplay: ranking metrics by the length of the lists."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...metrics.ranking import ranking_report
from .figures import COLOURS, new_axes, tidy

_METRICS = ("precision", "recall", "ndcg", "map", "hit_rate")


class RankingDisplay:
    """Ranking metrics at k, by k.

    Make it with `from_estimator` or `from_predictions`.

    Parameters
    ----------
    ks : sequence of int
        Lengths of the lists.
    metrics : dict of str: array of shape (n_ks,)

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from fastfm_cy.inspection import RankingDisplay
    >>> truth = sparse.csr_array([[1, 0, 1], [0, 1, 0]])
    >>> lists = np.array([[0, 1, 2], [2, 1, 0]])
    >>> display = RankingDisplay.from_predictions(truth, lists, ks=[1, 2, 3])
    >>> display.metrics["hit_rate"]
    array([0.5, 1. , 1. ])
    """

    def __init__(self, ks: Any, metrics: dict[str, np.ndarray]) -> None:
        self.ks, self.metrics = ks, metrics

    @classmethod
    def from_estimator(
        cls, recommender: Any, interactions: Any, *, ks: Any = (1, 2, 3, 5, 10, 20),
        metrics: Any = _METRICS, ax: Any = None,
    ) -> RankingDisplay:  # fmt: skip
        """Draw how well a recommender finds held-out interactions.

        Parameters
        ----------
        recommender : FMRecommender
            Fitted.
        interactions : as its `evaluate` takes them
        ks : sequence of int, default=(1, 2, 3, 5, 10, 20)
        metrics : sequence of str, default=("precision", "recall", "ndcg", "map", "hit_rate")
        ax : matplotlib Axes, default=None

        Returns
        -------
        RankingDisplay
        """
        if not hasattr(recommender, "evaluate"):
            raise TypeError(f"{type(recommender).__name__} recommends nothing; FMRecommender does.")
        reports = [recommender.evaluate(interactions, k=int(k)) for k in ks]
        return cls(ks, _by_metric(reports, metrics)).plot(ax=ax)

    @classmethod
    def from_predictions(
        cls, truth: Any, recommended: Any, *, ks: Any = (1, 2, 3, 5, 10, 20),
        metrics: Any = _METRICS, ax: Any = None,
    ) -> RankingDisplay:  # fmt: skip
        """Draw the metrics of given lists.

        Parameters
        ----------
        truth : sparse matrix of shape (n_users, n_items)
        recommended : int array of shape (n_users, n)
            Lists of items, at least as long as the longest of `ks`.
        ks : sequence of int, default=(1, 2, 3, 5, 10, 20)
        metrics : sequence of str, default=("precision", "recall", "ndcg", "map", "hit_rate")
        ax : matplotlib Axes, default=None

        Returns
        -------
        RankingDisplay
        """
        reports = [ranking_report(truth, recommended, int(k)) for k in ks]
        return cls(ks, _by_metric(reports, metrics)).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> RankingDisplay:
        """Draw it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None

        Returns
        -------
        RankingDisplay
        """
        self.figure_, self.ax_ = new_axes(ax, size=(7.0, 4.2))
        for place, (name, values) in enumerate(self.metrics.items()):
            self.ax_.plot(
                self.ks, values, marker="osD^v"[place % 5], color=COLOURS[place % len(COLOURS)],
                label=name.replace("_", " "),
            )  # fmt: skip
        self.ax_.set(
            xlabel="length of the list, k", ylabel="mean over users", ylim=(0, None),
            title="Ranking metrics at k",
        )  # fmt: skip
        self.ax_.set_xticks(list(self.ks))
        self.ax_.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1))
        tidy(self.ax_)
        return self


def _by_metric(reports: list[dict[str, float]], metrics: Any) -> dict[str, np.ndarray]:
    for name in metrics:
        if reports and name not in reports[0]:
            raise ValueError(f"There is no metric {name!r}; there are {', '.join(reports[0])}.")
    return {name: np.array([report[name] for report in reports]) for name in metrics}
