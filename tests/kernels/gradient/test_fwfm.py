import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.fwfm import Model
from support.field_checks import (
    OUTPUTS,
    SOLVERS,
    check_epoch,
    check_finite_differences,
    check_padding,
    check_scores,
)
from support.field_strategies import field_problems
from support.strategies import DTYPES

from fastfm_cy.kernels import dispatch


@pytest.fixture(params=dispatch.available_builds(), scope="module")
def kernels(request):
    return dispatch.load(request.param, "fwfm")


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


@pytest.mark.parametrize("l2_pairs", [0.0, 0.25])
@pytest.mark.parametrize("loss", ["squared_error", "log_loss", "squared_hinge"])
@given(problem=field_problems(Model))
@settings(max_examples=20)
def test_a_step_follows_the_finite_difference_gradient(kernels, loss, l2_pairs, problem):
    check_finite_differences(
        kernels, problem, loss, lambda model: [model.v, model.r], l2_pairs=l2_pairs
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
@given(problem=field_problems(Model))
@settings(max_examples=30)
def test_padding_stays_zero(kernels, dtype, solver, problem):
    check_padding(kernels, problem, dtype, solver)
