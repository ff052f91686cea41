import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import gibbs as reference
from support.strategies import DTYPES, problems

from fastfm_cy.data.csr import CSRRows
from fastfm_cy.kernels import dispatch
from fastfm_cy.training.coordinate.csc import Columns
from fastfm_cy.utils.memory import aligned_zeros

BUILDS = dispatch.available_builds()
TOLERANCE = {"float32": 2e-3, "float64": 1e-9}


@pytest.fixture(params=BUILDS, autouse=True, scope="module")
def build(request):
    """Every test of this file runs on every build of the kernels."""
    global coordinate
    coordinate = dispatch.load(request.param, "coordinate")


def draw_setting(problem, seed):
    rng = np.random.default_rng(seed)
    n_rows, n_features = problem.X.shape
    groups = rng.integers(0, 2, n_features).astype(np.int32)
    return rng, rng.normal(size=n_rows), groups, float(rng.choice([0.5, 1.0, 3.0]))


@pytest.mark.parametrize("dtype", DTYPES)
@given(problem=problems(), seed=st.integers(0, 99), known=st.booleans(), weighted=st.booleans())
def test_linear_draws_equal_their_definition(dtype, problem, seed, known, weighted):
    rng, y, groups, alpha = draw_setting(problem, seed)
    weights = rng.integers(0, 4, len(y)).astype(float) if weighted else np.ones(len(y))
    model, n_features = problem.model, problem.X.shape[1]
    prior = np.column_stack([rng.uniform(0.5, 2, 2) * known, rng.normal(size=2)])
    normals = rng.normal(size=n_features) * known
    table = problem.table(dtype)
    errors = (reference.scores(model, problem.X) - y).astype(dtype)
    columns = Columns.of(problem.rows(dtype))
    coordinate.sweep_linear(
        *columns.arrays,
        table.linear,
        errors,
        weights.astype(dtype) if weighted else None,
        alpha,
        groups,
        prior,
        normals,
        0,
        n_features,
    )
    reference.sweep_linear(model, problem.X, y, alpha * weights, prior[groups], normals)
    tolerance = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    np.testing.assert_allclose(table.coef, model.w, **tolerance)
    np.testing.assert_allclose(errors, reference.scores(model, problem.X) - y, **tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    problem=problems(), seed=st.integers(0, 99), n_factors=st.integers(1, 11),
    weighted=st.booleans(),
)  # fmt: skip
def test_factor_draws_equal_their_definition(dtype, problem, seed, n_factors, weighted):
    rng, y, groups, alpha = draw_setting(problem, seed)
    weights = rng.integers(0, 4, len(y)).astype(float) if weighted else np.ones(len(y))
    model, (n_rows, n_features) = problem.model, problem.X.shape
    model.v = rng.normal(scale=0.5, size=(n_features, n_factors)).astype(np.float32).astype(float)
    factors = aligned_zeros((n_features, 16), dtype)
    factors[:, :n_factors] = model.v
    rows = problem.rows(dtype)
    lines = aligned_zeros((n_rows, 16), dtype)
    lines[:, 8] = reference.scores(model, problem.X) - y
    lines[:, 9] = np.sqrt(weights)
    for first in range(0, n_factors, 8):
        n_active = min(8, n_factors - first)
        precisions, means = rng.uniform(0.5, 2, (2, 8)), rng.normal(size=(2, 8))
        normals = rng.normal(size=(n_features, 8))
        coordinate.sum_factors(
            rows.indptr, rows.indices, rows.data, factors, first, True, lines, 0, n_rows
        )
        np.testing.assert_allclose(
            lines[:, :n_active], problem.X @ model.v[:, first : first + n_active],
            rtol=1e-3, atol=1e-4,
        )  # fmt: skip
        coordinate.sweep_factors(
            *Columns.of(rows).arrays, factors, first, n_active, lines, weighted, alpha, groups,
            precisions, means, normals, 0, n_features,
        )  # fmt: skip
        reference.sweep_factors(
            model, problem.X, y, alpha * weights, precisions[groups], means[groups], normals,
            range(first, first + n_active),
        )  # fmt: skip
    tolerance = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    np.testing.assert_allclose(factors[:, :n_factors], model.v, **tolerance)
    assert not factors[:, n_factors:].any()
    errors = reference.scores(model, problem.X) - y
    np.testing.assert_allclose(lines[:, 8], errors, rtol=1e-2, atol=10 * TOLERANCE[dtype])


@given(problem=problems())
def test_runs_share_no_row_and_are_as_long_as_can_be(problem):
    X, columns = problem.X != 0, Columns.of(problem.rows("float32"))
    assert columns.runs[0] == 0
    assert columns.runs[-1] == X.shape[1]
    for first, last in zip(columns.runs[:-1], columns.runs[1:], strict=True):
        assert (X[:, first:last].sum(axis=1) <= 1).all()
        if last < X.shape[1]:
            assert (X[:, first : last + 1].sum(axis=1) > 1).any()


def test_one_hot_fields_are_runs():
    rng = np.random.default_rng(0)
    fields = [rng.integers(0, size, 200) for size in (5, 9, 4)]
    offsets = [0, 5, 14]
    indices = np.stack([f + o for f, o in zip(fields, offsets, strict=True)], axis=1)
    rows = CSRRows(
        np.arange(0, 601, 3), indices.ravel().astype(np.int32), np.ones(600, np.float32), 18
    )
    assert Columns.of(rows).runs == [0, 5, 14, 18]


@pytest.mark.parametrize("n_threads", [2, 3])
def test_threads_visit_every_column_once(n_threads, monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    from fastfm_cy.training.coordinate import csc as _columns

    monkeypatch.setattr(_columns, "_LEAST_A_THREAD", 10)
    rng = np.random.default_rng(0)
    indices = np.sort(rng.integers(0, 6, (100, 2)), axis=1) + np.array([0, 6])
    rows = CSRRows(
        np.arange(0, 201, 2), indices.ravel().astype(np.int32), np.ones(200, np.float32), 13
    )
    visited = []
    with ThreadPoolExecutor(n_threads) as pool:
        Columns.of(rows).sweep(lambda *part: visited.append(part), pool, n_threads)
    assert sorted(column for part in visited for column in range(*part)) == list(range(13))
    assert len(visited) > 2


@pytest.mark.parametrize("dtype", DTYPES)
@given(problem=problems())
def test_scores_and_sums_of_eights_equal_their_definition(dtype, problem):
    rows, table = problem.rows(dtype), problem.table(dtype, is_tiled=True)
    lines = aligned_zeros((rows.n_rows, 16), dtype)
    scores = np.full(rows.n_rows, np.nan, dtype)
    for first in range(0, table.n_padded, 8):
        coordinate.score_eight(
            rows.indptr, rows.indices, rows.data, table.linear, table.factors, first,
            table.intercepts[0], first == 0, lines, scores, 0, rows.n_rows,
        )  # fmt: skip
        expected = problem.X @ table.factors[:, first : first + 8].astype(float)
        np.testing.assert_allclose(lines[:, :8], expected, rtol=1e-3, atol=1e-4)
    if table.n_padded:
        expected = reference.scores(problem.model, problem.X)
        tolerance = TOLERANCE[dtype]
        np.testing.assert_allclose(scores, expected, rtol=tolerance, atol=10 * tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
def test_moments_of_groups_equal_their_definition(dtype):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(40, 8)).astype(dtype)[:, 2:7]  # strided, as in a table
    groups, centres = rng.integers(0, 3, 40).astype(np.int32), rng.normal(size=(3, 5))
    sums, squares = np.zeros((2, 3, 5))
    coordinate.group_moments(weights, groups, centres, sums, squares)
    for group in range(3):
        own = weights[groups == group].astype(float)
        np.testing.assert_allclose(sums[group], own.sum(axis=0), rtol=1e-6, atol=1e-6)
        distances = np.square(own - centres[group]).sum(axis=0)
        np.testing.assert_allclose(squares[group], distances, rtol=1e-6)
