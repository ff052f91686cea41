"""scikit-learn's own checks of an estimator."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from support.strategies import DTYPES

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

# Updates are per sample and stop after max_iter epochs, so a row of weight 2 takes one step of
# twice the size where a repeated row takes two; scikit-learn's own SGD estimators are excused
# from these two checks for the same reason.
_PER_SAMPLE = "per-sample updates: one step of weight 2 is not two steps of weight 1"
_EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": _PER_SAMPLE,
    "check_sample_weight_equivalence_on_sparse_data": _PER_SAMPLE,
}


_ORDER = {"check_classifiers_classes": "text lies in no order unless `classes` says it"}


def _expected(estimator):
    if isinstance(estimator, BayesianFMOrdinal):
        return _ORDER
    # Exact steps know weights, but which rows are held out to choose the epochs depends on rows.
    is_exact = getattr(estimator, "solver", "") == "als" and estimator.max_iter is not None
    return {} if is_exact else _EXPECTED


ESTIMATORS = [
    FMClassifier(),
    FMClassifier(loss="hinge", dtype="float64"),
    FMClassifier(n_factors=0, loss="squared_hinge"),
    FMClassifier(4, degree=3),
    FMRegressor(4, degree=4, share_factors=True),
    FMRegressor(),
    FMRegressor(dtype="float64", clip_predictions=False),
    FMRegressor(n_factors=0),
    FMClassifier(loss="softmax"),
    FMClassifier(solver="ftrl", l1_linear=0.1),
    FMClassifier(solver="adamw"),
    FMRegressor(solver="adam"),
    FMRegressor(solver="ftrl", loss="huber"),
    FMRegressor(loss="poisson"),
    FMRegressor(solver="als", max_iter=20, dtype="float64"),
    FMClassifier(solver="als", max_iter=20, dtype="float64"),
    FMRegressor(solver="als"),
    FMRegressor(max_iter=20),
    FMRegressor(solver="sgd"),
    FMClassifier(solver="sgd"),
    FMClassifier(tuning=None),
    FFMClassifier(),
    FFMRegressor(normalize=None, init="normal", init_scale=0.1, dtype="float64"),
    FwFMClassifier(),
    FwFMRegressor(dtype="float64"),
    BayesianFMRegressor(max_iter=60, n_burn_in=10),
    BayesianFMClassifier(max_iter=60, n_burn_in=10),
    BayesianFMOrdinal(max_iter=60, n_burn_in=10),
    FMClassifier(loss="probit"),
]


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=_expected)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("Model", [FMClassifier, FMRegressor])
def test_pickle_and_clone(Model, dtype, clicks):
    model = Model(n_factors=5, max_iter=2, dtype=dtype, random_state=0).fit(clicks.X, clicks.y)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(clicks.X), model.predict(clicks.X))
    assert np.array_equal(again.factors_, model.factors_)
    assert again._table.factors.ctypes.data % 64 == 0
    twin = clone(model)
    assert twin.get_params() == model.get_params()
    assert not hasattr(twin, "coef_")
    assert np.array_equal(twin.fit(clicks.X, clicks.y).coef_, model.coef_)


def test_grid_search_in_a_pipeline(clicks):
    pipeline = make_pipeline(MaxAbsScaler(), FMClassifier(max_iter=3, random_state=0))
    grid = {"fmclassifier__n_factors": [0, 4], "fmclassifier__l2_factors": [0.0, 1e-3]}
    search = GridSearchCV(pipeline, grid, scoring="roc_auc", cv=3).fit(clicks.X, clicks.y)
    assert search.best_score_ > 0.6


def test_cross_validate_in_processes(ratings):
    model = FMRegressor(max_iter=3, random_state=0)
    alone = cross_validate(model, ratings.X, ratings.y, cv=3, n_jobs=1)
    together = cross_validate(model, ratings.X, ratings.y, cv=3, n_jobs=2)
    assert np.array_equal(alone["test_score"], together["test_score"])


def test_calibration(clicks):
    model = FMClassifier(4, loss="hinge", max_iter=5, random_state=0)
    calibrated = CalibratedClassifierCV(model, cv=3).fit(clicks.X, clicks.y)
    probabilities = calibrated.predict_proba(clicks.X)
    assert log_loss(clicks.y, probabilities) < 0.69


def test_weights_are_routed(clicks):
    """cross_validate hands sample weights to fit and to the scorer."""
    weights = np.random.default_rng(0).integers(0, 3, len(clicks.y)).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        model = FMClassifier(4, max_iter=3, random_state=0)
        model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        routed = cross_validate(
            model, clicks.X, clicks.y, cv=3, params={"sample_weight": weights},
            return_estimator=True,
        )  # fmt: skip
    assert len(routed["estimator"]) == 3
    plain = cross_validate(model, clicks.X, clicks.y, cv=3)
    assert not np.array_equal(plain["test_score"], routed["test_score"])


def test_several_classes_in_a_grid_search(clicks):
    y = np.array(["a", "b", "c"])[np.arange(len(clicks.y)) % 3]
    search = GridSearchCV(
        FMClassifier(2, max_iter=2, random_state=0), {"loss": ["log_loss", "softmax"]},
        scoring="neg_log_loss", cv=3,
    ).fit(clicks.X, y)  # fmt: skip
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
