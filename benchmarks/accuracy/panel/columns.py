"""Columns of the panel: what is fitted to a split, and its test loss (RMSE, log loss)."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

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

from .tuned import adagrad_grid, relative_grid, tuned

SOLVERS = ("sgd", "adam", "adamw", "ftrl", "als")
_MOST_GRADES = 10


@dataclass(frozen=True)
class Column:
    """What is fitted to a split.

    `fit` takes a split and a seed and gives a dict with the test "loss" and perhaps more.
    """

    fit: Callable
    applies: Callable = field(default=lambda split: True)
    """Whether it makes sense of a split."""


# References --------------------------------------------------------------------------------------


def constant(split, seed):
    """The training rows' mean, or shares of classes."""
    n_rows = len(split.y_test)
    if split.task == "regression":
        return {"loss": split.rmse(np.full(n_rows, split.y.mean()))}
    counts = np.unique(split.y, return_counts=True)[1]
    return {"loss": split.log_loss(np.tile(counts / counts.sum(), (n_rows, 1)))}


def linear(split, seed):
    """Ridge or logistic regression, its strength by cross-validation."""
    if split.task == "regression":
        model, grid, scoring = Ridge(), {"alpha": np.logspace(-2, 3, 11)}, "neg_mean_squared_error"
    else:
        model = LogisticRegression(max_iter=500)
        grid, scoring = {"C": np.logspace(-3, 2, 6)}, "neg_log_loss"
    steps = []
    if not sparse.issparse(split.X):
        steps = [StandardScaler()]
    elif np.abs(split.X.data).max() > 3:
        steps = [StandardScaler(with_mean=False)]
    grid = {f"{type(model).__name__.lower()}__{name}": values for name, values in grid.items()}
    search = GridSearchCV(
        make_pipeline(*steps, model), grid, cv=5 if len(split.y) < 5000 else 2, scoring=scoring
    )
    return {"loss": split.test_loss(search.fit(split.X, split.y))}


def modern_fm(split, seed):
    """modern-fm's defaults, on X as it is; None where it is not installed."""
    try:
        import modern_fm as peer
    except ImportError:
        return {"loss": None}
    X, X_test = (sparse.csr_matrix(X, dtype=float) for X in (split.X, split.X_test))
    if split.task == "regression":
        model = peer.FMRegressor(random_state=seed).fit(X, split.y)
        return {"loss": split.rmse(model.predict(X_test))}
    model = peer.FMClassifier(random_state=seed)
    model = OneVsRestClassifier(model) if split.n_classes > 2 else model
    return {"loss": split.log_loss(model.fit(X, split.y).predict_proba(X_test))}


# Our own -----------------------------------------------------------------------------------------


def maker(regressor, classifier, with_fields=False, **given):
    """A function of (split, **settings) that makes an estimator."""

    def make(split, **settings):
        kind = regressor if split.task == "regression" else classifier
        fields = {"fields": split.fields} if with_fields else {}
        return kind(**fields, **given, **settings)

    return make


def default(make):
    def fit(split, seed):
        return {"loss": split.test_loss(make(split, random_state=seed).fit(split.X, split.y))}

    return fit


def ordinal(split, seed):
    """Ratings taken as grades in order; the expected grade is predicted."""
    model = BayesianFMOrdinal(random_state=seed).fit(split.X, split.y)
    return {"loss": split.rmse(model.predict_mean(split.X_test))}


def _two_at_most(split):
    return split.n_classes <= 2


def _has_grades(split):
    return split.task == "regression" and len(np.unique(split.y)) <= _MOST_GRADES


def _has_fields(split):
    return split.has_fields


_FM = maker(FMRegressor, FMClassifier)
_FFM = maker(FFMRegressor, FFMClassifier, with_fields=True)
_FWFM = maker(FwFMRegressor, FwFMClassifier, with_fields=True)
_DEGREE_3 = maker(FMRegressor, FMClassifier, degree=3)
_BAYESIAN = maker(BayesianFMRegressor, BayesianFMClassifier)


def _of_solver(solver):
    make = maker(FMRegressor, FMClassifier, solver=solver)
    applies = _two_at_most if solver == "als" else _has_everything
    return {
        solver: Column(default(make), applies),
        f"{solver}, tuned": Column(tuned(make, relative_grid(solver)), applies),
    }


def _has_everything(split):
    return True


COLUMNS = {
    "constant": Column(constant),
    "linear, tuned": Column(linear),
    "FM, tuned": Column(tuned(_FM, adagrad_grid, tests_all=True)),
    "default": Column(default(_FM)),
    "tuning=None": Column(default(maker(FMRegressor, FMClassifier, tuning=None))),
    "modern-fm": Column(modern_fm),
    **{name: column for solver in SOLVERS for name, column in _of_solver(solver).items()},
    "degree 3": Column(default(_DEGREE_3)),
    "degree 3, tuned": Column(tuned(_DEGREE_3, relative_grid("adagrad"))),
    "FFM": Column(default(_FFM), _has_fields),
    "FFM, tuned": Column(tuned(_FFM, relative_grid("adagrad", FFMRegressor._family)), _has_fields),
    "FwFM": Column(default(_FWFM), _has_fields),
    "FwFM, tuned": Column(tuned(_FWFM, relative_grid("adagrad")), _has_fields),
    "Bayesian": Column(default(_BAYESIAN), _two_at_most),
    "ordinal": Column(ordinal, _has_grades),
}
"""By name, in the order of the table."""

DEFAULTS = (
    "default", *SOLVERS, "degree 3", "FFM", "FwFM", "Bayesian", "ordinal",
)  # fmt: skip
"""Those that show what users get without choosing anything."""
