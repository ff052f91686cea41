"""
From libFM or LightFM in five minutes
=====================================

Your files and your calls, as they are here. What this teaches: libFM's text files, settings and
models are read and written; LightFM's model is :class:`~fastfm_cy.FMRecommender`, which takes ids
instead of matrices; and what to leave out in order to get better models. All calls of both, and of
eight other libraries, stand side by side in :doc:`/migration`.
"""

# %%
# libFM
# -----
# Two files such as libFM reads. ``fastfm-cy libfm -task r -train train.libfm -test test.libfm
# -method sgd -dim 1,1,8 ...`` in a shell does the same as what follows.
import tempfile
from pathlib import Path

from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

from fastfm_cy import BayesianFMRegressor, FMRegressor, io
from fastfm_cy.datasets import make_ratings

data = make_ratings(n_users=400, n_items=300, n_ratings=20_000, random_state=0)
X, X_test, y, y_test = train_test_split(data.X, data.y, random_state=0)
folder = Path(tempfile.mkdtemp())
io.write_libsvm(folder / "train.libfm", X, y)
io.write_libsvm(folder / "test.libfm", X_test, y_test)

train = io.read_libsvm(folder / "train.libfm")
test = io.read_libsvm(folder / "test.libfm", n_features=train.X.shape[1])
models = {
    "-method sgd": FMRegressor(
        8, solver="sgd", learning_rate=0.01, l2_linear=0.01, l2_factors=0.01, init_scale=0.1,
        max_iter=40, shuffle=False, init_intercept=0, scaling=None, random_state=1,
    ),
    "-method als": FMRegressor(8, solver="als", l2_linear=5, l2_factors=5, init_scale=0.1,
                               max_iter=40, random_state=1),
    "-method mcmc": BayesianFMRegressor(8, max_iter=100, n_burn_in=0, random_state=1),
    "nothing set": FMRegressor(random_state=1),
}  # fmt: skip
errors = {}
for name, model in models.items():
    model.fit(train.X, train.y)
    errors[name] = root_mean_squared_error(test.y, model.predict(test.X))
    print(f"{name:14} test RMSE {errors[name]:.4f}")

# %%
# A model file that libFM reads:
io.write_libfm_model(models["-method sgd"], folder / "model.txt")
print((folder / "model.txt").read_text()[:60])

# %%
# LightFM
# -------
# Interactions by ids, features of items as a table; no ``Dataset`` to build, no identity matrix.
import numpy as np
import pandas as pd

from fastfm_cy import FMRecommender
from fastfm_cy.metrics import split_by_user

is_item, is_genre = data.fields == 1, data.fields == 4
users, items = data.X[:, data.fields == 0].argmax(axis=1), data.X[:, is_item].argmax(axis=1)
good = data.y > 4  # what LightFM would be told
chosen = pd.DataFrame({"user": users[good], "item": items[good]}).drop_duplicates()
row_of_item = np.full(is_item.sum(), -1)
row_of_item[items] = np.arange(len(items))
genres = data.X[row_of_item][:, is_genre]  # of each item

learn, held_out = (chosen.iloc[rows] for rows in split_by_user(chosen["user"], 0.2, random_state=0))
recommenders = {}
for loss in ("warp", "bpr", "logistic"):
    model = FMRecommender(30, loss=loss, item_interactions=False, random_state=0)
    model.fit(learn, item_features=(np.arange(len(row_of_item)), genres))
    recommenders[loss] = model.evaluate(held_out)
    print(loss, {name: round(value, 3) for name, value in recommenders[loss].items()})
ids, scores = model.recommend([0, 1], n=3)
print(ids)

# %%
# Both in one picture:
import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
bars = left.bar(list(errors), list(errors.values()), color=["0.7", "0.7", "0.7", "#0072B2"])
left.bar_label(bars, fmt="%.3f")
left.set(title="libFM's methods, and the defaults", ylabel="test RMSE", ylim=(0.7, 1.0))
left.axhline(0.7, color="0.4", linestyle="--")
names = ["precision", "recall", "ndcg", "auc"]
for place, (loss, values) in enumerate(recommenders.items()):
    found = [next(v for name, v in values.items() if name.startswith(n)) for n in names]
    right.bar(
        np.arange(4) + 0.27 * (place - 1), found, 0.25,
        label=loss, color=["#0072B2", "#E69F00", "#009E73"][place],
    )  # fmt: skip
right.set_xticks(range(4), names)
right.set(title="LightFM's losses: held-out interactions, top 10")
right.legend(frameon=False)
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
