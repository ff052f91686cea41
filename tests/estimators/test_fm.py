"""The estimators: what goes in, what comes out, and what they refuse."""

import copy

import numpy as np
import pandas as pd
import polars as pl
import pytest
from reference.fm import Model
from scipy import sparse
from support.strategies import DTYPES

from fastfm_cy import DivergenceError, FMClassifier, FMRegressor

SOLVERS = ("sgd", "adagrad")


@pytest.fixture
def regressor():
    return FMRegressor(n_factors=4, max_iter=3, random_state=0)


@pytest.fixture
def classifier():
    return FMClassifier(n_factors=4, max_iter=3, random_state=0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_attributes_are_the_model(dtype, ratings):
    model = FMRegressor(
        n_factors=3, max_iter=2, dtype=dtype, clip_predictions=False, random_state=0
    ).fit(ratings.X, ratings.y)
    n_features = ratings.X.shape[1]
    assert isinstance(model.intercept_, float)
    assert model.coef_.shape == (n_features,)
    assert model.factors_.shape == (n_features, 3)
    assert model.coef_.dtype == model.factors_.dtype == model.predict(ratings.X[:1]).dtype == dtype
    assert model.n_iter_ == len(model.history_["train_loss"]) == 2
    assert model.n_features_in_ == n_features
    definition = Model(model.intercept_, model.coef_, model.factors_)
    expected = [definition.score(row) for row in ratings.X[:5].toarray()]
    np.testing.assert_allclose(model.predict(ratings.X[:5]), expected, rtol=1e-5)


def test_history_falls(regressor, ratings):
    regressor.set_params(max_iter=10).fit(ratings.X, ratings.y)
    losses = regressor.history_["train_loss"]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] < ratings.y.var() / 2 * 1.1


def test_factors_help_where_interactions_matter(clicks):
    rng = np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], size=(2000, 6))
    y = signs[:, 0] * signs[:, 1]
    model = FMClassifier(n_factors=4, random_state=0).fit(signs[:1000], y[:1000])
    linear = FMClassifier(n_factors=0, random_state=0).fit(signs[:1000], y[:1000])
    assert model.score(signs[1000:], y[1000:]) > 0.95
    assert linear.score(signs[1000:], y[1000:]) < 0.6


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_factors_is_the_linear_model(solver, ratings):
    model = FMRegressor(
        n_factors=0, solver=solver, max_iter=2, clip_predictions=False, random_state=0
    ).fit(ratings.X, ratings.y)
    assert model.factors_.shape == (ratings.X.shape[1], 0)
    expected = model.intercept_ + ratings.X @ model.coef_
    np.testing.assert_allclose(model.predict(ratings.X), expected, rtol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_terms_can_be_left_out(solver, ratings):
    without = FMRegressor(
        solver=solver, fit_intercept=False, fit_linear=False, max_iter=1, random_state=0
    ).fit(ratings.X, ratings.y)
    assert without.intercept_ == 0
    assert not without.coef_.any()
    assert without.factors_.any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_seed_decides_everything(solver, dtype, clicks):
    def fitted(seed, used=None):
        model = used or FMClassifier(solver=solver, dtype=dtype, max_iter=2)
        return model.set_params(random_state=seed).fit(clicks.X, clicks.y)

    first = fitted(7)
    again = fitted(7, used=fitted(8))
    assert np.array_equal(first.factors_, again.factors_)
    assert np.array_equal(first.coef_, again.coef_)
    assert first.history_["train_loss"] == again.history_["train_loss"]
    assert not np.array_equal(first.factors_, fitted(8).factors_)
    assert not np.array_equal(first.coef_, fitted(8).coef_)


def test_unshuffled_training_keeps_the_order(regressor, ratings):
    regressor.set_params(shuffle=False, max_iter=1)
    forth = regressor.fit(ratings.X, ratings.y).coef_.copy()
    back = regressor.fit(ratings.X[::-1], ratings.y[::-1]).coef_
    assert not np.array_equal(forth, back)


def _formats(X):
    dense = X.toarray()
    as_int64 = sparse.csr_array(X)
    as_int64.indices = as_int64.indices.astype(np.int64)
    as_int64.indptr = as_int64.indptr.astype(np.int64)
    zeros = sparse.csr_array(  # every zero stored
        (dense.ravel(), np.tile(np.arange(X.shape[1]), len(dense)),
         np.arange(len(dense) + 1) * X.shape[1]), shape=X.shape,
    )  # fmt: skip
    halves = sparse.csr_array(  # every entry in two halves, columns in falling order
        (np.repeat(X.data, 2) / 2, np.repeat(X.indices, 2), X.indptr * 2), shape=X.shape
    )
    halves.data, halves.indices = halves.data.copy(), halves.indices.copy()
    for start, stop in zip(halves.indptr, halves.indptr[1:], strict=False):
        halves.data[start:stop] = halves.data[start:stop][::-1]
        halves.indices[start:stop] = halves.indices[start:stop][::-1]
    longer = X.copy()  # arrays longer than indptr says
    longer.indices = np.append(longer.indices, [0, 0]).astype(X.indices.dtype)
    longer.data = np.append(longer.data, [np.nan, 9.0]).astype(X.dtype)
    names = [f"f{i}" for i in range(X.shape[1])]
    return {
        "csr_array": X,
        "csr_matrix": sparse.csr_matrix(X),
        "csc": X.tocsc(),
        "coo": X.tocoo(),
        "lil": X.tolil(),
        "dok": X.todok(),
        "bsr": X.tobsr(),
        "float64": X.astype(np.float64),
        "int64 indices": as_int64,
        "stored zeros": zeros,
        "duplicates": halves,
        "unpruned": longer,
        "dense": dense,
        "fortran": np.asfortranarray(dense),
        "list": dense.tolist(),
        "pandas": pd.DataFrame(dense, columns=names),
        "pandas sparse": pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(X), columns=names),
        "polars": pl.DataFrame(dense, schema=names),
    }


FORMATS = list(_formats(sparse.csr_array(np.eye(2, dtype=np.float32))))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_model(name, ratings):
    X, y = ratings.X[:200], ratings.y[:200]
    given = _formats(X)[name]
    before = copy.deepcopy(given)
    model = FMRegressor(max_iter=2, random_state=0).fit(given, y)
    expected = FMRegressor(max_iter=2, random_state=0).fit(X, y)
    assert np.array_equal(model.factors_, expected.factors_)
    assert np.array_equal(model.predict(given), expected.predict(X))
    for part in ("data", "indices", "indptr") if sparse.issparse(given) else ():
        was, now = getattr(before, part, None), getattr(given, part, None)
        assert was is now is None or np.array_equal(was, now) or name in ("unpruned", "lil")
    if name.startswith("pandas") or hasattr(model, "feature_names_in_"):
        # Whether polars has names depends on scikit-learn's release.
        assert list(model.feature_names_in_) == list(given.columns)


@pytest.mark.parametrize("labels", [(0, 1), (-1, 1), (3, 7), ("ham", "spam"), (False, True),
                                    (2.0, 5.0), ("no", "yes")])  # fmt: skip
def test_labels_of_any_type(labels, classifier, clicks):
    y = np.array(labels)[clicks.y]
    classifier.fit(clicks.X, y)
    assert list(classifier.classes_) == list(labels)
    predicted = classifier.predict(clicks.X)
    assert predicted.dtype == y.dtype
    assert set(predicted) <= set(labels)
    positive = classifier.decision_function(clicks.X) > 0
    assert np.array_equal(predicted == labels[1], positive)
    twin = FMClassifier(n_factors=4, max_iter=3, random_state=0).fit(clicks.X, clicks.y)
    assert np.array_equal(twin.coef_, classifier.coef_)


def test_probabilities(classifier, clicks):
    probability = classifier.fit(clicks.X, clicks.y).predict_proba(clicks.X)
    scores = classifier.decision_function(clicks.X).astype(float)
    assert probability.shape == (len(clicks.y), 2)
    np.testing.assert_allclose(probability[:, 1], 1 / (1 + np.exp(-scores)), rtol=1e-12)
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_only_log_loss_gives_probabilities(loss, classifier, clicks):
    classifier.set_params(loss=loss).fit(clicks.X, clicks.y)
    assert not hasattr(classifier, "predict_proba")
    assert classifier.score(clicks.X, clicks.y) > 0.5


def test_predictions_are_clipped_to_the_targets(regressor, ratings):
    y = np.clip(ratings.y, 3, 4)
    regressor.fit(ratings.X, y)
    assert regressor.y_range_ == (3, 4)
    clipped = regressor.predict(ratings.X)
    free = regressor.set_params(clip_predictions=False).predict(ratings.X)
    assert free.max() > 4
    assert np.array_equal(clipped, np.clip(free, 3, 4))


@pytest.mark.parametrize("solver", SOLVERS)
def test_weight_zero_is_as_if_the_row_were_absent(solver, ratings):
    weights = np.arange(len(ratings.y)) % 2
    kept = weights > 0
    settings = {"solver": solver, "shuffle": False, "max_iter": 2, "random_state": 0}
    settings |= {"fit_intercept": False}
    weighted = FMRegressor(**settings).fit(ratings.X, ratings.y, sample_weight=weights)
    subset = FMRegressor(**settings).fit(ratings.X[kept], ratings.y[kept])
    assert np.array_equal(weighted.factors_, subset.factors_)
    assert weighted.history_["train_loss"] == subset.history_["train_loss"]


def test_weight_two_is_the_row_twice_for_the_optimum(ratings):
    """With small steps a weight acts as repetition does, if not bit for bit."""
    X, y = ratings.X[:300], ratings.y[:300]
    weights = 1 + np.arange(300) % 2
    settings = {"n_factors": 0, "solver": "sgd", "learning_rate": 2e-3, "max_iter": 400,
                "l2_linear": 0.0, "clip_predictions": False, "random_state": 0}  # fmt: skip
    weighted = FMRegressor(**settings).fit(X, y, weights)
    rows = np.repeat(np.arange(300), weights)
    repeated = FMRegressor(**settings).fit(X[rows], y[rows])
    difference = weighted.predict(X) - repeated.predict(X)
    assert np.abs(difference).max() < 0.05
    assert np.abs(weighted.predict(X) - y.mean()).max() > 0.5


def test_class_weight_equals_sample_weight(classifier, clicks):
    by_class = classifier.set_params(class_weight={0: 1, 1: 3}).fit(clicks.X, clicks.y)
    coef = by_class.coef_.copy()
    weights = np.where(clicks.y == 1, 3.0, 1.0)
    by_sample = classifier.set_params(class_weight=None).fit(clicks.X, clicks.y, weights)
    assert np.array_equal(coef, by_sample.coef_)


def test_balanced_class_weight_raises_recall(classifier, clicks):
    plain = classifier.fit(clicks.X, clicks.y).predict(clicks.X).mean()
    balanced = classifier.set_params(class_weight="balanced").fit(clicks.X, clicks.y)
    assert balanced.predict(clicks.X).mean() > plain + 0.1


def test_verbose_shows_the_running_loss(regressor, ratings, capsys):
    regressor.set_params(verbose=1).fit(ratings.X, ratings.y)
    shown = capsys.readouterr().err
    assert "epoch 3/3" in shown
    assert f"loss={regressor.history_['train_loss'][-1]:.4f}" in shown


def test_silent_by_default(regressor, ratings, capfd):
    regressor.fit(ratings.X, ratings.y)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("Model", [FMRegressor, FMClassifier])
def test_empty_rows_and_columns(Model):
    X = sparse.csr_array(([1.0, 2.0], ([0, 2], [1, 1])), shape=(4, 6))
    model = Model(max_iter=3, random_state=0).fit(X, [0, 1, 1, 0])
    assert np.isfinite(model.factors_).all()
    assert not model.coef_[[0, 2, 3, 4, 5]].any()
    assert np.isfinite(model.predict(sparse.csr_array((2, 6)))).all()


def test_one_row():
    model = FMRegressor(random_state=0).fit([[1.0, 0.0, 2.0]], [3.0])
    assert model.predict([[1.0, 0.0, 2.0]]) == 3
    assert FMRegressor(random_state=0).fit(np.zeros((1, 2)), [0.0]).predict([[5.0, 5.0]]) == 0


def test_a_single_feature_has_no_interactions():
    X = np.arange(6.0)[:, None]
    model = FMRegressor(clip_predictions=False, random_state=0).fit(X, X[:, 0])
    expected = model.intercept_ + X[:, 0] * model.coef_[0]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-6)


# Divergence --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_divergence_is_reported_and_leaves_the_model(dtype, ratings):
    model = FMRegressor(solver="sgd", dtype=dtype, max_iter=3, random_state=0)
    model.fit(ratings.X, ratings.y)
    before, state = model.predict(ratings.X), dict(vars(model))
    model.set_params(learning_rate=50.0)
    with pytest.raises(FloatingPointError, match=r"epoch \d+.*learning_rate"):
        model.fit(ratings.X[:, :30], ratings.y)
    assert vars(model) == state | {"learning_rate": 50.0}
    assert np.array_equal(model.predict(ratings.X), before)


def test_a_first_fit_that_diverges_leaves_no_model(ratings):
    model = FMRegressor(solver="sgd", learning_rate=50.0, random_state=0)
    parameters = dict(vars(model))
    with pytest.raises(DivergenceError):
        model.fit(ratings.X, ratings.y)
    assert vars(model) == parameters


def test_finite_blow_up_is_divergence_too():
    """The loss grows a thousandfold an epoch, but two epochs do not overflow."""
    X, y = np.array([[30.0], [31.0]]), np.array([1.0, -1.0])
    model = FMRegressor(
        n_factors=0, solver="sgd", learning_rate=0.1, max_iter=2, dtype="float64",
        clip_predictions=False, scaling=None,
    )  # fmt: skip
    with pytest.raises(DivergenceError, match="mean training loss ended"):
        model.fit(X, y)


def test_prediction_overflow_is_reported(regressor, ratings):
    regressor.fit(ratings.X, ratings.y)
    with pytest.raises(DivergenceError, match=r"row 1 .* float32"):
        regressor.predict(ratings.X[:3].multiply([[1.0], [1e30], [1.0]]).tocsr())


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("rate", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_never_a_model_with_nan(solver, rate, scale, clicks):
    with np.errstate(all="raise"):
        for Model, y in ((FMClassifier, clicks.y), (FMRegressor, clicks.y * scale)):
            model = Model(solver=solver, learning_rate=rate, max_iter=3, random_state=0)
            try:
                model.fit(clicks.X * np.float32(scale), y)
            except FloatingPointError as error:
                assert isinstance(error, DivergenceError)  # noqa: PT017
                continue
            assert np.isfinite(model.coef_).all()
            assert np.isfinite(model.factors_).all()
            assert np.isfinite(model.history_["train_loss"]).all()
