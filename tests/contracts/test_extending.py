"""docs/extending/ in practice: a toy loss, solver and family, each one row of its registry.

(A toy format: tests/io/data_files/test_registry.py.)
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import sparse

from fastfm_cy import FMClassifier, FMRegressor
from fastfm_cy.estimators import registry
from fastfm_cy.estimators.regressor import Regressor
from fastfm_cy.io import load_model, save_model
from fastfm_cy.model import families
from fastfm_cy.model.losses import CLASSIFICATION, REGRESSION
from fastfm_cy.training.solvers import ALL_SOLVERS


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = sparse.random_array((200, 12), density=0.3, rng=rng, format="csr")
    return X, X @ rng.normal(size=12) + 0.1 * rng.normal(size=200)


def same_after_a_file(model, X, path):
    save_model(model, path)
    return np.array_equal(load_model(path).predict(X), model.predict(X))


def test_a_loss_is_a_row(data, tmp_path, monkeypatch):
    X, y = data
    toy = replace(REGRESSION["huber"], best_constant=lambda y, *others: 100.0)
    monkeypatch.setitem(REGRESSION, "toy", toy)
    model = FMRegressor(2, loss="toy", max_iter=1, learning_rate=1e-6, clip_predictions=False)
    model.fit(X, y)
    assert model.predict(X) == pytest.approx(100, abs=1)  # it started where the row says
    assert same_after_a_file(model, X, tmp_path / "toy.fm")


def test_a_loss_says_whether_scores_have_probabilities(data, monkeypatch):
    X, y = data
    linked = replace(CLASSIFICATION["hinge"], link=CLASSIFICATION["log_loss"].link)
    monkeypatch.setitem(CLASSIFICATION, "toy", linked)
    assert not hasattr(FMClassifier(loss="hinge"), "predict_proba")
    model = FMClassifier(2, loss="toy", random_state=0).fit(X, y > 0)
    assert np.allclose(model.predict_proba(X).sum(axis=1), 1)


def test_a_solver_is_a_row(data, tmp_path, monkeypatch):
    X, y = data
    monkeypatch.setitem(ALL_SOLVERS, "toy", replace(ALL_SOLVERS["sgd"], learning_rate=0.003))
    model = FMRegressor(2, solver="toy", max_iter=5, random_state=0).fit(X, y)
    same = FMRegressor(2, solver="sgd", learning_rate=0.003, max_iter=5, random_state=0).fit(X, y)
    assert np.array_equal(model.predict(X), same.predict(X))
    assert same_after_a_file(model, X, tmp_path / "toy.fm")


@dataclass(frozen=True)
class HalfStart(families.FM):
    """A plain machine whose factors start from half the numbers."""

    def start_scale(self, init_scale):
        return init_scale / 2


def test_a_family_is_a_row_and_a_class(data, tmp_path, monkeypatch):
    X, y = data
    monkeypatch.setitem(families.FAMILIES, "HalfStart", HalfStart)

    class ToyRegressor(Regressor):
        _family = HalfStart
        __init__ = FMRegressor.__init__

    monkeypatch.setitem(registry.ESTIMATORS, "ToyRegressor", None)  # to be taken out again
    registry.register("toy", "regression")(ToyRegressor)
    assert registry.of_family("toy") == {"regression": ToyRegressor}
    model = ToyRegressor(3, init_scale=0.2, random_state=0).fit(X, y)
    same = FMRegressor(3, init_scale=0.1, random_state=0).fit(X, y)
    assert np.array_equal(model.predict(X), same.predict(X))
    assert same_after_a_file(model, X, tmp_path / "toy.fm")
