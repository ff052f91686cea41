"""What the tests of the estimators with fields share."""

import numpy as np
from scipy import sparse

from fastfm_cy import FFMClassifier, FFMRegressor, FwFMClassifier, FwFMRegressor

CLASSIFIERS = [FFMClassifier, FwFMClassifier]
REGRESSORS = [FFMRegressor, FwFMRegressor]
ESTIMATORS = CLASSIFIERS + REGRESSORS


def fields_of(data):
    """Of the clicks' features, whose columns come field by field."""
    fields = np.zeros(data.X.shape[1], dtype=int)
    fields[data.X.indices] = np.tile(np.arange(6), data.X.shape[0])
    return fields


def beside(X, fields):
    """The fields of the features, beside X."""
    return sparse.csr_array((fields[X.indices], X.indices, X.indptr), X.shape)


def weights_of(model):
    return np.atleast_1d(model.intercept_), model.coef_, model.factors_


def assert_same(model, other, **tolerance):
    for mine, its in zip(weights_of(model), weights_of(other), strict=True):
        np.testing.assert_allclose(mine.ravel(), its.ravel(), **tolerance)
