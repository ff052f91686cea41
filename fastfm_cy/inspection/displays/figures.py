"""Figures: axes to draw on, and the colours of all displays, which the colour-blind can tell."""

from __future__ import annotations

from typing import Any

# Of Okabe and Ito's palette, "Color Universal Design", 2008.
BLUE, ORANGE, GREEN, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"
GREY, LIGHT = "#595959", "#BFBFBF"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY)


def new_axes(ax: Any, *, size: tuple[float, float] = (6.4, 4.2)) -> tuple[Any, Any]:
    """(figure, axes): the axes given, or new ones."""
    if ax is None:
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                'Displays need matplotlib: python -m pip install "fastfm_cy[plot]".'
            ) from error
        _, ax = plt.subplots(figsize=size, layout="constrained")
    return ax.figure, ax


def tidy(ax: Any) -> None:
    """Without the lines of a box that say nothing."""
    ax.spines[["top", "right"]].set_visible(False)


def shortened(name: Any, most: int = 30) -> str:
    """A name that fits beside an axis."""
    text = str(name)
    return text if len(text) <= most else text[: most - 1] + "…"
