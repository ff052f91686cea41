"""Relational designs: the same models as on the expanded matrix."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import cross_val_score, train_test_split

from fastfm_cy import (
    BayesianFMClassifier,
    BayesianFMRegressor,
    FMClassifier,
    FMRegressor,
    RelationalDesign,
)

N_ROWS = 300


def design(seed=0, own_rows=True):
    """Three blocks, one of them with empty rows and columns, and rows that nothing points to."""
    rng = np.random.default_rng(seed)

    def block(n_rows, n_features, density):
        values = sparse.random_array((n_rows, n_features), density=density, rng=rng, format="csr")
        return values, rng.integers(0, n_rows, N_ROWS)

    users, items = block(20, 15, 0.3), block(12, 9, 0.2)
    own = sparse.random_array((N_ROWS, 6), density=0.3, rng=rng, format="csc")
    blocks = [users, (own, None), items] if own_rows else [users, items]
    return RelationalDesign(blocks), rng


def problem(seed=0, **settings):
    X, rng = design(seed, **settings)
    expanded = X.tocsr()
    y = 3 * expanded @ rng.normal(size=X.shape[1]) + 0.1 * rng.normal(size=N_ROWS)
    return X, expanded, y


@pytest.mark.parametrize("own_rows", [True, False])
@pytest.mark.parametrize("n_factors", [0, 3, 11])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [FMRegressor, FMClassifier])
def test_als_equals_the_expanded_matrix(kind, weighted, n_factors, own_rows):
    X, expanded, y = problem(own_rows=own_rows)
    y = y if kind is FMRegressor else y > np.median(y)
    weights = np.arange(N_ROWS) % 4 if weighted else None
    model = kind(
        n_factors, solver="als", max_iter=8, init_scale=0.3, dtype="float64", random_state=0
    )
    model.fit(X, y, sample_weight=weights)
    other = clone(model).fit(expanded, y, sample_weight=weights)
    for name in ("coef_", "factors_", "intercept_"):
        np.testing.assert_allclose(getattr(model, name), getattr(other, name), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(model.predict(X), other.predict(expanded), rtol=1e-8)


@pytest.mark.parametrize("own_rows", [True, False])
@pytest.mark.parametrize("n_factors", [0, 3, 11])
@pytest.mark.parametrize("kind", [BayesianFMRegressor, BayesianFMClassifier])
def test_draws_equal_those_on_the_expanded_matrix(kind, n_factors, own_rows):
    X, expanded, y = problem(own_rows=own_rows)
    y = y if kind is BayesianFMRegressor else y > np.median(y)
    groups = np.arange(X.shape[1]) % 3
    model = kind(
        n_factors, max_iter=6, n_burn_in=2, dtype="float64", feature_groups=groups, random_state=0
    )
    model.fit(X, y, eval_set=(X[:50], y[:50]))
    other = clone(model).fit(expanded, y, eval_set=(expanded[:50], y[:50]))
    np.testing.assert_allclose(model._chain.factors, other._chain.factors, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(
        model._chain.table.coef, other._chain.table.coef, rtol=1e-8, atol=1e-8
    )
    for name in ("alpha", f"validation_{model._fitted.response.error_name}"):
        np.testing.assert_allclose(model.history_[name], other.history_[name], rtol=1e-6)
    np.testing.assert_allclose(
        model.sample_predictions(X), other.sample_predictions(expanded), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("solver", ["sgd", "adagrad", "adam", "ftrl"])
def test_gradient_solvers_see_the_expanded_rows(solver):
    X, expanded, y = problem()
    model = FMRegressor(4, solver=solver, max_iter=3, early_stopping=True, random_state=0)
    model.fit(X, y, sample_weight=np.arange(N_ROWS) % 3)
    other = clone(model).fit(expanded, y, sample_weight=np.arange(N_ROWS) % 3)
    assert np.array_equal(model.factors_, other.factors_)
    assert np.array_equal(model.coef_, other.coef_)
    np.testing.assert_allclose(
        model.history_["validation_loss"], other.history_["validation_loss"], rtol=1e-4
    )
    np.testing.assert_allclose(model.predict(X), other.predict(expanded), rtol=1e-4, atol=1e-4)
    threads = clone(model).set_params(n_jobs=2, relabel=True)
    threads.fit(X, y, sample_weight=np.arange(N_ROWS) % 3)
    assert np.array_equal(threads.factors_, model.factors_)


def test_several_classes_streams_and_learned_strengths():
    X, expanded, y = problem()
    classes = np.digitize(y, np.quantile(y, [0.3, 0.6]))
    model = FMClassifier(4, random_state=0).fit(X, classes)
    np.testing.assert_allclose(
        model.predict_proba(X), model.predict_proba(expanded), rtol=1e-4, atol=1e-5
    )
    streams = [FMRegressor(4, random_state=0) for _ in range(2)]
    for rows in (slice(0, 150), slice(150, 300)):
        for stream, data in zip(streams, (X, expanded), strict=True):
            stream.partial_fit(data[rows], y[rows])
    assert np.array_equal(streams[0].factors_, streams[1].factors_)
    auto = FMRegressor(2, max_iter=3, l2_linear="auto", l2_factors="auto", random_state=0)
    np.testing.assert_allclose(
        auto.fit(X, y).predict(X), clone(auto).fit(expanded, y).predict(expanded), rtol=1e-3,
        atol=1e-3,
    )  # fmt: skip


def test_sparse_models_predict():
    X, expanded, y = problem()
    model = FMRegressor(4, solver="ftrl", l1_linear=5.0, l1_factors=5.0, random_state=0).fit(X, y)
    before = model.predict(X)
    model.sparsify()
    np.testing.assert_allclose(model.predict(X), before, rtol=1e-5)
    np.testing.assert_allclose(model.predict(X), model.predict(expanded), rtol=1e-4, atol=1e-4)


def test_the_number_of_threads_changes_nothing(monkeypatch):
    from fastfm_cy.training.coordinate import csc as columns
    from fastfm_cy.utils import threads as parallel

    monkeypatch.setattr(columns, "_LEAST_A_THREAD", 1)
    monkeypatch.setattr(parallel, "_WORK_A_THREAD", 1)
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, 20, N_ROWS), rng.integers(0, 30, N_ROWS)
    X = RelationalDesign([(sparse.eye_array(20, format="csr"), users), (np.eye(30), items)])
    y = rng.normal(size=N_ROWS)
    models = [
        BayesianFMRegressor(9, max_iter=5, n_burn_in=1, n_jobs=n_jobs, random_state=0).fit(X, y)
        for n_jobs in (1, 2, 3)
    ]
    for model in models[1:]:
        assert np.array_equal(model._chain.factors, models[0]._chain.factors)


def test_designs_can_be_split():
    X, expanded, y = problem()
    part, rest, _, _ = train_test_split(X, y, random_state=0)
    whole_part, whole_rest, _, _ = train_test_split(expanded, y, random_state=0)
    assert (part.tocsr() != whole_part).nnz == 0
    assert (rest.tocsr() != whole_rest).nnz == 0
    assert (X[X.tocsr().sum(axis=1) > 1].tocsr() != expanded[expanded.sum(axis=1) > 1]).nnz == 0
    scores = cross_val_score(FMRegressor(2, random_state=0), X, y, cv=3)
    np.testing.assert_allclose(
        scores, cross_val_score(FMRegressor(2, random_state=0), expanded, y, cv=3), rtol=1e-3
    )
    assert len(X) == N_ROWS
    assert "3 blocks" in repr(X)


def test_errors_say_what_is_wrong():
    matrix, index = np.eye(3), np.array([0, 2, 1, 1])
    with pytest.raises(ValueError, match="at least one block"):
        RelationalDesign([])
    with pytest.raises(TypeError, match=r"Block 1 must be a pair"):
        RelationalDesign([(matrix, index), matrix[0]])
    with pytest.raises(ValueError, match=r"block 0 is 3 in row 1, but its matrix has 3 rows"):
        RelationalDesign([(matrix, [0, 3])])
    with pytest.raises(ValueError, match=r"block 0 is -1 in row 0"):
        RelationalDesign([(matrix, [-1, 2])])
    with pytest.raises(TypeError, match="integers"):
        RelationalDesign([(matrix, [0.5, 1])])
    with pytest.raises(ValueError, match="Block 1 is for 3 samples, block 0 for 4"):
        RelationalDesign([(matrix, index), (matrix, None)])
    with pytest.raises(ValueError, match="2-dimensional"):
        RelationalDesign([(np.zeros(3), index)])
    for form, axis in (("csc", "row"), ("coo", "column")):
        broken = sparse.csr_array(matrix).asformat(form)
        getattr(broken, "indices" if form == "csc" else "col")[0] = 10**8
        with pytest.raises(ValueError, match=rf"Block 1: X has {axis} index 100000000"):
            RelationalDesign([(matrix, index), (broken, index)])
    X, y = RelationalDesign([(matrix, index)]), [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(TypeError, match="rows only"):
        X[:, 0]
    bad = RelationalDesign([(matrix, index), (np.array([[1.0, np.nan]]), np.zeros(4, int))])
    with pytest.raises(ValueError, match=r"X, block 1: .*NaN at row 0, column 1"):
        FMRegressor().fit(bad, y)
    with pytest.raises(ValueError, match="y to be passed"):
        FMRegressor().fit(X, None)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        FMRegressor().fit(X, y[:3])
    model = FMRegressor(random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="6 features"):
        model.predict(RelationalDesign([(matrix, index), (matrix, index)]))
    wrong = sparse.csr_array(matrix)
    wrong.indices[0] = 7
    with pytest.raises(ValueError, match=r"Block 0: X.*column index 7 in row 0"):
        model.predict(RelationalDesign([(wrong, index)]))
