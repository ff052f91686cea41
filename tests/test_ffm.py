"""Field-aware and field-weighted estimators: identities, fields, memory, and what all share."""

import pickle

import numpy as np
import pytest
from reference.ffm import libffm_epoch
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import log_loss

from fastfm_cy import (
    FFMClassifier,
    FFMRegressor,
    FMClassifier,
    FMRegressor,
    FwFMClassifier,
    FwFMRegressor,
)
from fastfm_cy._solvers import SOLVERS
from fastfm_cy.datasets import make_clicks

CLASSIFIERS = [FFMClassifier, FwFMClassifier]
REGRESSORS = [FFMRegressor, FwFMRegressor]
ESTIMATORS = CLASSIFIERS + REGRESSORS


@pytest.fixture(scope="module")
def clicks():
    """One feature of each of six fields a row."""
    return make_clicks(n_rows=2000, n_fields=6, n_features=60, random_state=0)


def fields_of(data):
    """Of the clicks' features, whose columns come field by field."""
    fields = np.zeros(data.X.shape[1], dtype=int)
    fields[data.X.indices] = np.tile(np.arange(6), data.X.shape[0])
    return fields


def beside(X, fields):
    """The fields of the features, beside X."""
    return sparse.csr_array((fields[X.indices], X.indices, X.indptr), X.shape)


def weights_of(model):
    return np.atleast_1d(model.intercept_), model.coef_, model.factors_


def assert_same(model, other, **tolerance):
    for mine, its in zip(weights_of(model), weights_of(other), strict=True):
        np.testing.assert_allclose(mine.ravel(), its.ravel(), **tolerance)


PLAIN = {"normalize": None, "init": "normal", "init_scale": 0.1, "dtype": "float64"}
CLOSE = {"rtol": 1e-8, "atol": 1e-10}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("loss", ["log_loss", "softmax"])
def test_an_ffm_of_one_field_is_an_fm(clicks, solver, loss):
    common = {"solver": solver, "loss": loss, "max_iter": 3, "random_state": 0}
    fm = FMClassifier(4, init_scale=0.1, dtype="float64", **common).fit(clicks.X, clicks.y)
    fields = np.zeros(clicks.X.shape[1], dtype=int)
    ffm = FFMClassifier(4, fields=fields, **common, **PLAIN).fit(clicks.X, clicks.y)
    assert_same(ffm, fm, **CLOSE)


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_fwfm_whose_pairs_weigh_one_is_an_fm(clicks, solver):
    common = {"solver": solver, "max_iter": 3, "random_state": 0}
    fm = FMClassifier(4, init_scale=0.1, dtype="float64", **common).fit(clicks.X, clicks.y)
    fwfm = FwFMClassifier(
        4, fields=fields_of(clicks) // 2, fit_pair_weights=False, **common, **PLAIN
    ).fit(clicks.X, clicks.y)
    assert (fwfm.pair_weights_ == 1).all()
    # A feature that is alone in its row takes the same step of L2 only, in either.
    assert_same(fwfm, fm, rtol=1e-7, atol=1e-9)


def test_pair_weights_are_learned():
    """Only the fields 0 and 1 interact; their weight comes to stand out."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 4))
    model = FwFMRegressor(4, random_state=0, l2_factors=1e-4).fit(X, X[:, 0] * X[:, 1])
    weights = model.pair_weights_
    assert np.array_equal(weights, weights.T)
    pairs = np.abs(weights[np.triu_indices(4, 1)] * _products(model.factors_))
    assert pairs[0] > 20 * pairs[1:].max()


def _products(vectors):
    return (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]


# libffm ------------------------------------------------------------------------------------------

LIBFFM = {
    "fit_intercept": False, "fit_linear": False, "init": "uniform", "init_scale": 1.0,
    "normalize": "l2", "learning_rate": 0.2, "l2_factors": 2e-5, "shuffle": False,
}  # fmt: skip


def _start_of(model, X, y, **fit):
    """The start values: a step so small that nothing moves."""
    still = clone(model).set_params(learning_rate=1e-30, max_iter=1).fit(X, y, **fit)
    return still.factors_.astype(np.float64)


def _libffm_losses(model, X, y, fields, n_epochs):
    lengths = np.sqrt(X.power(2).sum(axis=1))
    values = X.data / np.repeat(lengths, np.diff(X.indptr))
    entries = list(zip(fields.tolist(), X.indices.tolist(), values.tolist(), strict=True))
    rows = [entries[a:b] for a, b in zip(X.indptr[:-1], X.indptr[1:], strict=True)]
    v = _start_of(model, X, y)
    squares = np.ones_like(v)
    signs = np.where(y > 0, 1.0, -1.0)
    return [libffm_epoch(v, squares, rows, signs, 0.2, 2e-5) for _ in range(n_epochs)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_losses_equal_those_of_libffms_update(clicks, dtype):
    fields = fields_of(clicks)
    X, y = clicks.X[:400], clicks.y[:400]
    model = FFMClassifier(4, fields=fields, max_iter=5, random_state=0, dtype=dtype, **LIBFFM)
    expected = _libffm_losses(model, X, y, fields[X.indices], 5)
    model.fit(X, y)
    np.testing.assert_allclose(model.history_["train_loss"], expected, atol=1e-4)
    assert expected[-1] < expected[0] - 0.05


# Fields ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_fields_of_entries_are_those_of_features(clicks, Estimator):
    fields = fields_of(clicks)
    by_feature = Estimator(fields=fields, max_iter=2, random_state=0).fit(clicks.X, clicks.y)
    by_entry = Estimator(max_iter=2, random_state=0)
    by_entry.fit(clicks.X, clicks.y, fields=beside(clicks.X, fields))
    assert_same(by_feature, by_entry, rtol=0)
    X = clicks.X[:50]
    predicted = by_entry.predict(X, fields=beside(X, fields))
    assert np.array_equal(by_feature.predict(X), predicted)
    assert by_entry.n_fields_ == by_feature.n_fields_ == 6


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_the_order_of_columns_does_not_matter(clicks, Estimator):
    """Fields that do not rise with the columns, unsorted indices, duplicates and stored zeros."""
    fields = fields_of(clicks)
    kind = {"max_iter": 2, "random_state": 0, "dtype": "float64"}
    model = Estimator(fields=fields, **kind).fit(clicks.X, clicks.y)
    flipped = Estimator(fields=5 - fields, **kind)
    turned = sparse.csr_array(clicks.X)
    turned.indices, turned.data = turned.indices.copy(), turned.data.astype(float)
    for start, end in zip(turned.indptr[:-1], turned.indptr[1:], strict=True):
        turned.indices[start:end] = turned.indices[start:end][::-1]
        turned.data[start:end] = turned.data[start:end][::-1]
    again = Estimator(**kind).fit(turned, clicks.y, fields=beside(turned, fields))
    assert_same(again, model, rtol=1e-12)
    np.testing.assert_allclose(
        flipped.fit(clicks.X, clicks.y).predict_proba(turned)[:, 1].std(),
        model.predict_proba(clicks.X)[:, 1].std(), rtol=0.1,
    )  # fmt: skip


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_equal_entries_are_summed_and_zeros_dropped(Estimator):
    rows = np.array([0, 0, 0, 0, 1, 1, 1])
    columns, values = np.array([0, 0, 1, 2, 0, 0, 1]), np.array([1.0, 2, 5, 0, 1, 1, 1])
    fields = np.array([0, 0, 1, 2, 0, 1, 1])
    indptr = np.array([0, 4, 7])
    X = sparse.csr_array((values, columns, indptr), (2, 3))
    F = sparse.csr_array((fields, columns, indptr), (2, 3))
    model = Estimator(n_fields=3, max_iter=1, random_state=0)
    rows, _ = model._check_data(_joined(X, F), [0, 1], reset=True)
    assert rows.indptr.tolist() == [0, 2, 5]
    assert rows.indices.tolist() == [0, 1, 0, 0, 1]
    assert rows.fields.tolist() == [0, 1, 0, 1, 1]
    model.set_params(normalize=None)
    rows, _ = model._check_data(_joined(X, F), [0, 1], reset=True)
    assert rows.data.tolist() == [3, 5, 1, 1, 1]
    model.fit(X, [0, 1], fields=F)
    assert np.isfinite(model.predict_proba(X, fields=F)).all()


def _joined(X, F):
    from fastfm_cy._fields import joined

    return joined(X, F)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_without_fields_each_column_is_one(Estimator):
    X = np.random.default_rng(0).normal(size=(40, 5))
    y = X[:, 0] > 0
    model = Estimator(max_iter=2, random_state=0).fit(X, y)
    assert model.n_fields_ == 5
    assert_same(model, Estimator(max_iter=2, random_state=0, fields=range(5)).fit(X, y), rtol=0)
    with pytest.raises(ValueError, match="each column for a field"):
        Estimator().fit(sparse.csr_array((3, 1000)), [0, 1, 0])


def test_rows_are_normalised_and_empty_ones_stay(clicks):
    fields = fields_of(clicks)
    X = sparse.csr_array(clicks.X, dtype=float)
    X.data *= np.random.default_rng(0).uniform(0.5, 3, len(X.data))
    X = sparse.vstack([X, sparse.csr_array((2, X.shape[1]))], format="csr")
    y = np.append(clicks.y, [0, 1])
    length = np.sqrt(X.power(2).sum(axis=1))
    length[-2:] = 1
    kind = {"fields": fields, "max_iter": 2, "random_state": 0, "dtype": "float64"}
    model = FFMClassifier(**kind).fit(X, y)
    beforehand = sparse.csr_array(X / length[:, None])
    same = FFMClassifier(normalize=None, **kind).fit(beforehand, y)
    assert_same(model, same, rtol=1e-9, atol=1e-12)
    assert np.isfinite(model.predict_proba(X)).all()


def test_rows_of_any_scale_are_normalised():
    X = np.array([[1e200, 1e200], [1e-200, 1e-200]])
    model = FFMClassifier(dtype="float64", random_state=0).fit(X, [0, 1])
    assert np.ptp(model.decision_function(X)) < 1e-12


FIELDS = np.array([0, 1, 1])


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"fields": [0, 1]}, ValueError, r"shape \(3,\); got shape \(2,\)"),
        ({"fields": [0, -1, 1]}, ValueError, "feature 1 has -1"),
        ({"fields": [0.5, 1, 1]}, TypeError, "must be integers"),
        (
            {"fields": [0, 1, 5], "n_fields": 3},
            ValueError,
            "has 5 for feature 2, but n_fields is 3",
        ),
        ({"fields": [0, 1, 2**40], "n_fields": 3}, ValueError, "n_fields is 3"),
        ({"normalize": "l1"}, ValueError, "normalize must be"),
        ({"init": "zero"}, ValueError, "init must be"),
        ({"same_field": 1}, TypeError, "same_field"),
        ({"n_fields": 0}, ValueError, "n_fields"),
        ({"n_hash": 0}, ValueError, "n_hash"),
        ({"max_memory": "1 apple"}, ValueError, "max_memory"),
        ({"solver": "als"}, ValueError, "solver must be one of"),
        ({"l2_factors": "auto"}, ValueError, "plain machines only"),
    ],
)
def test_bad_parameters(Estimator, parameters, error, message):
    X = np.random.default_rng(0).normal(size=(6, 3))
    with pytest.raises(error, match=message):
        Estimator(**parameters).fit(X, [0, 1] * 3)


def _with(X, entry=None, value=None, shape=None):
    F = sparse.csr_array((FIELDS[X.indices], X.indices.copy(), X.indptr.copy()), X.shape)
    if entry is not None:
        F.data[entry] = value
    return F


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_bad_fields_beside_the_data(Estimator):
    X = sparse.csr_array(np.array([[1.0, 2, 0], [0, 1, 3], [1, 0, 1]]))
    y = [0, 1, 1]
    model = Estimator(random_state=0)
    with pytest.raises(TypeError, match="both must be"):
        model.fit(X.toarray(), y, fields=_with(X))
    with pytest.raises(TypeError, match="both must be"):
        model.fit(X, y, fields=FIELDS)
    with pytest.raises(TypeError, match="must hold integers"):
        model.fit(X, y, fields=_with(X).astype(float))
    with pytest.raises(ValueError, match="row 1, column 2 has -1"):
        model.fit(X, y, fields=_with(X, 3, -1))
    with pytest.raises(ValueError, match=r"got \(2, 3\) for \(3, 3\)"):
        model.fit(X, y, fields=_with(X)[:2])
    with pytest.raises(ValueError, match="another number of entries in row 1"):
        model.fit(X, y, fields=_with(sparse.csr_array(np.array([[1, 1, 0], [0, 1, 0], [1, 1, 1]]))))
    moved = _with(X)
    moved.indices[2] = 0
    with pytest.raises(ValueError, match="in row 1 X has column 1, fields 0"):
        model.fit(X, y, fields=moved)
    with pytest.raises(ValueError, match="not both"):
        Estimator(fields=FIELDS).fit(X, y, fields=_with(X))
    assert not hasattr(model, "n_fields_")
    model.fit(X, y, fields=_with(X))
    with pytest.raises(ValueError, match="field 2 at row 2, column 2: the model knows 0 to 1"):
        model.predict(X, fields=_with(X, 5, 2))
    with pytest.raises(ValueError, match="pass fields="):
        model.predict(X)
    with pytest.raises(ValueError, match="leave out fields="):
        Estimator(fields=FIELDS).fit(X, y).predict(X, fields=_with(X))
    with pytest.raises(ValueError, match="Unknown field"):
        model.fit(X, y, fields=_with(X), eval_set=(X, y, None, _with(X, 5, 2)))


# Memory ------------------------------------------------------------------------------------------


def test_a_table_that_is_too_large_is_refused_beforehand():
    X = sparse.csr_array((np.ones(2), [0, 10**9], [0, 1, 2]), (2, 10**9 + 1))
    fields = sparse.csr_array((np.array([0, 38]), [0, 10**9], [0, 1, 2]), X.shape)
    with pytest.raises(
        MemoryError, match=r"1,000,000,001 features and 39 fields take .* MB"
    ) as info:
        FFMClassifier(max_memory="1GB").fit(X, [0, 1], fields=fields)
    n_hash = int(str(info.value).split("n_hash=")[1].split(")")[0])
    model = FFMClassifier(max_memory="1GB", n_hash=n_hash, max_iter=1)
    assert model.fit(X, [0, 1], fields=fields).factors_.shape == (n_hash, 39, 4)
    with pytest.raises(MemoryError, match="that are free"):
        FFMClassifier(64).fit(X, [0, 1], fields=fields)


@pytest.mark.parametrize(
    "copies",
    [{"early_stopping": True}, {"n_jobs": 2}, {"relabel": True}, {"deterministic": True}],
)
def test_copies_count(clicks, copies):
    fields = fields_of(clicks)
    table = FFMClassifier(fields=fields, max_iter=1).fit(clicks.X, clicks.y)._table
    limit = table.factors.nbytes + table.linear.nbytes
    kind = {"fields": fields, "max_iter": 1, "max_memory": limit}
    FFMClassifier(**kind).fit(clicks.X, clicks.y)
    with pytest.raises(MemoryError, match=f"in {6 if 'deterministic' in copies else 2} copies"):
        FFMClassifier(**kind, **copies).fit(clicks.X, clicks.y)


def test_verbose_says_what_the_parameters_take(clicks, capsys):
    FFMClassifier(fields=fields_of(clicks), max_iter=1, verbose=1).fit(clicks.X, clicks.y)
    assert "features and 6 fields take" in capsys.readouterr().out


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
@pytest.mark.parametrize("solver", ["adagrad", "ftrl"])
def test_features_that_do_not_occur_are_not_started(clicks, Estimator, solver):
    """A large id space with holes gives the same model as the features that occur, packed."""
    fields, X = fields_of(clicks), clicks.X
    used = np.unique(X.indices)
    places = used * 5000 + 3
    wide = sparse.csr_array((X.data, places[np.searchsorted(used, X.indices)], X.indptr))
    wide_fields = np.zeros(wide.shape[1], dtype=int)
    wide_fields[places] = fields[used]
    kind = {"max_iter": 2, "random_state": 0, "solver": solver}
    packed = Estimator(fields=fields[used], **kind).fit(X[:, used], clicks.y)
    model = Estimator(fields=wide_fields, **kind).fit(wide, clicks.y)
    assert np.array_equal(model.factors_[places], packed.factors_)
    assert np.count_nonzero(model.factors_) == np.count_nonzero(packed.factors_)
    table = model._table
    assert np.array_equal(np.flatnonzero(table.begun), places)
    unused = np.setdiff1d(np.arange(wide.shape[1])[:20000], places)
    assert not table.factors[unused].any()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_hashing(clicks, Estimator):
    fields = fields_of(clicks)
    model = Estimator(fields=fields, n_hash=16, max_iter=2, random_state=0)
    model.fit(clicks.X, clicks.y)
    assert model.factors_.shape[0] == len(model.coef_) == 16
    assert model.n_features_in_ == clicks.X.shape[1]
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(clicks.X), model.predict(clicks.X))
    plenty = Estimator(fields=fields, n_hash=10**5, max_iter=2, random_state=0, dtype="float64")
    plenty.fit(clicks.X, clicks.y)
    exact = Estimator(fields=fields, max_iter=2, random_state=0, dtype="float64")
    exact.fit(clicks.X, clicks.y)
    loss = plenty.history_["train_loss"][-1]
    assert loss == pytest.approx(exact.history_["train_loss"][-1], rel=0.02)


# What all estimators do --------------------------------------------------------------------------


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
    for start in range(0, 2000, 500):
        rows = slice(start, start + 500)
        n_columns = 30 if start == 0 else clicks.X.shape[1]
        model.partial_fit(clicks.X[rows, :n_columns], clicks.y[rows], **first)
    assert model.factors_.shape[0] == clicks.X.shape[1]
    assert model.n_iter_ == 4
    assert model.history_["train_loss"][-1] < model.history_["train_loss"][0]
    assert np.array_equal(model._table.begun, np.isin(np.arange(len(fields)), clicks.X.indices))


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
    from fastfm_cy import _machines

    fields = fields_of(clicks)
    model = Estimator(fields=fields, random_state=0)
    model.partial_fit(clicks.X[:20], clicks.y[:20], classes=[0, 1])
    before = [np.copy(weights) for weights in weights_of(model)]
    begun = model._table.begun.copy()
    kernels = model._table.machine.kernels

    class Interrupted:
        @staticmethod
        def train(*arguments):
            kernels.train(*arguments)
            raise KeyboardInterrupt

    name = kernels.__name__.split(".")[-1].split("_")[0]
    monkeypatch.setattr(_machines, name, Interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(clicks.X, clicks.y)
    monkeypatch.undo()
    for was, now in zip(before, weights_of(model), strict=True):
        assert np.array_equal(was, now)
    assert np.array_equal(begun, model._table.begun)


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
    for bad in ((indices - 100, data, given), (indices, data, given + 6), (data, data, given)):
        with pytest.raises(IndexError):
            scorer.row(*bad)
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
    kind = {"random_state": 0, "max_iter": 2}
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
