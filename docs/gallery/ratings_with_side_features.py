"""
Ratings with side features
==========================

Who rated what is two ids; a user's age and occupation and an item's genres are a few columns more.
What this teaches: side features are just further columns of X; they hardly matter for items with
many ratings, whose own parameters say all, and matter most for items with few.
"""

# %%
# Generated ratings, whose noise is known: no model can have a lower error than 0.7.
import numpy as np

from fastfm_cy.datasets import make_ratings

data = make_ratings(n_users=600, n_items=2000, n_ratings=60_000, noise=0.7, random_state=0)
of_kind = {name: data.fields == number for number, name in enumerate(data.field_names)}
print({name: int(columns.sum()) for name, columns in of_kind.items()})

# %%
# Half of the ratings are for training. One model sees the ids alone, one all columns.
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

from fastfm_cy import FMRegressor

train, test = train_test_split(np.arange(len(data.y)), test_size=0.5, random_state=0)
designs = {
    "ids": data.X[:, of_kind["user"] | of_kind["item"]],
    "ids and side features": data.X,
}
errors = {}
for name, X in designs.items():
    model = FMRegressor(random_state=0).fit(X[train], data.y[train])
    errors[name] = model.predict(X[test]) - data.y[test]
    print(f"{name:24} RMSE {np.sqrt(np.mean(errors[name] ** 2)):.3f}")
print(f"{'the planted model':24} RMSE {root_mean_squared_error(data.y, data.expected):.3f}")

# %%
# The same errors by how often the item was rated in training.
from itertools import pairwise

import matplotlib.pyplot as plt

n_ratings = data.X[train][:, of_kind["item"]].sum(axis=0)
of_row = n_ratings[data.X[test][:, of_kind["item"]].argmax(axis=1)]
edges = [0, 3, 6, 12, 25, 50, np.inf]
labels = ["0-2", "3-5", "6-11", "12-24", "25-49", "50 +"]
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for (name, error), marker, colour in zip(errors.items(), "os", ["#D55E00", "#0072B2"], strict=True):
    groups = [error[(low <= of_row) & (of_row < high)] for low, high in pairwise(edges)]
    rmse = [np.sqrt(np.mean(group**2)) for group in groups]
    axes.plot(labels, rmse, marker=marker, color=colour, label=name)
axes.axhline(0.7, color="0.4", linestyle="--", label="noise floor")
axes.set(
    title="Side features help where ratings are few",
    xlabel="training ratings of the item",
    ylabel="test RMSE",
)
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
