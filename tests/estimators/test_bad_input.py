"""Parameters, targets, weights and shapes that the estimators refuse."""

import numpy as np
import pytest
from scipy import sparse

from fastfm_cy import FMClassifier, FMRegressor


@pytest.mark.parametrize(
    ("parameter", "value", "error"),
    [
        ("n_factors", -1, ValueError),
        ("n_factors", 2.5, TypeError),
        ("n_factors", True, TypeError),
        ("loss", "log", ValueError),
        ("loss", None, ValueError),
        ("solver", "newton", ValueError),
        ("solver", ["sgd"], ValueError),
        ("learning_rate", 0.0, ValueError),
        ("learning_rate", "fast", TypeError),
        ("learning_rate", np.nan, ValueError),
        ("max_iter", 0, ValueError),
        ("l2_linear", -1e-9, ValueError),
        ("l2_factors", np.inf, ValueError),
        ("init_scale", 0.0, ValueError),
        ("fit_intercept", "yes", TypeError),
        ("fit_linear", 2, TypeError),
        ("shuffle", None, TypeError),
        ("verbose", -1, ValueError),
        ("dtype", "float16", ValueError),
        ("dtype", np.float32, ValueError),
        ("random_state", "seed", ValueError),
    ],
)
@pytest.mark.parametrize("Model", [FMRegressor, FMClassifier])
def test_bad_parameters_are_named(Model, parameter, value, error, clicks):
    with pytest.raises(error, match="seed" if parameter == "random_state" else parameter):
        Model(**{parameter: value}).fit(clicks.X, clicks.y)


def test_losses_belong_to_their_task(clicks):
    with pytest.raises(ValueError, match=r"loss must be one of 'squared_error', .*; got 'hinge'"):
        FMRegressor(loss="hinge").fit(clicks.X, clicks.y)
    with pytest.raises(ValueError, match="'log_loss', 'probit', 'hinge', 'squared_hinge'"):
        FMClassifier(loss="squared_error").fit(clicks.X, clicks.y)


@pytest.mark.parametrize("y", [[1, 1, 1], ["a", "a", "a"]])
def test_one_class_is_refused(y):
    with pytest.raises(ValueError, match="only one class"):
        FMClassifier().fit(np.eye(3), y)


def test_one_class_left_by_the_weights_is_refused():
    with pytest.raises(ValueError, match="only one class"):
        FMClassifier().fit(np.eye(3), [0, 1, 1], sample_weight=[0, 1, 1])
    with pytest.raises(ValueError, match="zero"):
        FMClassifier().fit(np.eye(3), [0, 1, 1], sample_weight=[0, 0, 0])


@pytest.mark.parametrize(
    ("y", "kind"), [([[0, 1], [1, 0], [1, 1]], "multilabel"), ([0.1, 0.2, 1.7], "continuous")]
)
def test_one_class_a_row(y, kind):
    with pytest.raises(ValueError, match=rf"{kind}|1d array"):
        FMClassifier().fit(np.eye(3), y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 2], r"shape \(3,\)"),
        ([[1], [2], [3]], r"shape \(3,\)"),
        ([1, -2, 3], r"row 1 has -2"),
        ([1, 2, np.nan], r"row 2 has nan"),
        ([0, 0, 0], "zero"),
        ([1, 2, 1e300], r"sample_weight is too large for float32 in row 2"),
    ],
)
def test_bad_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        FMRegressor().fit(np.eye(3), [1, 2, 3], sample_weight=weights)


def test_targets_must_fit_the_dtype():
    with pytest.raises(ValueError, match=r"y is too large for float32 in row 1"):
        FMRegressor().fit(np.eye(2), [1.0, 1e39])
    with pytest.raises(ValueError, match="NaN"):
        FMRegressor().fit(np.eye(2), [1.0, np.nan])


@pytest.mark.parametrize("X", [np.zeros((0, 3)), np.zeros((3, 0)), sparse.csr_array((0, 3))])
def test_empty_data(X):
    with pytest.raises(ValueError, match=r"0 (sample|feature)"):
        FMRegressor().fit(X, np.zeros(X.shape[0]))


def test_feature_counts_must_agree(ratings):
    regressor = FMRegressor(n_factors=4, max_iter=3, random_state=0).fit(ratings.X, ratings.y)
    with pytest.raises(ValueError, match="X has 3 features, but FMRegressor is expecting"):
        regressor.predict(np.eye(3))
    regressor.n_features_in_ = 3  # no input from Python may read outside the table
    with pytest.raises(ValueError, match="X has 3 features"):
        regressor.predict(np.eye(3))


def test_row_counts_must_agree():
    with pytest.raises(ValueError, match=r"\[3, 2\]"):
        FMRegressor().fit(np.eye(3), [1, 2])


@pytest.mark.parametrize("clip", [(5, 1), (1, 2, 3), (1,), ("a", "b"), (1, np.nan), "yes", 1])
def test_bad_ranges(clip):
    with pytest.raises((TypeError, ValueError), match=r"clip_predictions|could not convert"):
        FMRegressor(clip_predictions=clip).fit(np.eye(2), [1, 2])
