"""Threads of the user's own: whatever they do with one estimator, each sees a state it was in.

.ci/sanitize runs these tests under ThreadSanitizer, too.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np
import pytest
from scipy import sparse
from support.ranking import block_taste

from fastfm_cy import (
    BayesianFMClassifier,
    FFMClassifier,
    FMClassifier,
    FMRanker,
    FMRecommender,
    FMRegressor,
    FwFMRegressor,
)
from fastfm_cy.estimators.base import Base
from fastfm_cy.io import load_model, save_model

N_FEATURES, N_THREADS, N_TURNS = 30, 8, 12
FIELDS = np.arange(N_FEATURES) % 3
RNG = np.random.default_rng(0)
X = sparse.random_array((2000, N_FEATURES), density=0.3, rng=RNG, format="csr", dtype=np.float32)
Y, QID = RNG.integers(0, 2, 2000), np.arange(2000) // 10
INTERACTIONS, _ = block_taste(40, 30)
KINDS = {
    "regressor": (FMRegressor, {}),
    "classifier, unscaled": (FMClassifier, {"scaling": None, "solver": "adam"}),
    "als": (FMRegressor, {"solver": "als"}),
    "ffm": (FFMClassifier, {"fields": FIELDS}),
    "fwfm": (FwFMRegressor, {"fields": FIELDS, "n_jobs": 2, "deterministic": True}),
    "bayes": (BayesianFMClassifier, {"n_burn_in": 0}),
    "ranker": (FMRanker, {}),
    "recommender": (FMRecommender, {}),
}


def data_of(Estimator, part):
    """What it is fitted to: all of it, or a third."""
    if Estimator is FMRecommender:
        return (INTERACTIONS,), {}
    rows = slice(None) if part == "all" else slice(0, 600)
    return (X[rows], Y[rows]), {"qid": QID[rows]} if Estimator is FMRanker else {}


def answer(model):
    """All that it says, as bytes that differ if anything does."""
    if isinstance(model, FMRecommender):
        return model.recommend([0, 3, 7], 5)[1].tobytes()
    says = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    return says(X).tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_threads_do_each_sees_one_state(kind, tmp_path):
    Estimator, parameters = KINDS[kind]
    model = Estimator(n_factors=3, max_iter=2, random_state=0, **parameters)
    args, options = data_of(Estimator, "all")
    model.fit(*args, **options)
    states, seen, one_writer, numbers = {answer(model)}, set(), threading.Lock(), count()

    def train(name, part):
        args, options = data_of(Estimator, part)
        with one_writer:  # two fits at once are refused, which test_state.py looks at
            getattr(model, name)(*args, **options)
            states.add(answer(model))

    def save(part):
        path = tmp_path / str(next(numbers))
        save_model(model, path)
        seen.add(answer(load_model(path)))

    def compile(part):
        scores = model.compile().rows(X.indptr, X.indices, X.data)
        assert np.isfinite(scores).all()

    actions = [lambda part: seen.add(answer(model)), save, lambda part: train("fit", part)]
    if hasattr(model, "partial_fit"):
        actions += 2 * [lambda part: train("partial_fit", part)]
    if isinstance(model, Base):
        actions.append(compile)

    def act(number):
        rng = np.random.default_rng(number)
        for _ in range(N_TURNS):
            actions[rng.integers(len(actions))](str(rng.choice(["all", "third"])))

    with ThreadPoolExecutor(N_THREADS) as pool:
        list(pool.map(act, range(N_THREADS)))
    assert seen
    assert seen <= states
