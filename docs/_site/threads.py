"""Seconds an epoch in one thread and in two."""

import matplotlib.pyplot as plt
import numpy as np
from result_tables import tables

found = {}
for caption, header, rows in tables("threads.md"):
    if "training" in caption:
        letter, words = caption.split(",", 1)
        solver = "AdaGrad" if "adagrad" in words else "SGD"
        name = words.strip().split(":")[0].capitalize()
        found[f"{name}\n{solver}"] = [float(row[header.index("median")]) for row in rows[:2]]
figure, axes = plt.subplots(figsize=(7, 3.2))
places = np.arange(len(found))
for n, (label, colour) in enumerate([("1 thread", "#0072B2"), ("2 threads", "#E69F00")]):
    values = [seconds[n] for seconds in found.values()]
    bars = axes.bar(places + 0.4 * n - 0.2, values, 0.38, label=label, color=colour)
    axes.bar_label(bars, fmt="%.2f", fontsize=8)
axes.set_xticks(places, list(found))
axes.set(ylabel="median seconds an epoch", title="Training, 16 factors")
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
