"""EmbeddingDisplay: factor vectors in two dimensions."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from ..embeddings import Embeddings, embeddings
from .figures import COLOURS, GREY, new_axes, shortened, tidy


class EmbeddingDisplay:
    """Factor vectors in the plane of their first two principal components.

    Make it with `from_estimator` or `from_embeddings`. The vectors farthest from the middle have
    their names.

    Parameters
    ----------
    points : ndarray of shape (n_vectors, 2)
    names : array of shape (n_vectors,)
    explained : ndarray of shape (2,)
        Shares of the variance in each direction.
    groups : array of shape (n_vectors,), default=None
        What has a colour; fields, for one.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from fastfm_cy import FMRegressor
    >>> from fastfm_cy.datasets import make_ratings
    >>> from fastfm_cy.inspection import EmbeddingDisplay
    >>> data = make_ratings(n_users=50, n_items=40, n_ratings=2000, random_state=0)
    >>> model = FMRegressor(8, random_state=0).fit(data.X, data.y)
    >>> EmbeddingDisplay.from_estimator(model).points.shape
    (136, 2)
    """

    def __init__(
        self, points: np.ndarray, names: Any, explained: np.ndarray, groups: Any = None
    ) -> None:
        self.points, self.names, self.explained, self.groups = points, names, explained, groups

    @classmethod
    def from_estimator(
        cls, model: Any, *, n_names: int = 12, ax: Any = None, **options: Any
    ) -> EmbeddingDisplay:
        """Draw the vectors of a fitted machine.

        Parameters
        ----------
        model : estimator or Pipeline
        n_names : int, default=12
            How many vectors have their names.
        ax : matplotlib Axes, default=None
        **options
            `field`, `toward`, `order`, `class_`, `fields` and `names` of `embeddings`.

        Returns
        -------
        EmbeddingDisplay
        """
        return cls.from_embeddings(embeddings(model, **options), n_names=n_names, ax=ax)

    @classmethod
    def from_embeddings(
        cls, embeddings: Embeddings, *, groups: Any = None, n_names: int = 12, ax: Any = None
    ) -> EmbeddingDisplay:
        """Draw embeddings.

        Parameters
        ----------
        embeddings : Embeddings
            Of two dimensions and two vectors at least.
        groups : array of shape (n_vectors,), default=None
            What has a colour. None takes the fields, where they are known.
        n_names : int, default=12
            How many vectors have their names.
        ax : matplotlib Axes, default=None

        Returns
        -------
        EmbeddingDisplay
        """
        vectors = embeddings.vectors
        if min(vectors.shape) < 2:
            raise ValueError(
                f"A plane needs two vectors of two dimensions at least; got {vectors.shape[0]} of "
                f"{vectors.shape[1]}."
            )
        components = PCA(2, svd_solver="full" if len(vectors) < 10_000 else "covariance_eigh")
        points = components.fit_transform(vectors)
        groups = embeddings.fields if groups is None else np.asarray(groups)
        shares = np.nan_to_num(components.explained_variance_ratio_)
        display = cls(points, embeddings.names, shares, groups)
        return display.plot(n_names=n_names, ax=ax)

    def plot(self, *, n_names: int = 12, ax: Any = None) -> EmbeddingDisplay:
        """Draw it.

        Parameters
        ----------
        n_names : int, default=12
            How many vectors have their names.
        ax : matplotlib Axes, default=None

        Returns
        -------
        EmbeddingDisplay
        """
        self.figure_, self.ax_ = new_axes(ax, size=(6.4, 5.2))
        groups = np.zeros(len(self.points)) if self.groups is None else np.asarray(self.groups)
        counts = Counter(groups.tolist())
        labels = [label for label, _ in counts.most_common()]  # the rare are drawn on top
        size, alpha = (36, 0.8) if len(self.points) < 500 else (12, 0.5)
        for place, label in enumerate(labels):
            x, y = self.points[groups == label].T
            self.ax_.scatter(
                x, y, s=size, alpha=alpha, linewidths=0, color=COLOURS[place % len(COLOURS)],
                marker="osD^v"[place // len(COLOURS) % 5], label=shortened(label),
            )  # fmt: skip
        self._name(n_names)
        first, second = self.explained
        self.ax_.set(
            xlabel=f"first component ({first:.0%} of the variance)",
            ylabel=f"second component ({second:.0%})", title="Factor vectors",
        )  # fmt: skip
        self.ax_.margins(0.12)
        tidy(self.ax_)
        if 1 < len(labels) <= 25:
            self.ax_.legend(frameon=False, loc="best", fontsize="small")
        return self

    def _name(self, n_names: int) -> None:
        """Names of the outstanding, but for those that would lie on another's."""
        from matplotlib.patheffects import withStroke

        halo = [withStroke(linewidth=2.5, foreground="white")]
        far = np.argsort(-np.square(self.points).sum(axis=1), kind="stable")
        reach = np.ptp(self.points, axis=0)
        reach = np.where(reach > 0, reach, 1.0)
        taken: list[np.ndarray] = []
        for number in far:
            place = self.points[number] / reach
            if len(taken) == n_names:
                break
            if any(abs(place[0] - x) < 0.2 and abs(place[1] - y) < 0.06 for x, y in taken):
                continue
            taken.append(place)
            left = self.points[number, 0] > 0
            self.ax_.annotate(
                shortened(self.names[number], 24), self.points[number], fontsize="small",
                color=GREY, xytext=(-5 if left else 5, 3), textcoords="offset points",
                ha="right" if left else "left", path_effects=halo,
            )  # fmt: skip
