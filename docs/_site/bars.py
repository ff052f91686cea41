"""Bars of seconds beside each other, one panel a task, a bar a library."""

import matplotlib.pyplot as plt
from result_tables import COLOURS


def draw(panels, unit):
    """panels: (title, {library: seconds}) each."""
    figure, axes = plt.subplots(
        len(panels), 1, figsize=(7, 0.7 + sum(0.32 * len(p[1]) + 0.45 for p in panels)),
        height_ratios=[len(p[1]) + 0.6 for p in panels], squeeze=False,
    )  # fmt: skip
    for place, (title, seconds) in zip(axes[:, 0], panels, strict=True):
        names = list(seconds)[::-1]
        values = [seconds[name] for name in names]
        bars = place.barh(names, values, color=[COLOURS[name] for name in names])
        ours = seconds["fastfm_cy"]
        labels = [
            f" {value:.3g} s" + (f" ({value / ours:.1f} x)" if name != "fastfm_cy" else "")
            for name, value in zip(names, values, strict=True)
        ]
        place.bar_label(bars, labels, fontsize=9)
        place.set_title(title, loc="left", fontsize=10)
        place.set_xlim(0, max(values) * 1.25)
        place.spines[["top", "right"]].set_visible(False)
    axes[-1, 0].set_xlabel(unit)
    return figure
