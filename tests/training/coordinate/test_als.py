"""Alternating least squares."""

import numpy as np
import pytest
from reference import gibbs as reference
from reference.higher_order import Model as Anova
from reference.losses import GRADIENTS, LOSSES
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC
from support.strategies import DTYPES

from fastfm_cy import FMClassifier, FMRegressor
from fastfm_cy.estimators.common import new_rng
from fastfm_cy.model.starts import Starts, new_key
from fastfm_cy.training.coordinate import csc as columns
from fastfm_cy.training.solvers import COORDINATE_SOLVERS

CASES = [
    ("squared_error", FMRegressor),
    ("log_loss", FMClassifier),
    ("probit", FMClassifier),
    ("squared_hinge", FMClassifier),
]


def draw(loss, n_rows=150):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 5)) * (rng.random((n_rows, 5)) < 0.6)
    score = X @ [1.0, -1.0, 0.5, 0.0, 0.2] + X[:, 0] * X[:, 1] + rng.normal(size=n_rows)
    return X, score if loss == "squared_error" else np.where(score > 0, 1.0, -1.0)


def als(Model, loss, n_factors=3, **settings):
    settings = {"l2_linear": 0.7, "l2_factors": 0.4, "dtype": "float64"} | settings
    settings |= {"init_scale": 0.3, "random_state": 0, "solver": "als"}
    return Model(n_factors, loss=loss, **settings)


def objective(model, X, y, weights=1.0):
    scores = model.decision_function(X) if hasattr(model, "classes_") else raw(model, X)
    losses = np.array([LOSSES[model.loss](*pair) for pair in zip(scores, y, strict=True)])
    penalty = model.l2_linear * np.sum(model.coef_**2) + model.l2_factors * np.sum(
        model.factors_**2
    )
    return np.sum(weights * losses) + penalty / 2


def raw(model, X):
    return model.set_params(clip_predictions=False).predict(X)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("loss", "Model"), CASES)
def test_the_objective_falls_to_a_stationary_point(loss, Model, weighted):
    X, y = draw(loss)
    weights = np.random.default_rng(1).integers(0, 4, len(y)) if weighted else None
    model = als(Model, loss, max_iter=400)
    falling = []
    model.fit(X, y, weights, callbacks=lambda m, _: falling.append(
        objective(m, X, y, 1.0 if weights is None else weights)
    ))  # fmt: skip
    assert (np.diff(falling) < 1e-9 * falling[0]).all()
    weights = np.ones(len(y)) if weights is None else weights
    scores = model.decision_function(X) if Model is FMClassifier else raw(model, X)
    g = weights * [GRADIENTS[loss](*pair) for pair in zip(scores, y, strict=True)]
    v = model.factors_
    slopes = X[:, :, None] * ((X @ v)[:, None, :] - X[:, :, None] * v)
    assert abs(g.sum()) < 1e-3
    assert np.abs(g @ X + model.l2_linear * model.coef_).max() < 1e-3
    assert np.abs(np.einsum("n,njf->jf", g, slopes) + model.l2_factors * v).max() < 1e-2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("loss", "Model"), CASES)
def test_linear_optima_are_those_of_scikit_learn(loss, Model, dtype):
    X, y = draw(loss)
    weights = np.random.default_rng(1).uniform(0.5, 2, len(y))
    model = als(Model, loss, 0, max_iter=500, fit_intercept=False, dtype=dtype)
    model.fit(X, y, weights)
    if loss == "probit":  # which scikit-learn lacks
        best = minimize(
            lambda w: (
                weights @ np.array([LOSSES[loss](*p) for p in zip(X @ w, y, strict=True)])
                + 0.35 * w @ w
            ),
            np.zeros(5),
        ).x
        np.testing.assert_allclose(model.coef_, best, rtol=1e-3, atol=1e-4)
        return
    peer = {
        "squared_error": Ridge(alpha=0.7, fit_intercept=False),
        "log_loss": LogisticRegression(C=1 / 0.7, fit_intercept=False, tol=1e-8),
        "squared_hinge": LinearSVC(C=1 / 0.7, fit_intercept=False, tol=1e-8, max_iter=100_000),
    }[loss].fit(X, y, weights)
    np.testing.assert_allclose(model.coef_, np.ravel(peer.coef_), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("loss", "Model"), CASES)
def test_a_weight_of_two_is_the_row_twice(loss, Model):
    X, y = draw(loss)
    times = np.random.default_rng(1).integers(0, 3, len(y))
    weighted = als(Model, loss, max_iter=5, init_intercept=0.0).fit(X, y, times)
    repeated = als(Model, loss, max_iter=5, init_intercept=0.0)
    repeated.fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(weighted.factors_, repeated.factors_, rtol=1e-7)
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-7)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("loss", "Model"), CASES)
def test_going_on_equals_going_through(loss, Model, dtype):
    X, y = draw(loss)
    whole = als(Model, loss, max_iter=7, dtype=dtype).fit(X, y)
    parts = als(Model, loss, max_iter=4, dtype=dtype, warm_start=True).fit(X, y)
    parts.set_params(max_iter=3).fit(X, y)
    assert np.array_equal(whole.factors_, parts.factors_)
    assert np.array_equal(whole.coef_, parts.coef_)
    assert whole.intercept_ == parts.intercept_


@pytest.mark.parametrize("n_factors", [0, 3, 10])
def test_threads_change_nothing(n_factors, ratings, monkeypatch):
    monkeypatch.setattr(columns, "_LEAST_A_THREAD", 100)
    models = [
        FMRegressor(n_factors, solver="als", max_iter=3, n_jobs=n, random_state=0).fit(
            ratings.X, ratings.y
        )
        for n in (1, 2, 3)
    ]
    for model in models[1:]:
        assert np.array_equal(model.factors_, models[0].factors_)
        assert np.array_equal(model.coef_, models[0].coef_)


def test_learns_stops_early_and_goes_back(ratings):
    X, X_test, y, y_test = train_test_split(ratings.X, ratings.y, random_state=0)
    model = FMRegressor(8, solver="als", l2_factors=0.5, max_iter=60, early_stopping=True)
    model.set_params(random_state=0, init_scale=0.1).fit(X, y, eval_set=(X_test, y_test))
    assert model.best_iter_ < model.n_iter_ < 60
    error = root_mean_squared_error(y_test, raw(model, X_test))
    assert 0.5 * error**2 == pytest.approx(min(model.history_["validation_loss"]), rel=1e-4)
    defaults = FMRegressor(solver="als", random_state=0).fit(X, y)
    ridge = Ridge().fit(X, y)
    assert root_mean_squared_error(y_test, defaults.predict(X_test)) < root_mean_squared_error(
        y_test, ridge.predict(X_test)
    )


def test_groups():
    X, y = draw("squared_error")
    strengths = {"l2_linear": [0.0, 1e9], "l2_factors": [0.1, 1e9]}
    model = FMRegressor(3, solver="als", feature_groups=[0, 0, 1, 1, 1], **strengths).fit(X, y)
    assert np.abs(model.coef_[2:]).max() < 1e-6 < np.abs(model.coef_[:2]).min()
    assert np.abs(model.factors_[2:]).max() < 1e-6


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "huber"}, "minimises 'squared_error'"),
        ({"l1_linear": 0.1}, "knows no L1"),
        ({"schedule": "cosine"}, "constant"),
        ({"l2_factors": "auto"}, "auto"),
    ],
)
def test_what_it_cannot_do(parameters, message):
    with pytest.raises(ValueError, match=message):
        FMRegressor(solver="als", **parameters).fit(np.eye(3), [1, 2, 3])
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'"):
        FMRegressor(solver="als").partial_fit(np.eye(3), [1, 2, 3])
    with pytest.raises(ValueError, match="two classes"):
        FMClassifier(solver="als").fit(np.eye(3), [1, 2, 3])
    model = FMRegressor(16, solver="als", warm_start=True, max_iter=1).fit(np.eye(3), [1, 2, 3])
    with pytest.raises(ValueError, match="solver cannot change"):
        model.set_params(solver="sgd").fit(np.eye(3), [1, 2, 3])


def test_corners():
    """No strength, unseen features, single rows, duplicate features: finite, whatever it is."""
    assert set(COORDINATE_SOLVERS) == {"als"}
    X = np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    for n_rows in (1, 2, 3):
        for n_factors in (0, 2):
            model = FMRegressor(
                n_factors,
                solver="als",
                l2_linear=0.0,
                l2_factors=0.0,
                max_iter=50,
                scaling=None,
                random_state=0,
            ).fit(X[:n_rows], [1.0, 3.0, 2.0][:n_rows])
            assert np.isfinite(model.predict(X)).all()
            assert model.coef_[2] == 0


@pytest.mark.parametrize("n_factors", [0, 3, 10])
def test_sparse_and_back(n_factors, ratings):
    model = FMRegressor(n_factors, solver="als", warm_start=True, max_iter=2, random_state=0)
    model.fit(ratings.X, ratings.y)
    before = model.predict(ratings.X)
    assert np.array_equal(model.sparsify().predict(ratings.X), before)
    model.densify()
    assert np.array_equal(model.predict(ratings.X), before)
    twin = FMRegressor(n_factors, solver="als", max_iter=4, random_state=0)
    twin.fit(ratings.X, ratings.y)
    assert np.array_equal(model.fit(ratings.X, ratings.y).coef_, twin.coef_)


KINDS = [(3, False), (3, True), (4, False), (5, True)]


def definition(model):
    """The higher-order model by its definition (reference/anova.py)."""
    v = model.factors_ if model.share_factors else np.moveaxis(model.factors_, 0, 1)
    v = v.reshape(len(model.coef_), -1, v.shape[-1]).astype(float)
    return Anova(model.intercept_, model.coef_.astype(float), v, model.degree)


@pytest.mark.parametrize(("degree", "share"), KINDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("loss", "Model"), CASES)
def test_higher_degrees_fall_to_a_stationary_point(loss, Model, weighted, degree, share):
    X, y = draw(loss)
    weights = np.random.default_rng(1).integers(0, 4, len(y)).astype(float) if weighted else None
    model = als(Model, loss, 2, max_iter=4000, degree=degree, share_factors=share)
    falling = []

    def watch(model, history):
        if len(falling) < 200:
            falling.append(objective(model, X, y, 1.0 if weights is None else weights))

    model.fit(X, y, weights, callbacks=watch)
    assert (np.diff(falling) < 1e-9 * falling[0]).all()
    weights = np.ones(len(y)) if weights is None else weights
    plain = definition(model)
    scores = [plain.score(x) for x in X]
    g = weights * [GRADIENTS[loss](*pair) for pair in zip(scores, y, strict=True)]
    slopes = np.array([[plain.factor_gradient(x, j) for j in range(5)] for x in X])
    gradient = np.einsum("n,njtf->jtf", g, slopes) + model.l2_factors * plain.v
    slow = 20 if loss == "probit" else 1  # its bound is the loosest
    assert abs(g.sum()) < slow * 1e-3
    assert np.abs(g @ X + model.l2_linear * model.coef_).max() < slow * 1e-2
    assert np.abs(gradient).max() < slow * 1e-2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("degree", "share"), KINDS)
def test_sweeps_of_higher_degrees_equal_their_definition(degree, share, dtype):
    """Two sweeps, parameter by parameter, of the slow reference (reference/gibbs.py)."""
    X, y = draw("squared_error", 25)
    settings = {"degree": degree, "share_factors": share, "dtype": dtype, "init_intercept": 0.5}
    model = als(FMRegressor, "squared_error", 2, max_iter=2, **settings)
    fitted = model.fit(X, y)
    rng = new_rng(fitted.random_state)
    table = fitted._table.like(5)
    table.start_key = new_key(rng)
    Starts(0.3).write(table)
    v = table.vector_blocks[:, 0].astype(float)
    plain = Anova(0.5, np.zeros(5), v, degree)
    for _ in range(2):
        errors = [plain.score(x) - t for x, t in zip(X, y, strict=True)]
        plain.w0 -= np.mean(errors)
        reference.sweep_linear(plain, X, y, 1.0, [(0.7, 0.0)] * 5, np.zeros(5))
        for t in range(v.shape[1]):
            for j in range(5):
                for f in range(2):
                    reference.draw(plain, X, y, 1.0, plain.v, (j, t, f), 0.4, 0.0, 0.0)
    tolerance = 2e-3 if dtype == "float32" else 1e-9
    np.testing.assert_allclose(fitted._table.vector_blocks[:, 0], plain.v, atol=tolerance)
    np.testing.assert_allclose(fitted.coef_, plain.w, atol=tolerance)
    assert fitted.intercept_ == pytest.approx(plain.w0, abs=tolerance)


@pytest.mark.parametrize(("degree", "share"), KINDS)
def test_higher_degrees_in_threads_and_going_on(degree, share, ratings, monkeypatch):
    monkeypatch.setattr(columns, "_LEAST_A_THREAD", 100)
    settings = {"solver": "als", "degree": degree, "share_factors": share, "random_state": 0}
    X, y = ratings.X, ratings.y
    models = [FMRegressor(10, max_iter=3, n_jobs=n, **settings).fit(X, y) for n in (1, 2, 3)]
    parts = FMRegressor(10, max_iter=1, warm_start=True, **settings).fit(X, y)
    models.append(parts.set_params(max_iter=2).fit(X, y))
    for model in models[1:]:
        assert np.array_equal(model.factors_, models[0].factors_)
        assert np.array_equal(model.coef_, models[0].coef_)
    ridge = Ridge().fit(X, y)
    assert root_mean_squared_error(y, parts.predict(X)) < root_mean_squared_error(
        y, ridge.predict(X)
    )


@pytest.mark.parametrize("solver_strength", [0.1, 1.0])
def test_degree_three_finds_a_third_order_interaction(solver_strength):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 5))
    y = X[:, 0] * X[:, 1] * X[:, 2] + 0.1 * rng.normal(size=400)
    settings = {"solver": "als", "max_iter": 100, "init_scale": 0.3, "random_state": 0}
    settings |= {"l2_linear": solver_strength, "l2_factors": solver_strength}
    errors = [
        root_mean_squared_error(
            y[300:],
            FMRegressor(4, degree=degree, **settings).fit(X[:300], y[:300]).predict(X[300:]),
        )
        for degree in (2, 3)
    ]
    assert errors[1] < 0.5 * errors[0]


def test_corners_of_higher_degrees():
    X = np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    for degree, share in KINDS:
        for n_rows in (1, 2, 3):
            for n_factors in (0, 2):
                model = FMRegressor(
                    n_factors, solver="als", degree=degree, share_factors=share, l2_linear=0.0,
                    l2_factors=0.0, max_iter=50, scaling=None, random_state=0,
                ).fit(X[:n_rows], [1.0, 3.0, 2.0][:n_rows])  # fmt: skip
                assert np.isfinite(model.predict(X)).all()
                assert model.coef_[2] == 0
