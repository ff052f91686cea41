"""The L2 strength of the intercept."""

import numpy as np
import pytest
from scipy import sparse

from fastfm_cy import FMClassifier, FMRegressor


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sgd_adds_it_to_the_gradient(dtype):
    X, y = sparse.csr_array((3, 1)), np.array([1.0, 2.0, 4.0])
    model = FMRegressor(
        solver="sgd", l2_intercept=0.5, learning_rate=0.1, init_intercept=0.0, max_iter=4,
        shuffle=False, clip_predictions=False, dtype=dtype,
    ).fit(X, y)  # fmt: skip
    w0 = 0.0
    for target in np.tile(y, 4):
        w0 -= 0.1 * (w0 - target + 0.5 * w0)
    assert model.intercept_ == pytest.approx(w0, rel=1e-6)


def test_adagrad_adds_it_to_the_gradient():
    X, y = sparse.csr_array((3, 1)), np.array([1.0, 2.0, 4.0])
    model = FMRegressor(
        l2_intercept=0.5, learning_rate=0.1, init_intercept=0.0, max_iter=4, shuffle=False,
        clip_predictions=False, dtype="float64",
    ).fit(X, y)  # fmt: skip
    w0, squares = 0.0, 1.0
    for target in np.tile(y, 4):
        g = w0 - target + 0.5 * w0
        squares += g**2
        w0 -= 0.1 * g / np.sqrt(squares)
    assert model.intercept_ == pytest.approx(w0, rel=1e-9)


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0, 0.5])])
def test_als_ends_at_the_ridge_solution(weights):
    X, y = sparse.csr_array((3, 1)), np.array([1.0, 2.0, 4.0])
    model = FMRegressor(solver="als", l2_intercept=0.5, dtype="float64").fit(X, y, weights)
    w = np.ones(3) if weights is None else weights
    assert model.intercept_ == pytest.approx((w * y).sum() / (w.sum() + 0.5))


@pytest.mark.parametrize("solver", ["sgd", "adagrad", "adam", "adamw", "ftrl", "als"])
def test_more_of_it_is_a_smaller_intercept(solver, clicks):
    def intercept(l2):
        model = FMClassifier(
            n_factors=0,
            solver=solver,
            l2_intercept=l2,
            init_intercept=0.0,
            max_iter=30,
            random_state=0,
        )
        return abs(model.fit(clicks.X, clicks.y).intercept_)

    strong = 3.0 if solver in ("sgd", "adagrad", "adam", "adamw") else 3000.0
    assert intercept(strong) < 0.5 * intercept(0.0)


def test_it_is_checked(ratings):
    with pytest.raises(ValueError, match="l2_intercept"):
        FMRegressor(l2_intercept=-1).fit(ratings.X, ratings.y)
