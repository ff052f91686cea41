"""Training and prediction in several threads, relabelling, and the order of the rows."""

import numpy as np
import pytest
from sklearn.metrics import log_loss, root_mean_squared_error
from support.strategies import DTYPES

from fastfm_cy import FMClassifier, FMRegressor
from fastfm_cy.data.csr import CSRRows
from fastfm_cy.datasets import make_clicks, make_ratings
from fastfm_cy.kernels.gradient import replicas
from fastfm_cy.model.losses import CLASSIFICATION, REGRESSION
from fastfm_cy.model.table import ParameterTable
from fastfm_cy.training.gradient.row_order import BLOCK, RowOrder
from fastfm_cy.training.gradient.sharding import place_features
from fastfm_cy.training.solvers import SOLVERS
from fastfm_cy.utils import threads as parallel


@pytest.fixture(scope="module")
def many_ratings():
    data = make_ratings(n_users=800, n_items=500, n_ratings=60_000, random_state=0)
    return data.X[:50_000], data.y[:50_000], data.X[50_000:], data.y[50_000:]


@pytest.fixture(scope="module")
def many_clicks():
    data = make_clicks(60_000, n_features=2000, random_state=0)
    return data.X[:50_000], data.y[:50_000], data.X[50_000:], data.y[50_000:]


# The order of the rows ---------------------------------------------------------------------


def rows_in(order, step=7):
    return np.concatenate([order.part(i, i + step) for i in range(0, len(order), step)])


@pytest.mark.parametrize("shuffle", ["block", True, False])
@pytest.mark.parametrize("n_rows", [1, 63, 64, 64 * 512, 64 * 512 + 17, 40_000])
@pytest.mark.parametrize("gaps", [False, True])
def test_an_epoch_visits_every_row_once(shuffle, n_rows, gaps):
    rows = np.arange(n_rows) * (3 if gaps else 1)
    if gaps and n_rows > 100:
        rows[-100:] += 5
    order = RowOrder(rows, shuffle)
    for _ in range(2):
        order.shuffle(np.random.default_rng(0))
        visited = rows_in(order)
        assert np.array_equal(np.sort(visited), rows)
        if shuffle is False:
            assert np.array_equal(visited, rows)
        elif n_rows > 1000:
            assert not np.array_equal(visited, rows)


def test_blocks_stay_together_and_small_data_is_shuffled_row_by_row():
    order = RowOrder(np.arange(64_000), "block")
    order.shuffle(np.random.default_rng(0))
    blocks = rows_in(order).reshape(-1, BLOCK)
    assert (np.diff(blocks, axis=1) == 1).all()
    assert RowOrder(np.arange(1000), "block").unit == 1


@pytest.mark.parametrize("Model", [FMRegressor, FMClassifier])
def test_block_shuffle_is_as_good(Model, many_ratings):
    """Even where the rows are sorted by their target."""
    X, y, X_test, y_test = many_ratings
    if Model is FMClassifier:
        y, y_test = y > 3.5, y_test > 3.5
    by_target = np.argsort(y, kind="stable")
    X, y = X[by_target], y[by_target]
    errors = []
    for shuffle in ("block", True):
        model = Model(shuffle=shuffle, max_iter=5, random_state=0).fit(X, y)
        if Model is FMRegressor:
            errors.append(root_mean_squared_error(y_test, model.predict(X_test)))
        else:
            errors.append(log_loss(y_test, model.predict_proba(X_test)))
    assert errors[0] == pytest.approx(errors[1], rel=0.01)


# Relabelling -------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_relabelling_is_invisible(solver, dtype, ratings):
    settings = {"solver": solver, "dtype": dtype, "max_iter": 2, "random_state": 0}
    plain = FMRegressor(**settings).fit(ratings.X, ratings.y)
    relabelled = FMRegressor(relabel=True, **settings).fit(ratings.X, ratings.y)
    assert np.array_equal(plain.factors_, relabelled.factors_)
    assert np.array_equal(plain.coef_, relabelled.coef_)
    assert plain.intercept_ == relabelled.intercept_
    assert plain.history_["train_loss"] == relabelled.history_["train_loss"]


@pytest.mark.parametrize("n_jobs", [2, 3])
@pytest.mark.parametrize("deterministic", [False, True])
def test_every_shard_finds_its_own_copies(n_jobs, deterministic, many_ratings):
    X = many_ratings[0]
    rows = CSRRows(X.indptr.astype(np.int64), X.indices.astype(np.int32), X.data, X.shape[1])
    visited = np.flatnonzero(np.arange(rows.n_rows) % 5)
    counts = np.bincount(rows.indices, minlength=rows.n_features)
    placement = place_features(
        rows.n_features, lambda: counts, len(visited), n_jobs=n_jobs, relabel=False,
        deterministic=deterministic,
    )  # fmt: skip
    layout = placement.layout(rows, visited)
    assert np.array_equal(np.sort(np.concatenate(layout.shards)), visited)
    n_shards, head = len(layout.shards), placement.head
    back = np.full(placement.n_table_rows, -1)
    back[placement.home] = np.arange(X.shape[1])
    for shard in range(n_shards):
        back[shard * head : (shard + 1) * head] = back[n_shards * head : (n_shards + 1) * head]
    assert np.array_equal(back[layout.rows.indices], rows.indices)
    shard_of_entry = layout.rows.indices // max(1, head)
    for shard, members in enumerate(layout.shards):
        for row in members[:50]:
            entries = slice(rows.indptr[row], rows.indptr[row + 1])
            private = layout.rows.indices[entries] < n_shards * head
            assert (shard_of_entry[entries][private] == shard).all()
    if deterministic:
        assert (layout.rows.indices < n_shards * head).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_merge(dtype):
    n_shards, head, rng = 3, 5, np.random.default_rng(0)
    table = ParameterTable((n_shards + 1) * head + 2, 4, dtype, 1, (1.0, 0.0), 1)
    table.linear[...] = rng.normal(size=table.linear.shape)
    table.factors[...] = rng.normal(size=table.factors.shape)
    shares, of_state = rng.random(head).astype(dtype), np.array([1.0, 0.5, 0.25], dtype)
    for name, n_weights in (("linear", 1), ("factors", table.n_padded)):
        array = getattr(table, name)
        copies = array[: (n_shards + 1) * head].reshape(n_shards + 1, head, -1).astype(float)
        master = copies[-1]
        moves = (copies[:-1] - master).sum(axis=0)
        share = np.repeat(np.append(0, of_state), n_weights)[: array.shape[1]] * np.ones((head, 1))
        share[:, :n_weights] = shares[:, None]
        expected = master + share * moves
        for rows in ((0, 2), (2, head)):
            replicas.merge(array, n_weights, head, n_shards, shares, of_state, *rows)
        for copy in range(n_shards + 1):
            found = array[copy * head : (copy + 1) * head]
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


# Threads -----------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("settings", [{"n_jobs": 2}, {"n_jobs": 4}, {"deterministic": True}])
def test_threads_learn_as_well(solver, settings, many_ratings, many_clicks):
    X, y, X_test, y_test = many_ratings
    model = FMRegressor(solver=solver, max_iter=10, random_state=0).fit(X, y)
    alone = root_mean_squared_error(y_test, model.predict(X_test))
    model.set_params(**settings).fit(X, y)
    assert root_mean_squared_error(y_test, model.predict(X_test)) < 1.02 * alone
    X, y, X_test, y_test = many_clicks
    model = FMClassifier(solver=solver, max_iter=5, random_state=0).fit(X, y)
    alone = log_loss(y_test, model.predict_proba(X_test))
    model.set_params(**settings).fit(X, y)
    assert log_loss(y_test, model.predict_proba(X_test)) < 1.02 * alone


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("loss", REGRESSION | CLASSIFICATION)
def test_threads_minimise_every_loss(solver, loss, many_ratings):
    X, y, *_ = many_ratings
    X, y = X[:20_000], y[:20_000]
    Model = FMRegressor if loss in REGRESSION else FMClassifier
    y = np.abs(y) if Model is FMRegressor else np.digitize(y, [2.5, 3.5])
    settings = {"loss": loss, "solver": solver, "max_iter": 5, "random_state": 0}
    alone = Model(4, **settings).fit(X, y).history_["train_loss"][-1]
    together = Model(4, n_jobs=2, **settings).fit(X, y).history_["train_loss"][-1]
    scale = abs(alone) if loss != "poisson" else 1.0  # its loss may be about zero
    assert together < alone + 0.05 * scale


@pytest.mark.parametrize("solver", SOLVERS)
def test_deterministic_mode_does_not_depend_on_the_threads(solver, many_clicks):
    X, y, *_ = many_clicks
    settings = {"solver": solver, "max_iter": 2, "deterministic": True, "random_state": 0}
    first, *others = (FMClassifier(n_jobs=n, **settings).fit(X, y) for n in (1, 2, 3, 4))
    for other in others:
        assert np.array_equal(first.factors_, other.factors_)
        assert np.array_equal(first.coef_, other.coef_)
        assert first.intercept_ == other.intercept_
        assert first.history_["train_loss"] == other.history_["train_loss"]


def test_threads_bear_odd_data():
    rng = np.random.default_rng(0)
    for n_rows in (1, 2, 65, 200):
        X = (rng.random((n_rows, 5)) < 0.3).astype(float)
        weights = rng.integers(0, 2, n_rows)
        weights[0] = 1
        model = FMRegressor(n_jobs=3, max_iter=2, random_state=0)
        model.fit(X, rng.normal(size=n_rows), weights)
        assert np.isfinite(model.predict(X)).all()


def test_threads_report_divergence(many_ratings):
    X, y, *_ = many_ratings
    model = FMRegressor(solver="sgd", learning_rate=50.0, n_jobs=2, random_state=0)
    with pytest.raises(FloatingPointError, match="epoch 1"):
        model.fit(X, y)
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize("dtype", DTYPES)
def test_prediction_does_not_depend_on_the_threads(dtype, many_clicks, monkeypatch):
    X, y, *_ = many_clicks
    model = FMClassifier(dtype=dtype, max_iter=1, random_state=0).fit(X, y)
    alone = model.decision_function(X)
    monkeypatch.setattr(parallel, "_WORK_A_THREAD", 1000)
    for n_jobs in (2, 3, -1):
        assert np.array_equal(alone, model.set_params(n_jobs=n_jobs).decision_function(X))
    assert len(model.decision_function(X[:1])) == 1
