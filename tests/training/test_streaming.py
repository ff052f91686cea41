"""partial_fit, warm_start, feature spaces that grow."""

import copy
import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import log_loss
from support.strategies import DTYPES

from fastfm_cy import DivergenceError, FMClassifier, FMRegressor
from fastfm_cy.training.solvers import SOLVERS


def assert_same(first, second):
    assert np.array_equal(first.factors_, second.factors_)
    assert np.array_equal(first.coef_, second.coef_)
    assert np.array_equal(first.intercept_, second.intercept_)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_blocks_equal_one_epoch(solver, dtype, n_classes, clicks):
    """Bit for bit, given the same order and the same start."""
    y = clicks.y if n_classes == 2 else np.arange(len(clicks.y)) % 3
    settings = {"solver": solver, "dtype": dtype, "shuffle": False, "random_state": 0}
    settings |= {"init_intercept": 0.0, "max_iter": 1, "l1_linear": 1e-3}
    order = np.random.default_rng(0).permutation(len(y))
    X, y = clicks.X[order], y[order]
    weights = np.random.default_rng(1).integers(0, 3, len(y))
    whole = FMClassifier(8, **settings).fit(X, y, weights)
    blocks = FMClassifier(8, **settings)
    for rows in np.array_split(np.arange(len(y)), 7):
        blocks.partial_fit(X[rows], y[rows], np.unique(y), weights[rows])
    assert_same(whole, blocks)
    assert blocks.n_iter_ == len(blocks.history_["train_loss"]) == 7


def test_blocks_of_a_regression(ratings):
    settings = {"shuffle": False, "init_intercept": 3.5, "clip_predictions": (1, 5), "max_iter": 1}
    whole = FMRegressor(random_state=0, **settings).fit(ratings.X, ratings.y)
    blocks = FMRegressor(random_state=0, **settings)
    for start in range(0, len(ratings.y), 400):
        rows = slice(start, start + 400)
        blocks.partial_fit(ratings.X[rows], ratings.y[rows])
    assert_same(whole, blocks)
    assert blocks.y_range_ == (1, 5)


def test_the_range_of_the_targets_grows(ratings):
    model = FMRegressor(2, random_state=0)
    model.partial_fit(ratings.X[:10], np.full(10, 3.0))
    assert model.y_range_ == (3, 3)
    model.partial_fit(ratings.X[:10], np.repeat([2.0, 4.0], 5))
    assert model.y_range_ == (2, 4)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("settings", [{}, {"n_jobs": 2}, {"relabel": True}])
def test_a_stream_learns(solver, settings, clicks):
    model = FMClassifier(4, solver=solver, random_state=0, **settings)
    losses = []
    for _ in range(15):
        model.partial_fit(clicks.X, clicks.y, classes=[0, 1])
        losses.append(log_loss(clicks.y, model.predict_proba(clicks.X)))
    assert losses[-1] < 0.98 * losses[0]


def test_classes(clicks):
    model = FMClassifier(2, random_state=0)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        model.partial_fit(clicks.X, clicks.y)
    with pytest.raises(ValueError, match="at least two"):
        model.partial_fit(clicks.X, clicks.y, classes=[1])
    model.partial_fit(clicks.X[:5], np.zeros(5), classes=[0, 1])  # one class so far
    model.partial_fit(clicks.X[:5], np.ones(5))
    with pytest.raises(ValueError, match="classes must stay"):
        model.partial_fit(clicks.X[:5], np.ones(5), classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"label 7\.0 in row 2"):
        model.partial_fit(clicks.X[:3], [0.0, 1.0, 7.0])
    with pytest.raises(ValueError, match="class_weight as a dict"):
        FMClassifier(class_weight="balanced").partial_fit(clicks.X, clicks.y, classes=[0, 1])
    with pytest.raises(ValueError, match="cannot stop early"):
        FMClassifier(early_stopping=True).partial_fit(clicks.X, clicks.y, classes=[0, 1])
    with pytest.raises(ValueError, match="which epoch"):
        FMClassifier(schedule="cosine").partial_fit(clicks.X, clicks.y, classes=[0, 1])
    with pytest.raises(ValueError, match="partial_fit"):
        FMClassifier(l2_factors="auto").partial_fit(clicks.X, clicks.y, classes=[0, 1])


def test_the_state_goes_with_the_model(clicks):
    """A pickled stream goes on as if it had not been pickled."""
    model = FMClassifier(4, random_state=0).partial_fit(clicks.X, clicks.y, classes=[0, 1])
    again = pickle.loads(pickle.dumps(model))
    shallow = copy.deepcopy(model)
    for one in (model, again, shallow):
        one.partial_fit(clicks.X, clicks.y)
    assert_same(model, again)
    assert_same(model, shallow)


@pytest.mark.parametrize("solver", SOLVERS)
def test_warm_start_goes_on(solver, ratings):
    X, y = ratings.X, ratings.y
    settings = {"solver": solver, "shuffle": False, "random_state": 0, "dtype": "float64"}
    whole = FMRegressor(4, max_iter=6, **settings).fit(X, y)
    halves = FMRegressor(4, max_iter=3, warm_start=True, **settings).fit(X, y)
    state = halves._table
    halves.fit(X, y)
    assert halves._table is not state
    np.testing.assert_allclose(halves.factors_, whole.factors_, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(halves.coef_, whole.coef_, rtol=1e-7, atol=1e-10)
    cold = halves.set_params(warm_start=False).fit(X, y)
    assert np.array_equal(cold.coef_, FMRegressor(4, max_iter=3, **settings).fit(X, y).coef_)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"n_factors": 5}, "n_factors cannot change"),
        ({"dtype": "float64"}, "dtype cannot change"),
        ({"solver": "adam"}, "solver cannot change"),
    ],
)
def test_what_cannot_change_between_fits(changed, message, ratings):
    model = FMRegressor(4, warm_start=True, max_iter=1).fit(ratings.X, ratings.y)
    model.set_params(**changed)
    with pytest.raises(ValueError, match=message):
        model.fit(ratings.X, ratings.y)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(ratings.X, ratings.y)


def test_ftrl_bears_another_rate_between_calls(ratings):
    """Its weights are functions of its state and the rate: the state must follow."""
    model = FMRegressor(4, solver="ftrl", random_state=0)
    for _ in range(5):
        model.partial_fit(ratings.X, ratings.y)
    before = model.coef_.copy()
    model.set_params(learning_rate=1e-4).partial_fit(ratings.X[:1], ratings.y[:1])
    np.testing.assert_allclose(model.coef_, before, atol=1e-2)


# Growing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_features_may_come_and_go(solver, n_jobs):
    rng = np.random.default_rng(0)
    model = FMClassifier(4, solver=solver, grow_features=True, n_jobs=n_jobs, random_state=0)
    for n_features in (5, 9, 7, 9, 12):
        X = sparse.random_array((200, n_features), density=0.5, rng=rng, format="csr")
        y = X.toarray()[:, 0] > 0.3
        before = (model.factors_.copy(), model.coef_.copy()) if hasattr(model, "coef_") else None
        model.partial_fit(X, y, classes=[False, True])
        if before and n_features > len(before[1]):
            assert model.factors_[len(before[1]) :].any()
    assert model.n_features_in_ == 12
    assert model.coef_.shape == (12,)
    assert model.predict(np.zeros((1, 12))).shape == (1,)


def test_growing_keeps_what_was_learned(ratings):
    model = FMRegressor(4, grow_features=True, random_state=0)
    model.partial_fit(ratings.X, ratings.y)
    untouched = np.setdiff1d(np.arange(ratings.X.shape[1]), ratings.X[:3].indices)
    before = model.factors_[untouched].copy()
    wider = sparse.hstack([ratings.X[:3], np.ones((3, 2))], format="csr")
    model.partial_fit(wider, ratings.y[:3])
    assert np.array_equal(model.factors_[untouched], before)
    assert model.coef_[-2:].all()


def test_growing_must_be_asked_for(ratings):
    model = FMRegressor(4, random_state=0).partial_fit(ratings.X, ratings.y)
    wider = sparse.hstack([ratings.X, np.ones((ratings.X.shape[0], 1))], format="csr")
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(wider, ratings.y)
    assert model.n_features_in_ == ratings.X.shape[1]


def test_a_block_that_fails_changes_nothing(ratings):
    model = FMRegressor(4, solver="sgd", grow_features=True, clip_predictions=False)
    model.partial_fit(ratings.X, ratings.y)
    before = model.factors_.copy(), model.coef_.copy(), dict(vars(model))
    wild = sparse.hstack([1e15 * ratings.X, np.ones((ratings.X.shape[0], 1))], format="csr")
    for X in (1e15 * ratings.X, wild):
        with pytest.raises(DivergenceError):
            model.partial_fit(X, ratings.y)
        assert np.array_equal(model.factors_, before[0])
        assert np.array_equal(model.coef_, before[1])
        assert vars(model) == before[2]
