"""Fits on data sets on disk equal those in memory."""

import pickle
import tracemalloc
from itertools import chain

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import log_loss

from fastfm_cy import BayesianFMRegressor, FFMRegressor, FMClassifier, FMRegressor, FwFMRegressor
from fastfm_cy.exceptions import DivergenceError, FileFormatError
from fastfm_cy.io import Dataset, convert, open_dataset
from fastfm_cy.training import sources
from fastfm_cy.training.solvers import SOLVERS

SMALL = 20_000  # bytes: many chunks


@pytest.fixture(scope="module")
def data():
    """X, y of numbers, y of three labels, weights of which some are zero."""
    rng = np.random.default_rng(0)
    X = sparse.random_array((900, 25), density=0.2, rng=rng, dtype=np.float32).tocsr()
    X.sort_indices()
    y = X @ rng.normal(size=25) + 0.1 * rng.normal(size=900) + 3
    return X, y, rng.integers(0, 3, 900).astype(float), rng.integers(0, 3, 900).astype(float)


@pytest.fixture(scope="module")
def on_disk(data, tmp_path_factory):
    """A function: the data set with these targets and weights."""
    folder = tmp_path_factory.mktemp("outofcore")

    def make(y, weights=None, budget=SMALL, X=data[0]):
        name = str(len(list(folder.iterdir())))
        return convert(Dataset(X, y, weights=weights), folder / name, memory_budget=budget)

    return make


def assert_same_model(a, b):
    np.testing.assert_array_equal(a.intercept_, b.intercept_)
    np.testing.assert_array_equal(a.coef_, b.coef_)
    np.testing.assert_array_equal(a.factors_, b.factors_)
    np.testing.assert_allclose(a.history_["train_loss"], b.history_["train_loss"], rtol=1e-12)


@pytest.mark.parametrize("budget", [1, SMALL, 10**9])
@pytest.mark.parametrize("solver", SOLVERS)
def test_in_one_order_the_model_is_that_of_memory(data, on_disk, solver, budget):
    """Bit for bit, however many chunks there are."""
    X, y, _, weights = data
    parameters = {"shuffle": False, "init_intercept": 1.0, "random_state": 0, "max_iter": 3}
    model = FMRegressor(4, solver=solver, **parameters)
    disk = on_disk(y, weights, budget)
    from_disk = FMRegressor(4, solver=solver, **parameters).fit(disk)
    assert_same_model(from_disk, model.fit(X, y, weights))
    assert from_disk.y_range_ == model.y_range_
    np.testing.assert_array_equal(from_disk.predict(disk), model.predict(X))


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 0.5, 2: 3.0}])
@pytest.mark.parametrize("loss", ["log_loss", "softmax"])
def test_classes(data, on_disk, loss, class_weight):
    X, _, y, weights = data
    parameters = {"shuffle": False, "loss": loss, "class_weight": class_weight, "random_state": 0}
    model = FMClassifier(4, max_iter=3, **parameters).fit(X, y, weights)
    disk = on_disk(y, weights)
    from_disk = FMClassifier(4, max_iter=3, **parameters).fit(disk)
    np.testing.assert_allclose(from_disk.factors_, model.factors_, atol=1e-6)
    np.testing.assert_allclose(from_disk.intercept_, model.intercept_, rtol=1e-5)
    assert from_disk.classes_.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(from_disk.predict(disk), from_disk.predict(X))
    np.testing.assert_array_equal(from_disk.predict_proba(disk), from_disk.predict_proba(X))
    np.testing.assert_array_equal(from_disk.decision_function(disk), from_disk.decision_function(X))


@pytest.mark.parametrize("loss", ["squared_error", "huber", "poisson"])
def test_the_intercept_starts_where_it_does_in_memory(data, on_disk, loss, monkeypatch):
    monkeypatch.setattr("fastfm_cy.data.disk.target_summary._ROWS_A_READ", 100)
    monkeypatch.setattr(sources, "_ENTRIES_A_READ", 100)
    X, y, _, weights = data
    y = np.abs(y)
    parameters = {"loss": loss, "shuffle": False, "max_iter": 1, "learning_rate": 1e-30}
    start = FMRegressor(0, **parameters).fit(X, y, weights).intercept_
    assert FMRegressor(0, **parameters).fit(on_disk(y, weights)).intercept_ == pytest.approx(start)


@pytest.mark.parametrize("how", [{"relabel": True}, {"n_jobs": 2}, {"deterministic": True}])
def test_placed_features(data, on_disk, how):
    X, y, _, _ = data
    parameters = {"max_iter": 15, "random_state": 0, "l2_factors": 0.001}
    disk = on_disk(y)
    in_memory = FMRegressor(4, **parameters, **how).fit(X, y)
    from_disk = FMRegressor(4, **parameters, **how).fit(disk)
    error = np.sqrt(np.mean((from_disk.predict(disk) - y) ** 2))
    assert error == pytest.approx(np.sqrt(np.mean((in_memory.predict(X) - y) ** 2)), rel=0.3)
    assert error < 0.7 * y.std()


def test_the_deterministic_mode_does_not_depend_on_threads(data, on_disk):
    disk = on_disk(data[1])
    parameters = {"deterministic": True, "max_iter": 2, "random_state": 0}
    one, two = (FMRegressor(4, n_jobs=n, **parameters).fit(disk) for n in (1, 2))
    assert_same_model(one, two)


def test_the_seed_decides_the_model(data, on_disk):
    disk = on_disk(data[1])
    first, again, other = (FMRegressor(4, random_state=seed).fit(disk) for seed in (0, 0, 1))
    assert_same_model(first, again)
    assert not np.array_equal(first.factors_, other.factors_)


def test_as_good_as_in_memory(on_disk, clicks):
    X, y = clicks.X, clicks.y.astype(float)
    test = slice(2500, None)
    losses = {"memory": [], "disk": []}
    disk = on_disk(y[:2500], X=X[:2500], budget=60_000)
    for seed in range(5):
        model = FMClassifier(4, random_state=seed)
        losses["memory"].append(
            log_loss(y[test], model.fit(X[:2500], y[:2500]).predict_proba(X[test]))
        )
        losses["disk"].append(log_loss(y[test], model.fit(disk).predict_proba(X[test])))
    assert np.mean(losses["disk"]) == pytest.approx(np.mean(losses["memory"]), rel=0.02)


def test_chunks_mix_rows_from_everywhere(data, on_disk, monkeypatch):
    """Every epoch visits every row once, in other company."""
    disk = on_disk(np.arange(900.0), X=data[0])
    seen = []
    original = sources.from_all_over

    def spy(*args, **options):
        for ranges in original(*args, **options):
            seen.append([row for first, last in ranges for row in range(first, last)])
            yield ranges

    monkeypatch.setattr(sources, "from_all_over", spy)
    FMRegressor(0, max_iter=2, random_state=0).fit(disk)
    n_chunks = len(seen) // 2
    assert n_chunks > 5
    for epoch in (seen[:n_chunks], seen[n_chunks:]):
        assert sorted(chain.from_iterable(epoch)) == list(range(900))
        assert all(max(chunk) - min(chunk) > 300 for chunk in epoch[:-1])
    assert set(seen[0]) != set(seen[n_chunks])


@pytest.mark.parametrize("scoring", [None, "neg_root_mean_squared_error"])
def test_validation_is_that_of_memory(data, on_disk, scoring):
    X, y, _, weights = data
    parameters = {
        "shuffle": False, "init_intercept": 1.0, "random_state": 0, "max_iter": 30,
        "early_stopping": True, "scoring": scoring, "learning_rate": 0.5, "tol": 0.01,
    }  # fmt: skip
    model = FMRegressor(8, **parameters)
    train, held_out = slice(0, 600), slice(600, None)
    parts = [(X[part], y[part], weights[part]) for part in (train, held_out)]
    model.fit(*parts[0], eval_set=parts[1])
    assert model.n_iter_ < 30
    disk = [on_disk(*part[1:], X=part[0]) for part in parts]
    for eval_set in (disk[1], parts[1]):
        from_disk = FMRegressor(8, **parameters).fit(disk[0], eval_set=eval_set)
        assert_same_model(from_disk, model)
        assert from_disk.best_iter_ == model.best_iter_
        for name in set(model.history_) - {"seconds"}:
            np.testing.assert_allclose(from_disk.history_[name], model.history_[name], rtol=1e-6)


def test_callbacks_and_going_on(data, on_disk):
    X, y, _, _ = data
    disk = on_disk(y)
    parameters = {"shuffle": False, "init_intercept": 0.5, "random_state": 0, "warm_start": True}
    losses = []
    model = FMRegressor(4, max_iter=2, **parameters)
    model.fit(disk, callbacks=lambda model, history: losses.append(history["train_loss"][-1]))
    assert losses == model.history_["train_loss"]
    model.fit(disk)
    other = FMRegressor(4, max_iter=2, **parameters).fit(X, y).fit(X, y)
    np.testing.assert_array_equal(model.factors_, other.factors_)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(disk), model.predict(X))
    with pytest.raises(ValueError, match="has 24 features, the model 25"):
        model.fit(on_disk(y, X=X[:, :24]))
    with pytest.raises(ValueError, match="X has 24 features, the model 25"):
        model.predict(on_disk(y, X=X[:, :24]))


def test_double_precision(data, on_disk):
    X, y, _, _ = data
    parameters = {"shuffle": False, "init_intercept": 0.5, "random_state": 0, "dtype": "float64"}
    parameters["max_iter"] = 20  # only data in memory are tuned
    for matrix in (X, X.astype(np.float64)):
        model = FMRegressor(4, **parameters).fit(on_disk(y, X=matrix))
        assert_same_model(model, FMRegressor(4, **parameters).fit(X, y))
    large = X.astype(np.float64) * 1e40
    with pytest.raises(ValueError, match="too large for float32"):
        FMRegressor(4).fit(on_disk(y, X=large))


def test_a_sparse_model_predicts(data, on_disk):
    disk = on_disk(data[1])
    model = FMRegressor(4, solver="ftrl", l1_linear=5, l1_factors=5, random_state=0).fit(disk)
    dense = model.predict(disk)
    np.testing.assert_array_equal(model.sparsify().predict(disk), dense)


def test_what_does_not_go(data, on_disk):
    X, y, labels, _ = data
    disk = on_disk(y)
    refused = [
        (FMRegressor(), {"y": y}, "its own targets"),
        (FMRegressor(), {"sample_weight": y}, "its own targets"),
        (FMRegressor(solver="als"), {}, r"solver='als' needs all rows in memory"),
        (FMRegressor(l2_factors="auto"), {}, 'l2_factors="auto" needs rows in memory'),
        (FMRegressor(early_stopping=True), {}, "needs an eval_set"),
        (FMRegressor(), {"eval_set": on_disk(None)}, "eval_set: .* has no targets"),
        (FMRegressor(), {"eval_set": on_disk(y, X=X[:, 1:])}, "eval_set: .* has 24 features"),
        (FMClassifier(), {}, "continuous"),
    ]
    for model, arguments, message in refused:
        with pytest.raises(ValueError, match=message):
            model.fit(disk, **arguments)
        assert not hasattr(model, "coef_")
    for targets, weights, message in (
        (None, None, "has no targets"),
        (np.ones(900), None, "two classes"),
        (labels, np.zeros(900), "non-zero"),
    ):
        with pytest.raises(ValueError, match=message):
            FMClassifier().fit(on_disk(targets, weights))
    with pytest.raises(DivergenceError, match="epoch"):
        FMRegressor(solver="sgd", learning_rate=1e6).fit(disk)


def test_divergence_names_the_row(data, on_disk):
    X, y, _, _ = data
    y = np.where(np.arange(900) == 700, 1e38, y)
    for arguments in ((on_disk(y),), (X, y)):
        model = FMRegressor(4, solver="sgd", learning_rate=0.02, shuffle=False, scaling=None)
        model.set_params(init_intercept=0.0)
        with pytest.raises(DivergenceError, match=r"row 70[0-9] is not finite"):
            model.fit(*arguments)


def test_what_takes_only_arrays_says_so(data, on_disk):
    disk = on_disk(data[1])
    for model in (FMRegressor(), BayesianFMRegressor()):
        method = model.partial_fit if isinstance(model, FMRegressor) else model.fit
        with pytest.raises(TypeError, match=r"no array.*dataset\.X"):
            method(disk, data[1])
    model = FMRegressor(4, random_state=0)
    assert_same_model(model.fit(*disk), FMRegressor(4, random_state=0).fit(*data[:2]))


def test_altered_files_stop_a_fit(data, on_disk):
    X, y, _, _ = data
    for name, values in (
        ("indices", np.full(X.nnz, 25, "<i4")),
        ("indptr", np.full(901, -1, "<i8")),
        ("target", np.full(900, np.nan)),
        ("weights", np.full(900, -1.0)),
    ):
        disk = on_disk(y, np.ones(900))
        path = disk.folder / f"{name}.npy"
        path.write_bytes(path.read_bytes()[:128] + values.tobytes())
        for how in ({}, {"n_jobs": 2}):
            model = FMRegressor(4, **how)
            with pytest.raises(FileFormatError, match="was altered"):
                model.fit(open_dataset(disk.folder, memory_budget=SMALL))
            assert not hasattr(model, "coef_")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_memory_stays_within_the_budget(tmp_path, n_jobs):
    rng = np.random.default_rng(0)
    n_rows, a_row, budget = 60_000, 40, 4 << 20
    indices = np.sort(rng.integers(0, 50, (n_rows, a_row)) + 50 * np.arange(a_row), axis=1)
    indptr = np.arange(0, n_rows * a_row + 1, a_row)
    X = sparse.csr_array((np.ones(indices.size, np.float32), indices.ravel(), indptr))
    disk = convert(Dataset(X, rng.normal(size=n_rows)), tmp_path / "data", memory_budget=budget)
    assert X.nnz * 8 > 4 * budget
    model = FMRegressor(8, max_iter=2, random_state=0, n_jobs=n_jobs)
    tables = 3 * 2000 * 18 * 4  # with the copies of two threads
    outputs = 2 * n_rows * 4
    for work in (lambda: model.fit(disk), lambda: model.predict(disk)):
        tracemalloc.start()
        try:
            work()
            assert tracemalloc.get_traced_memory()[1] < budget + tables + outputs + (1 << 20)
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize(
    ("Model", "settings"),
    [
        (FFMRegressor, {"normalize": None}),
        (FFMRegressor, {"n_hash": 17}),
        (FwFMRegressor, {"n_fields": 5}),
    ],
)
def test_machines_with_fields(data, tmp_path, Model, settings, beside):
    X, y, _, _ = data
    fields = np.arange(25) % 5
    of_entries = sparse.csr_array(
        (fields[X.indices].astype(np.int32), X.indices, X.indptr), X.shape
    )
    disk = convert(
        Dataset(X, y, fields=of_entries if beside else None), tmp_path / "d", memory_budget=SMALL
    )
    settings = {
        "shuffle": False,
        "init_intercept": 1.0,
        "random_state": 0,
        "max_iter": 2,
    } | settings
    model = Model(4, fields=None if beside else fields, **settings)
    given = {"fields": of_entries} if beside else {}
    in_memory = clone(model).fit(X, y, **given)
    model.fit(disk, eval_set=disk)
    assert_same_model(model, in_memory)
    np.testing.assert_array_equal(model.predict(disk), in_memory.predict(X, **given))
    assert model.n_fields_ == 5


def test_higher_degrees(data, on_disk):
    X, y, _, _ = data
    settings = {"degree": 3, "shuffle": False, "init_intercept": 1.0, "random_state": 0}
    model = FMRegressor(4, max_iter=2, **settings).fit(on_disk(y))
    assert_same_model(model, FMRegressor(4, max_iter=2, **settings).fit(X, y))
