"""Threads of the user's own: whatever they do with one estimator, each sees a state it was in.

.ci/sanitize runs these tests under ThreadSanitizer, too.
"""

import os
import signal
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
from fastfm_cy.utils.gates import reading

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


WITHOUT_RACES = {
    "sgd": (FMRegressor, {"solver": "sgd", "deterministic": True}),
    "adagrad": (FMClassifier, {"deterministic": True}),
    "adam": (FMClassifier, {"solver": "adam", "deterministic": True}),
    "ftrl": (FMClassifier, {"solver": "ftrl", "deterministic": True}),
    "degree 3": (FMRegressor, {"degree": 3, "deterministic": True}),
    "ffm": (FFMClassifier, {"fields": FIELDS, "deterministic": True}),
    "fwfm": (FwFMRegressor, {"fields": FIELDS, "deterministic": True}),
    "als": (FMRegressor, {"solver": "als"}),
    "bayes": (BayesianFMClassifier, {"n_burn_in": 0}),
    "ranker": (FMRanker, {"deterministic": True}),
    "recommender": (FMRecommender, {"deterministic": True}),
}
HOGWILD = {
    kind: (Estimator, {**parameters, "deterministic": False})
    for kind, (Estimator, parameters) in WITHOUT_RACES.items()
    if "deterministic" in parameters
}


def fitted(Estimator, parameters, n_jobs):
    model = Estimator(n_factors=4, max_iter=2, random_state=0, n_jobs=n_jobs, **parameters)
    args, options = data_of(Estimator, "all")
    return model.fit(*args, **options)


@pytest.mark.parametrize("kind", WITHOUT_RACES)
def test_threads_that_share_nothing(kind):
    """Four threads give what one does; ThreadSanitizer finds no race in them."""
    Estimator, parameters = WITHOUT_RACES[kind]
    one, four = (answer(fitted(Estimator, parameters, n_jobs)) for n_jobs in (1, 4))
    assert one == four


@pytest.mark.parametrize("kind", HOGWILD)
def test_threads_that_share_features_without_locks(kind):
    """ThreadSanitizer finds no other races than those of .ci/races."""
    Estimator, parameters = HOGWILD[kind]
    model = fitted(Estimator, parameters, n_jobs=4)
    assert model.n_iter_ == 2
    assert answer(model)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_has_no_gate_of_a_thread_that_it_does_not_have():
    model = FMRegressor(2, scaling=None, max_iter=1, random_state=0).fit(X, Y)
    with reading(model._fitted.trained.table):
        child = os.fork()
        if not child:
            signal.alarm(60)  # rather than wait for ever
            model.partial_fit(X, Y)
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    model.partial_fit(X, Y)
