"""Several classes: one against the rest, and softmax."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from support.strategies import DTYPES

from fastfm_cy import FMClassifier
from fastfm_cy.datasets import make_ratings
from fastfm_cy.model.losses import CLASSIFICATION
from fastfm_cy.training.solvers import SOLVERS


@pytest.fixture(scope="module")
def three_classes():
    """Users' ratings as bad, middling or good: no linear model of the ids gets far."""
    data = make_ratings(n_users=300, n_items=200, n_ratings=30_000, random_state=0)
    y = np.array(["bad", "good", "so-so"])[[0, 2, 1]][np.digitize(data.y, [2.5, 3.5])]
    return data.X[:25_000], y[:25_000], data.X[25_000:], y[25_000:]


@pytest.mark.parametrize("loss", CLASSIFICATION)
@pytest.mark.parametrize("solver", SOLVERS)
def test_learns_three_classes(loss, solver, three_classes):
    X, y, X_test, y_test = three_classes
    model = FMClassifier(8, loss=loss, solver=solver, random_state=0).fit(X, y)
    linear = LogisticRegression(C=1.0).fit(X, y)
    assert model.score(X_test, y_test) > linear.score(X_test, y_test) - 0.02
    assert list(model.classes_) == ["bad", "good", "so-so"]
    assert model.intercept_.shape == (3,)
    assert model.coef_.shape == (3, X.shape[1])
    assert model.factors_.shape == (3, X.shape[1], 8)
    assert model.decision_function(X_test).shape == (len(y_test), 3)


@pytest.mark.parametrize("loss", ["log_loss", "softmax"])
def test_probabilities(loss, three_classes):
    X, y, X_test, y_test = three_classes
    model = FMClassifier(loss=loss, max_iter=10, random_state=0).fit(X, y)
    probabilities = model.predict_proba(X_test)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (model.classes_[probabilities.argmax(axis=1)] == model.predict(X_test)).all()
    prior = np.tile([np.mean(y == label) for label in model.classes_], (len(y_test), 1))
    assert log_loss(y_test, probabilities) < 0.95 * log_loss(y_test, prior)


@pytest.mark.parametrize("loss", ["log_loss", "probit", "hinge", "squared_hinge"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_against_the_rest_equals_separate_models(loss, dtype, three_classes):
    """All classes' scores are there before the first is updated, so they do not interfere."""
    X, y, *_ = three_classes
    X, y = X[:3000], y[:3000]
    settings = {"loss": loss, "dtype": dtype, "max_iter": 2, "shuffle": False, "n_factors": 5}
    # Equal start values: so small that they do not matter.
    settings |= {"init_scale": 1e-30, "init_intercept": 0.0}
    together = FMClassifier(**settings).fit(X, y)
    for number, label in enumerate(together.classes_):
        alone = FMClassifier(**settings).fit(X, y == label)
        tolerance = {"rtol": 1e-4, "atol": 1e-5}
        np.testing.assert_allclose(together.coef_[number], alone.coef_, **tolerance)
        np.testing.assert_allclose(together.intercept_[number], alone.intercept_, **tolerance)


def test_softmax_of_two_classes(clicks):
    model = FMClassifier(loss="softmax", max_iter=5, random_state=0).fit(clicks.X, clicks.y)
    probabilities, scores = model.predict_proba(clicks.X), model.decision_function(clicks.X)
    assert scores.shape == (len(clicks.y),)
    np.testing.assert_allclose(probabilities[:, 1], 1 / (1 + np.exp(-scores)), rtol=1e-4)
    binary = FMClassifier(max_iter=5, random_state=0).fit(clicks.X, clicks.y)
    assert log_loss(clicks.y, probabilities) == pytest.approx(
        log_loss(clicks.y, binary.predict_proba(clicks.X)), rel=0.05
    )


def test_unlikely_classes_have_probabilities():
    """Where all classes against the rest are hopeless, the least hopeless wins, not 0 / 0."""
    X, y = np.eye(3), [0, 1, 2]
    model = FMClassifier(n_factors=0, max_iter=1, random_state=0).fit(X, y)
    model._table.intercepts[...] = [-1000, -1001, -1002]
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_scorer_of_several_classes(three_classes):
    X, y, *_ = three_classes
    model = FMClassifier(max_iter=1, random_state=0).fit(X[:500], y[:500])
    rows = X[:7].astype(np.float32)
    scorer = model.compile()
    expected = model.decision_function(X[:7])
    scores = scorer.rows(rows.indptr.astype(np.int64), rows.indices.astype(np.int32), rows.data)
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-6)
    first = slice(rows.indptr[0], rows.indptr[1])
    row = scorer.row(rows.indices[first].astype(np.int32), rows.data[first])
    np.testing.assert_allclose(row, expected[0], rtol=1e-5, atol=1e-6)


def test_balanced_classes_weigh_the_same():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    y = np.digitize(X[:, 0] + rng.normal(size=600), [1.5, 2.5])
    plain = FMClassifier(4, loss="softmax", random_state=0).fit(X, y)
    balanced = FMClassifier(4, loss="softmax", class_weight="balanced", random_state=0).fit(X, y)
    assert np.mean(balanced.predict(X) == 2) > np.mean(plain.predict(X) == 2)
    assert accuracy_score(y[y == 2], balanced.predict(X[y == 2])) > 0.5


def test_threads_and_float64(three_classes):
    X, y, X_test, y_test = three_classes
    alone = FMClassifier(loss="softmax", dtype="float64", random_state=0).fit(X, y)
    threads = FMClassifier(loss="softmax", dtype="float64", n_jobs=2, random_state=0).fit(X, y)
    first, second = (log_loss(y_test, m.predict_proba(X_test)) for m in (alone, threads))
    assert first == pytest.approx(second, rel=0.02)
