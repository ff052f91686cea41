"""
Uncertainty and cold starts: how sure is a prediction?
======================================================

A prediction for somebody with two ratings is a guess, and should say so. What this teaches:
:class:`~fastfm_cy.BayesianFMRegressor` has nothing to tune, and its intervals are as wide as they
have to be: wide for those that it knows little of, narrow for others, and right as often as
promised.
"""

# %%
import numpy as np
from sklearn.model_selection import train_test_split

from fastfm_cy import BayesianFMRegressor
from fastfm_cy.datasets import make_ratings

data = make_ratings(n_users=1000, n_items=300, n_ratings=30_000, random_state=0)
X, X_test, y, y_test = train_test_split(data.X, data.y, random_state=0)
model = BayesianFMRegressor(max_iter=120, random_state=0).fit(X, y)
low, high = model.predict_quantiles(X_test, [0.05, 0.95]).T
inside = (low <= y_test) & (y_test <= high)
print(f"{inside.mean():.1%} of the test ratings lie in their 90 % interval")

# %%
# Part of an interval is the noise of a single rating, which no amount of data takes away; the rest
# is what the model does not know yet. ``sample_predictions`` has the latter alone.
from itertools import pairwise

import matplotlib.pyplot as plt

from fastfm_cy.inspection import IntervalCoverageDisplay

unknown = model.sample_predictions(X_test).std(axis=0)
is_user = data.fields == 0
n_ratings = X[:, is_user].sum(axis=0)[X_test[:, is_user].argmax(axis=1)]
edges = [0, 2, 5, 10, 20, 40, 80, np.inf]
labels = ["0-1", "2-4", "5-9", "10-19", "20-39", "40-79", "80 +"]
groups = [(low <= n_ratings) & (n_ratings < high) for low, high in pairwise(edges)]

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
IntervalCoverageDisplay.from_estimator(model, X_test, y_test, ax=left)
left.set_title("Intervals hold what they promise")
right.boxplot(
    [unknown[group] for group in groups],
    tick_labels=labels,
    showfliers=False,
    medianprops={"color": "#D55E00"},
)
right.set(
    title="Who is new is less known",
    xlabel="training ratings of the user",
    ylabel="standard deviation of the expected rating",
    ylim=(0, None),
)
right.spines[["top", "right"]].set_visible(False)

# %%
# A user of whom nothing is known at all: a row without an id. The interval is the widest of all.
nobody = X_test[:1].tolil()
nobody[:, np.flatnonzero(is_user)] = 0
nobody = nobody.tocsr()
mean, deviation = model.predict(nobody, return_std=True)
print(f"expected rating {mean[0]:.2f}, of single ratings the deviation {deviation[0]:.2f}")
