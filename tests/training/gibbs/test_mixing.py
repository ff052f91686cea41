"""Whether a chain has mixed: split R-hat, the warning, and rows of unit length that help."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning

from fastfm_cy import BayesianFMClassifier, BayesianFMOrdinal, BayesianFMRegressor
from fastfm_cy.data.column_scaling import learn_scaling
from fastfm_cy.data.csr import CSRRows
from fastfm_cy.datasets import make_ratings
from fastfm_cy.io import load_model, save_model
from fastfm_cy.training.gibbs.mixing import check_mixing, split_rhat


@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=40), st.integers(0, 9))
def test_rhat_is_arviz_split_rhat(draws, seed):
    draws = np.array(draws) + np.random.default_rng(seed).normal(size=len(draws))
    half = len(draws) // 2
    chains = np.array([draws[:half], draws[-half:]])
    between = half * np.var(chains.mean(axis=1), ddof=1)
    within = np.mean(np.var(chains, axis=1, ddof=1))
    expected = np.sqrt((between / within + half - 1) / half)
    assert split_rhat(draws) == pytest.approx(expected, rel=1e-9)


def test_rhat_of_few_or_equal_draws():
    assert np.isnan(split_rhat(np.arange(3.0)))
    assert split_rhat(np.ones(10)) <= 1
    assert split_rhat(np.repeat([0.0, 1.0], 5)) == np.inf


def test_what_is_warned_of():
    rng = np.random.default_rng(0)
    noise = 0.01 * rng.normal(size=100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_mixing(1 + noise, "rmse", 20, scaling=True)
        check_mixing(np.linspace(1.05, 0.95, 100) + noise, "rmse", 20, scaling=True)
        check_mixing(np.linspace(2, 1, 30), "rmse", 20, scaling=True)  # too few to expect it
    with pytest.warns(ConvergenceWarning, match=r"rmse is 1\.7.*raise max_iter and n_burn_in\.$"):
        rhat = check_mixing(np.linspace(2, 1, 100) + noise, "rmse", 20, scaling=True)
    assert rhat > 1.5
    with pytest.warns(ConvergenceWarning, match="scaling='auto'"):
        check_mixing(np.linspace(2, 1, 100), "rmse", 20, scaling=False)


def wide_table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 300))
    return X, 12 + X @ rng.normal(0, 0.1, 300) + rng.normal(0, 0.39, 400)


def test_a_wide_table_is_warned_of():
    X, y = wide_table()
    model = BayesianFMRegressor(random_state=0)
    with pytest.warns(ConvergenceWarning, match="has not mixed"):
        model.fit(X, y)
    assert model.rhat_ == split_rhat(np.array(model.history_["train_rmse"][20:]))
    with pytest.warns(ConvergenceWarning, match="scaling='auto'"):
        BayesianFMRegressor(scaling=None, random_state=0).fit(X, y)


def test_ordinary_data_are_not_warned_of():
    ratings = make_ratings(n_users=300, n_items=150, n_ratings=9000, random_state=0)
    stars = np.rint(ratings.y).clip(1, 5).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        BayesianFMRegressor(random_state=0).fit(*load_diabetes(return_X_y=True))
        BayesianFMRegressor(random_state=0).fit(ratings.X, ratings.y)
        BayesianFMClassifier(random_state=0).fit(ratings.X, stars >= 4)
        BayesianFMOrdinal(max_iter=100, random_state=0).fit(ratings.X, stars)


def test_rhat_is_kept_and_goes_on(tmp_path):
    X, y = load_diabetes(return_X_y=True)
    model = BayesianFMRegressor(max_iter=60, warm_start=True, random_state=0).fit(X, y)
    save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert model.rhat_ == loaded.rhat_ == pickle.loads(pickle.dumps(model)).rhat_
    before = model.rhat_
    for going_on in (model, loaded):
        going_on.set_params(max_iter=40).fit(X, y)
    whole = BayesianFMRegressor(max_iter=100, random_state=0).fit(X, y)
    assert model.rhat_ == loaded.rhat_ == whole.rhat_ != before
    assert np.array_equal(loaded.predict(X), whole.predict(X))


# Rows of unit length -----------------------------------------------------------------------------


def rows_of(X):
    places = np.nonzero(X)
    indptr = np.concatenate([[0], np.cumsum((X != 0).sum(axis=1))])
    return CSRRows(indptr.astype(np.int64), places[1].astype(np.int32), X[places], X.shape[1])


def test_what_is_dense_of_a_row_is_brought_to_unit_length():
    rng = np.random.default_rng(0)
    dense = rng.normal(5, 3, (300, 9))
    rare = 100 * rng.random((300, 3)) * (rng.random((300, 3)) < 0.2)
    one_hot = np.eye(20)[rng.integers(0, 20, 300)]
    X = np.hstack([dense, rare, one_hot])
    scaling = learn_scaling(rows_of(X), centres=True, shortens=True)
    scaled = scaling.apply(rows_of(X)).as_matrix().toarray()
    assert np.square(scaled[:, :12]).sum(axis=1).mean() == pytest.approx(1)
    assert np.array_equal(scaled[:, 12:], one_hot)
    for alone in (one_hot, np.hstack([one_hot, one_hot]), rng.normal(size=(300, 1)) / 2):
        assert learn_scaling(rows_of(alone), centres=True, shortens=True) is None
    assert learn_scaling(rows_of(rng.normal(size=(300, 9))), centres=True) is None


@pytest.mark.parametrize("kind", [BayesianFMRegressor, BayesianFMClassifier])
def test_short_rows_are_folded_back_exactly(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 16))
    y = X[:, 0] + X[:, 1] * X[:, 2] + 0.3 * rng.normal(size=300)
    y = y if kind is BayesianFMRegressor else y > 0
    length = np.sqrt(np.square(X).sum(axis=1).mean())
    settings = {"n_factors": 3, "max_iter": 30, "dtype": "float64", "random_state": 0}
    auto = kind(**settings).fit(X, y)
    by_hand = kind(scaling=None, **settings).fit(X / length, y)
    np.testing.assert_allclose(
        auto.sample_predictions(X), by_hand.sample_predictions(X / length), atol=2e-5
    )
    np.testing.assert_allclose(auto.coef_, by_hand.coef_ / length, atol=1e-5)
