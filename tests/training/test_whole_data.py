"""Losses over whole data: sweeps against a dense reference that looks at every pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from threadpoolctl import threadpool_limits

from fastfm_cy import FMRecommender
from fastfm_cy.training.whole_data.half import gram_of
from fastfm_cy.training.whole_data.settings import WholeDataSettings

from ..reference import whole_data as ref


def data_of(rng, n_users=7, n_items=6, user_features=0, item_features=0, weighted=False):
    """(interactions as tuple, confidences, targets, features of users and items)."""
    is_there = rng.random((n_users, n_items)) < 0.5
    is_there[np.arange(n_users), np.arange(n_users) % n_items] = True
    is_there[np.arange(n_items) % n_users, np.arange(n_items)] = True
    weights = rng.uniform(0.5, 3, is_there.shape) if weighted else np.ones(is_there.shape)
    signs = np.where(rng.random(is_there.shape) < 0.2 * weighted, -1, 1)
    signs[np.arange(n_users), np.arange(n_users) % n_items] = 1
    signs[np.arange(n_items) % n_users, np.arange(n_items)] = 1
    users, items = is_there.nonzero()
    features = [
        rng.normal(size=(n, f)) * (rng.random((n, f)) < 0.6) if f else None
        for n, f in ((n_users, user_features), (n_items, item_features))
    ]
    values = (weights * signs)[users, items]
    return (users, items, values), is_there * weights, (signs > 0) * 1.0, features


def dense_side(model, is_item):
    """(X, V, w) in double precision."""
    inner = model._model
    rows, table, kind = (
        (inner.item_rows, inner.item_table, inner.items) if is_item
        else (inner.user_rows, inner.user_table, inner.users)
    )  # fmt: skip
    X = np.eye(kind.size) if rows is None else rows.as_matrix().toarray().astype(float)
    return X, table.factor_vectors.astype(float).copy(), table.coef.astype(float).copy()


def fitted(given, features, n_sweeps, dtype="float64", **params):
    model = FMRecommender(
        loss="implicit_squared", solver="als", max_iter=n_sweeps, random_state=0, dtype=dtype,
        **params,
    )  # fmt: skip
    users, items, values = given
    named = [None if one is None else (np.arange(len(one)), one) for one in features]
    return model.fit((users, items, values), *named)


CASES = {
    "ids": {},
    "ids, weighted": {"weighted": True},
    "user features": {"user_features": 3},
    "item features": {"item_features": 3, "weighted": True},
    "both": {"user_features": 2, "item_features": 4},
}


def problem(case, k, settings, interacts, has_linear, seed=0, l2=0.3):
    given, confidence, target, features = data_of(np.random.default_rng(seed), **CASES[case])
    params = {
        "n_factors": k, "unobserved_weight": settings.unobserved_weight, "alpha": settings.alpha,
        "counts_observed": settings.counts_observed, "frequency_power": settings.frequency_power,
        "item_interactions": interacts, "fit_linear": has_linear, "l2_factors": l2, "l2_linear": l2,
    }  # fmt: skip
    confidence = settings.alpha * confidence

    def strengths(users, items):
        of_users = ref.frequencies(users[0], confidence, settings) ** settings.frequency_power
        of_items = ref.frequencies(items[0], confidence.T, settings) ** settings.frequency_power
        return l2 * of_users, l2 * of_items, l2 * of_items

    def value(users, items):
        return ref.objective(
            users, items, confidence, target, settings, strengths(users, items), interacts
        )

    return given, features, params, value, confidence.sum()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("k", "interacts", "has_linear"),
    [(3, True, True), (3, False, True), (3, True, False), (3, False, False), (10, True, True)],
)
def test_a_sweep_is_that_of_the_reference(case, k, interacts, has_linear):
    weights = WholeDataSettings(0.2, 1.5, counts_observed=interacts, frequency_power=0.5)
    given, features, params, value, _ = problem(case, k, weights, interacts, has_linear)
    before = fitted(given, features, 1, **params)
    users, items = dense_side(before, False), dense_side(before, True)
    n_own = before._model.users.n_own, before._model.items.n_own
    ref.sweep(users, items, value, has_linear=has_linear, n_own=n_own)
    after = fitted(given, features, 2, **params)
    for side, is_item in ((users, False), (items, True)):
        _, V, w = dense_side(after, is_item)
        np.testing.assert_allclose(V, side[1], rtol=1e-6, atol=1e-8)
        if is_item:
            np.testing.assert_allclose(w, side[2], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("counts_observed", [True, False])
def test_the_objective_falls_and_is_what_it_says(case, counts_observed):
    weights = WholeDataSettings(0.3, 2.0, counts_observed, 1.0)
    given, features, params, value, total = problem(case, 12, weights, True, True)
    model = fitted(given, features, 30, **params)
    losses = np.array(model.history_["train_loss"])
    assert (np.diff(losses) <= 1e-9 * losses[:-1]).all()
    now = value(dense_side(model, False), dense_side(model, True)) / total
    assert now <= losses[-1] * (1 + 1e-9)
    more = fitted(given, features, 31, **params).history_["train_loss"][-1]
    assert more <= now * (1 + 1e-9)


@given(
    st.integers(0, 10_000), st.sampled_from(list(CASES)), st.integers(1, 20), st.booleans(),
    st.sampled_from([0.0, 0.01, 1.0]), st.sampled_from([0.0, 0.3]), st.booleans(),
    st.sampled_from(["float32", "float64"]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_no_sweep_makes_it_worse(seed, case, k, interacts, unobserved, l2, counts_observed, dtype):
    weights = WholeDataSettings(unobserved, 1.5, counts_observed, 0.5)
    given, features, params, value, _ = problem(case, k, weights, interacts, True, seed, l2)
    models = [fitted(given, features, n, **params, dtype=dtype) for n in (1, 2, 6)]
    values = [value(dense_side(model, False), dense_side(model, True)) for model in models]
    assert np.isfinite(values).all()
    slack = 1e-9 if dtype == "float64" else 1e-4
    assert values[1] <= values[0] + slack * (1 + values[0])
    assert values[2] <= values[1] + slack * (1 + values[1])


@pytest.mark.parametrize("case", CASES)
def test_the_end_is_a_least_value(case):
    weights = WholeDataSettings(0.5, 1.0, True, 0.0)
    given, features, params, value, _ = problem(case, 3, weights, True, True)
    model = fitted(given, features, 800, **params)
    users, items = dense_side(model, False), dense_side(model, True)
    parts = users[1], items[1], items[2]
    ends = np.cumsum([part.size for part in parts])

    def at(flat):
        V, U, w = (
            one.reshape(part.shape)
            for one, part in zip(np.split(flat, ends[:-1]), parts, strict=True)
        )
        return value((users[0], V, users[2]), (items[0], U, w))

    here = np.concatenate([part.ravel() for part in parts])
    found = optimize.minimize(at, here, method="L-BFGS-B", tol=1e-12)
    assert at(here) <= found.fun * (1 + 1e-6)


@pytest.mark.parametrize("case", CASES)
def test_any_number_of_threads_gives_the_same_bits(case, monkeypatch):
    monkeypatch.setattr("fastfm_cy.training.whole_data.trainer._WORK_A_CALL", 500)
    monkeypatch.setattr("fastfm_cy.utils.threads._WORK_A_THREAD", 10)
    weights = WholeDataSettings(0.3)
    given, features, params, _, _ = problem(case, 10, weights, True, True)
    one = fitted(given, features, 3, n_jobs=1, **params)
    for n_jobs in (2, 3):
        other = fitted(given, features, 3, n_jobs=n_jobs, **params)
        for name in ("user_table", "item_table"):
            mine, theirs = getattr(one._model, name), getattr(other._model, name)
            assert np.array_equal(mine.factors, theirs.factors)
            assert np.array_equal(mine.linear, theirs.linear)


def test_gram_of_many_rows():
    vectors = np.random.default_rng(0).normal(size=(9000, 16)).astype(np.float32)
    expected = vectors.astype(float).T @ vectors.astype(float)
    with threadpool_limits(1, user_api="blas"):
        for n_jobs in (1, 2):
            np.testing.assert_allclose(gram_of(vectors, n_jobs), expected, rtol=1e-4, atol=1e-2)
        assert np.array_equal(gram_of(vectors, 1), gram_of(vectors, 3))
