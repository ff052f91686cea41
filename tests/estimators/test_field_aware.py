"""What estimators with fields do as all others: solvers, classes, threads, streams, saving."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss
from support.with_fields import (
    CLASSIFIERS,
    ESTIMATORS,
    REGRESSORS,
    assert_same,
    beside,
    fields_of,
    weights_of,
)

from fastfm_cy import FFMClassifier, FMClassifier, FMRegressor, FwFMClassifier
from fastfm_cy.datasets import make_clicks
from fastfm_cy.training.solvers import SOLVERS


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_learns_and_is_reproducible(clicks, Estimator, solver):
    rate = {"sgd": 0.3, "adagrad": 0.2, "ftrl": 0.2}.get(solver, 0.01)
    model = Estimator(
        fields=fields_of(clicks), solver=solver, learning_rate=rate, l2_factors=1e-4,
        l2_linear=1e-4, random_state=0,
    )  # fmt: skip
    model.fit(clicks.X, clicks.y)
    base = log_loss(clicks.y, np.full(len(clicks.y), clicks.y.mean()))
    assert log_loss(clicks.y, model.predict_proba(clicks.X)) < 0.97 * base
    assert_same(model, clone(model).fit(clicks.X, clicks.y), rtol=0)


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
@pytest.mark.parametrize("loss", ["log_loss", "softmax", "hinge"])
def test_several_classes(clicks, Estimator, loss):
    y = np.array(["a", "b", "c"])[np.digitize(clicks.X @ np.arange(clicks.X.shape[1]), [50, 120])]
    y[:3] = ["a", "b", "c"]
    model = Estimator(fields=fields_of(clicks), loss=loss, random_state=0, learning_rate=0.3)
    model.fit(clicks.X, y)
    assert model.factors_.shape[0] == len(model.coef_) == 3
    assert model.score(clicks.X, y) > 0.9
    if Estimator is FwFMClassifier:
        assert model.pair_weights_.shape == (3, 6, 6)


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
@pytest.mark.parametrize("solver", ["adagrad", "adam", "ftrl"])
def test_threads(clicks, Estimator, solver):
    data = make_clicks(n_rows=20_000, n_fields=6, n_features=3000, random_state=0)
    fields = fields_of(data)
    kind = {"fields": fields, "solver": solver, "random_state": 0, "max_iter": 3}
    one = Estimator(**kind).fit(data.X, data.y)
    two = Estimator(n_jobs=2, **kind).fit(data.X, data.y)
    loss = two.history_["train_loss"][-1]
    assert loss == pytest.approx(one.history_["train_loss"][-1], rel=0.06)
    assert two._table.is_finite()
    np.testing.assert_array_equal(two.set_params(n_jobs=1).predict(data.X), two.predict(data.X))
    fixed = [
        Estimator(n_jobs=n_jobs, deterministic=True, **kind).fit(data.X, data.y)
        for n_jobs in (1, 2)
    ]
    assert_same(*fixed, rtol=0)


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_relabelling_gives_the_same_model(clicks, Estimator):
    kind = {"fields": fields_of(clicks), "random_state": 0, "max_iter": 2}
    plain = Estimator(**kind).fit(clicks.X, clicks.y)
    assert_same(plain, Estimator(relabel=True, **kind).fit(clicks.X, clicks.y), rtol=0)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("solver", ["adagrad", "ftrl"])
def test_streams_that_grow(clicks, Estimator, solver):
    fields = fields_of(clicks)
    model = Estimator(fields=fields, n_fields=6, solver=solver, grow_features=True, random_state=0)
    first = {"classes": [0, 1]} if Estimator in CLASSIFIERS else {}
    for start in range(0, 3000, 500):
        rows = slice(start, start + 500)
        n_columns = 30 if start == 0 else clicks.X.shape[1]
        model.partial_fit(clicks.X[rows, :n_columns], clicks.y[rows], **first)
    assert model.factors_.shape[0] == clicks.X.shape[1]
    assert model.n_iter_ == 6
    assert model.history_["train_loss"][-1] < model.history_["train_loss"][0]
    assert np.array_equal(
        model._table.has_started, np.isin(np.arange(len(fields)), clicks.X.indices)
    )


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("solver", ["adam", "ftrl"])
def test_one_block_is_one_epoch(clicks, Estimator, solver):
    kind = {"fields": fields_of(clicks), "solver": solver, "random_state": 0}
    whole = Estimator(max_iter=1, **kind).fit(clicks.X, clicks.y)
    first = {"classes": [0, 1]} if Estimator in CLASSIFIERS else {}
    block = Estimator(**kind).partial_fit(clicks.X, clicks.y, **first)
    assert_same(block, whole, rtol=0)


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_a_failed_partial_fit_leaves_the_model(clicks, Estimator, monkeypatch):
    from fastfm_cy.model import families as _machines

    fields = fields_of(clicks)
    model = Estimator(fields=fields, random_state=0)
    model.partial_fit(clicks.X[:20], clicks.y[:20], classes=[0, 1])
    before = [np.copy(weights) for weights in weights_of(model)]
    has_started = model._table.has_started.copy()
    kernels = model._table.family.kernels

    class Interrupted:
        @staticmethod
        def train(*arguments, **named):
            kernels.train(*arguments, **named)
            raise KeyboardInterrupt

    name = kernels.__name__.split(".")[-1].split("_")[0]
    monkeypatch.setattr(_machines, name, Interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(clicks.X, clicks.y)
    monkeypatch.undo()
    for was, now in zip(before, weights_of(model), strict=True):
        assert np.array_equal(was, now)
    assert np.array_equal(has_started, model._table.has_started)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_warm_start_goes_on(clicks, Estimator):
    kind = {"fields": fields_of(clicks), "random_state": 0, "shuffle": False}
    whole = Estimator(max_iter=4, **kind).fit(clicks.X, clicks.y)
    halves = Estimator(max_iter=2, warm_start=True, **kind).fit(clicks.X, clicks.y)
    assert_same(whole, halves.fit(clicks.X, clicks.y), rtol=0)
    with pytest.raises(ValueError, match="cannot change"):
        halves.set_params(same_field=False).fit(clicks.X, clicks.y)


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
@pytest.mark.parametrize("scoring", [None, "roc_auc"])
@pytest.mark.parametrize("own_rows", [True, False])
def test_early_stopping_with_fields_beside_the_data(clicks, Estimator, scoring, own_rows):
    X, y = clicks.X[:1500], clicks.y[:1500]
    fields = fields_of(clicks)
    model = Estimator(
        early_stopping=True, scoring=scoring, random_state=0, max_iter=30, learning_rate=0.5
    )
    eval_set = None
    if own_rows:
        held_out = clicks.X[1500:]
        eval_set = held_out, clicks.y[1500:], None, beside(held_out, fields)
    model.fit(X, y, fields=beside(X, fields), eval_set=eval_set)
    assert model.best_iter_ <= model.n_iter_ < 30
    if own_rows and scoring is None:
        proba = model.predict_proba(held_out, fields=beside(held_out, fields))
        best = min(model.history_["validation_loss"])
        assert log_loss(clicks.y[1500:], proba) == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_pickle_sparsify_and_compile(clicks, Estimator):
    fields, X = fields_of(clicks), clicks.X
    model = Estimator(fields=fields, solver="ftrl", l1_factors=0.05, l1_linear=0.05, random_state=0)
    model.fit(X, clicks.y)
    again = pickle.loads(pickle.dumps(model))
    score = "decision_function" if Estimator in CLASSIFIERS else "predict"
    expected = getattr(model, score)(X)
    assert np.array_equal(getattr(again, score)(X), expected)
    scorer = model.compile()
    few = X[:9]
    scored = scorer.rows(few.indptr, few.indices, few.data)
    np.testing.assert_array_equal(scored, expected[:9])
    assert scorer.row(few.indices[:6], few.data[:6]) == expected[0]
    again.sparsify()
    assert np.array_equal(getattr(again, score)(X), expected)
    assert again.factors_.nnz == np.count_nonzero(model.factors_)
    again.densify()
    assert np.array_equal(again.factors_, model.factors_)
    again.partial_fit(X, clicks.y)
    assert np.isfinite(again.predict(X)).all()


def test_a_compiled_model_checks_what_keeps_memory_safe(clicks):
    fields, X = fields_of(clicks), clicks.X
    model = FFMClassifier(max_iter=1).fit(X, clicks.y, fields=beside(X, fields))
    scorer = model.compile()
    indices, data = X.indices[:6], X.data[:6]
    given = fields[indices]
    assert scorer.row(indices, data, given) == pytest.approx(
        model.decision_function(X[:1], fields=beside(X[:1], fields))[0]
    )
    shuffled = np.array([3, 0, 5, 1, 2, 4])
    assert scorer.row(indices[shuffled], data[shuffled], given[shuffled]) == pytest.approx(
        scorer.row(indices, data, given), rel=1e-5
    )
    for bad in (
        (indices, data), (indices, data[:5], given), (indices, data, given[:5]),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"values|field"):
            scorer.row(*bad)
    for bad in ((indices - 100, data, given), (indices, data, given + 6)):
        with pytest.raises(IndexError):
            scorer.row(*bad)
    with pytest.raises(TypeError, match="integers"):
        scorer.row(data, data, given)
    with pytest.raises(ValueError, match="indptr"):
        scorer.rows([0, 4, 3], indices, data, given)


def test_sample_weights_and_groups(clicks):
    fields = fields_of(clicks)
    kind = {"fields": fields, "random_state": 0, "max_iter": 2, "shuffle": False}
    weights = np.arange(len(clicks.y)) % 2
    weighted = FFMClassifier(init_intercept=0, **kind).fit(clicks.X, clicks.y, weights)
    half = FFMClassifier(init_intercept=0, **kind).fit(clicks.X[1::2], clicks.y[1::2])
    used = np.unique(clicks.X[1::2].indices)
    np.testing.assert_array_equal(weighted.factors_[used], half.factors_[used])
    groups = FFMClassifier(feature_groups=fields, l2_factors=np.full(6, 0.002), **kind)
    plain = FFMClassifier(l2_factors=0.002, **kind).fit(clicks.X, clicks.y)
    assert_same(groups.fit(clicks.X, clicks.y), plain, rtol=1e-4, atol=1e-6)


def test_no_factors_is_the_linear_model(clicks):
    kind = {"random_state": 0, "max_iter": 2, "learning_rate": 0.05, "l2_linear": 0.02}
    linear = FMClassifier(0, **kind).fit(clicks.X, clicks.y)
    for Estimator in CLASSIFIERS:
        model = Estimator(0, fields=fields_of(clicks), normalize=None, **kind)
        model.fit(clicks.X, clicks.y)
        np.testing.assert_allclose(model.coef_, linear.coef_, rtol=1e-5, atol=1e-7)


def test_ratings_with_fields(ratings):
    fields = np.repeat([0, 1, 2], [60, 40, ratings.X.shape[1] - 100])
    fm = FMRegressor(random_state=0).fit(ratings.X, ratings.y).score(ratings.X, ratings.y)
    for Estimator in REGRESSORS:
        model = Estimator(8, fields=fields, random_state=0, max_iter=30, l2_factors=0.01)
        assert model.fit(ratings.X, ratings.y).score(ratings.X, ratings.y) > 0.6 * fm
