"""State between the weights and beside them: the same numbers, whichever way they go."""

import copy
import pickle

import numpy as np
import pytest
from support.starts import start
from support.strategies import DTYPES

from fastfm_cy import FFMClassifier, FMClassifier, FMRegressor
from fastfm_cy.model.families import FFM, FM, FwFM, HigherOrderFM
from fastfm_cy.model.table import ParameterTable
from fastfm_cy.model.weaving import put_back, starting_apart, taken, unwoven, woven
from fastfm_cy.training.gradient.ftrl import match_state
from fastfm_cy.utils import memory

STATES = {"adagrad": ((1.0,), 0), "adam": ((0.0, 0.0), 2), "three": ((1.0, 2.0, 3.0), 1)}


def table_of(state, dtype="float32", n_outputs=1, family=None, n_features=50, has_gaps=False):
    """A table that no two numbers of are the same, padding aside."""
    rng = np.random.default_rng(0)
    table = ParameterTable(
        n_features, 5, dtype, n_outputs, *STATES[state], family=family or FM(), has_gaps=has_gaps
    )
    table.start_key = 7
    if table.has_started is not None:
        table.begin(np.arange(0, n_features, 3))
    for array in (table.intercept, table.linear, table.factors):
        numbers = rng.normal(size=array.shape)
        if table.has_started is not None and array is not table.intercept:
            numbers[~table.has_started] = array[~table.has_started]
        array[...] = numbers
    return table


def same(one, other):
    assert one.start_key == other.start_key
    assert one.solver_state == other.solver_state
    for mine, its in zip(one.arrays, other.arrays, strict=True):
        assert np.array_equal(mine, its)
    if one.has_started is not None or other.has_started is not None:
        assert np.array_equal(one.has_started, other.has_started)


KINDS = [
    {"state": "adagrad"}, {"state": "adam", "n_outputs": 3}, {"state": "three", "dtype": "float64"},
    {"state": "adam", "family": FFM(3)}, {"state": "adam", "family": FwFM(2)},
    {"state": "three", "family": HigherOrderFM(3), "n_outputs": 2},
    {"state": "adagrad", "has_gaps": True}, {"state": "adam", "has_gaps": True, "family": FFM(2)},
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_jobs", [1, 3])
def test_there_and_back(kind, n_jobs, monkeypatch):
    monkeypatch.setattr("fastfm_cy.utils.threads._WORK_A_THREAD", 1)
    monkeypatch.setattr("fastfm_cy.model.weaving._BLOCK_BYTES", 500)
    table = table_of(**kind)
    before = table.copy()
    apart = unwoven(table, n_jobs)
    same(table, before)
    assert apart.state_start == ()
    assert apart.n_row_state == 0
    assert np.array_equal(apart.factor_vectors, table.factor_vectors)
    assert np.array_equal(apart.coef, table.coef)
    assert np.array_equal(apart.intercepts, table.intercepts)
    assert apart.factors.nbytes * (1 + len(table.state_start)) == table.factors.nbytes
    assert unwoven(apart) is apart
    same(woven(apart), before)
    for other in (copy.deepcopy(apart), pickle.loads(pickle.dumps(apart)), apart.copy()):
        same(woven(other), before)
        assert not np.shares_memory(other.factors, apart.factors)


@pytest.mark.parametrize("kind", KINDS)
def test_some_features(kind):
    table = table_of(**kind)
    apart = unwoven(table)
    features = np.array([0, 3, 6, 30]) if table.has_started is not None else np.array([1, 7, 48])
    part = taken(apart, features)
    same(part, table.take(features))
    part.intercept[...], part.linear[...], part.factors[...] = 3, 4, 5
    if table.has_started is not None:
        table.has_started[features] = True
    table.assign(part, features)
    put_back(part, apart, features)
    same(woven(apart), table)


@pytest.mark.parametrize("kind", KINDS)
def test_growth(kind):
    table = table_of(**kind)
    same(woven(unwoven(table).grown(64)), table.grown(64))


@pytest.mark.parametrize("dtype", DTYPES)
def test_without_state_there_is_nothing_to_weave(dtype):
    table = ParameterTable(5, 2, dtype)
    start(table, 1.0)
    assert unwoven(table) is table
    same(woven(table), table)
    assert woven(table) is not table


def test_memory_is_given_back_meanwhile(monkeypatch):
    table = table_of("adagrad", n_features=100_000)
    before, released = table.copy(), []
    monkeypatch.setattr("fastfm_cy.model.weaving._BLOCK_BYTES", 1 << 21)
    monkeypatch.setattr(
        "fastfm_cy.model.weaving.release",
        lambda array: (released.append(array.nbytes), memory.release(array)),
    )
    apart = unwoven(table, consumes=True)
    assert sum(released) == table.linear.nbytes + table.factors.nbytes
    same(woven(apart), before)


def test_release_touches_nothing_outside():
    numbers = np.arange(3_000_000.0)
    memory.release(numbers[500_001:2_500_001])
    assert np.array_equal(numbers[:500_001], np.arange(500_001))
    assert np.array_equal(numbers[2_500_001:], np.arange(2_500_001.0, 3_000_000))
    memory.release(numbers[::2])  # no whole pages: left alone
    assert numbers[2] == 2


# Estimators --------------------------------------------------------------------------------------


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = (rng.random((400, 30)) < 0.2) * rng.normal(size=(400, 30))
    return X, (rng.random(400) < 0.5).astype(int)


@pytest.mark.parametrize("solver", ["adagrad", "adam", "adamw", "ftrl"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_fitted_model_scores_with_weights_alone(data, solver, n_jobs):
    X, y = data
    model = FMClassifier(3, solver=solver, max_iter=3, n_jobs=n_jobs, random_state=0).fit(X, y)
    table = model._fitted.table
    for now in (table, pickle.loads(pickle.dumps(model))._fitted.table):
        assert now.state_start == ()
        assert now.state is not None
        assert now.factors.shape[1] == now.n_weights
    model.partial_fit(X, y)
    assert model._fitted.table.state_start == ()
    assert model.compile() is not None


@pytest.mark.parametrize("solver", ["sgd", "adagrad", "adam", "ftrl"])
@pytest.mark.parametrize("Model", [FMRegressor, FMClassifier, FFMClassifier])
def test_going_on_is_as_if_it_never_stopped(data, solver, Model):
    """Two epochs at once, warm, as a stream, through a pickle: the same bits, where that is so."""
    X, y = data
    kind = {"solver": solver, "random_state": 0, "shuffle": False, "learning_rate": 0.05}
    if Model is FFMClassifier:
        kind["fields"] = np.arange(30) // 10
    together = Model(3, max_iter=2, **kind).fit(X, y)
    stream = Model(3, max_iter=1, **kind).fit(X, y)
    pickled = pickle.loads(pickle.dumps(stream)).partial_fit(X, y)
    warm = copy.deepcopy(stream).set_params(warm_start=True).fit(X, y)
    stream.partial_fit(X, y)
    exact = solver != "ftrl"  # whose weights and state are matched when it goes on
    for other in (stream, pickled, warm):
        for name in ("factors_", "coef_", "intercept_"):
            mine, its = getattr(together, name), getattr(other, name)
            assert np.array_equal(mine, its) if exact else np.allclose(mine, its, atol=1e-5)


def test_a_stream_leaves_what_it_does_not_see(data):
    X, y = data
    model = FMRegressor(3, solver="adagrad", random_state=0).partial_fit(X, y)
    table = model._fitted.table
    before, arrays = table.copy(), [array.ctypes.data for array in table.arrays]
    X = X.copy()
    X[:, 5:] = 0
    model.partial_fit(X, y)
    assert [array.ctypes.data for array in model._fitted.table.arrays] == arrays  # no copy
    assert np.array_equal(table.factors[5:], before.factors[5:])
    assert np.array_equal(table.state.factors[5:], before.state.factors[5:])
    assert not np.array_equal(table.factors[:5], before.factors[:5])


def test_ftrl_goes_on_with_other_strengths(data):
    """All state belongs to its weights then, that of features that do not occur, too."""
    X, y = data
    model = FMClassifier(3, solver="ftrl", random_state=0).fit(X, y)
    weights = model.factors_.copy()
    few = X.copy()
    few[:, 10:] = 0
    model.set_params(l2_factors=0.5, learning_rate=0.3).partial_fit(few, y)
    model.partial_fit(few, y)
    assert np.allclose(model.factors_[10:], weights[10:], atol=1e-6)
    table = woven(model._fitted.table)
    matched = table.copy()
    plan = model._plan()
    strengths = plan.check_strengths(30)
    match_state(matched, strengths, plan.settings(strengths))
    assert np.allclose(matched.factors, table.factors, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS[:5])
def test_a_start_apart_is_that_between(kind):
    like = table_of(**kind).like(40)
    apart = starting_apart(like.like(0), 40)
    if like.has_started is not None:
        for table in (like, apart):
            table.begin(np.array([1, 5, 39]))
    same(woven(apart), like)


@pytest.mark.parametrize("solver", ["sgd", "adagrad", "adam", "ftrl"])
@pytest.mark.parametrize("Model", [FMRegressor, FFMClassifier])
@pytest.mark.parametrize("more", [{}, {"early_stopping": True}, {"warm_start": True}])
def test_placed_tables_train_as_those_in_place(data, solver, Model, more):
    """Relabelled features train the same; their table has its state apart all the time."""
    X, y = data
    kind = {"solver": solver, "random_state": 0, "max_iter": 3} | more
    if Model is FFMClassifier:
        kind["fields"] = np.arange(30) // 10
    plain, placed = Model(3, **kind), Model(3, relabel=True, **kind)
    for _ in range(2 if more else 1):
        plain.fit(X, y)
        placed.fit(X, y)
        assert np.array_equal(plain.factors_, placed.factors_)
        assert np.array_equal(plain.coef_, placed.coef_)
    same(woven(plain._fitted.table), woven(placed._fitted.table))
