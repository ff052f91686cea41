"""Estimators on a Dask cluster of two processes of one thread."""

import os
import pickle
import signal
import threading
from itertools import pairwise

import dask
import dask.array as da
import dask.dataframe as dd
import distributed
import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV

from fastfm_cy import DivergenceError, FFMClassifier, FMClassifier
from fastfm_cy.dask import (
    DaskFFMClassifier,
    DaskFMClassifier,
    DaskFMRegressor,
    DaskFwFMRegressor,
)
from fastfm_cy.dask.fit import train_crew
from fastfm_cy.dask.member import Member
from fastfm_cy.dask.partitions import Piece
from fastfm_cy.datasets import make_clicks, make_ratings
from fastfm_cy.estimators.common import new_rng
from fastfm_cy.io import convert, load_model, save_model, write_libsvm
from fastfm_cy.training.distributed.crew import CrewOfOneProcess

N, P = 3000, 6  # rows, partitions


def cluster_of_two():
    return distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit=0,
        silence_logs=50,
    )  # fmt: skip


@pytest.fixture(scope="module")
def client():
    # Started by tests' own interpreter, whose path the workers need.
    with cluster_of_two() as cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def clicks():
    data = make_clicks(N + 1000, n_fields=5, n_features=400, random_state=0)
    return data.X[:N], data.y[:N], data.X[N:], data.y[N:]


def cut(values, parts=P):
    cuts = np.linspace(0, values.shape[0], parts + 1).astype(int)
    return [values[first:last] for first, last in pairwise(cuts)]


def delayed(*arrays, parts=P):
    return [dask.delayed(part, pure=False) for part in zip(*map(cut, arrays), strict=True)]


def settings(**more):
    return {"n_factors": 4, "max_iter": 3, "random_state": 0} | more


def simulated(estimator, pieces, evals=()):
    """What a cluster of two trains, of (X, y) of each partition, by two members here."""
    numbered = list(enumerate(Piece(*part, None) for part in pieces))
    half = len(numbered) // 2
    half_evals = list(enumerate(Piece(*part, None) for part in evals))
    members = [Member(numbered[:half], half_evals[:1]), Member(numbered[half:], half_evals[1:])]
    rng = new_rng(estimator.random_state)
    return train_crew(
        CrewOfOneProcess(members), estimator, estimator._plan(), rng, lambda learned: None,
        validates=bool(evals),
    )  # fmt: skip


def same(model, result):
    learned, trained = result
    table = learned.model(trained.table).table
    return all(
        np.array_equal(one, other)
        for one, other in zip(model._fitted.table.arrays, table.arrays, strict=True)
    )


# What is learned ----------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["sgd", "adagrad", "adam", "ftrl"])
def test_a_cluster_learns_what_its_simulation_does_bit_for_bit(solver, client, clicks):
    X, y, *_ = clicks
    options = settings(solver=solver)
    model = DaskFMClassifier(**options).fit(delayed(X, y))
    pieces = list(zip(cut(X), cut(y), strict=True))
    expected = simulated(FMClassifier(**options), pieces)
    assert same(model, expected)
    assert model.history_["train_loss"] == expected[1].history["train_loss"]


def test_a_cluster_learns_as_well_as_a_process(client):
    data = make_clicks(12_000, n_features=400, random_state=0)
    X, y, X_test, y_test = data.X[:10_000], data.y[:10_000], data.X[10_000:], data.y[10_000:]
    options = settings(max_iter=4)
    together = DaskFMClassifier(**options).fit(delayed(X, y)).to_local()
    alone = FMClassifier(**options).fit(X, y)
    losses = [log_loss(y_test, model.predict_proba(X_test)) for model in (together, alone)]
    assert losses[0] < 1.005 * losses[1]


def test_early_stopping_follows_rows_on_all_workers(client, clicks):
    X, y, X_test, y_test = clicks
    options = settings(max_iter=12, early_stopping=True, learning_rate=0.5, n_iter_no_change=2)
    evals = list(zip(cut(X_test, 2), cut(y_test, 2), strict=True))
    model = DaskFMClassifier(**options)
    model.fit(
        delayed(X, y),
        eval_set=([dask.delayed(x) for x, _ in evals], [dask.delayed(y) for _, y in evals]),
    )
    history = model.history_["validation_loss"]
    assert model.best_iter_ == int(np.argmin(history)) + 1 < len(history) < 12
    local = model.to_local()
    expected = log_loss(y_test, local.predict_proba(X_test))
    assert min(history) == pytest.approx(expected, rel=1e-5)


def test_callbacks_see_the_model_and_stop(client, clicks):
    X, y, X_test, _ = clicks
    seen = []

    def watch(estimator, history):
        seen.append(estimator.to_local().decision_function(X_test[:5]))
        return len(history["train_loss"]) == 2

    model = DaskFMClassifier(**settings()).fit(delayed(X, y), callbacks=watch)
    assert model.n_iter_ == len(seen) == 2
    assert not np.array_equal(*seen)
    assert np.array_equal(seen[-1], model.to_local().decision_function(X_test[:5]))


# What X may be ------------------------------------------------------------------------------


def test_dense_arrays_and_arrays_of_csr(client):
    rng = np.random.default_rng(0)
    X = rng.random((900, 12)) * (rng.random((900, 12)) < 0.4)
    y = X @ rng.random(12)
    weights = rng.random(900)
    dense = [da.from_array(values, chunks=(150, *values.shape[1:])) for values in (X, y, weights)]
    by_columns = dense[0].rechunk((150, 5))
    of_csr = dense[0].map_blocks(sparse.csr_matrix)
    other_rows = dense[1].rechunk(100)
    models = [
        DaskFMRegressor(**settings()).fit(array, target, dense[2])
        for array, target in (
            (dense[0], dense[1]), (by_columns, dense[1]), (of_csr, other_rows),
        )
    ]  # fmt: skip
    for model in models[1:]:
        np.testing.assert_array_equal(model.coef_, models[0].coef_)
    local = models[0].to_local()
    lazy = models[0].predict(by_columns)
    assert isinstance(lazy, da.Array)
    assert lazy.shape == (900,)
    np.testing.assert_array_equal(lazy.compute(), local.predict(X))


def test_persisted_data_stay_where_they_are(client):
    """What workers send, to each other and to the client, is much less than the data."""
    rng = np.random.default_rng(0)
    X, y = rng.random((N, 60)), rng.integers(0, 2, N)
    first, last = sorted(client.nthreads())
    places = [last, last, first, first, last, first]
    made = [
        client.scatter([part], workers=[worker], hash=False)[0]
        for part, worker in zip(zip(cut(X), cut(y), strict=True), places, strict=True)
    ]

    def sent():
        totals = client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total)
        return sum(totals.values())

    before = sent()
    DaskFMClassifier(**settings(max_iter=1)).fit(made)
    assert 0 < sent() - before < X.nbytes / 4
    for future, place in zip(made, places, strict=True):
        assert client.who_has([future])[future.key] == (place,)


def test_data_frames_are_encoded_in_one_pass(client):
    data = make_ratings(30, 20, 1200, random_state=0)
    users, items = data.X[:, :30].indices, data.X[:, 30:50].indices
    frame = pd.DataFrame({"user": users.astype(str), "item": items.astype(str)})
    frame["rating"], frame["age"] = data.y, np.arange(1200.0) % 50
    table = dd.from_pandas(frame, npartitions=4)
    model = DaskFwFMRegressor(**settings(max_iter=2)).fit(table, "rating")
    encoder = model.encoder_
    assert encoder.field_names_ == ["user", "item", "age"]
    assert model.n_features_in_ == 3
    lazy = model.predict(table.drop(columns="rating"))
    found = model.to_local().predict(frame.drop(columns="rating"))
    np.testing.assert_array_equal(lazy.compute(), found)
    assert np.corrcoef(found, data.y)[0, 1] > 0.2


def test_files(client, clicks, tmp_path):
    X, y, *_ = clicks
    expected = DaskFMClassifier(**settings()).fit(delayed(X, y, parts=2))
    paths = []
    for number, (part, target) in enumerate(zip(cut(X, 2), cut(y, 2), strict=True)):
        paths.append(tmp_path / f"{number}.svm")
        write_libsvm(paths[-1], part, target)
    model = DaskFMClassifier(**settings()).fit(paths)
    n = model.n_features_in_
    assert n <= X.shape[1]
    np.testing.assert_allclose(model.coef_, expected.coef_[:n], rtol=1e-3, atol=1e-4)
    convert(paths[0], tmp_path / "folder")
    on_disk = DaskFMClassifier(**settings()).fit(tmp_path / "folder")
    part, target = cut(X, 2)[0], cut(y, 2)[0]
    lone = DaskFMClassifier(**settings()).fit([dask.delayed((part, target))])
    n = on_disk.n_features_in_
    np.testing.assert_allclose(on_disk.coef_, lone.coef_[:n], rtol=1e-3, atol=1e-4)


def test_parquet_to_a_local_model(client, tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.integers(0, 9, 800).astype(str)})
    frame["b"] = rng.choice(list("xyz"), 800)
    frame["click"] = (frame["a"].astype(int) + (frame["b"] == "x") * 3 > 5).astype(int)
    for number, part in enumerate(cut(frame, 3)):
        part.to_parquet(tmp_path / f"{number}.parquet")
    model = DaskFFMClassifier(**settings(max_iter=5)).fit(tmp_path, "click")
    save_model(model.to_local(), tmp_path / "model.fm")
    loaded = load_model(tmp_path / "model.fm")
    assert type(loaded) is FFMClassifier
    X = frame[["a", "b"]]
    np.testing.assert_array_equal(loaded.predict(X), model.to_local().predict(X))
    assert loaded.score(X, frame["click"]) > 0.9


# Conventions --------------------------------------------------------------------------------


def test_parameters_copies_and_pickles(client, clicks):
    X, y, X_test, _ = clicks
    model = DaskFMClassifier(7, solver="sgd", client=client)
    assert model.get_params() == FMClassifier(7, solver="sgd").get_params()
    assert clone(model).get_params() == model.get_params()
    model.set_params(max_iter=1).fit(delayed(X, y))
    again = pickle.loads(pickle.dumps(model))
    assert type(again) is DaskFMClassifier
    expected = model.to_local().predict_proba(X_test)
    np.testing.assert_array_equal(again.predict_proba(X_test), expected)
    lazy = again.predict_proba(delayed(X_test, parts=3)), again.decision_function(delayed(X_test))
    np.testing.assert_array_equal(np.concatenate(dask.compute(*lazy[0])), expected)
    assert type(model.model_) is FMClassifier


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"solver": "als"}, "in one process"),
        ({"l2_factors": "auto"}, "in one process"),
        ({"warm_start": True}, "warm_start"),
        ({"early_stopping": True}, "eval_set"),
        ({"n_factors": -1}, "n_factors"),
    ],
)
def test_what_a_cluster_cannot_do_is_refused(parameters, message, client, clicks):
    X, y, *_ = clicks
    with pytest.raises(ValueError, match=message):
        DaskFMRegressor(**parameters).fit(delayed(X, y))


def test_grid_search_on_the_cluster(client, clicks):
    X, y, *_ = clicks
    search = GridSearchCV(FMClassifier(**settings()), {"l2_factors": [0.1, 1e-3]}, cv=2)
    with joblib.parallel_backend("dask"):
        search.fit(X[:600], y[:600])
    expected = GridSearchCV(FMClassifier(**settings()), {"l2_factors": [0.1, 1e-3]}, cv=2)
    expected.fit(X[:600], y[:600])
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )


# What goes wrong ----------------------------------------------------------------------------


def test_odd_partitions(client, clicks):
    """Empty ones, and ones of one class; and a worker that has no rows."""
    X, y, *_ = clicks
    by_label = np.argsort(y, kind="stable")
    parts = list(zip(cut(X[by_label]), cut(y[by_label]), strict=True))
    empty = X[:0], y[:0]
    model = DaskFMClassifier(**settings())
    model.fit([dask.delayed(part) for part in (empty, *parts, empty)])
    assert model.classes_.tolist() == np.unique(y).tolist()
    model.fit([dask.delayed(part) for part in (parts[0], parts[-1], empty, empty)])
    assert np.isfinite(model.coef_).all()
    with pytest.raises(ValueError, match="no rows"):
        model.fit([dask.delayed(empty)])
    with pytest.raises(ValueError, match="two classes"):
        model.fit([dask.delayed(parts[0])])


def test_a_bad_row_is_named_with_its_partition(client, clicks):
    X, y, *_ = clicks
    bad = X.copy()
    bad.data[bad.indptr[1207]] = np.nan
    with pytest.raises(ValueError, match=r"partition 2: .*row 207"):
        DaskFMClassifier(**settings()).fit(delayed(bad, y))
    targets = y.astype(float)
    targets[2500] = np.inf
    with pytest.raises(ValueError, match="partition 5"):
        DaskFMRegressor(**settings()).fit(delayed(X, targets))
    parts = list(zip(cut(X), cut(y), strict=True))
    parts[4] = X[:10, :50], y[:10]
    with pytest.raises(ValueError, match="different"):
        DaskFMClassifier(**settings()).fit([dask.delayed(part) for part in parts])


def test_divergence_says_where_and_changes_nothing(client, clicks):
    X, y, *_ = clicks
    model = DaskFMRegressor(**settings(solver="sgd", learning_rate=1e6, scaling=None))
    with pytest.raises(DivergenceError, match="partition"):
        model.fit(delayed(X, y.astype(float)))
    assert not hasattr(model, "coef_")


def test_memory_is_refused_before_it_is_taken(client, clicks):
    X, y, *_ = clicks
    with pytest.raises(MemoryError, match="max_memory"):
        DaskFMClassifier(**settings(max_memory=1000)).fit(delayed(X, y))


def test_an_interrupt_leaves_the_cluster_usable(client, clicks):
    X, y, *_ = clicks
    model = DaskFMClassifier(**settings(max_iter=10_000))
    timer = threading.Timer(3.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(delayed(X, y))
    assert not hasattr(model, "coef_")
    model.set_params(max_iter=1).fit(delayed(X, y))


def test_a_killed_worker_changes_nothing(clicks):
    X, y, *_ = clicks
    options = settings(max_iter=4)
    expected = simulated(FMClassifier(**options), list(zip(cut(X), cut(y), strict=True)))
    with cluster_of_two() as cluster, distributed.Client(cluster) as client:
        pids = client.run(os.getpid)

        def kill(estimator, history):
            if len(history["train_loss"]) == 2:
                os.kill(pids[max(pids)], signal.SIGKILL)

        model = DaskFMClassifier(**options, client=client).fit(delayed(X, y), callbacks=kill)
        assert same(model, expected)
        assert len(model.history_["train_loss"]) == 4
        # What is not computed but scattered cannot be made again.
        owner = max(client.run(os.getpid))
        pids = client.run(os.getpid)
        parts = client.scatter(list(zip(cut(X), cut(y), strict=True)), workers=[owner], hash=False)

        def kill_owner(estimator, history):
            os.kill(pids[owner], signal.SIGKILL)

        with pytest.raises(RuntimeError, match="lost"):
            DaskFMClassifier(**options, client=client).fit(parts, callbacks=kill_owner)
