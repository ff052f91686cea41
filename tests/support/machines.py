"""Fitted machines of every family, with weights that are drawn rather than learned."""

import numpy as np

from fastfm_cy import (
    BayesianFMClassifier,
    BayesianFMOrdinal,
    BayesianFMRegressor,
    FFMClassifier,
    FFMRegressor,
    FMClassifier,
    FMRanker,
    FMRegressor,
    FwFMClassifier,
    FwFMRegressor,
)

N_FEATURES = 9
FIELDS = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
PLAIN = {
    "regressor": (FMRegressor, {}),
    "classifier": (FMClassifier, {}),
    "three classes": (FMClassifier, {"n_classes": 3}),
    "joint classes": (FMClassifier, {"n_classes": 2, "loss": "softmax"}),
    "float64": (FMRegressor, {"dtype": "float64", "loss": "poisson"}),
    "degree 3": (FMRegressor, {"degree": 3}),
    "degree 5 shared": (FMClassifier, {"degree": 5, "share_factors": True}),
    "degree 4, three classes": (FMClassifier, {"degree": 4, "n_classes": 3}),
    "no linear terms": (FMRegressor, {"fit_linear": False, "fit_intercept": False}),
    "linear": (FMRegressor, {"n_factors": 0}),
    "sparse": (FMRegressor, {"sparse": True}),
    "ranker": (FMRanker, {}),
}
WITH_FIELDS = {
    "ffm": (FFMRegressor, {"normalize": None}),
    "ffm, unit rows": (FFMClassifier, {}),
    "ffm, three classes": (FFMClassifier, {"n_classes": 3, "same_field": False}),
    "ffm, sparse": (FFMRegressor, {"sparse": True, "normalize": None}),
    "fwfm": (FwFMClassifier, {}),
    "fwfm, three classes": (FwFMClassifier, {"n_classes": 3}),
    "fwfm, other fields": (FwFMRegressor, {"same_field": False}),
}
BAYESIAN = {
    "bayes": (BayesianFMRegressor, {}),
    "bayes, probit": (BayesianFMClassifier, {}),
    "bayes, ordinal": (BayesianFMOrdinal, {"n_classes": 3}),
}
MACHINES = PLAIN | WITH_FIELDS


def rows_for(seed, n_rows=8):
    """Dense rows of N_FEATURES with zeros, whose numbers float32 holds exactly."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, N_FEATURES)) * (rng.random((n_rows, N_FEATURES)) < 0.6)
    return X.astype(np.float32).astype(np.float64)


def machine(kind, seed=0):
    """A fitted machine of some kind of the tables above, and its fields or None."""
    Estimator, options = (MACHINES | BAYESIAN)[kind]
    options = dict(options)
    rng = np.random.default_rng(seed)
    n_classes, sparse = options.pop("n_classes", 2), options.pop("sparse", False)
    X = rows_for(seed, 30)
    y = rng.integers(n_classes, size=30) if hasattr(Estimator, "classes_") else rng.random(30)
    if hasattr(Estimator, "classes_"):
        y[:n_classes] = np.arange(n_classes)
    own = {} if hasattr(Estimator, "samples_") else {"n_factors": 3}
    own |= {"max_iter": 12, "n_burn_in": 2} if kind in BAYESIAN else {"max_iter": 1}
    if kind in WITH_FIELDS:
        own["fields"] = FIELDS
    model = Estimator(**own | options, random_state=0).fit(X, y)
    if kind not in BAYESIAN:
        _draw(model._table, rng)
    if Estimator is FMRanker:
        model._table.intercepts[...] = 0  # no order can tell it
    if sparse:
        dead = [1, 5]
        model._table.linear_blocks[dead] = 0
        model._table.factor_blocks[dead] = 0
        model.sparsify()
    return model, FIELDS if kind in WITH_FIELDS else None


def _draw(table, rng):
    table.intercepts[...] = rng.normal(size=table.intercepts.shape)
    table.linear_blocks[:, :, 0] = rng.normal(size=table.linear_blocks.shape[:2])
    table.vector_blocks[...] = rng.normal(size=table.vector_blocks.shape)
    table.shared_blocks[...] = rng.normal(size=table.shared_blocks.shape)


def dense(model):
    """The machine, densified if it is sparse, for what reads its attributes."""
    return model.densify() if hasattr(model, "densify") else model
