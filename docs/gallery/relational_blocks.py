"""
Relational blocks: long histories at no cost
============================================

A row that holds all that its user ever rated has hundreds of entries, which stand in each of the
user's rows again. What this teaches: a :class:`~fastfm_cy.RelationalDesign` holds each user's
history once; the model is the same as on the expanded matrix, in a fraction of the time.
"""

# %%
# Ratings, and for each user the items that he rated in training, as a block of a row a user.
from itertools import pairwise

import numpy as np
from scipy import sparse
from sklearn.metrics import root_mean_squared_error

from fastfm_cy import BayesianFMRegressor, RelationalDesign
from fastfm_cy.datasets import make_ratings

n_users, n_items = 300, 400
data = make_ratings(n_users=n_users, n_items=n_items, n_ratings=24_000, random_state=0)
users = data.X[:, :n_users].argmax(axis=1)
items = data.X[:, n_users : n_users + n_items].argmax(axis=1)
test = np.random.default_rng(0).random(len(users)) < 0.25


def design(rows, history):
    """User with `history` items that he rated at most, and item; a pointer a row into each."""
    rated = sparse.csr_array(
        (np.ones((~test).sum()), (users[~test], items[~test])), shape=(n_users, n_items)
    )
    rated.sum_duplicates()
    kept = np.concatenate([rated.indices[a:b][:history] for a, b in pairwise(rated.indptr)])
    lengths = np.minimum(np.diff(rated.indptr), history)
    weights = np.repeat(1 / np.sqrt(np.maximum(lengths, 1)), lengths)
    histories = sparse.csr_array(
        (weights, kept, np.append(0, np.cumsum(lengths))), shape=(n_users, n_items)
    )
    of_user = sparse.hstack([sparse.eye_array(n_users), histories], format="csr")
    return RelationalDesign([(of_user, users[rows]), (sparse.eye_array(n_items), items[rows])])


# %%
# Processor seconds of the same chain on the design and on the expanded matrix, as histories grow:
import time


def expanded(design):
    return sparse.hstack([block.tocsr()[rows] for block, rows in design.blocks], format="csr")


lengths, seconds, errors = [0, 10, 20, 40, 80, 160], {"blocks": [], "expanded": []}, []
for length in lengths:
    X, X_test = design(~test, length), design(test, length)
    model = BayesianFMRegressor(8, max_iter=30, n_burn_in=10, random_state=0)
    for name, matrix in (("blocks", X), ("expanded", expanded(X))):
        start = time.process_time()
        model.fit(matrix, data.y[~test])
        seconds[name].append(time.process_time() - start)
    errors.append(root_mean_squared_error(data.y[test], model.predict(X_test)))
    print(f"history of {length:3}: {seconds['blocks'][-1]:.2f} s on blocks, "
          f"{seconds['expanded'][-1]:.2f} s expanded, test RMSE {errors[-1]:.4f}")  # fmt: skip

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for (name, values), marker, colour in zip(
    seconds.items(), "os", ["#0072B2", "#D55E00"], strict=True
):
    axes.plot(lengths, values, marker=marker, color=colour, label=name)
axes.set(
    title="A chain of 30 sweeps, 18,000 rows",
    xlabel="longest history of a user, in items",
    ylabel="processor seconds",
    ylim=(0, None),
)
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
