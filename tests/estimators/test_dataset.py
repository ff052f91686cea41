"""What readers return goes straight into fit and the predictions."""

import numpy as np
import pytest

from fastfm_cy import BayesianFMRegressor, FFMClassifier, FMClassifier, FMRegressor
from fastfm_cy.io import Dataset, read_libffm, read_libsvm, write_libffm, write_libsvm


@pytest.fixture
def dataset(ratings, tmp_path):
    write_libsvm(tmp_path / "ratings", ratings.X[:500], ratings.y[:500])
    return read_libsvm(tmp_path / "ratings", dtype="float32")


def test_a_dataset_is_its_rows_and_targets(dataset):
    model = FMRegressor(2, random_state=0).fit(dataset)
    same = FMRegressor(2, random_state=0).fit(dataset.X, dataset.y)
    assert np.array_equal(model.predict(dataset), same.predict(dataset.X))
    weights = np.arange(500.0)
    model.fit(Dataset(dataset.X, dataset.y, weights))
    same.fit(dataset.X, dataset.y, sample_weight=weights)
    assert np.array_equal(model.coef_, same.coef_)
    model.fit(dataset, eval_set=dataset)
    assert len(model.history_["validation_loss"]) == model.n_iter_


def test_fields_go_with_it(tmp_path):
    rng = np.random.default_rng(0)
    X = (rng.random((60, 8)) < 0.5).astype(np.float32)
    from scipy import sparse

    X = sparse.csr_array(X)
    fields = sparse.csr_array((X.indices % 3, X.indices, X.indptr), X.shape)
    write_libffm(tmp_path / "rows", X, np.arange(60) % 2, fields)
    dataset = read_libffm(tmp_path / "rows")
    model = FFMClassifier(2, random_state=0).fit(dataset)
    same = FFMClassifier(2, random_state=0).fit(dataset.X, dataset.y, fields=dataset.fields)
    assert np.array_equal(model.factors_, same.factors_)
    assert np.array_equal(
        model.predict_proba(dataset), same.predict_proba(dataset.X, fields=dataset.fields)
    )


def test_bayesian_machines(dataset):
    model = BayesianFMRegressor(2, max_iter=25, random_state=0).fit(dataset)
    assert np.array_equal(model.predict(dataset), model.predict(dataset.X))
    with pytest.raises(ValueError, match="no weights"):
        model.fit(Dataset(dataset.X, dataset.y, np.ones(500)))


def test_what_is_refused(dataset):
    with pytest.raises(ValueError, match="its own targets and weights"):
        FMRegressor().fit(dataset, dataset.y)
    with pytest.raises(ValueError, match="no targets"):
        FMClassifier().fit(Dataset(dataset.X, None))
