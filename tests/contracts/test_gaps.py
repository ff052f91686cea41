"""Features that never occur cost nothing: time, memory and files follow what occurs."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from support.programs import ELSEWHERE, python
from support.starts import start_as

from fastfm_cy import (
    FFMClassifier,
    FFMRegressor,
    FMClassifier,
    FMRegressor,
    FwFMClassifier,
)
from fastfm_cy.datasets import make_clicks
from fastfm_cy.io import Dataset, convert, load_model, open_dataset, save_model
from fastfm_cy.training.solvers import ALL_SOLVERS

N_FEATURES = 20_000_000


@pytest.fixture(scope="module")
def problem():
    """Rows whose features all occur, the same with gaps between them, and labels."""
    data = make_clicks(300, n_fields=4, n_features=60, random_state=0)
    X = sparse.csr_array(data.X)[:, np.unique(data.X.indices)]
    places = np.sort(np.random.default_rng(0).choice(N_FEATURES, X.shape[1], replace=False))
    wide = sparse.csr_array(
        (X.data, places[X.indices].astype(np.int32), X.indptr), (X.shape[0], N_FEATURES)
    )
    return X, wide, places, data.y


@pytest.fixture(autouse=True)
def starts_by_place(problem, monkeypatch):
    """Features of the narrow matrix start as those of the wide one that they stand for."""
    start_as(monkeypatch, problem[2])


def assert_equal(model, packed, places, X, wide):
    name = "decision_function" if hasattr(model, "decision_function") else "predict"
    np.testing.assert_array_equal(getattr(model, name)(wide), getattr(packed, name)(X))
    assert model.intercept_ == packed.intercept_
    np.testing.assert_array_equal(model.coef_[places], packed.coef_)
    parameters = model.get_params()
    by_order = parameters.get("degree", 2) > 2 and not parameters["share_factors"]
    factors = np.take(model.factors_, places, axis=1 if by_order else 0)
    np.testing.assert_array_equal(factors, packed.factors_)


KINDS = [
    *({"solver": solver} for solver in ALL_SOLVERS),
    {"degree": 3}, {"degree": 3, "share_factors": True, "solver": "als"},
    {"n_jobs": 2, "deterministic": True}, {"relabel": True},
    {"early_stopping": True}, {"solver": "ftrl", "deterministic": True},
    {"dtype": "float64"}, {"l2_linear": "auto"}, {"fit_linear": False},
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_model_with_gaps_is_that_without(kind, problem):
    X, wide, places, y = problem
    model = FMClassifier(4, max_iter=3, random_state=0, **kind)
    packed = clone(model).fit(X, y, eval_set=(X[:99], y[:99]))
    model.fit(wide, y, eval_set=(wide[:99], y[:99]))
    assert_equal(model, packed, places, X, wide)
    assert model._table.has_gaps
    assert not packed._table.has_gaps
    assert np.isfinite(model.history_["train_loss"]).all()


@pytest.mark.parametrize("Estimator", [FFMClassifier, FwFMClassifier])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_of_machines_with_fields(Estimator, n_jobs, problem):
    X, wide, places, y = problem
    fields = np.zeros(N_FEATURES, dtype=np.int32)
    fields[places] = np.arange(len(places)) % 3
    kind = {"max_iter": 2, "random_state": 0, "n_jobs": n_jobs, "deterministic": n_jobs > 1}
    packed = Estimator(4, fields=fields[places], **kind).fit(X, y)
    model = Estimator(4, fields=fields, **kind).fit(wide, y)
    assert_equal(model, packed, places, X, wide)


@pytest.mark.parametrize("solver", ["adagrad", "als"])
def test_columns_and_targets_are_scaled(solver, problem):
    X, wide, places, y = problem
    scale = 10.0 ** (np.arange(X.shape[1]) % 5)
    X = sparse.csr_array((X.data * scale[X.indices], X.indices, X.indptr), X.shape)
    wide = sparse.csr_array((X.data, wide.indices, wide.indptr), wide.shape)
    y = 1000 + 50.0 * y
    model = FMRegressor(4, max_iter=3, random_state=0, solver=solver)
    packed = clone(model).fit(X, y)
    model.fit(wide, y)
    np.testing.assert_allclose(model.predict(wide), packed.predict(X), rtol=1e-6)
    np.testing.assert_allclose(model.coef_[places], packed.coef_, rtol=1e-6)
    again = pickle.loads(pickle.dumps(model)).set_params(warm_start=True).fit(wide, y)
    packed.set_params(warm_start=True).fit(X, y)
    np.testing.assert_allclose(again.predict(wide), packed.predict(X), rtol=1e-5)


@pytest.mark.parametrize("solver", ["adagrad", "ftrl", "adam"])
def test_streams_and_warm_starts(solver, problem):
    """Features that come later start then; the rest of the model is as without gaps."""
    _, wide, places, y = problem
    model = FMClassifier(4, solver=solver, random_state=0)
    for part in (slice(0, 20), slice(20, 250), slice(250, 300)):
        model.partial_fit(wide[part], y[part], classes=[0, 1] if not part.start else None)
        seen = np.unique(wide[: part.stop].indices)
        np.testing.assert_array_equal(model._table.started, seen)
    unseen = np.setdiff1d(places, seen)
    assert not model.factors_[unseen].any()
    model.set_params(warm_start=True, max_iter=3).fit(wide, y)
    assert model.score(wide, y) > 0.5
    before = model.decision_function(wide)
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(sparse.csr_array(([np.nan], [5], [0, 1]), (1, N_FEATURES)), [1])
    np.testing.assert_array_equal(model.decision_function(wide), before)


def test_a_growing_space(problem):
    _, wide, _, y = problem
    model = FMClassifier(4, random_state=0, grow_features=True)
    model.partial_fit(wide[:, : N_FEATURES // 2], y, classes=[0, 1])
    model.partial_fit(wide, y)
    assert model.coef_.shape == (N_FEATURES,)
    assert np.isfinite(model.decision_function(wide)).all()


def test_copies_files_sparse_forms_and_scorers(problem, tmp_path):
    X, wide, places, y = problem
    model = FMClassifier(4, max_iter=3, random_state=0).fit(wide, y)
    expected = model.decision_function(wide)
    save_model(model, tmp_path / "m")
    assert (tmp_path / "m").stat().st_size < 20_000
    assert len(pickle.dumps(model)) < 20_000
    for again in (
        pickle.loads(pickle.dumps(model)), copy.deepcopy(model), load_model(tmp_path / "m"),
        load_model(tmp_path / "m", mmap=True, verify=False),
    ):  # fmt: skip
        np.testing.assert_array_equal(again.decision_function(wide), expected)
        np.testing.assert_array_equal(again.factors_[places], model.factors_[places])
        a, b = (one.partial_fit(wide, y) for one in (again, copy.deepcopy(model)))
        np.testing.assert_array_equal(a.decision_function(wide), b.decision_function(wide))
    save_model(model, tmp_path / "n", optimizer_state=False)
    np.testing.assert_array_equal(load_model(tmp_path / "n").decision_function(wide), expected)
    scores = model.compile().rows(wide.indptr, wide.indices, wide.data)
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-6)
    packed = FMClassifier(4, max_iter=3, random_state=0).fit(X, y)
    n_unused = N_FEATURES - len(places)
    assert model.sparsity_["features"] == pytest.approx(n_unused / N_FEATURES)
    model.sparsify()
    np.testing.assert_allclose(model.decision_function(wide), expected, rtol=1e-5, atol=1e-6)
    assert model.factors_.nnz == np.count_nonzero(packed.factors_)
    model.densify()
    assert model._table.has_gaps
    np.testing.assert_array_equal(model.decision_function(wide), expected)
    model.partial_fit(wide, y)


def test_a_data_set_on_disk(problem, tmp_path):
    _, wide, places, y = problem
    convert(Dataset(wide, y), tmp_path / "d")
    dataset = open_dataset(tmp_path / "d")
    model = FMClassifier(4, max_iter=2, random_state=0).fit(dataset)
    assert model._table.has_gaps
    np.testing.assert_array_equal(model._table.started, places)
    assert np.isfinite(model.decision_function(dataset)).all()


def test_ordinary_spaces_have_no_gaps():
    """All factors start then, whether their features occur or not."""
    X = sparse.csr_array((np.ones(3, np.float32), [0, 5, 99], [0, 1, 3]), (2, 50_000))
    model = FMRegressor(4, max_iter=1, random_state=0).fit(X, [0.0, 1.0])
    assert not model._table.has_gaps
    assert np.count_nonzero(model.factors_.any(axis=1)) == 50_000


@pytest.mark.parametrize("Estimator", [FMRegressor, FMClassifier, FFMRegressor])
@pytest.mark.parametrize("copies", [{}, {"n_jobs": 2}, {"early_stopping": True}])
def test_too_much_of_it_is_refused(Estimator, copies):
    n_rows = 3000
    indices = np.arange(n_rows) * 5000
    X = sparse.csr_array((np.ones(n_rows, np.float32), indices, np.arange(n_rows + 1)))
    fields = {} if Estimator is not FFMRegressor else {"fields": np.zeros(X.shape[1], dtype=int)}
    y = np.arange(n_rows) % 2
    Estimator(4, max_iter=1, max_memory="500MB", **fields, **copies).fit(X, y)
    with pytest.raises(MemoryError, match="n_hash="):
        Estimator(4, max_iter=1, max_memory="1MB", **fields, **copies).fit(X, y)


SCRIPT = """
import resource, sys
import numpy as np
from fastfm_cy import FMClassifier, FMRegressor
from fastfm_cy.io import read_libsvm, save_model

data = read_libsvm(sys.argv[1])
FMRegressor(2, max_iter=1).fit(np.eye(2), [0.0, 1.0])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for solver in ("adagrad", "ftrl", "als"):
    model = FMRegressor(solver=solver, max_iter=5).fit(data.X, data.y)
    model.predict(data.X)
    model.compile().row([1], [1.0])
save_model(model, sys.argv[2])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is of KiB there")
def test_two_rows_with_large_ids_take_little_memory(tmp_path):
    (tmp_path / "d.svm").write_bytes(b"1 40000000:1\n0 1:1\n")
    done = subprocess.run(
        python(SCRIPT, tmp_path / "d.svm", tmp_path / "m"),
        cwd=ELSEWHERE, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert float(done.stdout) < 400  # MiB: a few bytes a feature, where dense tables take 5 GB
    assert (tmp_path / "m").stat().st_size < 10_000
