"""Higher-order machines: the kernel beside its definition, on every build."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import fm as plain_loop
from reference.higher_order import Model
from reference.losses import LOSSES as TEXTBOOK
from reference.losses import of_outputs
from reference.solvers import SOLVERS as REFERENCES
from support.strategies import DTYPES, problems

from fastfm_cy.data.csr import CSRRows
from fastfm_cy.kernels import dispatch
from fastfm_cy.kernels.common.settings import Settings
from fastfm_cy.model.families import HigherOrderFM
from fastfm_cy.model.losses import CLASSIFICATION, REGRESSION
from fastfm_cy.model.table import ParameterTable
from fastfm_cy.training.gradient.ftrl import match_state
from fastfm_cy.training.regularization import Strengths
from fastfm_cy.training.solvers import SOLVERS

LOSSES = REGRESSION | CLASSIFICATION
TOLERANCE = {"float32": 2e-5, "float64": 1e-11}
KINDS = [(2, False), (3, False), (4, False), (5, False), (3, True), (4, True), (5, True)]


@pytest.fixture(params=dispatch.available_builds(), autouse=True, scope="module")
def build(request):
    """Every test of this file runs on every build of the kernels."""
    global higher_order, fm
    higher_order, fm = dispatch.load(request.param, "higher_order"), dispatch.load(request.param)


def models_of(problem, degree, shared, n_outputs=1, scale=0.5):
    """Models of the problem's shape, whose numbers float32 holds exactly."""
    rng = problem.rng
    n_features, n_factors = problem.model.v.shape
    shape = n_features, 1 if shared else degree - 1, n_factors
    return [
        Model(
            float(np.float32(rng.normal())),
            rng.normal(size=n_features).astype(np.float32).astype(float),
            rng.normal(scale=scale, size=shape).astype(np.float32).astype(float),
            degree,
        )
        for _ in range(n_outputs)
    ]


def table_of(models, shared, dtype, state_start=(), n_row_state=0):
    machine = HigherOrderFM(models[0].degree, shared)
    n_features, _, n_factors = models[0].v.shape
    table = ParameterTable(
        n_features, n_factors, dtype, len(models), state_start, n_row_state, family=machine
    )
    for output, model in enumerate(models):
        table.intercepts[output] = model.w0
        table.linear_blocks[:, output, 0] = model.w
        table.vector_blocks[:, output] = model.v
    return table


def degree_of(table):
    return {"degree": table.family.degree, "n_vectors": table.family.n_vectors}


def predict(rows, table):
    scores = np.full((rows.n_rows, table.n_outputs), np.nan, table.dtype)
    higher_order.predict(
        rows.indptr, rows.indices, rows.data, *table.arrays, table.n_padded, scores, 0, len(scores),
        **degree_of(table),
    )  # fmt: skip
    return scores


def train(rows, y, weights, order, table, settings, strengths=(0, 0, 0, 0), groups=None):
    y = np.asarray(y, table.dtype)
    weights = None if weights is None else np.asarray(weights, table.dtype)
    order = np.asarray(order, np.int64)
    strengths = np.atleast_2d(np.asarray(strengths, table.dtype))
    return higher_order.train(
        rows.indptr, rows.indices, rows.data, y, weights, order, *table.arrays, table.n_padded,
        groups, strengths, settings, **degree_of(table),
    )  # fmt: skip


def make_settings(loss="squared_error", solver="sgd", learning_rate=0.05, **others):
    return Settings(
        loss=LOSSES[loss].code, solver=SOLVERS[solver].code, learning_rate=learning_rate, **others
    )


def state_of(solver):
    return SOLVERS[solver].state_start, SOLVERS[solver].n_row_state


def draw_targets(rng, loss, n_rows, n_outputs):
    if n_outputs > 1:
        return rng.integers(0, n_outputs, n_rows).astype(float)
    if loss in CLASSIFICATION:
        return rng.choice([-1.0, 1.0], n_rows)
    return rng.integers(0 if loss == "poisson" else -2, 3, n_rows).astype(float)


def assert_close(table, models, dtype, slack=1):
    tolerance = {"rtol": 50 * TOLERANCE[dtype], "atol": 50 * slack * TOLERANCE[dtype]}
    for output, model in enumerate(models):
        np.testing.assert_allclose(table.intercepts[output], model.w0, **tolerance)
        np.testing.assert_allclose(table.linear_blocks[:, output, 0], model.w, **tolerance)
        np.testing.assert_allclose(table.vector_blocks[:, output], model.v, **tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize(("degree", "shared"), KINDS)
@settings(max_examples=25)
@given(problem=problems())
def test_scores_equal_the_definition(dtype, n_outputs, degree, shared, problem):
    models = models_of(problem, degree, shared, n_outputs)
    scores = predict(problem.rows(dtype), table_of(models, shared, dtype))
    with_state = table_of(models, shared, dtype, state_start=(7.0,), n_row_state=2)
    assert np.array_equal(scores, predict(problem.rows(dtype), with_state))
    for output, model in enumerate(models):
        expected = [model.score(x) for x in problem.X]
        # Rounding is relative to the terms, not to their sum, which may cancel.
        absolute = Model(1.0, np.abs(model.w), np.abs(model.v), degree)
        terms = np.array([absolute.score(np.abs(x)) for x in problem.X])
        errors = np.abs(scores[:, output] - expected)
        np.testing.assert_array_less(errors, TOLERANCE[dtype] / 10 * (terms + 1))


# Each loss with one output or with three, as its kind of target has it.
OUTPUTS = [(loss, n) for loss in LOSSES for n in (1, 3) if n == 1 or loss in CLASSIFICATION]
OUTPUTS.remove(("softmax", 1))
STRENGTHS = [0.0, 0.125, 0.25]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("loss", "n_outputs"), OUTPUTS)
@settings(max_examples=12)
@given(
    problem=problems(), kind=st.sampled_from(KINDS), weighted=st.booleans(),
    grouped=st.booleans(), seed=st.integers(0, 9),
)  # fmt: skip
def test_an_epoch_equals_the_plain_loop(
    dtype, solver, loss, n_outputs, problem, kind, weighted, grouped, seed
):
    rng = np.random.default_rng(seed)
    problem.X /= 2  # products of five should not blow up
    n_rows, n_features = problem.X.shape
    models = models_of(problem, *kind, n_outputs, scale=0.25)
    y = draw_targets(rng, loss, n_rows, n_outputs)
    weights = rng.integers(0, 4, n_rows) * 0.5 if weighted else np.ones(n_rows)
    order = rng.permutation(n_rows)
    values = rng.choice(STRENGTHS, (3 if grouped else 1, 4))
    groups = rng.integers(0, 3, n_features).astype(np.int32) if grouped else None
    fits = {"fit_intercept": bool(rng.integers(2)), "fit_linear": bool(rng.integers(2))}
    steps = make_settings(loss, solver, 0.0625, has_l1=bool(values[:, [0, 2]].any()), **fits)
    for model in models if loss == "poisson" else ():
        model.w0, model.w, model.v = model.w0 / 8, model.w / 8, model.v / 8  # it is exponential
    table = table_of(models, kind[1], dtype, *state_of(solver))
    strengths = Strengths(values, groups)
    if solver == "ftrl":
        match_state(table, strengths, steps)
    loss_sum, done = train(
        problem.rows(dtype), y, weights if weighted else None, order, table, steps, values, groups,
    )  # fmt: skip
    of_rows = values[np.zeros(n_features, int) if groups is None else groups]
    expected = plain_loop.epoch(
        models, problem.X, y, weights, order, REFERENCES[solver](0.0625),
        of_outputs(loss, n_outputs), strengths=of_rows, **fits,
    )  # fmt: skip
    assert done == n_rows
    # Adam's steps are the larger the smaller their gradients are, rounding errors included.
    slack = 200 if solver.startswith("adam") and dtype == "float32" else 1
    tolerance = slack * TOLERANCE[dtype]
    assert loss_sum == pytest.approx(expected, rel=50 * tolerance, abs=tolerance)
    assert_close(table, models, dtype, slack)
    n_used = table.family.n_vectors * table.n_padded
    assert not table.factor_blocks[:, :, 0, n_used:].any()
    padded = table.factor_blocks[:, :, 0, :n_used].reshape(n_features, n_outputs, -1)
    assert np.count_nonzero(padded) <= sum(model.v.size for model in models)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "softmax"])
@pytest.mark.parametrize(("degree", "shared"), [(3, False), (4, True), (5, False)])
def test_a_step_follows_the_finite_difference_gradient(loss, solver, degree, shared):
    """One row, one update: the reference solver's step with the loss's numerical derivative."""
    rng = np.random.default_rng(5)
    x, y, strengths = rng.normal(size=6), 1.0, (0.0, 0.3, 0.0, 0.7)
    n_vectors = 1 if shared else degree - 1
    start = rng.normal(scale=0.4, size=1 + 6 + 6 * n_vectors * 3)
    rows = CSRRows(np.array([0, 6]), np.arange(6, dtype=np.int32), x, 6)

    def model_of(theta):
        return Model(theta[0], theta[1:7], theta[7:].reshape(6, n_vectors, 3), degree)

    def value(theta):
        return TEXTBOOK[loss](model_of(theta).score(x), y)

    gradient = np.empty_like(start)
    for i in range(len(start)):
        difference = 1e-6 * np.eye(len(start))[i]
        gradient[i] = (value(start + difference) - value(start - difference)) / 2e-6

    table = table_of([model_of(start)], shared, "float64", *state_of(solver))
    steps = make_settings(loss, solver, 0.5)
    if solver == "ftrl":
        match_state(table, Strengths(np.array([strengths])), steps)
    train(rows, [y], None, [0], table, steps, strengths)
    end = np.concatenate([table.intercepts, table.coef, table.vector_blocks.ravel()])
    l2 = np.repeat([0.0, 0.3, 0.7], [1, 6, 6 * n_vectors * 3])
    assert np.abs(gradient).max() > 0.1
    expected = REFERENCES[solver](0.5).step("all", start, gradient, 0.0, l2)
    # Adam's step is the gradient's sign, nearly: its error is largest where that is small.
    np.testing.assert_allclose(end, expected, atol=1e-4 if solver.startswith("adam") else 1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_outputs", [1, 3])
@settings(max_examples=30)
@given(problem=problems(), kind=st.sampled_from(KINDS), seed=st.integers(0, 9))
def test_held_out_slopes_equal_finite_differences(dtype, n_outputs, problem, kind, seed):
    """How the loss changes when all touched weights shrink by the strength times a rate of 1."""
    rng = np.random.default_rng(seed)
    problem.X /= 2
    n_rows, n_features = problem.X.shape
    loss = "squared_error" if n_outputs == 1 else "softmax"
    y = draw_targets(rng, loss, n_rows, n_outputs)
    groups = rng.integers(0, 2, n_features)
    models = models_of(problem, *kind, n_outputs, scale=0.25)
    table, rows = table_of(models, kind[1], dtype), problem.rows(dtype)
    weights = rng.integers(0, 3, n_rows).astype(float)
    slopes = np.zeros((2, 2))
    higher_order.strength_slopes(
        rows.indptr, rows.indices, rows.data, y.astype(dtype), weights.astype(dtype),
        *table.arrays, table.n_padded, groups.astype(np.int32), slopes, make_settings(loss),
        **degree_of(table),
    )  # fmt: skip
    value = of_outputs(loss, n_outputs)

    def shrunk_loss(group, kind, by):
        shrunk = [Model(m.w0, m.w.copy(), m.v.copy(), m.degree) for m in models]
        for model in shrunk:
            (model.w, model.v)[kind][groups == group] *= 1 - by
        scores = np.array([[model.score(x) for model in shrunk] for x in problem.X])
        return sum(w * value(s, label)[0] for w, s, label in zip(weights, scores, y, strict=True))

    for group in (0, 1):
        for kind in (0, 1):
            losses = [shrunk_loss(group, kind, by) for by in (1e-6, -1e-6)]
            expected = (losses[0] - losses[1]) / 2e-6
            assert slopes[group, kind] == pytest.approx(expected, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
@settings(max_examples=25)
@given(problem=problems())
def test_degree_two_equals_the_pairwise_kernel(dtype, solver, problem):
    plain = problem.table(dtype, *state_of(solver))
    model = Model(problem.model.w0, problem.model.w, problem.model.v[:, None], 2)
    table = table_of([model], False, dtype, *state_of(solver))
    rows, y = problem.rows(dtype), problem.rng.normal(size=len(problem.X)).astype(dtype)
    order, steps = np.arange(len(y)), make_settings(solver=solver)
    loss_sum, _ = train(rows, y, None, order, table, steps)
    expected, _ = fm.train(
        rows.indptr, rows.indices, rows.data, y, None, order, *plain.arrays, plain.n_padded, None,
        np.zeros((1, 4), dtype), steps,
    )  # fmt: skip
    slack = 200 if solver.startswith("adam") and dtype == "float32" else 1
    tolerance = 50 * slack * TOLERANCE[dtype]
    assert loss_sum == pytest.approx(expected, rel=tolerance, abs=tolerance)
    np.testing.assert_allclose(table.factors, plain.factors, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("degree", "shared"), KINDS)
def test_large_features_leave_the_gradients_of_others_their_digits(dtype, degree, shared):
    """Taking p out of the row's sums, rather than never adding it, would leave none of them."""
    x = np.array([1.0, 1.0, 1e4, 1.0, 1.0, 1.0])
    model = Model(0.0, np.zeros(6), np.full((6, 1 if shared else degree - 1, 1), 0.5), degree)
    rows = CSRRows(np.array([0, 6]), np.arange(6, dtype=np.int32), x.astype(dtype), 6)
    table = table_of([model], shared, dtype, *state_of("adagrad"))
    # The slope of the hinge loss is 1, and AdaGrad sums the squared gradients.
    train(rows, [-1.0], None, [0], table, make_settings("hinge", "adagrad"))
    n_used = table.family.n_vectors * table.n_padded
    squares = table.factor_blocks[:, 0, 1, : n_used : table.n_padded] - 1.0
    expected = [model.factor_gradient(x, j)[:, 0] for j in range(6)]
    np.testing.assert_allclose(np.sqrt(squares), expected, rtol=10 * TOLERANCE[dtype])
    assert np.abs(expected[2]).max() < 1e-2 * np.abs(expected[0]).max() * x[2]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("degree", [3, 4, 5])
def test_rows_shorter_than_the_order_leave_its_factors_alone(dtype, solver, degree):
    rng = np.random.default_rng(0)
    model = Model(0.1, rng.normal(size=6), rng.normal(size=(6, degree - 1, 3)), degree)
    for n in range(degree + 1):
        columns = np.sort(rng.permutation(6)[:n]).astype(np.int32)
        rows = CSRRows(np.array([0, n]), columns, rng.normal(size=n).astype(dtype), 6)
        table = table_of([model], False, dtype, *state_of(solver))
        before = table.copy()
        train(rows, [7.0], None, [0], table, make_settings(solver=solver, learning_rate=0.5))
        changed = (table.vector_blocks != before.vector_blocks)[:, 0].any(axis=2)
        if solver == "ftrl":  # not started to match: weights of features it meets become 0
            continue
        expected = np.zeros((6, degree - 1), bool)
        expected[columns, : max(0, n - 1)] = True
        assert np.array_equal(changed, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("degree", "shared"), KINDS)
def test_long_rows(dtype, degree, shared):
    """Thousands of features in a row: the same from two orders of the same columns."""
    rng, n = np.random.default_rng(0), 3000
    model = Model(
        0.0, rng.normal(size=n), rng.normal(size=(n, 1 if shared else degree - 1, 5)), degree
    )
    x = (rng.normal(size=n) / np.sqrt(n)).astype(dtype)
    tables = []
    for columns in (np.arange(n), np.arange(n)[::-1]):
        rows = CSRRows(np.array([0, n]), columns.astype(np.int32), x[columns].copy(), n)
        table = table_of([model], shared, dtype)
        train(rows, [1.0], None, [0], table, make_settings(learning_rate=0.01))
        tables.append(table)
    tolerance = {"rtol": 1e-3 if dtype == "float32" else 1e-10, "atol": 5 * TOLERANCE[dtype]}
    np.testing.assert_allclose(tables[0].factors, tables[1].factors, **tolerance)
    assert not np.array_equal(tables[0].vector_blocks[:, 0], model.v.astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("degree", "shared"), KINDS)
def test_a_score_that_is_not_finite_stops_before_its_update(dtype, degree, shared):
    huge = np.sqrt(np.finfo(dtype).max)
    data = np.array([1, 1, huge, huge], dtype)
    rows = CSRRows(np.array([0, 2, 4]), np.array([0, 1, 0, 1], np.int32), data, 2)
    v = np.full((2, 1 if shared else degree - 1, 3), 2.0)
    table = table_of([Model(0.0, np.zeros(2), v, degree)], shared, dtype)
    _, done = train(rows, [2.0, 0.0], None, [0, 1], table, make_settings(learning_rate=1e-3))
    assert done == 1
    assert table.is_finite()
    assert not np.isfinite(predict(rows, table)[1, 0])
