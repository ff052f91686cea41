"""The Bayesian estimators."""

import pickle

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import train_test_split
from support.strategies import DTYPES

from fastfm_cy import BayesianFMClassifier, BayesianFMRegressor, DivergenceError, FMRegressor
from fastfm_cy.data.csr import CSRRows
from fastfm_cy.datasets import make_ratings
from fastfm_cy.model.quantiles import mixture_quantile
from fastfm_cy.training.coordinate import csc as columns
from fastfm_cy.training.gibbs.likelihoods import ProbitTarget, RegressionTarget
from fastfm_cy.training.gibbs.sampler import Chain, Priors, Sampler


@pytest.fixture(scope="module")
def split():
    data = make_ratings(n_users=150, n_items=100, n_ratings=6000, random_state=0)
    return train_test_split(data.X, data.y, test_size=0.25, random_state=0)


def regressor(**settings):
    return BayesianFMRegressor(
        4, **({"max_iter": 60, "n_burn_in": 10, "random_state": 0} | settings)
    )


# The sampler -------------------------------------------------------------------------------


@pytest.mark.parametrize("n_groups", [1, 2])
def test_the_sampler_leaves_the_joint_distribution_alone(n_groups):
    """Geweke (JASA 2004): drawing data and parameters in turn must give the priors."""
    rng = np.random.default_rng(0)
    # Small values: the less the data say, the sooner the chain forgets.
    X = 0.5 * rng.normal(size=(5, 4)) * (rng.random((5, 4)) < 0.7)
    rows = CSRRows(np.arange(0, 21, 4), np.tile(np.arange(4, dtype=np.int32), 5), X.ravel(), 4)
    groups = (np.arange(4) % n_groups).astype(np.int32)
    priors = Priors(alpha_0=8.0, beta_0=2.0, gamma_0=8.0, mu_0=0.5)
    chain = Chain.start(4, 2, n_groups, "float64", 0.5, rng)
    target = RegressionTarget(np.zeros(5))
    sampler = Sampler(
        rows, target, groups, chain, priors, fit_intercept=False, fit_linear=True, n_jobs=1
    )
    seen = []
    with sampler:
        for _ in range(20_000):
            scores = np.array([_score(chain, x) for x in X])
            target.y = scores + rng.normal(size=5) / np.sqrt(chain.alpha)
            sampler.iterate()
            w, v = chain.table.coef[0], chain.factors[1, 1]
            precision, mean = chain.linear_prior[0]
            seen.append([chain.alpha, precision, mean, w, w**2, v, v**2, chain.precisions[-1, 0]])
    precisions = rng.gamma(4, 1 / 4, 400_000)
    means = 0.5 + rng.normal(size=400_000) / np.sqrt(2 * precisions)
    theta = means + rng.normal(size=400_000) / np.sqrt(precisions)
    expected = [1, 1, 0.5, 0.5, np.mean(theta**2), 0.5, np.mean(theta**2), 1]
    batches = np.array(seen)[1000:].reshape(50, -1, 8).mean(axis=1)
    errors = (batches.mean(axis=0) - expected) / (batches.std(axis=0) / np.sqrt(50))
    assert np.abs(errors).max() < 4


def _score(chain, x):
    s, v = chain.factors.T @ x, chain.factors
    return chain.table.coef @ x + 0.5 * (s @ s - np.square(v.T @ np.diag(x)).sum())


def test_latent_normals_are_truncated_normals():
    chain, n = Chain.start(1, 0, 1, "float64", 1.0, np.random.default_rng(0)), 200_000
    for score, label in ((0.3, 1.0), (-1.2, 1.0), (2.0, -1.0)):
        target = ProbitTarget(np.full(n, label))
        latent = score - target.errors(np.full(n, score), chain)
        low, high = (-score, np.inf) if label > 0 else (-np.inf, -score)
        expected = stats.truncnorm(low, high, loc=score)
        assert (np.sign(latent) == label).all()
        assert latent.mean() == pytest.approx(expected.mean(), abs=0.01)
        assert latent.std() == pytest.approx(expected.std(), abs=0.01)
    far = ProbitTarget(np.array([1.0, -1.0])).errors(np.array([-1e6, 1e6]), chain)
    assert np.isfinite(far).all()


def test_unseen_features_are_drawn_from_the_prior():
    """As in libFM: their draws have the group's mean and precision, and score like strangers."""
    rng = np.random.default_rng(0)
    X, levels = np.zeros((500, 70)), rng.integers(0, 40, 500)
    X[np.arange(500), levels] = 1
    y = rng.normal(size=40)[levels] + 0.1 * rng.normal(size=500)
    model = BayesianFMRegressor(2, max_iter=300, random_state=0).fit(X, y)
    weights = model._samples.linear[:, 40:]
    assert weights.std() == pytest.approx(model._samples.linear[:, :40].std(), rel=0.2)
    known, unknown = np.eye(70)[:2], np.eye(70)[40:42]
    assert model.predict(unknown, return_std=True)[1].min() > 2 * max(
        model.predict(known, return_std=True)[1]
    )


# Estimators --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_factors", [0, 1, 4, 8, 11, 20])
def test_as_good_as_the_best_gradient_fit(dtype, n_factors, split):
    X, X_test, y, y_test = split
    model = BayesianFMRegressor(n_factors, max_iter=100, dtype=dtype, random_state=0).fit(X, y)
    gradient = min(
        root_mean_squared_error(
            y_test, FMRegressor(n_factors, max_iter=e, random_state=0).fit(X, y).predict(X_test)
        )
        for e in (10, 20, 40)
    )
    assert root_mean_squared_error(y_test, model.predict(X_test)) < 1.01 * gradient
    assert model.n_samples_ == 80
    assert model.coef_.shape == (X.shape[1],)
    assert np.isfinite(model.intercept_)


def test_classifier(clicks):
    X, X_test, y, y_test = train_test_split(clicks.X, clicks.y, random_state=0)
    model = BayesianFMClassifier(4, max_iter=60, random_state=0)
    model.fit(X, np.array(["no", "yes"])[y], eval_set=(X_test, np.array(["no", "yes"])[y_test]))
    probabilities = model.predict_proba(X_test)
    assert list(model.classes_) == ["no", "yes"]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert log_loss(y_test, probabilities) == pytest.approx(
        model.history_["validation_log_loss"][-1], rel=1e-4
    )
    prior = np.tile([1 - y.mean(), y.mean()], (len(y_test), 1))
    assert log_loss(y_test, probabilities) < 0.98 * log_loss(y_test, prior)
    assert ((probabilities[:, 1] > 0.5) == (model.predict(X_test) == "yes")).all()
    assert model.sample_predictions(X_test).shape == (model.n_samples_, len(y_test))


def test_separable_labels_stay_finite():
    X, y = np.eye(6), [0, 0, 0, 1, 1, 1]
    model = BayesianFMClassifier(2, max_iter=300, random_state=0).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()
    assert (model.predict(X) == y).all()


def test_the_running_error_is_that_of_the_prediction(split):
    X, X_test, y, y_test = split
    model = regressor().fit(X, y, eval_set=(X_test, y_test))
    error = root_mean_squared_error(y_test, model.predict(X_test))
    assert model.history_["validation_rmse"][-1] == pytest.approx(error, rel=1e-5)
    assert len(model.history_["alpha"]) == len(model.history_["train_rmse"]) == model.n_iter_ == 60


def test_intervals_cover_what_they_say(split):
    X, X_test, y, y_test = split
    model = regressor(max_iter=150, clip_predictions=False).fit(X, y)
    quantiles = model.predict_quantiles(X_test, [0.05, 0.5, 0.95])
    assert (np.diff(quantiles, axis=1) > 0).all()
    assert np.mean((y_test >= quantiles[:, 0]) & (y_test <= quantiles[:, 2])) == pytest.approx(
        0.9, abs=0.03
    )
    mean, std = model.predict(X_test, return_std=True)
    np.testing.assert_allclose(quantiles[:, 1], mean, atol=0.1)
    np.testing.assert_allclose(quantiles[:, 2] - quantiles[:, 1], 1.645 * std, rtol=0.15)
    assert np.array_equal(model.predict_quantiles(X_test, 0.5), quantiles[:, 1])
    draws = model.sample_predictions(X_test)
    np.testing.assert_allclose(draws.mean(axis=0), mean)
    for q in (0.0, 1.0, [0.5, 2.0]):
        with pytest.raises(ValueError, match="q must lie between"):
            model.predict_quantiles(X_test, q)


@pytest.mark.parametrize("level", [1e-6, 0.1, 0.5, 0.999])
def test_mixture_quantiles(level):
    """Of mixtures near and far from normal, such as two narrow peaks far apart."""
    rng = np.random.default_rng(0)
    means = np.stack([rng.normal(size=50), 100.0 * rng.integers(0, 2, 50), np.zeros(50)], axis=1)
    scale = rng.uniform(0.01, 2, (50, 1))
    quantiles = mixture_quantile(means, scale, level)
    reached = stats.norm.cdf((quantiles - means) / scale).mean(axis=0)
    np.testing.assert_allclose(reached, level, rtol=1e-6)


@pytest.mark.parametrize("Model", [BayesianFMRegressor, BayesianFMClassifier])
@pytest.mark.parametrize("dtype", DTYPES)
def test_draws_do_not_depend_on_the_threads(Model, dtype, split, monkeypatch):
    monkeypatch.setattr(columns, "_LEAST_A_THREAD", 100)
    X, _, y, _ = split
    y = y > 3 if Model is BayesianFMClassifier else y
    settings = {"max_iter": 5, "n_burn_in": 1, "dtype": dtype, "random_state": 0}
    first, *others = (Model(10, n_jobs=n, **settings).fit(X, y) for n in (None, 2, 3, -1))
    for other in others:
        for mine, its in zip(first._samples.arrays, other._samples.arrays, strict=True):
            assert np.array_equal(mine, its)


@pytest.mark.parametrize("thin", [1, 3])
@pytest.mark.parametrize("n_kept", [None, 7])
@pytest.mark.parametrize("first", [25, 24])
def test_going_on_equals_an_uninterrupted_chain(thin, n_kept, first, split):
    X, X_test, y, _ = split
    settings = {"thin": thin, "n_kept_samples": n_kept, "n_burn_in": 10}
    whole = regressor(max_iter=40, **settings).fit(X, y)
    parts = regressor(max_iter=first, warm_start=True, **settings).fit(X, y)
    parts = pickle.loads(pickle.dumps(parts)).set_params(max_iter=40 - first).fit(X, y)
    assert np.array_equal(parts._samples.linear, whole._samples.linear)
    assert np.array_equal(parts.predict(X_test), whole.predict(X_test))
    assert parts.n_iter_ == 40
    assert parts.history_["alpha"] == whole.history_["alpha"]
    assert parts.n_samples_ == (n_kept or 30 // thin)
    with pytest.raises(ValueError, match="n_factors and dtype cannot change"):
        parts.set_params(n_factors=5).fit(X, y)


def test_groups_have_priors_of_their_own(split):
    X, _, y, _ = split
    groups = (np.arange(X.shape[1]) >= 150).astype(int)
    model = regressor(feature_groups=groups).fit(X, y)
    assert model._chain.linear_prior.shape == (2, 2)
    assert model._chain.precisions.shape == (2, 4)
    assert len(np.unique(model._chain.precisions)) == 8


def test_pickle_clone_and_size(split):
    X, X_test, y, _ = split
    model = regressor(n_kept_samples=5).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(X_test), model.predict(X_test))
    assert not hasattr(clone(model), "coef_")
    assert model.n_samples_ == 5
    assert np.array_equal(model.predict(X_test[:1]), model.predict(X_test)[:1])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_iter": 20, "n_burn_in": 20}, "leaves no draw"),
        ({"thin": 1000}, "leaves no draw"),
        ({"max_memory": 1000}, "set n_kept_samples to at most 7"),
        ({"max_memory": "1KB"}, "max_memory='1KB'"),
        ({"max_memory": "much"}, "max_memory must be"),
        ({"max_memory": None}, "max_memory must be"),
        ({"max_memory": -1}, "max_memory must be positive"),
        ({"alpha_0": 0.0}, "alpha_0"),
        ({"mu_0": np.inf}, "mu_0"),
        ({"n_kept_samples": 0}, "n_kept_samples"),
        ({"feature_groups": [0]}, "feature_groups"),
        ({"clip_predictions": 2}, "clip_predictions"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises((TypeError, ValueError), match=message):
        regressor(**parameters).fit(np.eye(6), np.arange(6))


def test_bad_input(split):
    X, _, y, _ = split
    with pytest.raises(ValueError, match="NaN at row 1"):
        regressor().fit([[1.0], [np.nan]], [1, 2])
    with pytest.raises(ValueError, match="eval_set"):
        regressor().fit(X, y, eval_set=(X[:, :3], y))
    with pytest.raises(ValueError, match="no weights"):
        regressor().fit(X, y, eval_set=(X, y, y))
    with pytest.raises(ValueError, match="only one class"):
        BayesianFMClassifier().fit(np.eye(2), [1, 1])
    with pytest.raises(ValueError, match="3 labels"):
        BayesianFMClassifier().fit(np.eye(3), [0, 1, 2])
    with pytest.raises(DivergenceError, match=r"too large|finite"):
        regressor(scaling=None).fit(1e30 * np.ones((3, 2)) + np.eye(3, 2), [1, 2, 3])


@pytest.mark.parametrize("n_rows", [1, 2])
def test_few_rows(n_rows):
    X = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])[:n_rows]
    model = regressor(max_iter=300).fit(X, [2.0, 1.0][:n_rows])
    assert np.isfinite(model.predict(X)).all()


def test_callbacks_and_errors_leave_things_in_order(split):
    X, X_test, y, _ = split
    model = regressor().fit(X, y, callbacks=lambda m, history: m.n_iter_ == 15)
    assert model.n_iter_ == 15
    assert model.n_samples_ == 5
    before = model.predict(X_test)

    def interrupt(model, history):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, callbacks=interrupt)
    with pytest.raises(ValueError, match="before the first draw"):
        model.fit(X, y, callbacks=lambda m, history: True)
    assert np.array_equal(model.predict(X_test), before)
    assert model.n_iter_ == 15


def test_progress_and_memory_are_shown(split, capsys):
    X, X_test, y, y_test = split
    regressor(verbose=1).fit(X, y, eval_set=(X_test, y_test))
    shown = capsys.readouterr()
    assert "50 samples take" in shown.out
    assert "rmse=" in shown.err
