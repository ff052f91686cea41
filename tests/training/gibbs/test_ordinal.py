"""The ordered probit model."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.metrics import log_loss, root_mean_squared_error

from fastfm_cy import BayesianFMClassifier, BayesianFMOrdinal, BayesianFMRegressor
from fastfm_cy.datasets import make_ratings
from fastfm_cy.io import load_model, save_model
from fastfm_cy.kernels.coordinate import cutpoints as ordinal
from fastfm_cy.model.responses import class_probabilities
from fastfm_cy.training.gibbs import cutpoints
from fastfm_cy.training.gibbs.likelihoods import truncated_normals


def draw_classes(scores, points, rng):
    return np.searchsorted(points, scores + rng.normal(size=len(scores))).astype(np.int32)


def problem(n_rows=400, seed=0):
    rng = np.random.default_rng(seed)
    scores, points = 2 * rng.normal(size=n_rows), np.array([-1.5, 0.2, 0.9])
    return scores, draw_classes(scores, points, rng), points, rng


def stars(n_ratings=4000):
    data = make_ratings(n_users=120, n_items=80, n_ratings=n_ratings, random_state=0)
    return data.X, np.rint(data.y).clip(1, 5).astype(int)


def model_of(**settings):
    return BayesianFMOrdinal(4, **({"max_iter": 60, "n_burn_in": 20, "random_state": 0} | settings))


def test_likelihood_equals_its_definition():
    scores, classes, points, _ = problem()

    def definition(points):
        bounds = np.concatenate([[-np.inf], points, [np.inf]])
        upper, lower = stats.norm.cdf(bounds[classes + 1] - scores), bounds[classes] - scores
        return np.log(upper - stats.norm.cdf(lower)).sum()

    value, gradient, hessian = ordinal.log_likelihood(scores, classes, points, True)
    assert value == pytest.approx(definition(points), rel=1e-9)
    assert ordinal.log_likelihood(scores, classes, points, False) == (value, None, None)
    step = 1e-5
    for place, unit in enumerate(step * np.eye(len(points))):
        slope = (definition(points + unit) - definition(points - unit)) / (2 * step)
        assert gradient[place] == pytest.approx(slope, rel=1e-5)
        above = ordinal.log_likelihood(scores, classes, points + unit, True)[1]
        below = ordinal.log_likelihood(scores, classes, points - unit, True)[1]
        slopes = (above - below) / (2 * step)
        np.testing.assert_allclose(hessian[place], slopes, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("score", [-1e3, -30.0, 30.0, 1e3])
def test_far_scores_are_finite(score):
    for label in range(4):
        value, gradient, hessian = ordinal.log_likelihood(
            np.array([score]), np.array([label], dtype=np.int32), np.array([-1.0, 0.0, 1.0]), True
        )
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()
        assert np.isfinite(hessian).all()


def test_truncated_normals():
    rng, n = np.random.default_rng(0), 100_000
    for low, high in ((-np.inf, 0.5), (-0.3, 0.4), (1.0, 1.5), (2.0, np.inf), (-np.inf, np.inf)):
        drawn = truncated_normals(np.full(n, low), np.full(n, high), rng)
        expected = stats.truncnorm(low, high)
        assert stats.kstest(drawn, expected.cdf).pvalue > 1e-3
    far = np.array([-1e5, -40.0, 40.0, 1e5])
    drawn = truncated_normals(far, far + 0.1, rng)
    assert ((far <= drawn) & (drawn <= far + 0.1)).all()
    assert np.isfinite(truncated_normals(far, np.full(4, np.inf), rng)).all()


def test_cutpoints_keep_their_prior():
    """Geweke (JASA 2004): classes given cutpoints and cutpoints given classes, in turn."""
    rng, scale = np.random.default_rng(0), 0.7
    scores = rng.normal(size=6)
    free, seen = np.zeros(3), []
    for _ in range(20_000):
        classes = draw_classes(scores, cutpoints.cutpoints_of(free), rng)
        free = cutpoints.draw(free, scores, classes, 5.0, scale, rng)
        seen.append([*free, *free**2])
    batches = np.array(seen)[1000:].reshape(50, -1, 6).mean(axis=1)
    expected = [0, 0, 0, scale**2, scale**2, scale**2]
    errors = (batches.mean(axis=0) - expected) / (batches.std(axis=0) / np.sqrt(50))
    assert np.abs(errors).max() < 4


def test_much_data_tells_the_cutpoints():
    scores, classes, points, rng = problem(20_000)
    free = cutpoints.start(classes, 4)
    drawn = []
    for _ in range(200):
        free = cutpoints.draw(free, scores, classes, 5.0, 10.0, rng)
        drawn.append(cutpoints.cutpoints_of(free))
    np.testing.assert_allclose(np.mean(drawn, axis=0), points, atol=0.05)
    assert len(np.unique(np.array(drawn)[:, 0])) > 100  # most proposals are accepted


def test_better_than_forgetting_the_order():
    X, y = stars()
    model = model_of(max_iter=150).fit(X[:3000], y[:3000])
    probabilities = model.predict_proba(X[3000:])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-9)
    shares = np.bincount(y[:3000], minlength=6)[1:] / 3000
    blind = log_loss(y[3000:], np.tile(shares, (1000, 1)), labels=model.classes_)
    assert log_loss(y[3000:], probabilities, labels=model.classes_) < 0.95 * blind
    regressor = BayesianFMRegressor(4, max_iter=150, random_state=0).fit(X[:3000], y[:3000])
    assert root_mean_squared_error(y[3000:], model.predict_mean(X[3000:])) < 1.01 * (
        root_mean_squared_error(y[3000:], regressor.predict(X[3000:]))
    )
    assert np.isin(model.predict(X[3000:]), model.classes_).all()
    assert (np.diff(model.cutpoints_) > 0).all()


def test_two_classes_are_the_probit_model():
    X, y = stars()
    y = y > 3
    model = model_of(max_iter=500).fit(X, y)  # 200 differ by as much as the tolerance
    other = BayesianFMClassifier(4, max_iter=500, random_state=0).fit(X, y)
    assert np.abs(model.predict_proba(X) - other.predict_proba(X)).mean() < 0.03
    assert np.mean(model.predict(X) == other.predict(X)) > 0.95


NAMES = ["bad", "so-so", "good", "fine", "great"]


def categorical(names):
    return pd.Series(pd.Categorical(names, categories=NAMES, ordered=True))


@pytest.mark.parametrize(
    ("labels_of", "classes"),
    [
        (lambda names: names, NAMES), (lambda names: names, np.array(NAMES)),
        (categorical, None), (lambda names: categorical(names).values, None),
        (lambda names: pl.Series(names, dtype=pl.Enum(NAMES)), None),
        (lambda names: pd.Series(names, dtype="category"), NAMES),
        (lambda names: names.astype(object), NAMES),
    ],
)  # fmt: skip
def test_the_order_of_text_is_the_declared_one(labels_of, classes, tmp_path):
    X, y = stars(1000)
    labels = labels_of(np.array(NAMES)[y - 1])
    model = model_of(max_iter=30, classes=classes).fit(X, labels, eval_set=(X[:50], labels[:50]))
    same = model_of(max_iter=30).fit(X, y)
    assert model.classes_.tolist() == NAMES
    np.testing.assert_array_equal(model.predict_proba(X), same.predict_proba(X))
    assert model.predict(X).tolist() == np.array(NAMES)[same.predict(X) - 1].tolist()
    with pytest.raises(TypeError, match="numbers"):
        model.predict_mean(X)
    save_model(model, tmp_path / "m")
    again = load_model(tmp_path / "m")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    again.set_params(warm_start=True, max_iter=3).fit(X, labels)
    assert again.classes_.tolist() == NAMES
    with pytest.raises(ValueError, match="label 'f'"):
        again.fit(X, np.where(y > 4, "f", np.array(NAMES)[y - 1]))
    with pytest.raises(ValueError, match="classes must stay"):
        again.set_params(classes=NAMES[::-1]).fit(X, labels)


@pytest.mark.parametrize("two", [False, True])
def test_text_without_an_order_is_refused(two):
    X, y = stars(200)
    names = np.array(NAMES)[(y > 3).astype(int) if two else y - 1]
    unordered = pd.Series(pd.Categorical(names, categories=NAMES, ordered=False))
    for labels in (names, names.astype(object), unordered, pl.Series(names)):
        with pytest.raises(ValueError, match=r"no order that is known. Give it with classes="):
            model_of().fit(X, labels)


@pytest.mark.parametrize("kind", ["int8", "uint64", "float16", "float64", "bool", object])
def test_numbers_of_any_kind(kind):
    X, y = stars(1000)
    labels = (y > 3 if kind == "bool" else y / 2 if "float" in str(kind) else y).astype(kind)
    model = model_of(max_iter=30).fit(X, labels)
    assert model.classes_.tolist() == sorted(set(labels.tolist()))
    expected = model.predict_proba(X) @ np.array(model.classes_.tolist())
    np.testing.assert_allclose(model.predict_mean(X), expected)


def test_classes_that_do_not_occur_and_classes_that_are_none():
    X, y = stars(1000)
    y = np.where(y == 3, 4, y)
    model = model_of(max_iter=30, classes=[1, 2, 3, 4, 5]).fit(X, y)
    assert model.predict_proba(X).shape == (1000, 5)
    assert np.isfinite(model.predict_proba(X)).all()
    for classes in ([1], [1, 2, 2], [[1, 2], [3, 4]]):
        with pytest.raises(ValueError, match=r"classes must hold|1d array"):
            model_of(classes=classes).fit(X, y)
    with pytest.raises(ValueError, match="label 5 in row"):
        model_of(classes=[1, 2, 3, 4]).fit(X, y)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        model_of().fit(X, np.random.default_rng(0).normal(size=1000))
    with pytest.raises(ValueError, match="only one"):
        model_of(classes=[1, 2]).fit(X, np.ones(1000))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sampling_goes_on(dtype):
    X, y = stars(1000)
    whole = model_of(max_iter=40, dtype=dtype).fit(X, y)
    parts = model_of(max_iter=25, dtype=dtype, warm_start=True).fit(X, y)
    parts = pickle.loads(pickle.dumps(parts)).set_params(max_iter=15).fit(X, y)
    assert np.array_equal(whole.predict_proba(X), parts.predict_proba(X))
    assert np.array_equal(whole._samples.cutpoints, parts._samples.cutpoints)
    assert np.array_equal(
        whole.predict_proba(X), clone(whole).set_params(n_jobs=2).fit(X, y).predict_proba(X)
    )


def test_history_and_errors():
    X, y = stars(1000)
    model = model_of(max_iter=30).fit(X[:800], y[:800], eval_set=(X[800:], y[800:]))
    assert len(model.history_["validation_log_loss"]) == 30
    assert model.history_["validation_log_loss"][-1] == pytest.approx(
        log_loss(y[800:], model.predict_proba(X[800:]), labels=model.classes_), rel=1e-3
    )
    with pytest.raises(ValueError, match="only one class"):
        model_of().fit(X, np.ones(1000))
    for name in ("nu", "cutpoint_scale"):
        with pytest.raises(ValueError, match=name):
            model_of(**{name: 0.0}).fit(X, y)
    with pytest.raises(ValueError, match="max_memory"):
        model_of(max_memory=1000).fit(X, y)


def test_separable_classes_stay_finite():
    X, y = np.eye(6).repeat(20, axis=0), np.repeat([0, 0, 1, 1, 2, 2], 20)
    model = model_of(max_iter=100).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()
    assert np.array_equal(model.predict(X), y)
    single = model_of(max_iter=30).fit([[1.0], [2.0]], [0, 1])
    assert np.isfinite(single.predict_proba([[0.0], [1e6]])).all()


def test_class_probabilities_equal_their_definition():
    probabilities = class_probabilities(np.array([0.5, -1.0]), np.array([-1.0, 1.0]))
    for row, score in zip(probabilities, (0.5, -1.0), strict=True):
        upper = stats.norm.cdf(1.0 - score)
        lower = stats.norm.cdf(-1.0 - score)
        np.testing.assert_allclose(row, [lower, upper - lower, 1 - upper], rtol=1e-9)
