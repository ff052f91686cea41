"""
Clicks with fields: which kinds of features meet?
=================================================

Clicks depend on who meets whom: an advertisement suits a site, not an hour. Machines that know
fields learn that. What this teaches: a :class:`~fastfm_cy.preprocessing.FieldEncoder` makes rows
with fields of a table; :class:`~fastfm_cy.FFMClassifier` and :class:`~fastfm_cy.FwFMClassifier`
take them as they are; and :func:`~fastfm_cy.inspection.field_interactions` shows which pairs they
found.
"""

# %%
# Visits in which two pairs of fields interact, site x ad and hour x device, and no other:
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n_rows = 30_000
sizes = {"user": 300, "site": 60, "ad": 60, "hour": 24, "device": 10}
ids = {name: rng.zipf(1.3, n_rows) % size for name, size in sizes.items()}
score = sum(rng.normal(0, 0.4, size)[ids[name]] for name, size in sizes.items()) - 1.5
for first, second in (("site", "ad"), ("hour", "device")):
    left, right = rng.normal(0, 1, (sizes[first], 3)), rng.normal(0, 1, (sizes[second], 3))
    score += 0.8 * (left[ids[first]] * right[ids[second]]).sum(axis=1)
clicked = (rng.random(n_rows) < 1 / (1 + np.exp(-score))).astype(int)
visits = pd.DataFrame({name: np.char.add(name[0], n.astype(str)) for name, n in ids.items()})
print(visits.head(3))

# %%
# Three machines, with their defaults:
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from fastfm_cy import FFMClassifier, FMClassifier, FwFMClassifier
from fastfm_cy.preprocessing import FieldEncoder

X, X_test, y, y_test = train_test_split(visits, clicked, random_state=0)
models, losses = {}, {}
for name, machine in (
    ("linear", FMClassifier(n_factors=0, random_state=0)),
    ("FM", FMClassifier(random_state=0)),
    ("FwFM", FwFMClassifier(random_state=0)),
    ("FFM", FFMClassifier(random_state=0)),
):
    models[name] = make_pipeline(FieldEncoder(), machine).fit(X, y)
    losses[name] = log_loss(y_test, models[name].predict_proba(X_test))
    print(f"{name:8} log loss {losses[name]:.4f}")

# %%
# What each pair of fields adds to scores: the two planted pairs stand out.
import matplotlib.pyplot as plt

from fastfm_cy.inspection import FieldInteractionsDisplay

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
left.scatter(list(losses), list(losses.values()), s=90, c=["0.5", "#E69F00", "#009E73", "#0072B2"])
for name, loss in losses.items():
    left.annotate(f"{loss:.4f}", (name, loss), (0, 9), textcoords="offset points", ha="center")
left.set(title="Test log loss", ylim=(min(losses.values()) - 0.01, max(losses.values()) + 0.01))
left.margins(x=0.15)
left.spines[["top", "right"]].set_visible(False)
display = FieldInteractionsDisplay.from_estimator(models["FFM"], X_test, ax=right)
right.set_title("FFM: strength of each pair of fields")
