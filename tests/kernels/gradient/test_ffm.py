import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.ffm import Model
from support.field_checks import (
    OUTPUTS,
    SOLVERS,
    check_epoch,
    check_finite_differences,
    check_padding,
    check_scores,
    make_settings,
    predict,
    train,
)
from support.field_strategies import field_problems
from support.strategies import DTYPES

from fastfm_cy.data.csr import CSRRows
from fastfm_cy.kernels import dispatch
from fastfm_cy.model.families import FFM
from fastfm_cy.model.table import ParameterTable


@pytest.fixture(params=dispatch.available_builds(), scope="module")
def kernels(request):
    return dispatch.load(request.param, "ffm")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_outputs", [1, 3])
@given(data=st.data())
def test_scores_equal_the_pairwise_definition(kernels, dtype, n_outputs, data):
    check_scores(kernels, data.draw(field_problems(Model, n_outputs)), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("loss", "n_outputs"), OUTPUTS)
@settings(max_examples=15)
@given(data=st.data(), weighted=st.booleans(), grouped=st.booleans(), seed=st.integers(0, 9))
def test_an_epoch_equals_the_plain_loop(
    kernels, dtype, solver, loss, n_outputs, data, weighted, grouped, seed
):
    problem = data.draw(field_problems(Model, n_outputs))
    check_epoch(
        kernels, problem, dtype, solver, loss, weighted=weighted, grouped=grouped, seed=seed
    )


@pytest.mark.parametrize("loss", ["squared_error", "log_loss", "squared_hinge"])
@given(problem=field_problems(Model))
@settings(max_examples=20)
def test_a_step_follows_the_finite_difference_gradient(kernels, loss, problem):
    check_finite_differences(kernels, problem, loss, lambda model: [model.v])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
@given(problem=field_problems(Model))
@settings(max_examples=30)
def test_padding_stays_zero(kernels, dtype, solver, problem):
    check_padding(kernels, problem, dtype, solver)


@pytest.mark.parametrize("dtype", DTYPES)
def test_vectors_that_no_pair_uses_keep_their_state(kernels, dtype):
    """Neither strengths nor steps reach those of absent fields, or of a feature's own field."""
    rows = CSRRows(np.array([0, 2]), np.array([0, 1], np.int32), np.ones(2, dtype), 2,
                   np.array([0, 2], np.int32))  # fmt: skip
    table = ParameterTable(2, 3, dtype, 1, (1.0,), family=FFM(4))
    table.begin(np.arange(2))
    table.vector_blocks[...] = 1
    train(kernels, rows, [1.0], None, [0], table, make_settings("log_loss", "adagrad", 0.1),
          (0, 0, 0, 0.5))  # fmt: skip
    moved = (table.factor_vectors != 1).any(axis=2)
    assert np.array_equal(np.argwhere(moved), [[0, 2], [1, 0]])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_feature_under_two_fields_of_one_row(kernels, dtype):
    rows = CSRRows(np.array([0, 2]), np.zeros(2, np.int32), np.array([2.0, 3.0], dtype), 1,
                   np.array([0, 1], np.int32))  # fmt: skip
    table = ParameterTable(1, 2, dtype, family=FFM(2))
    table.factor_vectors[0] = [[1, 2], [3, 4]]
    assert predict(kernels, rows, table)[0, 0] == 6 * (1 * 3 + 2 * 4)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_score_that_is_not_finite_stops_before_its_update(kernels, dtype):
    huge = np.finfo(dtype).max
    rows = CSRRows(np.array([0, 1, 2]), np.zeros(2, np.int32), np.array([1, huge], dtype), 1,
                   np.zeros(2, np.int32))  # fmt: skip
    table = ParameterTable(1, 4, dtype, family=FFM(1))
    table.coef[0] = 2.0
    settings = make_settings("squared_error", "sgd", 1e-3)
    _, done = train(kernels, rows, [2.0, 0.0], None, [0, 1], table, settings, (0, 0, 0, 0))
    assert done == 1
    assert table.is_finite()
