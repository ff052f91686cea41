"""The merging of copies against its definition, by solver, type, number of outputs and copies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import merging as reference
from support.strategies import DTYPES

from fastfm_cy.kernels.common.settings import LossCode, Settings
from fastfm_cy.kernels.gradient.merging import merge
from fastfm_cy.model.table import ParameterTable
from fastfm_cy.training.solvers import SOLVERS

RATE, OMEGA, BETA = 0.1, 3.0, 0.7
L1_LINEAR, L2_LINEAR, L1_FACTORS, L2_FACTORS = STRENGTHS = 0.02, 0.3, 0.01, 0.1


def random_table(solver, n_rows, n_outputs, n_factors, dtype, rng):
    kind = SOLVERS[solver]
    table = ParameterTable(n_rows, n_factors, dtype, n_outputs, kind.state_start, kind.n_row_state)
    table.linear_blocks[...] = rng.random(table.linear_blocks.shape)
    table.factor_blocks[:, :, :, :n_factors] = rng.random((n_rows, n_outputs, 1, n_factors))
    table.linear_blocks[:, :, 0] -= 0.5
    table.factor_blocks[:, :, 0] -= 0.5
    return table


def trained(table, rows, n_rounds, rng):
    """A copy of some rows after moves of any size, in which sums have grown."""
    copy = table.take(rows)
    for array in (copy.linear, copy.factors):
        array += (rng.random(array.shape) * 10.0 ** rng.integers(-4, 3)).astype(array.dtype)
    copy.linear_blocks[:, :, 0] -= n_rounds * rng.random()
    return copy


def expected_run(solver, before, copies, visits, ages, l1, l2, curvature):
    """Of one parameter with its state, as (theta, state...)."""
    theta, *state = before
    thetas, *states = zip(*copies, strict=True)
    if solver == "sgd":
        return (reference.sgd(theta, thetas, visits, RATE, OMEGA, curvature, l2),)
    if solver == "adagrad":
        return reference.adagrad(theta, state[0], thetas, states[0], visits, RATE, OMEGA, l2)
    if solver == "ftrl":
        return reference.ftrl(theta, *state, thetas, states[1], visits, RATE, OMEGA, l1, l2, BETA)
    age, of_copies = ages
    return reference.adam(
        theta, *state, age, thetas, *states, of_copies, visits, RATE, OMEGA, l2,
        solver == "adamw",
    )  # fmt: skip


def expected_row(solver, table, row, own, visits, curvatures):
    """`own` are the copies' (linear, factors) of the row, by output."""
    linear, factors = table.linear_blocks.astype(float), table.factor_blocks.astype(float)
    n_state = factors.shape[2]
    for output in range(linear.shape[1]):
        before = linear[row, output].copy()
        ages = None
        if SOLVERS[solver].n_row_state:
            of_copies = [copy[0][output][-1] for copy in own]
            ages = before[-1], of_copies
            weights = np.array(visits) / sum(visits)
            for place in (-2, -1):
                linear[row, output, place] = weights @ [copy[0][output][place] for copy in own]
        linear[row, output, :n_state] = expected_run(
            solver, before[:n_state], [copy[0][output][:n_state] for copy in own], visits, ages,
            L1_LINEAR, L2_LINEAR, curvatures[0],
        )  # fmt: skip
        for f in range(table.n_weights):
            factors[row, output, :, f] = expected_run(
                solver, factors[row, output, :, f].copy(),
                [copy[1][output][:, f] for copy in own], visits, ages, L1_FACTORS, L2_FACTORS,
                curvatures[1 + f],
            )  # fmt: skip
    return linear[row], factors[row]


def settings_of(solver):
    return Settings(
        loss=LossCode.LOG_LOSS, solver=SOLVERS[solver].code, learning_rate=RATE, ftrl_beta=BETA
    )


def merged(table, copies, fractions, solver, curvatures, ranges=None, **options):
    table = table.copy()
    strengths = np.array([STRENGTHS], table.dtype)
    for first, last in ranges or [(0, table.n_features)]:
        merge(
            table.linear, table.factors, copies, np.array(fractions), settings_of(solver), OMEGA,
            curvatures.astype(table.dtype), None, strengths, table.n_outputs, first, last,
            **options,
        )  # fmt: skip
    return table


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", DTYPES)
@given(
    seed=st.integers(0, 10_000), n_copies=st.integers(1, 5), n_outputs=st.integers(1, 3),
    n_factors=st.sampled_from([0, 3, 70]),
)  # fmt: skip
def test_merge_is_its_definition(solver, dtype, seed, n_copies, n_outputs, n_factors):
    rng, n_rows = np.random.default_rng(seed), 6
    table = random_table(solver, n_rows, n_outputs, n_factors, dtype, rng)
    curvatures = rng.random(1 + table.n_weights)
    fractions = rng.choice([0.25, 1.0], n_copies)
    copies, found = [], []
    for _ in range(n_copies):
        places = np.flatnonzero(rng.random(n_rows) < 0.7).astype(np.int32)
        counts = rng.integers(0, 5, len(places)).astype(np.int32)
        copy = trained(table, places, 2, rng)
        copies.append((places, counts, copy.linear, copy.factors))
        found.append((places, counts, copy))
    after = merged(table, copies, fractions, solver, curvatures)
    pieces = merged(table, copies, fractions, solver, curvatures, [(3, 6), (0, 2), (2, 3)])
    assert np.array_equal(after.linear, pieces.linear)
    assert np.array_equal(after.factors, pieces.factors)
    for row in range(n_rows):
        own, visits = [], []
        for (places, counts, copy), fraction in zip(found, fractions, strict=True):
            at = np.flatnonzero(places == row)
            if len(at) and counts[at[0]]:
                own.append((copy.linear_blocks[at[0]].astype(float),
                            copy.factor_blocks[at[0]].astype(float)))  # fmt: skip
                visits.append(counts[at[0]] * fraction)
        linear, factors = table.linear_blocks[row], table.factor_blocks[row]
        if len(own) == 1:
            linear, factors = own[0]
        elif own:
            linear, factors = expected_row(solver, table, row, own, visits, curvatures)
        exact = len(own) < 2
        close = {"rtol": 0, "atol": 0} if exact else {"rtol": 2e-3, "atol": 2e-3}
        if dtype == "float64" and not exact:
            close = {"rtol": 1e-9, "atol": 1e-9}
        np.testing.assert_allclose(after.linear_blocks[row], linear, **close)
        np.testing.assert_allclose(after.factor_blocks[row], factors, **close)


@pytest.mark.parametrize("solver", SOLVERS)
def test_copies_of_all_rows_get_what_was_merged(solver):
    rng = np.random.default_rng(0)
    table = random_table(solver, 5, 2, 4, "float32", rng)
    every = np.arange(5, dtype=np.int32)
    own = [trained(table, every, 1, rng) for _ in range(3)]
    counts = [
        np.array(row, np.int32) for row in ([1, 0, 2, 0, 1], [1, 0, 1, 0, 0], [2, 0, 1, 1, 0])
    ]
    listed = [(every, n, copy.linear.copy(), copy.factors.copy())
              for n, copy in zip(counts, own, strict=True)]  # fmt: skip
    curvatures = np.ones(1 + table.n_weights)
    expected = merged(table, listed, [1.0] * 3, solver, curvatures)
    unlisted = [(None, n, copy.linear, copy.factors) for n, copy in zip(counts, own, strict=True)]
    before = own[0].linear[1].copy()
    found = merged(table, unlisted, [1.0] * 3, solver, curvatures, back=True)
    assert np.array_equal(found.linear, expected.linear)
    assert np.array_equal(found.factors, expected.factors)
    for copy in own:
        for row in (0, 2, 3, 4):
            assert np.array_equal(copy.linear[row], expected.linear[row])
            assert np.array_equal(copy.factors[row], expected.factors[row])
    assert np.array_equal(own[0].linear[1], before)  # which nobody visited


@pytest.mark.parametrize("solver", SOLVERS)
def test_independent_steps_add_up_and_settled_copies_are_averaged(solver):
    """The two ends of the rule, which need no formula."""
    table = random_table(solver, 1, 1, 4, "float64", np.random.default_rng(0))
    every = np.zeros(1, np.int32)

    def after(size, visits):
        copies = []
        for sign in (1.0, 3.0):
            copy = table.copy()
            copy.linear_blocks[:, :, 0] += sign
            copy.linear_blocks[:, :, 1:] += size
            copies.append((every, np.array([visits], np.int32), copy.linear, copy.factors))
        small = 1e-9 if visits == 1 else 1.0
        found = merged(table, copies, [small, small], solver, np.ones(1 + table.n_weights))
        return found.linear_blocks[0, 0, 0] - table.linear_blocks[0, 0, 0]

    assert after(1e-9, 1) == pytest.approx(4.0, rel=1e-3)
    assert after(1e9, 1_000_000) == pytest.approx(2.0, rel=1e-2)


def test_what_is_no_number_stays_none():
    """It is found where scores are taken; the other rows are as they should be."""
    table = random_table("adagrad", 2, 1, 4, "float32", np.random.default_rng(0))
    one, other = table.copy(), table.copy()
    one.linear[0] = np.nan
    counts = np.ones(2, np.int32)
    copies = [(None, counts, copy.linear, copy.factors) for copy in (one, other)]
    found = merged(table, copies, [1.0, 1.0], "adagrad", np.ones(1 + table.n_weights))
    assert np.isnan(found.linear[0, 0])
    np.testing.assert_allclose(found.linear[1], table.linear[1])
