"""Hashed features (`n_hash`) of plain machines, and their limit of memory."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from fastfm_cy import FMClassifier, FMRegressor, RelationalDesign
from fastfm_cy.data.fields import hashes_of
from fastfm_cy.io import (
    Dataset,
    convert,
    load_model,
    open_dataset,
    save_model,
    write_libfm_model,
    write_xlearn_model,
)

N_HASH = 17


def hashed(X):
    """The same by hand: values of columns that meet are summed."""
    X = sparse.csr_array(X)
    columns = hashes_of(X.indices, N_HASH)
    H = sparse.csr_array((X.data.copy(), columns, X.indptr.copy()), (X.shape[0], N_HASH))
    H.sum_duplicates()
    return H


@pytest.mark.parametrize("solver", ["sgd", "adagrad", "ftrl", "als"])
@pytest.mark.parametrize("degree", [2, 3])
def test_it_is_a_model_of_hashed_columns(solver, degree, clicks):
    kind = {"degree": degree, "solver": solver, "max_iter": 3, "random_state": 0}
    model = FMClassifier(3, scaling=None, **kind)
    by_hand = clone(model).fit(hashed(clicks.X), clicks.y)
    model.set_params(n_hash=N_HASH).fit(clicks.X, clicks.y)
    assert model.coef_.shape == (N_HASH,)
    assert model.n_features_in_ == clicks.X.shape[1]
    np.testing.assert_array_equal(model.coef_, by_hand.coef_)
    np.testing.assert_array_equal(
        model.decision_function(clicks.X), by_hand.decision_function(hashed(clicks.X))
    )


def test_everything_else_of_a_model_is_hashed_too(clicks, tmp_path):
    X, y = sparse.csr_array(clicks.X), clicks.y
    model = FMClassifier(3, n_hash=N_HASH, max_iter=3, random_state=0).fit(X, y)
    expected = model.decision_function(X)
    save_model(model, tmp_path / "m")
    for again in (pickle.loads(pickle.dumps(model)), load_model(tmp_path / "m")):
        np.testing.assert_array_equal(again.decision_function(X), expected)
        again.partial_fit(X, y)
    np.testing.assert_allclose(
        model.compile().rows(X.indptr, X.indices, X.data), expected, rtol=1e-5, atol=1e-6
    )
    convert(Dataset(X, y), tmp_path / "d")
    dataset = open_dataset(tmp_path / "d")
    np.testing.assert_allclose(model.decision_function(dataset), expected, rtol=1e-5, atol=1e-6)
    assert clone(model).fit(dataset).coef_.shape == (N_HASH,)
    design = RelationalDesign([(X[:, :30], None), (X[:, 30:], None)])
    np.testing.assert_array_equal(model.decision_function(design), expected)
    np.testing.assert_array_equal(clone(model).fit(design, y).coef_, model.coef_)
    model.sparsify()
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-5, atol=1e-6)
    model.densify()
    for write in (write_libfm_model, write_xlearn_model):
        with pytest.raises(ValueError, match="hashed"):
            write(model, tmp_path / "x")


def test_a_growing_space_does_not_grow_the_table(clicks):
    X = sparse.csr_array(clicks.X)
    model = FMClassifier(3, n_hash=N_HASH, grow_features=True, random_state=0)
    model.partial_fit(X[:, :30], clicks.y, classes=np.unique(clicks.y)).partial_fit(X, clicks.y)
    assert model.coef_.shape == (N_HASH,)
    assert model.n_features_in_ == X.shape[1]
    assert np.isfinite(model.decision_function(X)).all()


def test_ids_up_to_two_billions():
    X = sparse.csr_array((np.ones(4), [0, 2**31 - 2, 5, 2**30], [0, 2, 4]), (2, 2**31 - 1))
    model = FMRegressor(4, n_hash=1000, random_state=0).fit(X, [0.0, 1.0])
    assert model.predict(X).shape == (2,)
    assert model.coef_.shape == (1000,)


@pytest.mark.parametrize("Model", [FMRegressor, FMClassifier])
def test_max_memory(Model, clicks):
    X, y = clicks.X, clicks.y
    Model(16, max_memory="1MB", max_iter=1).fit(X, y)
    with pytest.raises(MemoryError, match=r"60 features take .* MB, more than .*n_hash=\d+"):
        Model(16, max_memory="4KB", max_iter=1).fit(X, y)
    Model(16, max_memory="4KB", n_hash=20, max_iter=1).fit(X, y)
    with pytest.raises(MemoryError, match="in 2 copies"):
        Model(16, max_memory="4KB", n_hash=20, max_iter=1, n_jobs=2).fit(X, y)
    for bad in (0, 2.5, "7", 2**31):
        with pytest.raises((ValueError, TypeError), match="n_hash"):
            Model(n_hash=bad).fit(X, y)
