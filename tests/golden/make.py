"""Writes the golden model files of the current version, once: ``python tests/golden/make.py``.

A golden file is never written again: it shows that later versions read what this one wrote.
"""

import json
from pathlib import Path

import numpy as np

from fastfm_cy import (
    BayesianFMClassifier,
    BayesianFMOrdinal,
    BayesianFMRegressor,
    FFMClassifier,
    FFMRegressor,
    FMClassifier,
    FMRanker,
    FMRecommender,
    FMRegressor,
    FwFMClassifier,
    FwFMRegressor,
)
from fastfm_cy.io import save_model
from fastfm_cy.io.model_files.container import VERSION

HERE = Path(__file__).resolve().parent
X = np.array([[1, 0, 2], [0, 1, 0.5], [1, 1, 0], [0, 0, 1], [2, 0, 0], [0, 3, 1]])
Y = np.array([1.0, 2.0, 3.0, 1.5, 0.5, 4.0])
NAMES = np.array(["no", "yes", "yes", "no", "no", "yes"])
FEW = {"n_factors": 2, "max_iter": 3, "random_state": 0}
MODELS = {
    "regressor": (FMRegressor(**FEW), Y),
    "classifier": (FMClassifier(solver="ftrl", **FEW), NAMES),
    "bayes_regressor": (BayesianFMRegressor(n_burn_in=1, **FEW), Y),
    "bayes_ordinal": (BayesianFMOrdinal(n_burn_in=1, **FEW), np.array([1, 2, 3, 2, 1, 3])),
    "ffm_regressor": (FFMRegressor(**FEW), Y),
    "ffm_classifier": (FFMClassifier(fields=[0, 1, 1], **FEW), NAMES),
    "fwfm_regressor": (FwFMRegressor(**FEW), Y),
    "fwfm_classifier": (FwFMClassifier(**FEW), NAMES),
    "bayes_classifier": (BayesianFMClassifier(n_burn_in=1, **FEW), NAMES),
    "ranker": (FMRanker(**FEW), Y),
}
USERS, ITEMS = [1, 1, 2, 3, 3, 4], ["a", "b", "a", "c", "d", "b"]
TABLE = [{"kind": "x"}, {"kind": "y"}, {"kind": "x"}, {"kind": "z"}]  # of items a to d
NEW_ITEM = [{"kind": "y"}]


def make(name, model, y):
    path = HERE / f"v{VERSION}_{name}.fm"
    if path.exists():
        print(f"{path.name} is there already")
        return
    model.fit(X, y)
    save_model(model, path)
    predict = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    expected = {"X": X.tolist(), "y": y.tolist(), "predicted": predict(X).tolist()}
    path.with_suffix(".json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


def make_recommender():
    path = HERE / f"v{VERSION}_recommender.fm"
    if path.exists():
        print(f"{path.name} is there already")
        return
    model = FMRecommender(**FEW).fit((USERS, ITEMS), item_features=(list("abcd"), TABLE))
    save_model(model, path)
    (ids, scores), (_, of_new) = model.recommend(n=4), model.recommend(item_features=NEW_ITEM, n=1)
    expected = {
        "users": USERS, "items": ITEMS, "table": TABLE, "new_item": NEW_ITEM, "ids": ids.tolist(),
        "scores": np.where(np.isfinite(scores), scores, 0).tolist(),
        "scores_of_new_item": of_new.tolist(),
    }  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for name, (model, y) in MODELS.items():
        make(name, model, y)
    make_recommender()
