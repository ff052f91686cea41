"""Fields of features and of entries; rows of unit length."""

import numpy as np
import pytest
from scipy import sparse
from support.with_fields import CLASSIFIERS, ESTIMATORS, assert_same, beside, fields_of

from fastfm_cy import FFMClassifier
from fastfm_cy.data.fields import joined


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


def rows_in_a_fit(model, X, F):
    return model._take_in(joined(X, F), [0, 1], None, model._plan(), None).source.rows


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_equal_entries_are_summed_and_zeros_dropped(Estimator):
    rows = np.array([0, 0, 0, 0, 1, 1, 1])
    columns, values = np.array([0, 0, 1, 2, 0, 0, 1]), np.array([1.0, 2, 5, 0, 1, 1, 1])
    fields = np.array([0, 0, 1, 2, 0, 1, 1])
    indptr = np.array([0, 4, 7])
    X = sparse.csr_array((values, columns, indptr), (2, 3))
    F = sparse.csr_array((fields, columns, indptr), (2, 3))
    model = Estimator(n_fields=3, max_iter=1, scaling=None, random_state=0)
    rows = rows_in_a_fit(model, X, F)
    assert rows.indptr.tolist() == [0, 2, 5]
    assert rows.indices.tolist() == [0, 1, 0, 0, 1]
    assert rows.fields.tolist() == [0, 1, 0, 1, 1]
    model.set_params(normalize=None)
    rows = rows_in_a_fit(model, X, F)
    assert rows.data.tolist() == [3, 5, 1, 1, 1]
    model.fit(X, [0, 1], fields=F)
    assert np.isfinite(model.predict_proba(X, fields=F)).all()


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
    model = FFMClassifier(dtype="float64", scaling=None, random_state=0).fit(X, [0, 1])
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
