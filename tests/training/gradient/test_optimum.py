"""Every solver finds the optimum of every loss: n_factors=0 is a convex problem.

The optima are scikit-learn's, or SciPy's for the Huber loss, of which scikit-learn fits the scale,
too, and for the probit, which it lacks. Objectives are compared, since a hinge's optimum need not
be unique.
"""

import numpy as np
import pytest
from reference.losses import LOSSES, softmax_loss
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.svm import LinearSVC
from support.strategies import DTYPES

from fastfm_cy import FMClassifier, FMRegressor
from fastfm_cy.model.losses import CLASSIFICATION, REGRESSION
from fastfm_cy.training.solvers import SOLVERS

N_ROWS, N_FEATURES, L2 = 300, 4, 0.05
TOLERANCE = 2e-3  # of the objective at its optimum

# Steps that end small. FTRL counts its strengths once and AdamW's are no term of an objective, so
# these two minimise the loss alone.
COURSES = {
    "sgd": {"learning_rate": 0.05, "schedule": "cosine"},
    "adagrad": {"learning_rate": 0.3},
    "adam": {"learning_rate": 0.02, "schedule": "cosine"},
    "adamw": {"learning_rate": 0.02, "schedule": "cosine", "l2_linear": 0.0},
    "ftrl": {"learning_rate": 0.3, "l2_linear": 0.0},
}


def draw(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, N_FEATURES))
    score = X @ [0.8, -0.5, 0.3, 0.0] + 0.2 + rng.normal(scale=0.8, size=N_ROWS)
    if loss == "poisson":
        return X, rng.poisson(np.exp(0.5 * score)).astype(float)
    if loss == "softmax":
        return X, np.digitize(score, [-0.5, 0.5])
    return X, score if loss in REGRESSION else np.where(score > 0, 1, -1)


def draw_weights(kind):
    rng = np.random.default_rng(1)
    choices = {"none": [1.0], "whole": [1.0, 2.0], "zero": [0.0, 1.0, 0.5]}[kind]
    return rng.choice(choices, N_ROWS)


def objective(loss, scores, coef, y, weights, l2):
    """The sum that training minimises: each visited row's weighted loss and L2 penalty."""
    if loss == "softmax":
        losses = np.array([softmax_loss(*pair) for pair in zip(scores, y, strict=True)])
    else:
        losses = np.array([LOSSES[loss](*pair) for pair in zip(scores, y, strict=True)])
    return weights @ losses + np.count_nonzero(weights) * l2 / 2 * np.sum(np.square(coef))


def optimum(loss, X, y, weights, l2):
    strength = max(np.count_nonzero(weights) * l2, 1e-6)
    C = 1 / strength
    if loss in ("huber", "probit"):
        return minimize(
            lambda theta: objective(loss, X @ theta, theta, y, weights, l2),
            np.zeros(N_FEATURES), method="BFGS",
        ).fun  # fmt: skip
    model = {
        "squared_error": Ridge(alpha=strength, fit_intercept=False, tol=1e-8),
        "poisson": PoissonRegressor(
            alpha=strength / weights.sum(), fit_intercept=False, tol=1e-8, max_iter=10_000
        ),
        "log_loss": LogisticRegression(C=C, fit_intercept=False, tol=1e-8),
        "softmax": LogisticRegression(C=C, fit_intercept=False, tol=1e-8, max_iter=1000),
        "hinge": LinearSVC(
            C=min(C, 1e2), loss="hinge", fit_intercept=False, tol=1e-5, max_iter=1_000_000
        ),
        "squared_hinge": LinearSVC(C=min(C, 1e3), fit_intercept=False, tol=1e-6, max_iter=200_000),
    }[loss].fit(X, y, weights)
    coef = np.atleast_2d(model.coef_)
    scores = X @ coef.T
    return objective(loss, scores if loss == "softmax" else scores[:, 0], coef, y, weights, l2)


@pytest.mark.parametrize("loss", REGRESSION | CLASSIFICATION)
def test_a_weight_of_two_is_the_row_twice(loss):
    """At the optimum without L2, which counts visits; one step of weight two is not two steps."""
    X, y = draw(loss)
    weights = draw_weights("whole")
    settings = {"loss": loss, "max_iter": 300, "l2_linear": 0.0, "fit_intercept": False}
    settings |= {"learning_rate": 0.3, "random_state": 0}
    Model = FMRegressor if loss in REGRESSION else FMClassifier
    weighted = Model(0, **settings).fit(X, y, weights)
    times = weights.astype(int)
    repeated = Model(0, **settings).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    reached = []
    for model in (weighted, repeated):
        scores = X @ np.atleast_2d(model.coef_).T
        scores = scores if loss == "softmax" else scores[:, 0]
        reached.append(objective(loss, scores, 0.0, y, weights, 0.0))
    assert reached[0] == pytest.approx(reached[1], rel=TOLERANCE)


@pytest.mark.parametrize("weighted", ["none", "whole", "zero"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", REGRESSION | CLASSIFICATION)
@pytest.mark.parametrize("solver", SOLVERS)
def test_solvers_find_the_optimum(solver, loss, dtype, weighted):
    X, y = draw(loss)
    weights = draw_weights(weighted)
    settings = {"l2_linear": L2} | COURSES[solver]
    if loss == "poisson" and solver == "sgd":
        settings["learning_rate"] = 0.01  # its curvature has no bound
    Model = FMRegressor if loss in REGRESSION else FMClassifier
    model = Model(
        0, loss=loss, solver=solver, dtype=dtype, max_iter=400, fit_intercept=False, random_state=0,
        **settings,
    )  # fmt: skip
    if Model is FMRegressor:
        model.set_params(clip_predictions=False)
    model.fit(X, y, None if weighted == "none" else weights)
    coef = np.atleast_2d(model.coef_.astype(float))
    scores = X @ coef.T if loss == "softmax" else X @ coef[0]
    l2 = settings["l2_linear"]
    reached = objective(loss, scores, coef, y, weights, l2)
    best = optimum(loss, X, y, weights, l2)
    # scikit-learn's own hinge solver stops somewhat above its optimum if hardly regularised.
    slack = 5 if loss == "hinge" else 1
    assert -slack * TOLERANCE * abs(best) < reached - best < TOLERANCE * abs(best)
