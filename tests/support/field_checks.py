"""Checks that both kernels of models with fields must pass."""

import numpy as np
import pytest
from reference.fields import epoch, of_feature
from reference.losses import LOSSES as TEXTBOOK
from reference.losses import of_outputs
from reference.solvers import SOLVERS as REFERENCES

from fastfm_cy.kernels.common.settings import Settings
from fastfm_cy.kernels.gradient.fields import Fields
from fastfm_cy.model.losses import CLASSIFICATION, REGRESSION
from fastfm_cy.training.gradient.ftrl import match_state
from fastfm_cy.training.regularization import Strengths
from fastfm_cy.training.solvers import SOLVERS

LOSSES = REGRESSION | CLASSIFICATION
TOLERANCE = {"float32": 2e-5, "float64": 1e-11}
# Each loss with one output or with three, as its kind of target has it.
OUTPUTS = [(loss, n) for loss in LOSSES for n in (1, 3) if n == 1 or loss in CLASSIFICATION]
OUTPUTS.remove(("softmax", 1))
STRENGTHS = [0.0, 0.125, 0.25]


def predict(kernels, rows, table):
    machine = table.family
    scores = np.full((rows.n_rows, table.n_outputs), np.nan, table.dtype)
    kernels.predict(
        rows.indptr, rows.indices, rows.data, *table.arrays, table.n_padded, scores, 0,
        len(scores), Fields(rows.fields, machine.n_fields, machine.same_field),
    )  # fmt: skip
    return scores


def train(kernels, rows, y, weights, order, table, settings, strengths, groups=None):
    machine = table.family
    weights = None if weights is None else np.asarray(weights, table.dtype)
    return kernels.train(
        rows.indptr, rows.indices, rows.data, np.asarray(y, table.dtype), weights,
        np.asarray(order, np.int64), *table.arrays, table.n_padded, groups,
        np.atleast_2d(np.asarray(strengths, table.dtype)), settings,
        Fields(rows.fields, machine.n_fields, machine.same_field),
    )  # fmt: skip


def make_settings(loss, solver, rate, **others):
    codes = LOSSES[loss].code, SOLVERS[solver].code
    return Settings(loss=codes[0], solver=codes[1], learning_rate=rate, **others)


def state_of(solver):
    return SOLVERS[solver].state_start, SOLVERS[solver].n_row_state


def check_scores(kernels, problem, dtype):
    scores = predict(kernels, problem.csr(dtype), problem.table(dtype))
    for output, model in enumerate(problem.models):
        for number, row in enumerate(problem.rows):
            terms = 1 + sum(abs(x) for *_, x in row) ** 2 * (1 + np.square(model.v).sum())
            error = abs(scores[number, output] - model.score(row))
            assert error < TOLERANCE[dtype] / 10 * terms


def check_epoch(kernels, problem, dtype, solver, loss, *, weighted, grouped, seed):
    """One epoch is the plain loop's, whatever loss, solver, strengths and weights."""
    rng = np.random.default_rng(seed)
    n_rows, n_features = len(problem.rows), len(problem.models[0].w)
    n_outputs = len(problem.models)
    y = _targets(rng, loss, n_rows, n_outputs)
    weights = rng.integers(0, 4, n_rows) * 0.5 if weighted else np.ones(n_rows)
    order = rng.permutation(n_rows)
    values = rng.choice(STRENGTHS, (3 if grouped else 1, 4))
    groups = rng.integers(0, 3, n_features).astype(np.int32) if grouped else None
    fits = {name: bool(rng.integers(2)) for name in ("fit_intercept", "fit_linear")}
    fits["fit_pair_weights"] = bool(rng.integers(2))
    l2_pairs = float(rng.choice(STRENGTHS)) if hasattr(problem.models[0], "r") else 0.0
    steps = make_settings(
        loss, solver, 0.0625, has_l1=bool(values[:, [0, 2]].any()), l2_pair_weights=l2_pairs, **fits
    )
    for model in problem.models if loss == "poisson" else ():
        model.w0, model.w, model.v = model.w0 / 8, model.w / 8, model.v / 8  # it is exponential
    table = problem.table(dtype, *state_of(solver))
    if solver == "ftrl":
        match_state(table, Strengths(values, groups), steps)
    loss_sum, done = train(
        kernels, problem.csr(dtype), y, weights if weighted else None, order, table, steps, values,
        groups,
    )  # fmt: skip
    of_rows = values[np.zeros(n_features, int) if groups is None else groups]
    expected = epoch(
        problem.models, problem.rows, y, weights, order, of_feature(REFERENCES[solver])(0.0625),
        of_outputs(loss, n_outputs), of_rows, l2_pairs=l2_pairs, **fits,
    )  # fmt: skip
    assert done == n_rows
    # Adam's steps are the larger the smaller their gradients are, rounding errors included.
    slack = 200 if solver.startswith("adam") and dtype == "float32" else 1
    tolerance = 50 * slack * TOLERANCE[dtype]
    assert loss_sum == pytest.approx(expected, rel=tolerance, abs=tolerance)
    assert_equal(table, problem.models, tolerance)


def assert_equal(table, models, tolerance):
    tolerance = {"rtol": tolerance, "atol": tolerance}
    for output, model in enumerate(models):
        vectors = table.vector_blocks[:, output].reshape(model.v.shape)
        np.testing.assert_allclose(table.intercepts[output], model.w0, **tolerance)
        np.testing.assert_allclose(table.linear_blocks[:, output, 0], model.w, **tolerance)
        np.testing.assert_allclose(vectors, model.v, **tolerance)
        if table.family.n_shared:
            np.testing.assert_allclose(table.shared_blocks[output, 0], model.r.ravel(), **tolerance)


def check_padding(kernels, problem, dtype, solver):
    table = problem.table(dtype, *state_of(solver))
    y = problem.rng.normal(size=len(problem.rows))
    steps = make_settings("squared_error", solver, 0.1)
    train(kernels, problem.csr(dtype), y, None, np.arange(len(y)), table, steps, (0, 0, 0, 0.1))
    weights = table.factor_blocks[:, :, 0]
    machine = table.family
    used = weights[..., : machine.n_vectors * table.n_padded]
    assert not weights[..., machine.n_vectors * table.n_padded :].any()
    vectors = used.reshape(*weights.shape[:2], machine.n_vectors, table.n_padded)
    assert not vectors[..., table.n_factors :].any()


def check_finite_differences(kernels, problem, loss, arrays_of, *, l2_pairs=0.0):
    """One row, one SGD step: every parameter moves against the numerical derivative of the loss,
    with what `l2_pairs` adds to it for the pairs of fields that the row has."""
    model, y = problem.models[0], 1.0
    rows = problem.csr("float64")
    table = problem.table("float64")
    steps = make_settings(loss, "sgd", 0.5, l2_pair_weights=l2_pairs)
    row = problem.rows[0]

    def objective():
        places = model.pair_slopes(row) if l2_pairs else ()
        penalty = sum((model.r[place] - 1) ** 2 for place in places)
        return TEXTBOOK[loss](model.score(row), y) + l2_pairs / 2 * penalty

    before = [np.copy(array) for array in arrays_of(model)]
    train(kernels, rows, [y], None, [0], table, steps, (0, 0, 0, 0))
    after = table.vector_blocks[:, 0].reshape(model.v.shape), table.shared_blocks[0, 0]
    for array, start, end in zip(arrays_of(model), before, after, strict=False):
        end = end.reshape(array.shape)
        for place in np.ndindex(array.shape):
            losses = []
            for by in (1e-6, -1e-6):
                array[place] = start[place] + by
                losses.append(objective())
            array[place] = start[place]
            slope = (losses[0] - losses[1]) / 2e-6
            assert end[place] == pytest.approx(start[place] - 0.5 * slope, abs=1e-6)


def _targets(rng, loss, n_rows, n_outputs):
    if n_outputs > 1:
        return rng.integers(0, n_outputs, n_rows).astype(float)
    if loss in CLASSIFICATION:
        return rng.choice([-1.0, 1.0], n_rows)
    return rng.integers(0 if loss == "poisson" else -2, 3, n_rows).astype(float)
