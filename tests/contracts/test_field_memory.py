"""Limits of memory, hashing, and features that never occur."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from support.starts import start_as
from support.with_fields import CLASSIFIERS, ESTIMATORS, fields_of

from fastfm_cy import FFMClassifier


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
    fields.data[1] = 10**7
    with pytest.raises(MemoryError, match="that are free"):
        FFMClassifier(100_000).fit(X, [0, 1], fields=fields)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("field", [10**6, 2**40])
def test_too_many_fields_are_refused(Estimator, field):
    X = np.random.default_rng(0).normal(size=(6, 3))
    with pytest.raises(MemoryError, match=f"{field + 1} fields"):
        Estimator(fields=[0, 1, field], max_memory="10MB").fit(X, [0, 1] * 3)


@pytest.mark.parametrize(
    "copies",
    [{"early_stopping": True}, {"n_jobs": 2}, {"relabel": True}, {"deterministic": True}],
)
def test_copies_count(clicks, copies):
    fields = fields_of(clicks)
    table = FFMClassifier(fields=fields, max_iter=1).fit(clicks.X, clicks.y)._table
    parts = table, table.state
    limit = sum(part.factors.nbytes + part.linear.nbytes for part in parts)
    kind = {"fields": fields, "max_iter": 1, "max_memory": limit}
    FFMClassifier(**kind).fit(clicks.X, clicks.y)
    with pytest.raises(MemoryError, match=f"in {6 if 'deterministic' in copies else 2} copies"):
        FFMClassifier(**kind, **copies).fit(clicks.X, clicks.y)


def test_verbose_says_what_the_parameters_take(clicks, capsys):
    FFMClassifier(fields=fields_of(clicks), max_iter=1, verbose=1).fit(clicks.X, clicks.y)
    assert "features and 6 fields take" in capsys.readouterr().out


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
@pytest.mark.parametrize("solver", ["adagrad", "ftrl"])
def test_features_that_do_not_occur_are_not_started(clicks, Estimator, solver, monkeypatch):
    """A large id space with holes gives the same model as the features that occur, packed."""
    fields, X = fields_of(clicks), clicks.X
    used = np.unique(X.indices)
    places = used * 5000 + 3
    wide = sparse.csr_array((X.data, places[np.searchsorted(used, X.indices)], X.indptr))
    wide_fields = np.zeros(wide.shape[1], dtype=int)
    wide_fields[places] = fields[used]
    kind = {"max_iter": 2, "random_state": 0, "solver": solver}
    start_as(monkeypatch, places)
    packed = Estimator(fields=fields[used], **kind).fit(X[:, used], clicks.y)
    model = Estimator(fields=wide_fields, **kind).fit(wide, clicks.y)
    assert np.array_equal(model.factors_[places], packed.factors_)
    assert np.count_nonzero(model.factors_) == np.count_nonzero(packed.factors_)
    table = model._table
    assert np.array_equal(np.flatnonzero(table.has_started), places)
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
