import mmap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import fm as reference
from reference.losses import LOSSES as TEXTBOOK
from reference.losses import of_outputs
from reference.solvers import SOLVERS as REFERENCES
from support.starts import start
from support.strategies import DTYPES, problems

from fastfm_cy.data.csr import CSRRows
from fastfm_cy.kernels import dispatch
from fastfm_cy.kernels.common.settings import Settings
from fastfm_cy.model.losses import CLASSIFICATION, REGRESSION
from fastfm_cy.model.table import ParameterTable
from fastfm_cy.training.gradient.ftrl import match_state
from fastfm_cy.training.regularization import Strengths
from fastfm_cy.training.solvers import SOLVERS

LOSSES = REGRESSION | CLASSIFICATION
BUILDS = dispatch.available_builds()
TOLERANCE = {"float32": 2e-5, "float64": 1e-11}


@pytest.fixture(params=BUILDS, autouse=True, scope="module")
def build(request):
    """Every test of this file runs on every build of the kernels."""
    global fm
    fm = dispatch.load(request.param)


def predict(rows, table):
    scores = np.full((rows.n_rows, table.n_outputs), np.nan, table.dtype)
    fm.predict(
        rows.indptr, rows.indices, rows.data, *table.arrays, table.n_padded, scores, 0, len(scores)
    )
    return scores


def train(rows, y, weights, order, table, settings, strengths=(0, 0, 0, 0), groups=None):
    y = np.asarray(y, table.dtype)
    weights = None if weights is None else np.asarray(weights, table.dtype)
    order = np.asarray(order, np.int64)
    strengths = np.atleast_2d(np.asarray(strengths, table.dtype))
    return fm.train(
        rows.indptr, rows.indices, rows.data, y, weights, order, *table.arrays, table.n_padded,
        groups, strengths, settings,
    )  # fmt: skip


def make_settings(loss="squared_error", solver="sgd", learning_rate=0.05, **others):
    return Settings(
        loss=LOSSES[loss].code, solver=SOLVERS[solver].code, learning_rate=learning_rate, **others
    )


def state_of(solver):
    return SOLVERS[solver].state_start, SOLVERS[solver].n_row_state


def bearable(n_factors):
    """What factors are divided by, a power of two, so that scores do not grow with their number:
    plain SGD would diverge, and rounding errors grow with the parameters."""
    return 2.0 ** np.ceil(max(0.0, np.log2(max(1, n_factors) / 2)) / 2)


def draw_targets(rng, loss, n_rows, n_outputs):
    if n_outputs > 1:
        return rng.integers(0, n_outputs, n_rows).astype(float)
    if loss in CLASSIFICATION:
        return rng.choice([-1.0, 1.0], n_rows)
    return rng.integers(0 if loss == "poisson" else -2, 3, n_rows).astype(float)


def assert_close(table, models, dtype, slack=1):
    tolerance = {"rtol": 50 * TOLERANCE[dtype], "atol": 50 * slack * TOLERANCE[dtype]}
    for output, model in enumerate(models):
        vectors = table.factor_blocks[:, output, 0, : table.n_factors]
        np.testing.assert_allclose(table.intercepts[output], model.w0, **tolerance)
        np.testing.assert_allclose(table.linear_blocks[:, output, 0], model.w, **tolerance)
        np.testing.assert_allclose(vectors, model.v, **tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_outputs", [1, 3])
@given(data=st.data())
def test_scores_equal_the_pairwise_definition(dtype, n_outputs, data):
    problem = data.draw(problems(n_outputs))
    scores = predict(problem.rows(dtype), problem.table(dtype))
    for output, model in enumerate(problem.models):
        expected = [model.score(x) for x in problem.X]
        # Rounding is relative to the terms, not to their sum, which may cancel.
        terms = 1 + np.abs(problem.X) @ np.abs(model.w)
        terms += np.square(np.abs(problem.X) @ np.abs(model.v)).sum(axis=1)
        errors = np.abs(scores[:, output] - expected)
        np.testing.assert_array_less(errors, TOLERANCE[dtype] / 10 * terms)


@pytest.mark.parametrize("dtype", DTYPES)
@given(problem=problems())
def test_scores_ignore_optimiser_state(dtype, problem):
    rows = problem.rows(dtype)
    plain = predict(rows, problem.table(dtype))
    assert np.array_equal(
        plain, predict(rows, problem.table(dtype, state_start=(7.0,), n_row_state=2))
    )


# Each loss with one output or with three, as its kind of target has it.
OUTPUTS = [(loss, n) for loss in LOSSES for n in (1, 3) if n == 1 or loss in CLASSIFICATION]
OUTPUTS.remove(("softmax", 1))
STRENGTHS = [0.0, 0.125, 0.25]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("loss", "n_outputs"), OUTPUTS)
@settings(max_examples=20)
@given(data=st.data(), weighted=st.booleans(), grouped=st.booleans(), seed=st.integers(0, 9))
def test_an_epoch_equals_the_plain_loop(
    dtype, solver, loss, n_outputs, data, weighted, grouped, seed
):
    rng = np.random.default_rng(seed)
    problem = data.draw(problems(n_outputs))
    n_rows, n_features = problem.X.shape
    y = draw_targets(rng, loss, n_rows, n_outputs)
    weights = rng.integers(0, 4, n_rows) * 0.5 if weighted else np.ones(n_rows)
    order = rng.permutation(n_rows)
    values = rng.choice(STRENGTHS, (3 if grouped else 1, 4))
    groups = rng.integers(0, 3, n_features).astype(np.int32) if grouped else None
    fits = {"fit_intercept": bool(rng.integers(2)), "fit_linear": bool(rng.integers(2))}
    steps = make_settings(loss, solver, 0.0625, has_l1=bool(values[:, [0, 2]].any()), **fits)
    for model in problem.models:
        model.v = model.v / bearable(model.v.shape[1])
        if loss == "poisson":  # it is exponential
            model.w0, model.w, model.v = model.w0 / 8, model.w / 8, model.v / 8
    table = problem.table(dtype, *state_of(solver))
    strengths = Strengths(values, groups)
    if solver == "ftrl":
        match_state(table, strengths, steps)
    loss_sum, done = train(
        problem.rows(dtype), y, weights if weighted else None, order, table, steps, values, groups,
    )  # fmt: skip
    of_rows = values[np.zeros(n_features, int) if groups is None else groups]
    expected = reference.epoch(
        problem.models, problem.X, y, weights, order, REFERENCES[solver](0.0625),
        of_outputs(loss, n_outputs), strengths=of_rows, **fits,
    )  # fmt: skip
    assert done == n_rows
    # Adam's steps are the larger the smaller their gradients are, rounding errors included.
    slack = 200 if solver.startswith("adam") and dtype == "float32" else 1
    tolerance = slack * TOLERANCE[dtype]
    assert loss_sum == pytest.approx(expected, rel=50 * tolerance, abs=tolerance)
    assert_close(table, problem.models, dtype, slack)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "softmax"])
def test_a_step_follows_the_finite_difference_gradient(loss, solver):
    """One row, one update: the reference solver's step with the loss's numerical derivative."""
    rng = np.random.default_rng(5)
    x, y, strengths = rng.normal(size=4), 1.0, (0.0, 0.3, 0.0, 0.7)
    start = rng.normal(scale=0.4, size=1 + 4 + 4 * 3)
    rows = CSRRows(np.array([0, 4]), np.arange(4, dtype=np.int32), x, 4)

    def value(theta):
        model = reference.Model(theta[0], theta[1:5], theta[5:].reshape(4, 3))
        return TEXTBOOK[loss](model.score(x), y)

    gradient = np.empty_like(start)
    for i in range(len(start)):
        step = 1e-6 * np.eye(len(start))[i]
        gradient[i] = (value(start + step) - value(start - step)) / 2e-6

    table = ParameterTable(4, 3, "float64", 1, *state_of(solver))
    table.intercepts[0], table.coef[...] = start[0], start[1:5]
    table.factor_vectors[...] = start[5:].reshape(4, 3)
    steps = make_settings(loss, solver, 0.5)
    if solver == "ftrl":
        match_state(table, Strengths(np.array([strengths])), steps)
    train(rows, [y], None, [0], table, steps, strengths)
    end = np.concatenate([table.intercepts, table.coef, table.factor_vectors.ravel()])
    l2 = np.repeat([0.0, 0.3, 0.7], [1, 4, 12])
    assert np.abs(gradient).max() > 0.1
    expected = REFERENCES[solver](0.5).step("all", start, gradient, 0.0, l2)
    np.testing.assert_allclose(end, expected, atol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@given(problem=problems(), seed=st.integers(0, 9))
def test_held_out_slopes_equal_finite_differences(dtype, problem, seed):
    """How the loss changes when all touched weights shrink by the strength times a rate of 1."""
    rng = np.random.default_rng(seed)
    y, groups = rng.normal(size=len(problem.X)), rng.integers(0, 2, problem.X.shape[1])
    table, rows = problem.table("float64"), problem.rows("float64")
    weights = rng.integers(0, 3, len(y)).astype(float)
    slopes = np.zeros((2, 2))
    fm.strength_slopes(
        rows.indptr, rows.indices, rows.data, y, weights, *table.arrays, table.n_padded,
        groups.astype(np.int32), slopes, make_settings(),
    )  # fmt: skip

    def shrunk_loss(group, kind, by):
        model = reference.Model(problem.model.w0, problem.model.w.copy(), problem.model.v.copy())
        if kind == 0:
            model.w[groups == group] *= 1 - by
        else:
            model.v[groups == group] *= 1 - by
        scores = np.array([model.score(x) for x in problem.X])
        return 0.5 * weights @ (scores - y) ** 2

    for group in (0, 1):
        for kind in (0, 1):
            losses = [shrunk_loss(group, kind, by) for by in (1e-6, -1e-6)]
            expected = (losses[0] - losses[1]) / 2e-6
            assert slopes[group, kind] == pytest.approx(expected, rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("dtype", DTYPES)
@given(problem=problems(), seed=st.integers(0, 9))
def test_the_notebook_update_rule(dtype, problem, seed):
    """SGD on the log loss in the order of the rows, with l2 = 2 * reg."""
    reg, rate = 0.01, 0.1
    y = np.random.default_rng(seed).choice([-1.0, 1.0], len(problem.X))
    table = problem.table(dtype)
    steps = make_settings("log_loss", "sgd", rate)
    strengths = (0, 2 * reg, 0, 2 * reg)
    loss_sum, _ = train(problem.rows(dtype), y, None, np.arange(len(y)), table, steps, strengths)
    mean_loss = reference.notebook_epoch(problem.model, problem.X, y, rate, reg)
    assert loss_sum / len(y) == pytest.approx(mean_loss, rel=50 * TOLERANCE[dtype])
    assert_close(table, problem.models, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
@given(problem=problems())
def test_padding_stays_zero(dtype, solver, problem):
    table = problem.table(dtype, *state_of(solver))
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
        start(table, 0.5)
        train(rows, [1.0, -1.0], None, [1, 0], table, make_settings())
        return table

    near, far = fitted(small), fitted(large)
    assert np.array_equal(near.factors, far.factors)
    assert np.array_equal(near.linear, far.linear)
    assert np.array_equal(predict(small, near), predict(large, near))
