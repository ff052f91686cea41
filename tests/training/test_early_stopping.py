"""Validation, early stopping, tol, schedules, callbacks, Ctrl-C."""

import signal
import threading

import numpy as np
import pytest
from sklearn.metrics import log_loss, root_mean_squared_error

from fastfm_cy import BayesianFMRegressor, DivergenceError, FMClassifier, FMRegressor
from fastfm_cy.datasets import make_clicks, make_ratings


@pytest.fixture(scope="module")
def split():
    data = make_ratings(n_users=200, n_items=150, n_ratings=12_000, random_state=0)
    return data.X[:9000], data.y[:9000], data.X[9000:], data.y[9000:]


def overfits(**settings):
    """A model that is at its best after few epochs."""
    settings = {"l2_linear": 0.0, "l2_factors": 0.0, "init_scale": 0.1, "max_iter": 60} | settings
    return FMRegressor(16, random_state=0, **settings)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_best_epoch_comes_back(n_jobs, split):
    X, y, X_test, y_test = split
    model = overfits(early_stopping=True, n_iter_no_change=4, n_jobs=n_jobs)
    model.fit(X, y, eval_set=(X_test, y_test))
    losses = model.history_["validation_loss"]
    assert model.n_iter_ == len(losses) == len(model.history_["seconds"]) < 60
    assert model.best_iter_ == np.argmin(losses) + 1 == model.n_iter_ - 4
    error = root_mean_squared_error(y_test, model.predict(X_test))
    assert 0.5 * error**2 == pytest.approx(min(losses), rel=1e-5)
    if n_jobs == 1:
        same = overfits(max_iter=model.best_iter_).fit(X, y)
        assert np.array_equal(same.factors_, model.factors_)


def test_an_eval_set_alone_only_watches(split):
    X, y, X_test, y_test = split
    model = overfits(max_iter=12).fit(X, y, eval_set=(X_test, y_test))
    assert model.n_iter_ == len(model.history_["validation_loss"]) == 12
    assert not hasattr(model, "best_iter_")
    assert np.array_equal(model.factors_, overfits(max_iter=12).fit(X, y).factors_)


def test_a_fraction_is_held_out_by_class():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 3)), np.repeat([0, 1], [380, 20])
    X[y == 1] += 1
    seen = []
    model = FMClassifier(
        2, early_stopping=True, validation_fraction=0.25, scoring="average_precision", max_iter=5,
        random_state=0,
    )  # fmt: skip
    model.fit(X, y, callbacks=lambda m, history: seen.append(dict(history)))
    assert len(seen) == model.n_iter_
    assert len(model.history_["validation_score"]) == model.n_iter_
    assert model.history_["validation_score"][model.best_iter_ - 1] == max(
        model.history_["validation_score"]
    )
    with pytest.raises(ValueError, match=r"validation_fraction=0\.1 of 3 rows"):
        FMClassifier(early_stopping=True).fit(np.eye(3), [0, 0, 1])


def test_a_scorer_decides(split):
    X, y, X_test, y_test = split
    model = overfits(early_stopping=True, scoring="neg_mean_absolute_error")
    model.fit(X, y, eval_set=(X_test, y_test))
    best = max(model.history_["validation_score"])
    assert -np.abs(model.predict(X_test) - y_test).mean() == pytest.approx(best, rel=1e-4)
    own = overfits(early_stopping=True, scoring=lambda m, X, y: -m.n_iter_, max_iter=9)
    assert own.fit(X, y, eval_set=(X_test, y_test)).best_iter_ == 1
    with pytest.raises(TypeError, match="scoring"):
        overfits(scoring=3).fit(X, y)


def test_weights_count_in_validation(split):
    X, y, X_test, y_test = split
    weights = (y_test > 3).astype(float)
    model = overfits(max_iter=2).fit(X, y, eval_set=(X_test, y_test, weights))
    only = overfits(max_iter=2).fit(X, y, eval_set=(X_test[y_test > 3], y_test[y_test > 3]))
    assert model.history_["validation_loss"] == pytest.approx(only.history_["validation_loss"])


@pytest.mark.parametrize(
    ("eval_set", "message"),
    [
        ([1, 2], "tuple"),
        ((np.eye(3),), "tuple"),
        ((np.eye(3), [1, 2, 3]), "eval_set: X has 3 features"),
        ((np.full((2, 2), np.nan), [1, 2]), "eval_set: .*NaN at row 0"),
    ],
)
def test_bad_eval_sets(eval_set, message):
    with pytest.raises(ValueError, match=message):
        FMRegressor().fit(np.eye(2), [1, 2], eval_set=eval_set)


@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.filterwarnings("ignore:.*:sklearn.exceptions.UndefinedMetricWarning")
def test_a_score_that_is_not_finite_is_an_error(held_out):
    """It names the scorer and the rows, and leaves the estimator as it was."""
    data = make_clicks(500, random_state=0)
    ones = data.y == data.y.max()
    model = FMClassifier(2, max_iter=9, early_stopping=True, scoring="roc_auc", random_state=0)
    message = r"scoring='roc_auc' is nan on the eval_set after epoch 1"
    if held_out:
        model.set_params(scoring=lambda model, X, y, sample_weight=None: np.inf)
        message = r"is inf on the rows held out \(validation_fraction\) after epoch 1"
    eval_set = None if held_out else (data.X[ones], data.y[ones])
    with pytest.raises(ValueError, match=message):
        model.fit(data.X, data.y, eval_set=eval_set)
    assert not hasattr(model, "coef_")


def test_a_validation_loss_that_is_not_finite_is_an_error():
    X, y = np.eye(4), np.array([1.0, 2.0, 3.0, 400.0])
    model = FMRegressor(0, loss="poisson", max_iter=9, clip_predictions=False, scaling=None)
    for early_stopping in (False, True):
        model.set_params(early_stopping=early_stopping)
        with pytest.raises(DivergenceError, match="validation loss is inf after epoch"):
            model.fit(X, y, eval_set=(1e6 * X, y))
    with pytest.raises(ValueError, match="eval_set: at least one row must have a positive weight"):
        model.fit(X, y, eval_set=(X, y, np.zeros(4)))


def test_callbacks_and_scorers_see_the_model_so_far_of_scaled_data():
    """Not only that of the first epoch, folded once."""
    rng = np.random.default_rng(0)
    X = 100 * rng.normal(size=(300, 4)) + 50
    y = X @ rng.normal(size=4)
    seen = []
    model = FMRegressor(2, max_iter=8, scoring="r2", early_stopping=True, random_state=0)
    model.fit(X, y, callbacks=lambda model, _: seen.append(model.score(X, y)))
    assert np.all(np.diff(seen[:4]) > 0)
    assert seen[-1] == pytest.approx(model.score(X, y), abs=0.05)
    assert len(set(model.history_["validation_score"])) == model.n_iter_


def test_unknown_label_in_the_eval_set():
    with pytest.raises(ValueError, match="'c' in row 1"):
        FMClassifier().fit(np.eye(2), ["a", "b"], eval_set=(np.eye(2), ["a", "c"]))


def test_tol_stops_on_the_training_loss(split):
    X, y, *_ = split
    model = FMRegressor(0, max_iter=200, tol=1e-3, n_iter_no_change=2, random_state=0).fit(X, y)
    assert 3 <= model.n_iter_ < 200
    falls = -np.diff(model.history_["train_loss"])
    assert (falls[-2:] <= 1e-3).all()
    assert FMRegressor(0, max_iter=40, random_state=0).fit(X, y).n_iter_ == 40


@pytest.mark.parametrize("schedule", ["invscaling", "cosine"])
def test_schedules(schedule, split):
    X, y, *_ = split
    plain = FMRegressor(4, solver="sgd", max_iter=3, random_state=0).fit(X, y)
    scheduled = FMRegressor(4, solver="sgd", schedule=schedule, max_iter=3, random_state=0)
    scheduled.fit(X, y)
    losses = plain.history_["train_loss"], scheduled.history_["train_loss"]
    assert losses[0][0] == losses[1][0]  # the first epoch has the full rate
    assert losses[0][1] != losses[1][1]
    with pytest.raises(ValueError, match=r"ftrl.*constant"):
        FMRegressor(solver="ftrl", schedule=schedule).fit(X, y)


def test_schedules_follow_their_formulas():
    """One row, one linear weight: after an epoch each, the rate shows in the step."""
    X, y, rates = np.eye(1), [1.0], []
    for epochs in range(5):
        model = FMRegressor(
            0, solver="sgd", learning_rate=0.1, schedule="invscaling", power_t=0.7, l2_linear=0.0,
            fit_intercept=False, clip_predictions=False, dtype="float64", max_iter=max(1, epochs),
        ).fit(X, y)  # fmt: skip
        rates.append(float(model.coef_[0]) if epochs else 0.0)
    steps = np.diff(rates) / (1 - np.array(rates[:-1]))
    np.testing.assert_allclose(steps, 0.1 / np.arange(1, 5) ** 0.7)


# Callbacks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_callbacks_see_the_model_and_may_stop(n_jobs, split):
    X, y, X_test, y_test = split
    errors, calls = [], []

    def follow(model, history):
        errors.append(root_mean_squared_error(y_test, model.predict(X_test)))

    def stop_after_three(model, history):
        calls.append(len(history["train_loss"]))
        return model.n_iter_ == 3

    model = FMRegressor(4, n_jobs=n_jobs, random_state=0)
    model.fit(X, y, callbacks=[stop_after_three, follow])
    assert model.n_iter_ == 3
    assert calls == [1, 2, 3]
    assert errors[2] < errors[0]
    assert errors[2] == root_mean_squared_error(y_test, model.predict(X_test))


def test_an_error_in_a_callback_undoes_the_fit(split):
    X, y, *_ = split

    def fail(model, history):
        raise RuntimeError("no")

    model = FMRegressor(4, random_state=0)
    with pytest.raises(RuntimeError, match="no"):
        model.fit(X, y, callbacks=fail)
    assert not hasattr(model, "coef_")
    assert not hasattr(model, "history_")


@pytest.mark.parametrize("callbacks", [3, [3], "print"])
def test_bad_callbacks(callbacks):
    for model in (FMRegressor(), BayesianFMRegressor()):
        with pytest.raises(TypeError, match="callbacks must be a function"):
            model.fit(np.eye(2), [1, 2], callbacks=callbacks)


# Ctrl-C ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("fitted_before", [False, True])
def test_ctrl_c_leaves_the_estimator_as_it_was(n_jobs, fitted_before):
    data = make_clicks(20_000, random_state=0)
    model = FMClassifier(32, max_iter=1_000_000, n_jobs=n_jobs, random_state=0)
    if fitted_before:
        model.set_params(max_iter=1).fit(data.X, data.y).set_params(max_iter=1_000_000)
    before = dict(vars(model))
    began = threading.Event()
    presser = threading.Thread(
        target=lambda: (began.wait(60), signal.raise_signal(signal.SIGINT)), daemon=True
    )
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(data.X, data.y, callbacks=lambda m, history: began.set())
    assert vars(model) == before
    if fitted_before:
        assert log_loss(data.y, model.predict_proba(data.X)) < 1


def test_ctrl_c_in_partial_fit_restores_the_table(ratings, monkeypatch):
    """The table is trained in place, so what was touched must go back."""
    from fastfm_cy.model import families as _machines

    model = FMRegressor(4, random_state=0).partial_fit(ratings.X[:500], ratings.y[:500])
    before = model.factors_.copy(), model.coef_.copy(), model.intercept_, model.n_iter_
    train = _machines.fm.train

    class Interrupted:
        @staticmethod
        def train(*arguments, **named):
            train(*arguments, **named)
            raise KeyboardInterrupt

    monkeypatch.setattr(_machines, "fm", Interrupted)
    for rows in (slice(500, 510), slice(500, 2000)):
        with pytest.raises(KeyboardInterrupt):
            model.partial_fit(ratings.X[rows], ratings.y[rows])
    monkeypatch.undo()
    after = model.factors_, model.coef_, model.intercept_, model.n_iter_
    for was, now in zip(before, after, strict=True):
        assert np.array_equal(was, now)


@pytest.mark.parametrize("more", [{}, {"l2_factors": "auto"}, {"warm_start": True}])
def test_refit_trains_on_all_rows_for_the_best_number_of_epochs(more, ratings):
    settings = {"early_stopping": "refit", "max_iter": 8, "random_state": 0, **more}
    model = FMRegressor(4, **settings).fit(ratings.X, ratings.y)
    assert 1 <= model.best_iter_ <= model.n_iter_ == len(model.history_["validation_loss"])
    held_out = FMRegressor(4, **settings | {"early_stopping": True}).fit(ratings.X, ratings.y)
    assert held_out.best_iter_ == model.best_iter_
    assert not np.array_equal(held_out.coef_, model.coef_)
    plain = FMRegressor(4, max_iter=model.best_iter_, random_state=0).fit(ratings.X, ratings.y)
    assert root_mean_squared_error(plain.predict(ratings.X), model.predict(ratings.X)) < 0.1
    if "warm_start" in more:
        once = model.coef_.copy()
        assert not np.array_equal(model.fit(ratings.X, ratings.y).coef_, once)


def test_refit_with_an_eval_set_has_nothing_to_add(ratings):
    X, y = ratings.X, ratings.y
    fits = [
        FMRegressor(4, early_stopping=word, max_iter=6, random_state=0)
        .fit(X[:2000], y[:2000], eval_set=(X[2000:], y[2000:])).coef_
        for word in (True, "refit")
    ]  # fmt: skip
    assert np.array_equal(*fits)
    with pytest.raises(ValueError, match="early_stopping must be True, False or 'refit'"):
        FMRegressor(early_stopping="auto").fit(X, y)
