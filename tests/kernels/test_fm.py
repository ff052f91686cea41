import mmap

import numpy as np
import pytest
from fastfm_cy.kernels.settings import Settings
from hypothesis import given
from hypothesis import strategies as st
from reference import fm as reference
from strategies import DTYPES, problems

from fastfm_cy._losses import CLASSIFICATION, REGRESSION
from fastfm_cy._matrix import CSRRows
from fastfm_cy._parameters import ParameterTable
from fastfm_cy._solvers import SOLVERS
from fastfm_cy.kernels import dispatch

LOSSES = REGRESSION | CLASSIFICATION
BUILDS = dispatch.available_builds()
TOLERANCE = {"float32": 2e-5, "float64": 1e-11}


@pytest.fixture(params=BUILDS, autouse=True, scope="module")
def build(request):
    """Every test of this file runs on every build of the kernels."""
    global fm
    fm = dispatch.load(request.param)


def predict(rows, table):
    scores = np.full(rows.n_rows, np.nan, table.dtype)
    fm.predict(
        rows.indptr, rows.indices, rows.data,
        table.intercept, table.linear, table.factors, table.n_padded, scores, 0, len(scores),
    )  # fmt: skip
    return scores


def train(rows, y, weights, order, table, settings):
    y = np.asarray(y, table.dtype)
    weights = None if weights is None else np.asarray(weights, table.dtype)
    order = np.asarray(order, np.int64)
    return fm.train(
        rows.indptr, rows.indices, rows.data, y, weights, order,
        table.intercept, table.linear, table.factors, table.n_padded, settings,
    )  # fmt: skip


def make_settings(loss="squared_error", solver="sgd", learning_rate=0.05, l2_linear=0.0,
                  l2_factors=0.0, fit_intercept=True, fit_linear=True):  # fmt: skip
    return Settings(
        loss=LOSSES[loss].code, solver=SOLVERS[solver].code, learning_rate=learning_rate,
        l2_linear=l2_linear, l2_factors=l2_factors,
        fit_intercept=fit_intercept, fit_linear=fit_linear,
    )  # fmt: skip


def reference_solver(name, learning_rate):
    if name == "sgd":
        return reference.Sgd(learning_rate)
    return reference.AdaGrad(learning_rate, *SOLVERS[name].state_start)


def assert_close(table, model, dtype):
    tolerance = {"rtol": 20 * TOLERANCE[dtype], "atol": 20 * TOLERANCE[dtype]}
    np.testing.assert_allclose(table.intercept[0], model.w0, **tolerance)
    np.testing.assert_allclose(table.coef, model.w, **tolerance)
    np.testing.assert_allclose(table.factor_vectors, model.v, **tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@given(problem=problems())
def test_scores_equal_the_pairwise_definition(dtype, problem):
    scores = predict(problem.rows(dtype), problem.table(dtype))
    expected = [problem.model.score(x) for x in problem.X]
    # Rounding is relative to the terms, not to their sum, which may cancel.
    terms = 1 + np.abs(problem.X) @ np.abs(problem.model.w)
    terms += np.square(np.abs(problem.X) @ np.abs(problem.model.v)).sum(axis=1)
    np.testing.assert_array_less(np.abs(scores - expected), TOLERANCE[dtype] / 10 * terms)


@pytest.mark.parametrize("dtype", DTYPES)
@given(problem=problems())
def test_scores_ignore_optimiser_state(dtype, problem):
    rows = problem.rows(dtype)
    plain = predict(rows, problem.table(dtype))
    assert np.array_equal(plain, predict(rows, problem.table(dtype, state_start=(7.0,))))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("loss", LOSSES)
@given(problem=problems(), weighted=st.booleans(), seed=st.integers(0, 9))
def test_an_epoch_equals_the_plain_loop(dtype, solver, loss, problem, weighted, seed):
    rng = np.random.default_rng(seed)
    n_rows = len(problem.X)
    y = rng.choice([-1.0, 1.0], n_rows) if loss in CLASSIFICATION else rng.integers(-2, 3, n_rows)
    weights = rng.integers(0, 4, n_rows) * 0.5 if weighted else np.ones(n_rows)
    order = rng.permutation(n_rows)
    strengths = {
        "l2_linear": rng.choice([0.0, 0.125]),
        "l2_factors": rng.choice([0.0, 0.25]),
        "fit_intercept": bool(rng.integers(2)),
        "fit_linear": bool(rng.integers(2)),
    }
    table = problem.table(dtype, SOLVERS[solver].state_start)
    settings = make_settings(loss, solver, 0.0625, **strengths)
    loss_sum, done = train(
        problem.rows(dtype), y, weights if weighted else None, order, table, settings
    )
    expected = reference.epoch(
        problem.model, problem.X, y, weights, order, reference_solver(solver, 0.0625),
        loss=loss, **strengths,
    )  # fmt: skip
    assert done == n_rows
    assert loss_sum == pytest.approx(expected, rel=50 * TOLERANCE[dtype], abs=TOLERANCE[dtype])
    assert_close(table, problem.model, dtype)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_step_follows_the_finite_difference_gradient(loss, solver):
    """One row, one update: the step is -rate times (loss + L2)'s numerical derivative."""
    rng = np.random.default_rng(5)
    x, y, strengths = rng.normal(size=4), 1.0, {"l2_linear": 0.3, "l2_factors": 0.7}
    start = rng.normal(scale=0.4, size=1 + 4 + 4 * 3)
    rows = CSRRows(np.array([0, 4]), np.arange(4, dtype=np.int32), x, 4)

    def objective(theta):
        model = reference.Model(theta[0], theta[1:5], theta[5:].reshape(4, 3))
        penalty = strengths["l2_linear"] * model.w @ model.w
        penalty += strengths["l2_factors"] * np.sum(model.v**2)
        return reference.LOSSES[loss](model.score(x), y) + penalty / 2

    gradient = np.empty_like(start)
    for i in range(len(start)):
        step = 1e-6 * np.eye(len(start))[i]
        gradient[i] = (objective(start + step) - objective(start - step)) / 2e-6

    table = ParameterTable(4, 3, "float64", SOLVERS[solver].state_start)
    table.intercept[0], table.coef[...] = start[0], start[1:5]
    table.factor_vectors[...] = start[5:].reshape(4, 3)
    train(rows, [y], None, [0], table, make_settings(loss, solver, 0.5, **strengths))
    end = np.concatenate([table.intercept[:1], table.coef, table.factor_vectors.ravel()])
    scale = 1.0 if solver == "sgd" else np.sqrt(SOLVERS[solver].state_start[0] + gradient**2)
    assert np.abs(gradient).max() > 0.1
    np.testing.assert_allclose(end, start - 0.5 * gradient / scale, atol=1e-7)


@pytest.mark.parametrize("dtype", DTYPES)
@given(problem=problems(), seed=st.integers(0, 9))
def test_the_notebook_update_rule(dtype, problem, seed):
    """SGD on the log loss in the order of the rows, with l2 = 2 * reg."""
    reg, rate = 0.01, 0.1
    y = np.random.default_rng(seed).choice([-1.0, 1.0], len(problem.X))
    table = problem.table(dtype)
    settings = make_settings("log_loss", "sgd", rate, l2_linear=2 * reg, l2_factors=2 * reg)
    loss_sum, _ = train(problem.rows(dtype), y, None, np.arange(len(y)), table, settings)
    mean_loss = reference.notebook_epoch(problem.model, problem.X, y, rate, reg)
    assert loss_sum / len(y) == pytest.approx(mean_loss, rel=50 * TOLERANCE[dtype])
    assert_close(table, problem.model, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
@given(problem=problems())
def test_padding_stays_zero(dtype, solver, problem):
    table = problem.table(dtype, SOLVERS[solver].state_start)
    y = problem.rng.normal(size=len(problem.X))
    train(problem.rows(dtype), y, None, np.arange(len(y)), table, make_settings(solver=solver))
    assert not table.factors[:, table.n_factors : table.n_padded].any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_score_that_is_not_finite_stops_before_its_update(dtype):
    huge = np.finfo(dtype).max
    rows = CSRRows(np.array([0, 1, 2]), np.zeros(2, np.int32), np.array([1, huge], dtype), 1)
    table = ParameterTable(1, 0, dtype)
    table.coef[0] = 2.0
    settings = make_settings(learning_rate=1e-3)
    _, done = train(rows, [2.0, 0.0], None, [0, 1], table, settings)
    assert done == 1
    assert table.is_finite()


@pytest.mark.parametrize("dtype", DTYPES)
def test_non_zeros_beyond_two_to_the_31(dtype):
    """Offsets past 2^31 reach the right entries. The arrays are address space, hardly touched."""
    first = 2**31 + 11
    columns, values = np.array([0, 2, 1], np.int32), np.array([1.5, -2.0, 0.5], dtype)
    indptr = np.array([0, 2, 3], np.int64)
    small = CSRRows(indptr, columns, values, 3)
    try:
        far_columns = np.frombuffer(mmap.mmap(-1, 4 * (first + 3)), np.int32)
        far_values = np.frombuffer(mmap.mmap(-1, values.itemsize * (first + 3)), dtype)
    except (OSError, ValueError, OverflowError) as error:  # 32-bit systems, tight limits
        pytest.skip(f"no address space for 2^31 entries: {error}")
    far_columns[first:], far_values[first:] = columns, values
    large = CSRRows(indptr + first, far_columns, far_values, 3)

    def fitted(rows):
        table = ParameterTable(3, 2, dtype)
        table.draw_factors(0.5, np.random.default_rng(0))
        train(rows, [1.0, -1.0], None, [1, 0], table, make_settings())
        return table

    near, far = fitted(small), fitted(large)
    assert np.array_equal(near.factors, far.factors)
    assert np.array_equal(near.linear, far.linear)
    assert np.array_equal(predict(small, near), predict(large, near))
