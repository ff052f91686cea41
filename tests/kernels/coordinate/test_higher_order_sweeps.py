import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import gibbs as reference
from reference.higher_order import Model
from support.strategies import DTYPES, problems

from fastfm_cy.kernels import dispatch
from fastfm_cy.training.coordinate.csc import Columns
from fastfm_cy.utils.memory import aligned_zeros

TOLERANCE = {"float32": 5e-3, "float64": 1e-8}


@pytest.fixture(params=dispatch.available_builds(), autouse=True, scope="module")
def build(request):
    """Every test of this file runs on every build of the kernels."""
    global coordinate
    coordinate = dispatch.load(request.param, "coordinate")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("degree", [2, 3, 4, 5])
@settings(max_examples=25)
@given(
    problem=problems(), seed=st.integers(0, 99), n_factors=st.integers(1, 11),
    weighted=st.booleans(), known=st.booleans(),
)  # fmt: skip
def test_draws_equal_their_definition(
    dtype, shared, degree, problem, seed, n_factors, weighted, known
):
    rng = np.random.default_rng(seed)
    X, (n_rows, n_features) = problem.X / 2, problem.X.shape
    problem.X = X
    y, alpha = rng.normal(size=n_rows), float(rng.choice([0.5, 1.0, 3.0]))
    groups = rng.integers(0, 2, n_features).astype(np.int32)
    weights = rng.integers(0, 4, n_rows).astype(float) if weighted else np.ones(n_rows)
    n_vectors = 1 if shared else degree - 1
    v = rng.normal(scale=0.5, size=(n_features, n_vectors, n_factors)).astype(np.float32)
    model = Model(problem.model.w0, problem.model.w, v.astype(float), degree)
    vectors = aligned_zeros((n_features, n_vectors, 16), dtype)
    vectors[:, :, :n_factors] = v
    factors = vectors.reshape(n_features, -1)
    rows = problem.rows(dtype)
    lines = aligned_zeros((n_rows, coordinate.line_width(degree)), dtype)
    lines[:, 8] = reference.scores(model, X) - y
    lines[:, 9] = np.sqrt(weights)
    for t in range(n_vectors):
        order = degree if shared else 2 + t
        for first in range(0, n_factors, 8):
            n_active = min(8, n_factors - first)
            precisions, means = rng.uniform(0.5, 2, (2, 8)), rng.normal(size=(2, 8))
            normals = rng.normal(size=(n_features, 8)) * known
            coordinate.sum_levels(
                rows.indptr, rows.indices, rows.data, factors, 16 * t + first, order, lines, 0,
                n_rows,
            )  # fmt: skip
            coordinate.sweep_levels(
                *Columns.of(rows).arrays, factors, 16 * t + first, n_active, order, shared, lines,
                weighted, alpha, groups, precisions, means, normals, 0, n_features,
            )  # fmt: skip
            for j in range(n_features):
                for place in range(n_active):
                    prior = precisions[groups[j], place], means[groups[j], place]
                    reference.draw(
                        model, X, y, alpha * weights, model.v, (j, t, first + place), *prior,
                        normals[j, place],
                    )  # fmt: skip
    tolerance = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    np.testing.assert_allclose(vectors[:, :, :n_factors], model.v, **tolerance)
    assert not vectors[:, :, n_factors:].any()
    errors = reference.scores(model, X) - y
    np.testing.assert_allclose(lines[:, 8], errors, rtol=1e-2, atol=10 * TOLERANCE[dtype])
