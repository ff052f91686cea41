"""Higher-order machines as estimators (tests/kernels/test_anova.py has the arithmetic)."""

import pickle

import numpy as np
import pytest
from reference.higher_order import Model
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import roc_auc_score, root_mean_squared_error
from support.strategies import DTYPES

from fastfm_cy import DivergenceError, FMClassifier, FMRegressor, RelationalDesign
from fastfm_cy.training.solvers import SOLVERS

KINDS = [(3, False), (4, True), (5, False)]


def third_order(n_rows=6000, n_values=6, seed=0):
    """One-hot rows of five fields, whose score is a product of what the first three chose."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, n_values, (n_rows, 5))
    effects = rng.normal(size=(3, n_values, 2))
    score = np.prod([effects[f][chosen[:, f]] for f in range(3)], axis=0).sum(axis=1)
    columns = chosen + n_values * np.arange(5)
    indptr = np.arange(0, columns.size + 1, 5)
    X = sparse.csr_array(
        (np.ones(columns.size, np.float32), columns.ravel(), indptr), shape=(n_rows, 5 * n_values)
    )
    return X, score / score.std() + 0.1 * rng.normal(size=n_rows)


def definition(model, degree):
    """The model by its O(n^degree) definition, from its public attributes."""
    vectors = model.factors_ if model.factors_.ndim == 3 else model.factors_[None]
    return Model(
        model.intercept_,
        model.coef_.astype(float),
        np.moveaxis(vectors, 0, 1).astype(float),
        degree,
    )


@pytest.mark.parametrize("solver", ["adagrad", "adam", "sgd"])
def test_a_third_order_interaction_needs_degree_three(solver):
    X, y = third_order()
    train, test = slice(4500), slice(4500, None)
    settings = {"solver": solver, "max_iter": 60, "l2_factors": 1e-4, "random_state": 0}
    errors = {}
    for degree, share in [(2, False), (3, False), (3, True), (4, False)]:
        model = FMRegressor(4, degree=degree, share_factors=share, **settings)
        model.fit(X[train], y[train])
        errors[degree, share] = root_mean_squared_error(y[test], model.predict(X[test]))
    assert errors[2, False] > 0.5
    for kind in [(3, False), (3, True), (4, False)]:
        assert errors[kind] < 0.2
    labels = y > 0
    auc = []
    for degree in (2, 3):
        model = FMClassifier(4, degree=degree, **settings).fit(X[train], labels[train])
        auc.append(roc_auc_score(labels[test], model.decision_function(X[test])))
    assert auc[0] + 0.1 < auc[1]
    assert auc[1] > 0.95


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("degree", "share"), KINDS)
def test_predictions_are_those_of_the_attributes(degree, share, dtype, ratings):
    model = FMRegressor(
        3, degree=degree, share_factors=share, max_iter=3, init_scale=0.3, clip_predictions=False,
        dtype=dtype, random_state=0,
    ).fit(ratings.X, ratings.y)  # fmt: skip
    n_features = ratings.X.shape[1]
    assert model.factors_.shape == ((n_features, 3) if share else (degree - 1, n_features, 3))
    rows = ratings.X[:20].toarray()
    keep = np.flatnonzero(rows.any(axis=0))  # the definition takes its time
    plain = definition(model, degree)
    plain.w, plain.v = plain.w[keep], plain.v[keep]
    expected = [_score(plain, x[keep]) for x in rows]
    np.testing.assert_allclose(model.predict(ratings.X[:20]), expected, rtol=1e-4)


def _score(model, x):
    """Only the row's own features: the others add nothing."""
    present = np.flatnonzero(x)
    return Model(model.w0, model.w[present], model.v[present], model.degree).score(x[present])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("loss", ["squared_error", "huber", "poisson"])
@pytest.mark.parametrize(("degree", "share"), KINDS)
def test_regressors_learn(solver, loss, degree, share, ratings):
    model = FMRegressor(
        4, degree=degree, share_factors=share, solver=solver, loss=loss, max_iter=5, random_state=0
    )
    y = ratings.y.clip(0)
    model.fit(ratings.X, y)
    assert root_mean_squared_error(y, model.predict(ratings.X)) < 0.95 * np.std(y)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("loss", ["log_loss", "hinge", "squared_hinge", "softmax"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_classifiers_learn(solver, loss, n_classes, clicks):
    score = np.asarray(clicks.X @ np.linspace(-1, 1, clicks.X.shape[1]))
    y = np.searchsorted(np.quantile(score, np.arange(1, n_classes) / n_classes), score)
    model = FMClassifier(4, degree=3, solver=solver, loss=loss, max_iter=10, random_state=0)
    weights = np.random.default_rng(0).integers(1, 3, len(y))
    model.fit(clicks.X, y, weights)
    assert model.score(clicks.X, y) > 0.8
    if n_classes == 3:
        assert model.factors_.shape == (3, 2, clicks.X.shape[1], 4)


@pytest.mark.parametrize("Model", [FMClassifier, FMRegressor])
@pytest.mark.parametrize("parameters", [{}, {"solver": "ftrl"}, {"solver": "als", "n_factors": 9}])
def test_degree_two_is_what_it_was(Model, parameters, clicks):
    plain = Model(max_iter=2, random_state=0).set_params(**parameters).fit(clicks.X, clicks.y)
    two = Model(degree=2, share_factors=True, max_iter=2, random_state=0)
    two.set_params(**parameters).fit(clicks.X, clicks.y)
    assert np.array_equal(plain.factors_, two.factors_)
    assert np.array_equal(plain.coef_, two.coef_)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("degree", "share"), KINDS)
def test_pickle_clone_and_going_on(degree, share, dtype, clicks):
    def fresh(**others):
        return FMClassifier(
            5, degree=degree, share_factors=share, dtype=dtype, random_state=0, **others
        )

    model = fresh(max_iter=2, warm_start=True).fit(clicks.X, clicks.y)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(clicks.X), model.predict_proba(clicks.X))
    twin = clone(model).fit(clicks.X, clicks.y)
    assert np.array_equal(twin.factors_, model.factors_)
    before = model.factors_.copy()
    model.fit(clicks.X, clicks.y)
    assert not np.array_equal(before, model.factors_)
    for name, value in (("degree", 2), ("share_factors", not share), ("n_factors", 6)):
        with pytest.raises(ValueError, match="cannot change between fits"):
            clone(model).fit(clicks.X, clicks.y).set_params(**{name: value}).fit(clicks.X, clicks.y)


@pytest.mark.parametrize(("degree", "share"), KINDS)
def test_streams_equal_an_epoch(degree, share, ratings):
    settings = {"shuffle": False, "init_intercept": 3.0, "clip_predictions": (1, 5)}
    settings |= {"degree": degree, "share_factors": share, "random_state": 0}
    whole = FMRegressor(4, max_iter=1, **settings).fit(ratings.X, ratings.y)
    blocks = FMRegressor(4, grow_features=True, **settings)
    for start in range(0, len(ratings.y), 500):
        rows = slice(start, start + 500)
        blocks.partial_fit(ratings.X[rows], ratings.y[rows])
    assert np.array_equal(blocks.factors_, whole.factors_)
    blocks.partial_fit(sparse.hstack([ratings.X, ratings.X], format="csr"), ratings.y)
    n_features = 2 * ratings.X.shape[1]
    assert blocks.factors_.shape == ((n_features, 4) if share else (degree - 1, n_features, 4))
    assert np.isfinite(blocks.factors_).all()


@pytest.mark.parametrize(("degree", "share"), KINDS)
def test_threads(degree, share, ratings):
    settings = {"degree": degree, "share_factors": share, "max_iter": 8, "random_state": 0}
    errors = [
        root_mean_squared_error(
            ratings.y,
            FMRegressor(4, **settings, **threads).fit(ratings.X, ratings.y).predict(ratings.X),
        )
        for threads in ({}, {"n_jobs": 2}, {"deterministic": True}, {"relabel": True})
    ]
    np.testing.assert_allclose(errors, errors[0], rtol=0.05)
    same = [
        FMRegressor(4, **settings, n_jobs=n, deterministic=True).fit(ratings.X, ratings.y)
        for n in (1, 2)
    ]
    assert np.array_equal(same[0].factors_, same[1].factors_)


@pytest.mark.parametrize(("degree", "share"), KINDS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_compiled_scores_are_the_same(degree, share, n_classes, clicks):
    y = (np.arange(len(clicks.y)) + clicks.y) % n_classes
    model = FMClassifier(5, degree=degree, share_factors=share, max_iter=2, random_state=0)
    model.fit(clicks.X, y)
    scorer, X = model.compile(), clicks.X[:50].astype(np.float32)
    expected = model.decision_function(X)
    indptr, indices = X.indptr.astype(np.int64), X.indices.astype(np.int32)
    np.testing.assert_allclose(scorer.rows(indptr, indices, X.data), expected, rtol=1e-6)
    for row in range(3):
        entries = slice(indptr[row], indptr[row + 1])
        one = scorer.row(indices[entries], X.data[entries])
        np.testing.assert_allclose(one, expected[row], rtol=1e-6)


@pytest.mark.parametrize(("degree", "share"), KINDS)
def test_sparse_and_back(degree, share, clicks):
    model = FMClassifier(
        5, degree=degree, share_factors=share, solver="ftrl", l1_linear=2.0, l1_factors=3.0,
        init_scale=0.3, max_iter=3, random_state=0,
    ).fit(clicks.X, clicks.y)  # fmt: skip
    before, dense = model.predict_proba(clicks.X), model.factors_
    assert 0 < model.sparsity_["factors"] < 1
    assert np.array_equal(model.sparsify().predict_proba(clicks.X), before)
    vectors = dense[None] if share else dense
    side_by_side = np.concatenate(list(vectors), axis=1)
    assert np.array_equal(model.factors_.toarray(), side_by_side)
    model.densify()
    assert np.array_equal(model.factors_, dense)
    assert np.array_equal(model.predict_proba(clicks.X), before)


@pytest.mark.parametrize(("degree", "share"), KINDS)
def test_learned_strengths_and_early_stopping(degree, share, ratings):
    model = FMRegressor(
        4, degree=degree, share_factors=share, l2_linear="auto", l2_factors="auto", max_iter=15,
        early_stopping=True, init_scale=0.1, random_state=0,
    ).fit(ratings.X, ratings.y)  # fmt: skip
    assert model.l2_factors_ > 0
    assert model.best_iter_ <= model.n_iter_ <= 15
    assert model.history_["validation_loss"][model.best_iter_ - 1] < 0.5 * np.var(ratings.y)


@pytest.mark.parametrize(("degree", "share"), KINDS)
@pytest.mark.parametrize("solver", ["adagrad", "als"])
def test_relational_designs_are_their_expansion(degree, share, solver, ratings):
    rng = np.random.default_rng(0)
    users, items = ratings.X[:40, :60], ratings.X[:30, 60:]
    X = RelationalDesign([(users, rng.integers(0, 40, 500)), (items, rng.integers(0, 30, 500))])
    y = rng.normal(size=500)
    settings = {"degree": degree, "share_factors": share, "solver": solver, "init_scale": 0.3}
    model = FMRegressor(3, max_iter=3, dtype="float64", random_state=0, **settings)
    expanded = clone(model).fit(X.tocsr(), y)
    model.fit(X, y)
    np.testing.assert_allclose(model.factors_, expanded.factors_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.predict(X), expanded.predict(X.tocsr()), rtol=1e-8)


@pytest.mark.parametrize(("degree", "share"), KINDS)
@pytest.mark.parametrize("solver", ["adagrad", "adam", "ftrl"])
def test_corners(degree, share, solver):
    """Rows with fewer features than the degree, none at all, one column, repeated entries."""
    settings = {"degree": degree, "share_factors": share, "solver": solver, "random_state": 0}
    rows = np.array([[1.0, 2.0], [0.0, 3.0], [0.0, 0.0], [1.0, 0.0]])
    y = [1.0, 2.0, 3.0, 4.0]
    for X in (rows, rows[:, 1:], rows[:1], np.zeros((4, 3))):
        for n_factors in (0, 3):
            model = FMRegressor(n_factors, **settings).fit(X, y[: len(X)])
            assert np.isfinite(model.predict(X)).all()
    doubled = sparse.coo_array(([1.0, 1.0, 2.0, 3.0], ([0, 0, 0, 1], [0, 0, 1, 1])), shape=(4, 2))
    summed = sparse.csr_array([[2.0, 2.0], [0.0, 3.0], [0.0, 0.0], [0.0, 0.0]])
    models = [FMRegressor(3, **settings).fit(X, y) for X in (doubled, summed)]
    assert np.array_equal(models[0].factors_, models[1].factors_)


@pytest.mark.parametrize(("degree", "share"), KINDS)
def test_divergence_is_an_error_and_never_nan(degree, share, ratings):
    settings = {"degree": degree, "share_factors": share, "solver": "sgd", "random_state": 0}
    model = FMRegressor(4, learning_rate=1.0, init_scale=1.0, **settings)
    with pytest.raises(DivergenceError):
        model.fit(ratings.X * 1e3, ratings.y)
    assert not hasattr(model, "coef_")
    model = FMRegressor(4, init_scale=1.0, **settings, learning_rate=1e-4, max_iter=1)
    model.fit(ratings.X, ratings.y)
    with pytest.raises(DivergenceError, match="too large"):
        model.predict(ratings.X * 1e20)
    assert np.isfinite(model.set_params(dtype="float64").fit(ratings.X, ratings.y).coef_).all()


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"degree": 1}, ValueError, "degree"),
        ({"degree": 6}, ValueError, "degree must be at most 5"),
        ({"degree": 2.5}, TypeError, "degree"),
        ({"degree": True}, TypeError, "degree"),
        ({"share_factors": 1}, TypeError, "share_factors"),
    ],
)
def test_parameters_are_checked(parameters, error, message):
    with pytest.raises(error, match=message):
        FMRegressor(**parameters).fit(np.eye(3), [1, 2, 3])
