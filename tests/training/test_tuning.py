"""Tuning: settings and epochs chosen on held-out rows; scores rescaled and folded in."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from fastfm_cy import FFMClassifier, FMClassifier, FMRegressor
from fastfm_cy.data.targets import TargetScale, after
from fastfm_cy.io import load_model, save_model
from fastfm_cy.training.rescaling import _least_squares, _logistic


def wide_clicks(n_rows=1500, n_features=900):
    """Few rows of many one-hot features, which 20 epochs over-fit."""
    rng = np.random.default_rng(0)
    columns = np.sort(rng.integers(0, n_features, (n_rows, 12)), axis=1)
    X = sparse.csr_array(
        (np.ones(columns.size), columns.ravel(), np.arange(0, columns.size + 1, 12)),
        (n_rows, n_features),
    )
    score = X @ rng.normal(0, 0.4, n_features)
    return X, rng.random(n_rows) < 1 / (1 + np.exp(-score))


def test_it_learns_what_needs_many_epochs():
    X, X_test, y, y_test = train_test_split(*load_iris(return_X_y=True), random_state=0)
    plain = FMClassifier(random_state=0).fit(X, y)
    tuned = FMClassifier(tuning="auto", random_state=0).fit(X, y)
    assert tuned.n_iter_ > plain.n_iter_
    assert tuned.score(X_test, y_test) >= 0.95
    assert log_loss(y_test, tuned.predict_proba(X_test)) < 0.5 * log_loss(
        y_test, plain.predict_proba(X_test)
    )


def test_it_stops_before_it_over_fits():
    X, y = wide_clicks()
    train, test = slice(0, 1000), slice(1000, None)
    plain = FMClassifier(random_state=0).fit(X[train], y[train])
    tuned = FMClassifier(tuning="auto", random_state=0).fit(X[train], y[train])
    constant = log_loss(y[test], np.full(500, y[train].mean()))
    assert log_loss(y[test], tuned.predict_proba(X[test])) < constant
    assert log_loss(y[test], tuned.predict_proba(X[test])) < log_loss(
        y[test], plain.predict_proba(X[test])
    )


@pytest.mark.parametrize("solver", ["sgd", "adagrad", "adam", "ftrl", "als"])
def test_same_seed_same_model(solver, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 6)) * [1, 1, 1, 1, 100, 1] + [0, 0, 0, 50, 0, 0]
    y = 1000 + 300 * X[:, 0] + 100 * rng.normal(size=150)
    models = [
        FMRegressor(3, solver=solver, tuning="auto", random_state=3).fit(X, y) for _ in range(2)
    ]
    assert np.array_equal(models[0].predict(X), models[1].predict(X))
    assert models[0].score(X, y) > 0.7
    save_model(models[0], tmp_path / "model.fm")
    loaded = load_model(tmp_path / "model.fm")
    assert np.array_equal(loaded.predict(X), models[0].predict(X))


def test_what_the_user_gives_stays():
    X, y = wide_clicks(300, 60)
    kind = {"l2_linear": 0.5, "l2_factors": 0.5, "learning_rate": 0.01, "random_state": 0}
    kind["loss"] = "hinge"  # whose scores are not rescaled
    tuned = FMClassifier(2, tuning="auto", **kind).fit(X, y)
    same = FMClassifier(2, max_iter=tuned.n_iter_, **kind).fit(X, y)
    # The seed of the last fit is drawn after the folds', so only the size of the weights agrees.
    assert np.abs(tuned.coef_).mean() == pytest.approx(np.abs(same.coef_).mean(), rel=0.5)


def test_machines_with_fields():
    X, y = wide_clicks(600, 60)
    model = FFMClassifier(2, fields=np.arange(60) // 5, tuning="auto", random_state=0).fit(X, y)
    assert log_loss(y, model.predict_proba(X)) < log_loss(y, np.full(len(y), y.mean()))


def test_few_rows():
    for n_rows in (2, 3, 9, 11):
        X, y = np.eye(n_rows), np.arange(float(n_rows))
        assert np.isfinite(FMRegressor(2, tuning="auto", random_state=0).fit(X, y).predict(X)).all()
        labels = np.arange(n_rows) % 2
        model = FMClassifier(2, tuning="auto", random_state=0).fit(X, labels)
        assert np.isfinite(model.decision_function(X)).all()


def test_rescaling():
    rng = np.random.default_rng(0)
    z, weights = rng.normal(size=4000), np.ones(4000)
    found = _least_squares(z, 3 + 2 * z + rng.normal(size=4000), weights)
    assert (found.location, found.spread) == pytest.approx((3, 2), abs=0.1)
    y = np.where(rng.random(4000) < 1 / (1 + np.exp(-(0.5 + 3 * z))), 1.0, -1.0)
    found = _logistic(z, y, weights)
    assert (found.location, found.spread) == pytest.approx((0.5, 3), abs=0.25)
    assert _logistic(np.zeros(50), y[:50], weights[:50]).spread > 0
    both = after(TargetScale(1.0, 2.0), TargetScale(10.0, 5.0))
    assert (both.location, both.spread) == (15.0, 10.0)
