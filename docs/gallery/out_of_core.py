"""
Out of core: more rows than memory
==================================

A data set on disk is trained on piece by piece, within a budget. What this teaches:
:func:`~fastfm_cy.io.convert` turns text, or arrays, into a folder of arrays;
:func:`~fastfm_cy.io.open_dataset` opens it with a ``memory_budget``; and any gradient solver takes
it in place of X and y, learning what it would have learned in memory.
"""

# %%
# Clicks in a compressed text file, converted in bounded memory:
import tempfile
from pathlib import Path

from sklearn.model_selection import train_test_split

from fastfm_cy.datasets import make_clicks
from fastfm_cy.io import convert, open_dataset, write_libsvm

data = make_clicks(40_000, random_state=0)
X, X_test, y, y_test = train_test_split(data.X, data.y, random_state=0)
folder = Path(tempfile.mkdtemp())
write_libsvm(folder / "clicks.svm.gz", X, y)
convert(folder / "clicks.svm.gz", folder / "clicks")
size = sum(file.stat().st_size for file in (folder / "clicks").iterdir())
print(f"{size / 1e6:.1f} MB on disk, in", *sorted(p.name for p in (folder / "clicks").iterdir()))

# %%
# The same model from memory, and from disk with budgets of 2 MB and of half of that:
from fastfm_cy import FMClassifier

machine = FMClassifier(max_iter=12, l2_factors=1e-4, random_state=0)
curves = {"in memory": machine.fit(X, y, eval_set=(X_test, y_test)).history_}
for budget in ("2MB", "1MB"):
    dataset = open_dataset(folder / "clicks", memory_budget=budget)
    curves[f"on disk, {budget}"] = machine.fit(dataset, eval_set=(X_test, y_test)).history_
for name, history in curves.items():
    print(f"{name:14} test log loss {history['validation_loss'][-1]:.4f}")

# %%
# Chunks are put together from pieces of all of the data, anew each epoch, so that rows come in
# nearly as random an order as in memory.
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for (name, history), style, colour in zip(
    curves.items(), ["o-", "s--", "^:"], ["#0072B2", "#E69F00", "#D55E00"], strict=True
):
    epochs = range(1, len(history["validation_loss"]) + 1)
    axes.plot(epochs, history["validation_loss"], style, color=colour, label=name)
axes.set(title="Test loss by epoch: the budget does not matter", xlabel="epoch", ylabel="log loss")
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
