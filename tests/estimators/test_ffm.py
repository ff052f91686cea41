"""What field-aware and field-weighted machines are: identities, libffm's losses, L2 of pairs."""

import numpy as np
import pytest
from reference.ffm import libffm_epoch
from sklearn.base import clone
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split
from support.with_fields import assert_same, fields_of

from fastfm_cy import FFMClassifier, FMClassifier, FwFMClassifier, FwFMRegressor
from fastfm_cy.datasets import make_ratings
from fastfm_cy.io import load_model, save_model
from fastfm_cy.training.solvers import SOLVERS

PLAIN = {"normalize": None, "init": "normal", "init_scale": 0.1, "dtype": "float64"}
CLOSE = {"rtol": 1e-8, "atol": 1e-10}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("loss", ["log_loss", "softmax"])
def test_an_ffm_of_one_field_is_an_fm(clicks, solver, loss):
    common = {"solver": solver, "loss": loss, "max_iter": 3, "random_state": 0}
    common["learning_rate"] = SOLVERS[solver].learning_rate
    common["l2_linear"] = 0.02
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


# The L2 of pair weights --------------------------------------------------------------------------


def test_pair_weights_do_not_undo_the_factors_l2_by_default():
    data = make_ratings(n_users=300, n_items=150, n_ratings=6000, rank=3, random_state=0)
    X, X_test, y, y_test = train_test_split(data.X, data.y, random_state=0)

    def error(**settings):
        model = FwFMRegressor(fields=data.fields, max_iter=20, random_state=0, **settings)
        model.fit(X, y)
        return root_mean_squared_error(y_test, model.predict(X_test))

    fixed = error(fit_pair_weights=False)
    assert error() < 1.015 * fixed
    assert error(l2_pair_weights=0) > 1.05 * fixed


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_strong_l2_of_pair_weights_is_the_plain_machine(clicks, solver):
    rate = 1e-5 if solver in ("sgd", "adamw") else None  # whose steps grow with the strength
    kind = {
        "fields": fields_of(clicks), "solver": solver, "max_iter": 3, "random_state": 0,
        "dtype": "float64", "learning_rate": rate, "init_scale": 0.3,
    }  # fmt: skip
    free = FwFMClassifier(l2_pair_weights=0, **kind).fit(clicks.X, clicks.y)
    held = FwFMClassifier(l2_pair_weights=1e6, **kind).fit(clicks.X, clicks.y)
    ones = np.ones_like(held.pair_weights_)
    moved = np.abs(free.pair_weights_ - 1).max()
    np.testing.assert_allclose(held.pair_weights_, ones, atol=0.1 * moved)
    assert moved > 0


@pytest.mark.parametrize("solver", ["adagrad", "ftrl"])
def test_pair_weights_with_l2_go_on_as_if_never_interrupted(clicks, solver, tmp_path):
    kind = {"fields": fields_of(clicks), "solver": solver, "random_state": 0, "init_scale": 0.3}
    model = FwFMClassifier(**kind).partial_fit(clicks.X, clicks.y, classes=[0, 1])
    save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    for other in (model, loaded):
        other.partial_fit(clicks.X, clicks.y)
    assert np.array_equal(model.pair_weights_, loaded.pair_weights_)


@pytest.mark.parametrize("l2", [-1.0, np.inf, "auto", [1.0]])
def test_a_bad_l2_of_pair_weights_is_named(clicks, l2):
    model = FwFMClassifier(fields=fields_of(clicks), l2_pair_weights=l2)
    with pytest.raises((TypeError, ValueError), match="l2_pair_weights"):
        model.fit(clicks.X, clicks.y)
