"""
A stream whose features grow
============================

New advertisements come every day, and tastes change. What this teaches: ``partial_fit`` learns from
block after block, predicts the next one before it has seen it, and takes new features as they come
(``grow_features=True``); a model that is fitted once falls behind.
"""

# %%
# Sixty days of clicks. Ten new advertisements a day; old ones fade; hours of the day change slowly.
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n_days, n_each = 60, 1500
n_ads = 100 + 10 * n_days
appeal, suits = rng.normal(0, 0.8, n_ads), rng.normal(0, 1, (n_ads, 3))
users = rng.normal(0, 1, (400, 3))


def day(number):
    users_drift = users + 0.02 * number * np.roll(users, 1, axis=1)
    ad = rng.integers(10 * number, 10 * number + 100, n_each)  # the hundred that run
    user = rng.integers(400, size=n_each)
    score = appeal[ad] + 0.6 * (users_drift[user] * suits[ad]).sum(axis=1) - 1
    rows = pd.DataFrame({"user": user.astype(str), "ad": ad.astype(str)})
    return rows, (rng.random(n_each) < 1 / (1 + np.exp(-score))).astype(int)


# %%
# The stream scores each day before it learns from it. The other model saw the first twenty days.
from sklearn.metrics import log_loss

from fastfm_cy import FMClassifier

days = [day(number) for number in range(n_days)]
stream = FMClassifier(grow_features=True, learning_rate=0.2, random_state=0)
losses = {"stream": [], "fitted on 20 days": [], "constant": []}
n_features, fixed = [], None
for number, (X, y) in enumerate(days):
    if number == 20:
        first = pd.concat([rows for rows, _ in days[:20]], ignore_index=True)
        fixed = FMClassifier(random_state=0).fit(first, np.concatenate([y for _, y in days[:20]]))
    if number >= 20:
        losses["stream"].append(log_loss(y, stream.predict_proba(X)))
        losses["fitted on 20 days"].append(log_loss(y, fixed.predict_proba(X)))
        losses["constant"].append(log_loss(y, np.full(len(y), y.mean())))
    stream.partial_fit(X, y, classes=[0, 1])
    n_features.append(stream.coef_.shape[-1])
print("features on the first and on the last day:", n_features[0], n_features[-1])
print({name: round(float(np.mean(values[-10:])), 3) for name, values in losses.items()})

# %%
import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
for (name, values), colour, style in zip(
    losses.items(), ["#0072B2", "#D55E00", "0.5"], ["-", "--", ":"], strict=True
):
    smooth = np.convolve(values, np.ones(3) / 3, mode="valid")
    left.plot(np.arange(22, n_days), smooth, style, color=colour, label=name)
left.set(title="Log loss of the next day", xlabel="day", ylabel="mean of three days")
left.legend(frameon=False)
right.plot(np.arange(1, n_days + 1), n_features, color="#0072B2")
right.set(title="Features of the model", xlabel="day", ylabel="number", ylim=(0, None))
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
