"""Random configurations and data with extreme values, and what becomes of them."""

import warnings

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning

from fastfm_cy import (
    BayesianFMClassifier,
    BayesianFMOrdinal,
    BayesianFMRegressor,
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
from fastfm_cy.training.solvers import ALL_SOLVERS, SOLVERS

GRADIENT = (FMRegressor, FMClassifier, FFMRegressor, FFMClassifier, FwFMRegressor, FwFMClassifier)
BAYESIAN = (BayesianFMRegressor, BayesianFMClassifier, BayesianFMOrdinal)
SIZES = (1e-300, 1e-30, 1e-3, 0.1, 1.0, 1.0, 1e3, 1e30, 1e300)


def pick(rng, choices):
    return choices[rng.integers(len(choices))]


def extreme_problem(rng):
    """An estimator, X, y and weights or None."""
    n_rows, n_features = int(rng.integers(4, 30)), int(rng.integers(1, 20))
    X = rng.normal(size=(n_rows, n_features)) * (rng.random((n_rows, n_features)) < rng.random())
    kind = rng.integers(6)
    if kind == 0:
        X *= pick(rng, [1e-300, 1e-40, 1e-30, 1e30, 1e37, 1e300])
    elif kind == 1:
        X *= rng.choice([1e-38, 1e38, 1e-6, 1e3], size=(1, n_features))
    elif kind == 2:
        X[:] = pick(rng, [0, 1, -3.4e38])
    Estimator = pick(rng, GRADIENT + BAYESIAN)
    y = rng.normal(size=n_rows) * pick(rng, [0, 1e-300, 1e-40, 1e-6, 1, 1, 1e6, 1e30, 1e38, 1e300])
    if issubclass(Estimator, ClassifierMixin):
        n_classes = 2 if Estimator is BayesianFMClassifier else pick(rng, [2, 2, 3, 4])
        y = rng.permutation(np.arange(n_rows) % n_classes)
    parameters = {
        "n_factors": pick(rng, [0, 1, 3, 8]), "random_state": 0,
        "dtype": pick(rng, ["float32", "float64"]), "scaling": pick(rng, [None, "auto"]),
        "init_scale": pick(rng, [1e-30, 0.01, 0.1, 1.0, 1e3, 1e30, *SIZES]),
        "max_iter": int(rng.integers(1, 8)),
    }  # fmt: skip
    if Estimator in BAYESIAN:
        parameters |= extreme_priors(rng, Estimator)
        return Estimator(**parameters), X, y, None
    task = "classification" if issubclass(Estimator, ClassifierMixin) else "regression"
    parameters |= extreme_training(rng, Estimator, task, n_features)
    if parameters["loss"] == "poisson":
        y = np.abs(y)
    weights = None if rng.integers(2) else rng.choice([0, 1, 1e-30, 1e6, 1e300], size=n_rows)
    return Estimator(**parameters), X, y, weights


def extreme_priors(rng, Estimator):
    priors = {name: pick(rng, [1.0, 1.0, *SIZES]) for name in ("alpha_0", "beta_0", "gamma_0")}
    priors |= {"mu_0": pick(rng, [0.0, -1e30, 1e300, 5.0]), "n_burn_in": 0}
    if Estimator is BayesianFMOrdinal:
        priors |= {"nu": pick(rng, [5.0, *SIZES])}
        priors |= {"cutpoint_scale": pick(rng, [10.0, 1e-50, 1e-5, 1e30, 1e90])}
        priors.pop("scaling", None)
    return priors


def extreme_training(rng, Estimator, task, n_features):
    has_fields = Estimator not in GRADIENT[:2]
    known = Estimator().get_params()
    solver = pick(rng, list(SOLVERS if has_fields or task == "classification" else ALL_SOLVERS))
    losses = list(ALL_SOLVERS[solver].losses or LOSSES[task])
    schedules = list(SCHEDULES) if ALL_SOLVERS[solver].schedules else ["constant"]
    parameters = {
        "solver": solver, "loss": pick(rng, [loss for loss in losses if loss in LOSSES[task]]),
        "schedule": pick(rng, schedules), "power_t": pick(rng, [0.5, 1e-300, 1e300, 20.0]),
        "learning_rate": pick(rng, [None, None, *SIZES]), "ftrl_beta": pick(rng, [1.0, *SIZES]),
        "l2_intercept": pick(rng, [0.0, 0.0, *SIZES]), "shuffle": pick(rng, [True, False]),
        "early_stopping": rng.integers(4) == 0, "tol": pick(rng, [None, 0.0, 1e300]),
        "n_jobs": int(rng.integers(1, 4)), "tuning": pick(rng, [None, None, None, "auto"]),
        "init_intercept": pick(rng, [None, None, 0.0, 1e30, 1e300, -800.0]),
        "n_hash": pick(rng, [None, None, 5]), "validation_fraction": pick(rng, [0.1, 0.5]),
        "adam_betas": pick(rng, [(0.9, 0.999), (0.0, 0.0), (0.999999, 0.9999999)]),
        "huber_delta": pick(rng, SIZES),
        "clip_predictions": pick(rng, [True, False, (-1e300, 1e300), (0.0, 0.0)]),
        "class_weight": pick(rng, [None, None, "balanced", {0: 1e-300, 1: 1e300}]),
        "fields": rng.integers(0, rng.integers(1, 8), n_features),
        "same_field": pick(rng, [True, False]), "normalize": pick(rng, [None, "l2"]),
        "init": pick(rng, ["normal", "uniform"]), "degree": int(rng.integers(2, 6)),
        "share_factors": pick(rng, [True, False]),
    }  # fmt: skip
    for name in ("fit_intercept", "fit_linear", "relabel", "deterministic"):
        parameters[name] = pick(rng, [True, False])
    for name in ("l1_linear", "l1_factors", "l2_linear", "l2_factors"):
        off = ALL_SOLVERS[solver].by_columns and name.startswith("l1")
        parameters[name] = 0.0 if off else pick(rng, [0.0, 0.0, *SIZES])
    return {name: value for name, value in parameters.items() if name in known}


def extreme_outcome(model, X, y, weights):
    """As outcome; what a model holds and says must be finite, whatever its kind."""
    try:
        model.fit(X, y, *(() if weights is None else (weights,)))
    except DivergenceError:
        return "diverged"
    except ValueError:
        return "refused"
    for name in ("coef_", "factors_", "intercept_", "cutpoints_", "pair_weights_"):
        assert np.isfinite(getattr(model, name, 0.0)).all(), name
    for name, values in model.history_.items():
        assert np.isfinite(values).all(), name
    try:
        for said in predictions_of(model, X):
            assert not np.isnan(said).any()
    except FloatingPointError:
        return "diverged"
    except ValueError:
        if not isinstance(model, BAYESIAN):  # whose draws are of float32, whatever the chain's type
            raise
        return "refused"
    return "fitted"


def predictions_of(model, X):
    for name in ("predict", "predict_proba", "decision_function", "sample_predictions"):
        if hasattr(model, name):
            yield getattr(model, name)(X)
    if isinstance(model, BayesianFMRegressor):
        yield model.predict_quantiles(X, [0.1, 0.9])
        yield from model.predict(X, return_std=True)
    if isinstance(model, GRADIENT):
        rows = sparse.csr_array(X.astype(model.dtype))
        first = slice(rows.indptr[1])
        scorer = model.compile()
        yield scorer.row(rows.indices[first], rows.data[first])
        yield scorer.rows(rows.indptr, rows.indices, rows.data)


def outcome_without_warnings(seed):
    """ "fitted", "diverged" or "refused": of the configuration and the data of a seed.

    Whatever is not finite, and every warning but of a fit that stopped early, is an error.
    """
    problem = extreme_problem(np.random.default_rng(seed))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        return extreme_outcome(*problem)
