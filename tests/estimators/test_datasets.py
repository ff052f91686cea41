"""Estimators take a Dataset, as the readers return it, for X, y, weights and fields."""

import io

import numpy as np
import pytest

from fastfm_cy import (
    BayesianFMClassifier,
    BayesianFMOrdinal,
    BayesianFMRegressor,
    FFMClassifier,
    FFMRegressor,
    FMClassifier,
    FMRegressor,
    FwFMClassifier,
    FwFMRegressor,
)
from fastfm_cy.io import Dataset, convert, read_libffm, read_libsvm, write_libffm

SHORT = {"max_iter": 3, "random_state": 0}
PLAIN = [FMRegressor(2, **SHORT), FMClassifier(2, **SHORT), FMRegressor(2, solver="als", **SHORT)]
FIELD_AWARE = [
    kind(2, **SHORT) for kind in (FFMClassifier, FFMRegressor, FwFMClassifier, FwFMRegressor)
]
BAYESIAN = [
    kind(2, n_burn_in=1, **SHORT)
    for kind in (BayesianFMRegressor, BayesianFMClassifier, BayesianFMOrdinal)
]


@pytest.fixture(scope="module")
def data(clicks):
    file = io.BytesIO()
    write_libffm(file, clicks.X[:400], clicks.y[:400], np.arange(clicks.X.shape[1]) // 10)
    file.seek(0)
    return read_libffm(file, n_features=clicks.X.shape[1])


def _same(one, other, X, **fields):
    np.testing.assert_array_equal(one.predict(X, **fields), other.predict(X, **fields))


@pytest.mark.parametrize("model", [*PLAIN, *BAYESIAN], ids=repr)
def test_rows_and_targets(model, data):
    one = type(model)(**model.get_params()).fit(data)
    other = type(model)(**model.get_params()).fit(data.X, data.y)
    _same(one, other, data.X)
    np.testing.assert_array_equal(one.predict(data), other.predict(data.X))


@pytest.mark.parametrize("model", FIELD_AWARE, ids=repr)
def test_fields(model, data):
    one = type(model)(**model.get_params()).fit(data)
    other = type(model)(**model.get_params()).fit(data.X, data.y, fields=data.fields)
    _same(one, other, data.X, fields=data.fields)
    np.testing.assert_array_equal(one.predict(data), other.predict(data.X, fields=data.fields))
    own = model.get_params() | {"fields": np.zeros(data.X.shape[1], int)}
    _same(type(model)(**own).fit(data), type(model)(**own).fit(data.X, data.y), data.X)


def test_weights_validation_and_single_epochs(data):
    weights = np.arange(400.0)
    weighted = Dataset(data.X, data.y, weights)
    one = FMClassifier(2, **SHORT).fit(weighted, eval_set=data)
    other = FMClassifier(2, **SHORT).fit(data.X, data.y, weights, eval_set=(data.X, data.y))
    _same(one, other, data.X)
    assert one.history_["validation_loss"] == other.history_["validation_loss"]
    one.partial_fit(weighted)
    _same(one, other.partial_fit(data.X, data.y, sample_weight=weights), data.X)
    field_aware = FFMClassifier(2, **SHORT).fit(data, eval_set=data)
    assert len(field_aware.history_["validation_loss"]) == 3
    sampled = BayesianFMRegressor(2, n_burn_in=1, **SHORT).fit(data, eval_set=data)
    beside = BayesianFMRegressor(2, n_burn_in=1, **SHORT).fit(
        data.X, data.y, eval_set=(data.X, data.y)
    )
    assert sampled.history_.keys() == beside.history_.keys()


def test_what_a_dataset_must_have(data):
    bare = read_libsvm(io.BytesIO(b"0:1\n1:1\n"), n_features=data.X.shape[1])
    weighted = Dataset(data.X, data.y, np.ones(400))
    for model in (FMClassifier(2, **SHORT), FFMClassifier(2, **SHORT), BAYESIAN[1]):
        model = type(model)(**model.get_params())
        with pytest.raises(ValueError, match="no label in any row"):
            model.fit(bare)
        with pytest.raises(ValueError, match="own targets and weights"):
            model.fit(data, data.y)
        with pytest.raises(ValueError, match="no label in any row"):
            model.fit(data, eval_set=bare)
    with pytest.raises(ValueError, match="take no weights"):
        BAYESIAN[1].fit(weighted)
    assert FMClassifier(2, **SHORT).fit(data).predict(bare).shape == (2,)


def test_data_of_another_width_name_the_option_of_the_readers(data, tmp_path):
    narrow = Dataset(data.X[:, :5], data.y)
    on_disk = convert(narrow, tmp_path / "disk")
    model = FMClassifier(2, **SHORT).fit(data)
    for X in (narrow, narrow.X, on_disk):
        with pytest.raises(ValueError, match=r"5 features.*n_features="):
            model.predict(X)
    with pytest.raises(ValueError, match=r"5 features.*n_features="):
        FMClassifier(2, **SHORT).fit(data, eval_set=narrow)
    model.set_params(warm_start=True)
    for X in (narrow, on_disk):
        with pytest.raises(ValueError, match=r"5 features.*n_features="):
            model.fit(X)
    whole = convert(data, tmp_path / "whole")
    with pytest.raises(ValueError, match=r"5 features.*n_features="):
        FMClassifier(2, **SHORT).fit(whole, eval_set=on_disk)
