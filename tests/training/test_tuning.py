"""Tuning: settings and epochs chosen on held-out rows; scores rescaled and folded in."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from fastfm_cy import FFMClassifier, FMClassifier, FMRegressor
from fastfm_cy.data.targets import Ends, TargetScale
from fastfm_cy.io import load_model, save_model
from fastfm_cy.model.folding import rescale_scores
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
    plain = FMClassifier(max_iter=20, random_state=0).fit(X, y)
    tuned = FMClassifier(random_state=0).fit(X, y)
    assert tuned.n_iter_ > plain.n_iter_
    assert tuned.score(X_test, y_test) >= 0.95
    assert log_loss(y_test, tuned.predict_proba(X_test)) < 0.5 * log_loss(
        y_test, plain.predict_proba(X_test)
    )


def test_it_stops_before_it_over_fits():
    X, y = wide_clicks()
    train, test = slice(0, 1000), slice(1000, None)
    plain = FMClassifier(max_iter=20, random_state=0).fit(X[train], y[train])
    tuned = FMClassifier(random_state=0).fit(X[train], y[train])
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
    models = [FMRegressor(3, solver=solver, random_state=3).fit(X, y) for _ in range(2)]
    assert np.array_equal(models[0].predict(X), models[1].predict(X))
    assert models[0].score(X, y) > 0.7
    save_model(models[0], tmp_path / "model.fm")
    loaded = load_model(tmp_path / "model.fm")
    assert np.array_equal(loaded.predict(X), models[0].predict(X))


def test_what_the_user_gives_stays():
    X, y = wide_clicks(300, 60)
    kind = {"l2_linear": 0.5, "l2_factors": 0.5, "learning_rate": 0.01, "random_state": 0}
    kind["loss"] = "hinge"  # whose scores are not rescaled
    tuned = FMClassifier(2, **kind).fit(X, y)
    same = FMClassifier(2, max_iter=tuned.n_iter_, **kind).fit(X, y)
    # The seed of the last fit is drawn after the folds', so only the size of the weights agrees.
    assert np.abs(tuned.coef_).mean() == pytest.approx(np.abs(same.coef_).mean(), rel=0.5)


def test_machines_with_fields():
    X, y = wide_clicks(600, 60)
    model = FFMClassifier(2, fields=np.arange(60) // 5, random_state=0).fit(X, y)
    assert log_loss(y, model.predict_proba(X)) < log_loss(y, np.full(len(y), y.mean()))


def test_it_is_off_where_something_else_says_how_long():
    X, y = wide_clicks(300, 60)
    for others in (
        {"max_iter": 3}, {"tuning": None}, {"early_stopping": True}, {"warm_start": True},
        {"l2_factors": "auto"}, {"schedule": "cosine"},
    ):  # fmt: skip
        model = FMClassifier(2, random_state=0, **others).fit(X, y)
        assert not hasattr(model, "tuned_")
    assert FMClassifier(2, tuning=None, random_state=0).fit(X, y).n_iter_ == 20


def test_an_eval_set_only_looks_on():
    X, y = wide_clicks(600, 60)
    model = FMClassifier(2, random_state=0)
    alone = model.fit(X[:400], y[:400]).decision_function(X)
    seen = model.fit(X[:400], y[:400], eval_set=(X[400:], y[400:])).decision_function(X)
    assert np.array_equal(alone, seen)
    assert len(model.history_["validation_loss"]) == model.n_iter_


@pytest.mark.parametrize("solver", ["adagrad", "ftrl"])
def test_partial_fit_goes_on_from_what_was_chosen(solver, tmp_path):
    X, y = wide_clicks(600, 60)
    model = FMClassifier(2, solver=solver, random_state=0).fit(X, y)
    assert set(model.tuned_) == {"max_iter", "learning_rate", "l2_linear", "l2_factors"}
    assert model.tuned_["max_iter"] == model.n_iter_
    save_model(model, tmp_path / "model.fm")
    loaded, before = load_model(tmp_path / "model.fm"), model.decision_function(X)
    assert loaded.tuned_ == model.tuned_
    given = {name: value for name, value in model.tuned_.items() if name != "max_iter"}
    for each in (model, loaded):
        each.partial_fit(X, y)
        assert each.tuned_["max_iter"] == model.tuned_["max_iter"]
    assert np.array_equal(model.decision_function(X), loaded.decision_function(X))
    # One epoch more of the same kind moves scores little.
    moved = np.abs(model.decision_function(X) - before).mean()
    assert moved < 0.2 * before.std()
    loaded = load_model(tmp_path / "model.fm").set_params(**given).partial_fit(X, y)
    assert np.array_equal(model.decision_function(X), loaded.decision_function(X))
    model.set_params(max_iter=2).fit(X, y)
    assert not hasattr(model, "tuned_")


def test_scores_of_several_classes_are_rescaled_alike():
    X, y = load_iris(return_X_y=True)
    model = FMClassifier(max_iter=5, random_state=0).fit(X, y)
    scores = model.decision_function(X)
    rescale_scores(model._table, TargetScale(0.0, 2.5))
    assert np.allclose(model.decision_function(X), 2.5 * scores, rtol=1e-4, atol=1e-5)


def test_the_range_of_targets_is_closed_where_many_rows_end():
    assert Ends.of(np.array([1.0, 1, 2, 3, 5, 5])).plausible == (1, 5)
    assert Ends.of(np.array([0.0, 1, 2, 4])).plausible == (-2, 6)
    assert Ends.of(np.array([0.0, 0, 2, 4])).plausible == (0, 6)
    assert Ends.of(np.full(3, 7.0)).plausible == (7, 7)
    y = np.random.default_rng(0).integers(0, 4, 500).astype(float)
    parts = Ends.of(y[:100]).and_of(Ends.of(y[100:101])).and_of(Ends.of(y[101:]))
    assert parts == Ends.of(y)
    largest = np.finfo(float).max
    assert Ends.of(np.array([-largest, 0.0, largest])).plausible == (-largest, largest)


def test_few_rows():
    for n_rows in (2, 3, 9, 11):
        X, y = np.eye(n_rows), np.arange(float(n_rows))
        assert np.isfinite(FMRegressor(2, random_state=0).fit(X, y).predict(X)).all()
        labels = np.arange(n_rows) % 2
        model = FMClassifier(2, random_state=0).fit(X, labels)
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
