"""Random configurations on random data: a model or a clear error, never NaN, no warning."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning

from fastfm_cy import (
    DivergenceError,
    FFMClassifier,
    FFMRegressor,
    FMClassifier,
    FMRegressor,
    FwFMClassifier,
    FwFMRegressor,
)
from fastfm_cy.model.losses import LOSSES
from fastfm_cy.training.schedules import SCHEDULES
from fastfm_cy.training.solvers import SOLVERS

N_CONFIGURATIONS, N_PARTS = 1000, 10


def draw_matrix(rng):
    n_rows, n_features = rng.integers(1, 40), rng.integers(1, 30)
    X = rng.normal(size=(n_rows, n_features)) * (rng.random((n_rows, n_features)) < rng.random())
    kind = rng.integers(8)
    if kind == 0:
        X[:] = 0
    elif kind == 1:
        X[:, 0] = 1  # a constant column
    elif kind == 2:
        X *= 1e6
    elif kind == 3:
        X *= rng.choice([1e-30, 1e30, 1e-6, 1e3], size=(1, n_features))
    return sparse.csr_array(X) if rng.integers(2) else X


def draw_target(rng, Model, loss, n_rows):
    if issubclass(Model, ClassifierMixin):
        return rng.permutation(np.arange(n_rows) % rng.integers(2, 5))
    scale = rng.choice([0.0, 1e-6, 1.0, 1.0, 1e6])
    y = scale * rng.normal(size=n_rows)
    return np.abs(y) if loss == "poisson" else y


def draw_parameters(rng, Model, n_features):
    def strength():
        choices = [0.0, 0.0, None, 1e-3, 1.0, 1e3, rng.random(n_features)]
        return choices[rng.integers(len(choices))]

    parameters = {
        "n_factors": int(rng.choice([0, 1, 3, 4, 8, 16, 20])),
        "loss": str(rng.choice(list(LOSSES[Model._task]))),
        "solver": str(rng.choice(list(SOLVERS))),
        "schedule": str(rng.choice(list(SCHEDULES))),
        "learning_rate": [None, 1e-6, 0.1, 10.0, 1e3][rng.integers(5)],
        "max_iter": int(rng.integers(1, 30)),
        "l2_linear": strength(),
        "l2_factors": strength(),
        "l1_linear": strength() if rng.integers(2) else 0.0,
        "l1_factors": strength() if rng.integers(2) else 0.0,
        "init_scale": float(rng.choice([1e-30, 0.01, 1.0, 1e3])),
        "shuffle": bool(rng.integers(2)),
        "early_stopping": bool(rng.integers(4) == 0),
        "tol": [None, 0.0, 1e-3][rng.integers(3)],
        "n_jobs": int(rng.integers(1, 4)),
        "dtype": str(rng.choice(["float32", "float64"])),
        "random_state": int(rng.integers(1000)),
    }
    for name in ("fit_intercept", "fit_linear", "relabel", "deterministic"):
        parameters[name] = bool(rng.integers(2))
    if parameters["l1_linear"] is None or parameters["l1_factors"] is None:
        parameters["l1_linear"] = parameters["l1_factors"] = 0.5
    if parameters["solver"] == "ftrl" and rng.integers(4):
        parameters["schedule"] = "constant"
    return parameters


def draw_more_parameters(rng, Model, n_features):
    """Of higher degrees, and of machines with fields."""
    if Model in (FMRegressor, FMClassifier):
        return {"degree": int(rng.integers(3, 6)), "share_factors": bool(rng.integers(2))}
    return {
        "fields": rng.integers(0, rng.integers(1, 8), n_features),
        "same_field": bool(rng.integers(2)),
        "normalize": [None, "l2"][rng.integers(2)],
        "n_hash": [None, 5][rng.integers(2)],
        "init": str(rng.choice(["normal", "uniform"])),
    }


def draw_weights(rng, n_rows):
    if rng.integers(2):
        return None
    return rng.choice([0.0, 1.0, 1e-30, 1e6], size=n_rows)


@pytest.mark.parametrize("part", range(N_PARTS))
def test_never_nan(part):
    outcomes = {"fitted": 0, "diverged": 0, "refused": 0}
    for number in range(N_CONFIGURATIONS // N_PARTS):
        seed = part * N_CONFIGURATIONS + number
        rng = np.random.default_rng(seed)
        Model = (FMRegressor, FMClassifier)[rng.integers(2)]
        X = draw_matrix(rng)
        model = Model(**draw_parameters(rng, Model, X.shape[1]))
        y = draw_target(rng, Model, model.loss, X.shape[0])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", ConvergenceWarning)  # nothing here need be learned
            outcomes[outcome(model, X, y, draw_weights(rng, X.shape[0]))] += 1
    # Most are bearable, many steps of 1e3 and values of 1e30 are not.
    assert outcomes["fitted"] > 0.4 * N_CONFIGURATIONS / N_PARTS
    assert outcomes["diverged"] > 0


@pytest.mark.parametrize("Models", [
    (FMRegressor, FMClassifier), (FFMRegressor, FFMClassifier), (FwFMRegressor, FwFMClassifier)
])  # fmt: skip
def test_other_families_are_never_nan(Models):
    outcomes = {"fitted": 0, "diverged": 0, "refused": 0}
    for seed in range(150):
        rng = np.random.default_rng(seed)
        Model, X = Models[rng.integers(2)], draw_matrix(rng)
        parameters = draw_parameters(rng, Model, X.shape[1])
        model = Model(**parameters, **draw_more_parameters(rng, Model, X.shape[1]))
        y = draw_target(rng, Model, model.loss, X.shape[0])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", ConvergenceWarning)  # nothing here need be learned
            outcomes[outcome(model, X, y, draw_weights(rng, X.shape[0]))] += 1
    assert outcomes["fitted"] > 40
    assert outcomes["diverged"] > 0


def outcome(model, X, y, weights):
    try:
        model.fit(X, y, weights)
    except (DivergenceError, ValueError) as error:
        assert not hasattr(model, "coef_")
        return "diverged" if isinstance(error, DivergenceError) else "refused"
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.factors_).all()
    assert np.isfinite(model.intercept_).all()
    assert np.isfinite(model.history_["train_loss"]).all()
    try:
        predictions = model.predict(X)
        if hasattr(model, "predict_proba"):
            assert np.isfinite(model.predict_proba(X)).all()
    except DivergenceError:
        return "diverged"
    assert not np.isnan(predictions).any()
    return "fitted"


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_million_visits(solver, dtype):
    """Sums that only grow do not overflow, averages do not drift."""
    X, y = np.tile([[1.0], [2.0]], (1000, 1)), np.tile([0, 1], 1000)
    model = FMClassifier(1, solver=solver, dtype=dtype, max_iter=1000, random_state=0).fit(X, y)
    assert np.isfinite(model.predict_proba([[1.5]])).all()
    assert model.score(X, y) >= 0.5
    assert model.history_["train_loss"][-1] < 1
