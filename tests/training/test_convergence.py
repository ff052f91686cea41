"""A word when a fit got nowhere, and none when it did."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from fastfm_cy import FMClassifier, FMRegressor
from fastfm_cy.training.solvers import ALL_SOLVERS


def ids_as_numbers():
    """Ratings, sorted by user, of users and items whose numbers say nothing."""
    rng = np.random.default_rng(0)
    users, items = np.sort(rng.integers(0, 300, 4000)), rng.integers(0, 200, 4000)
    ratings = 3.5 + 0.5 * rng.normal(size=300)[users] + 0.5 * rng.normal(size=200)[items]
    X = np.column_stack([1000 + users, 5000 + 7 * items]).astype(float)
    return X, ratings + 0.7 * rng.normal(size=4000)


@pytest.mark.parametrize("solver", ALL_SOLVERS)
def test_columns_that_look_like_ids_are_named(solver):
    X, y = ids_as_numbers()
    with pytest.warns(ConvergenceWarning, match="Column 0, 1 holds large whole numbers.*Encode"):
        FMRegressor(solver=solver, random_state=0).fit(X, y)


@pytest.mark.parametrize("solver", ALL_SOLVERS)
def test_nothing_is_said_of_whole_numbers_that_matter(solver):
    rng = np.random.default_rng(0)
    years = rng.integers(1900, 2000, (1000, 2)).astype(float)
    y = years[:, 0] / 10 + rng.normal(size=1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FMRegressor(solver=solver, random_state=0).fit(years, y)
        FMClassifier(solver=solver, random_state=0).fit(years, y > np.median(y))


def test_a_fit_of_few_epochs_is_not_expected_to_get_anywhere():
    X, y = ids_as_numbers()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FMRegressor(max_iter=2, random_state=0).fit(X, y)


def test_steps_that_are_too_long_are_named():
    rng = np.random.default_rng(0)
    X = 20 * rng.normal(size=(500, 5))
    model = FMRegressor(scaling=None, learning_rate=0.5, max_iter=20, random_state=0)
    with pytest.warns(ConvergenceWarning, match="Lower learning_rate .it is 0.5.*scaling='auto'"):
        model.fit(X, rng.normal(size=500))
