"""Regularisation: L1, groups, arrays, strengths that are learned, sparse models."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import root_mean_squared_error

from fastfm_cy import FMClassifier, FMRegressor
from fastfm_cy.training.solvers import SOLVERS

# Of ftrl for all rows, of the others a row; Adam's steps hardly depend on the gradient's size.
L1 = {"sgd": 0.2, "adagrad": 0.2, "adam": 0.4, "adamw": 0.4, "ftrl": 5.0}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_l1_makes_exact_zeros(solver, dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 20))
    y = 2 * X[:, 3] - X[:, 7] + rng.normal(scale=0.1, size=800)
    settings = {"solver": solver, "dtype": dtype, "random_state": 0, "max_iter": 10}
    settings["learning_rate"] = SOLVERS[solver].learning_rate
    strengths, zeros = dict.fromkeys(("l1_linear", "l1_factors"), L1[solver]), []
    # SGD's constant steps let weights come and go until the end: one seed may have few zeros.
    for seed in range(10):
        model = FMRegressor(4, **strengths, **settings | {"random_state": seed}).fit(X, y)
        assert set(np.argsort(-np.abs(model.coef_))[:2]) == {3, 7}
        assert model.coef_[[3, 7]].all()
        zeros.append(model.sparsity_)
    for name in ("linear", "factors"):
        assert np.mean([shares[name] for shares in zeros]) > 0.3
    dense = FMRegressor(4, **settings).fit(X, y)
    assert dense.sparsity_ == {"linear": 0, "factors": 0, "features": 0}


@pytest.mark.parametrize("solver", SOLVERS)
def test_groups_and_arrays(solver, ratings):
    """One strength a group, a feature or for all: the same model where they are the same."""
    n_features = ratings.X.shape[1]
    groups = np.arange(n_features) % 3
    by_group = np.array([0.0, 0.05, 0.5])
    settings = {"solver": solver, "max_iter": 2, "random_state": 0}

    def fitted(**strengths):
        return FMRegressor(8, **settings, **strengths).fit(ratings.X, ratings.y)

    grouped = fitted(l2_linear=by_group, l2_factors=by_group, feature_groups=groups)
    each = fitted(l2_linear=by_group[groups], l2_factors=by_group[groups])
    assert np.array_equal(grouped.factors_, each.factors_)
    assert np.array_equal(grouped.coef_, each.coef_)
    same = fitted(l2_linear=[0.1] * 3, l2_factors=[0.2] * 3, feature_groups=groups)
    plain = fitted(l2_linear=0.1, l2_factors=0.2)
    # SGD and AdaGrad with one strength for all have loops of their own, which round otherwise.
    np.testing.assert_allclose(same.factors_, plain.factors_, rtol=1e-3, atol=1e-5)
    sizes = [np.abs(grouped.coef_[groups == group]).mean() for group in range(3)]
    assert sizes[0] > sizes[2]


def test_groups_in_threads(ratings):
    groups = (np.arange(ratings.X.shape[1]) < 60).astype(int)
    settings = {"l2_linear": [0.0, 1.0], "feature_groups": groups, "random_state": 0}
    alone = FMRegressor(**settings).fit(ratings.X, ratings.y)
    threads = FMRegressor(deterministic=True, n_jobs=2, **settings).fit(ratings.X, ratings.y)
    for model in (alone, threads):
        assert np.abs(model.coef_[groups == 1]).mean() < np.abs(model.coef_[groups == 0]).mean()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"l2_linear": -1.0}, "l2_linear"),
        ({"l1_linear": None}, "l1_linear"),
        ({"l1_linear": "auto"}, "l1_linear"),
        ({"l2_factors": "much"}, "l2_factors"),
        ({"l2_linear": [0.1, 0.2]}, "one number a feature"),
        ({"l2_linear": [0.1, 0.2], "feature_groups": [0, 1, 2]}, "one number a group"),
        ({"l2_linear": [0.1, -0.2, 0.1]}, "feature 1 has -0.2"),
        ({"l2_linear": [0.1, np.nan, 0.1]}, "NaN"),
        ({"feature_groups": [0, 1]}, "a group a feature"),
        ({"feature_groups": [0, -1, 1]}, "numbers from 0"),
        ({"feature_groups": [0, 9, 1]}, "fewer than features"),
        ({"l2_linear": "auto", "solver": "ftrl"}, "does not work with solver='ftrl'"),
    ],
)
def test_bad_strengths(parameters, message):
    with pytest.raises((TypeError, ValueError), match=message):
        FMRegressor(**parameters).fit(np.eye(3), [1, 2, 3])
    with pytest.raises(TypeError, match="feature_groups must be integers"):
        FMRegressor(feature_groups=[0.5, 1, 2]).fit(np.eye(3), [1, 2, 3])


# "auto" ------------------------------------------------------------------------------------


def test_auto_finds_what_noise_needs():
    """The noisier the target, the stronger the regularisation that is learned."""
    rng = np.random.default_rng(0)
    X = (rng.random((1500, 60)) < 0.1).astype(float)
    signal = X @ rng.normal(scale=0.5, size=60)
    learned = []
    for noise in (0.05, 3.0):
        y = signal + noise * rng.normal(size=len(signal))
        model = FMRegressor(0, l2_linear="auto", max_iter=30, random_state=0).fit(X, y)
        learned.append(model.l2_linear_)
        assert not hasattr(model, "l2_factors_")
    assert learned[1] > 5 * learned[0]


def test_auto_learns_a_strength_a_group(ratings):
    groups = (np.arange(ratings.X.shape[1]) < 60).astype(int)
    held_out = ratings.X[2500:], ratings.y[2500:]
    model = FMRegressor(
        4, l2_linear="auto", l2_factors="auto", feature_groups=groups, random_state=0
    ).fit(ratings.X[:2500], ratings.y[:2500], eval_set=held_out)
    assert model.l2_linear_.shape == model.l2_factors_.shape == (2,)
    assert (model.l2_factors_ > 0).all()
    assert len(model.history_["validation_loss"]) == model.n_iter_
    worse = FMRegressor(4, l2_linear=1e-6, l2_factors=1e-6, max_iter=20, random_state=0)
    worse.fit(ratings.X[:2500], ratings.y[:2500])
    errors = [root_mean_squared_error(held_out[1], m.predict(held_out[0])) for m in (model, worse)]
    assert errors[0] < errors[1]


def test_auto_is_reproducible(ratings):
    models = [
        FMRegressor(4, l2_factors="auto", max_iter=3, random_state=1).fit(ratings.X, ratings.y)
        for _ in range(2)
    ]
    assert models[0].l2_factors_ == models[1].l2_factors_
    assert np.array_equal(models[0].factors_, models[1].factors_)


# Sparse models -----------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [2, 3])
def test_sparsify_and_back(labels, clicks):
    y = clicks.y if labels == 2 else np.arange(len(clicks.y)) % 3
    model = FMClassifier(
        4, solver="ftrl", l1_linear=20.0, l1_factors=20.0, max_iter=3, random_state=0
    ).fit(clicks.X, y)
    model._table.linear_blocks[3:9, :, 0] = model._table.factor_blocks[3:9, :, 0] = 0
    scores, coef, factors = model.decision_function(clicks.X), model.coef_, model.factors_
    sparsity, size = model.sparsity_, len(pickle.dumps(model))
    assert 0 < sparsity["features"] < 1
    assert model.sparsify() is model.sparsify()
    assert sparse.issparse(model.coef_)
    assert sparse.issparse(model.factors_)
    assert np.array_equal(model.coef_.toarray(), np.atleast_2d(coef))
    assert np.array_equal(model.factors_.toarray(), factors.reshape(-1, 4))
    assert model.sparsity_ == pytest.approx(sparsity)
    assert np.array_equal(model.decision_function(clicks.X), scores)
    again = pickle.loads(pickle.dumps(model))
    assert len(pickle.dumps(model)) < size
    assert np.array_equal(again.decision_function(clicks.X), scores)
    with pytest.raises(ValueError, match="densify"):
        model.partial_fit(clicks.X, y)
    rows = clicks.X[:5].astype(np.float32)
    compiled = model.compile()
    arrays = rows.indptr.astype(np.int64), rows.indices.astype(np.int32), rows.data
    np.testing.assert_allclose(compiled.rows(*arrays), scores[:5], rtol=1e-5, atol=1e-6)
    model.densify()
    assert np.array_equal(model.coef_, coef)
    assert np.array_equal(model.factors_, factors)
    model.partial_fit(clicks.X, y)
    assert np.isfinite(model.decision_function(clicks.X)).all()
    assert model.sparsify().fit(clicks.X, y).densify().coef_.shape == coef.shape
