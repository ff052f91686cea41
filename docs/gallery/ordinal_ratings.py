"""
Ordinal ratings: stars are not numbers
======================================

Five stars are not five times as good as one: stars are classes in order. What this teaches:
:class:`~fastfm_cy.BayesianFMOrdinal` learns where one class ends and the next begins, so it gives
the probability of each number of stars as well as an expected one, which a regression cannot.
"""

# %%
# Generated tastes, seen through stars that most people hand out from the upper end:
import numpy as np
from sklearn.model_selection import train_test_split

from fastfm_cy.datasets import make_ratings

data = make_ratings(n_users=300, n_items=200, n_ratings=15_000, random_state=0)
limits = np.quantile(data.y, [0.04, 0.10, 0.25, 0.55])
stars = 1 + np.searchsorted(limits, data.y)
X, X_test, y, y_test = train_test_split(data.X, stars, random_state=0)
print("share of each number of stars:", np.bincount(stars)[1:] / len(stars))

# %%
# Three ways to predict them: as numbers, as classes without an order, as classes in order.
from scipy.stats import norm
from sklearn.metrics import log_loss, root_mean_squared_error

from fastfm_cy import BayesianFMOrdinal, BayesianFMRegressor, FMClassifier

ordinal = BayesianFMOrdinal(max_iter=100, random_state=0).fit(X, y)
numbers = BayesianFMRegressor(max_iter=100, random_state=0).fit(X, y.astype(float))
classes = FMClassifier(loss="softmax", random_state=0).fit(X, y)

mean, deviation = numbers.predict(X_test, return_std=True)
edges = norm.cdf((np.arange(1.5, 5)[None, :] - mean[:, None]) / deviation[:, None])
of_numbers = np.diff(np.hstack([np.zeros((len(mean), 1)), edges, np.ones((len(mean), 1))]))
probabilities = {
    "ordered probit": ordinal.predict_proba(X_test),
    "softmax": classes.predict_proba(X_test),
    "regression, its normal cut up": of_numbers,
}
for name, proba in probabilities.items():
    print(f"{name:32} log loss {log_loss(y_test, proba):.4f}")
rmse = root_mean_squared_error(y_test, ordinal.predict_mean(X_test))
print(f"RMSE of the expected stars {rmse:.4f}, of the regression ", end="")
print(f"{root_mean_squared_error(y_test, mean):.4f}")

# %%
# How often each number of stars is given, and how often the models say so:
import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
places = np.arange(1, 6)
left.bar(places, np.bincount(y_test)[1:] / len(y_test), color="0.8", label="test ratings")
for (name, proba), marker, colour in zip(
    probabilities.items(), "osD", ["#0072B2", "#E69F00", "#D55E00"], strict=True
):
    left.plot(places, proba.mean(axis=0), marker, color=colour, label=name)
left.set(title="Stars given, and foretold", xlabel="stars", ylabel="share")
left.legend(frameon=False, loc="upper left")

order = np.argsort(ordinal.predict_mean(X_test))
for row, colour, text in zip(
    order[[len(order) // 50, len(order) // 2, -len(order) // 50]],
    ["#D55E00", "0.5", "#0072B2"],
    ["a rating that looks bad", "a middling one", "a good one"],
    strict=True,
):
    right.plot(places, probabilities["ordered probit"][row], "o-", color=colour, label=text)
right.set(title="What the ordered probit says of three", xlabel="stars", ylabel="probability")
right.legend(frameon=False, loc="upper left")
for axes in (left, right):
    axes.set_xticks(places)
    axes.spines[["top", "right"]].set_visible(False)
