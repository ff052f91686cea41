"""Extreme values of every parameter, of X, y and the weights: never NaN, and no warning.

`python -m fuzz extremes`, in the folder tests, goes on where these seeds end.
"""

import contextlib
import warnings

import numpy as np
import pytest
from support.extremes import outcome_without_warnings

from fastfm_cy import DivergenceError, FMRegressor
from fastfm_cy.model.families import FFM, FwFM
from fastfm_cy.model.table import ParameterTable
from fastfm_cy.training.gradient.sharding import place_features


@pytest.mark.parametrize("part", range(6))
def test_extremes_are_never_nan_and_warn_of_nothing(part):
    outcomes = {"fitted": 0, "diverged": 0, "refused": 0}
    for seed in range(100 * part, 100 * (part + 1)):
        outcomes[outcome_without_warnings(seed)] += 1
    assert min(outcomes.values()) >= 5


# Seeds of longer runs, whose fits warned once: of a default learning rate for rows of 1e300 and of
# 1e-320, of cutpoints that left what can be held, of columns' sizes under weights of 1e-300, of
# losses of 1e300.
@pytest.mark.parametrize("seed", [2098, 4285, 5744, 9110, 17441, 54052])
def test_what_warned_once(seed):
    assert outcome_without_warnings(seed) in ("fitted", "diverged")


@pytest.mark.parametrize(("solver", "size"), [("adam", 1e-320), ("adam", 1e300), ("sgd", 1e300)])
def test_default_steps_of_extreme_rows(solver, size):
    X = np.full((6, 2), size)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = FMRegressor(2, solver=solver, dtype="float64", scaling=None, max_iter=1)
        with contextlib.suppress(DivergenceError):
            assert np.isfinite(model.fit(X, np.arange(6.0)).predict(X)).all()


@pytest.mark.parametrize("family", [FFM(n_fields=2), FwFM(n_fields=2)])
@pytest.mark.parametrize(
    ("n_jobs", "relabel", "deterministic"), [(2, False, False), (1, True, False), (1, False, True)]
)
def test_no_weight_of_a_placed_table_is_overlooked(family, n_jobs, relabel, deterministic):
    """The copy of the table that is trained knows, too, which features have started."""
    table = ParameterTable(5, 2, "float32", family=family)
    table.begin(np.arange(1, 5))
    table.vector_blocks[1:] = 1
    placement = place_features(
        5, lambda: np.arange(5), 10, n_jobs=n_jobs, relabel=relabel, deterministic=deterministic,
        frequent=1,
    )  # fmt: skip
    assert placement.placed_table(table).is_finite()
    table.factors[3] = -np.inf
    assert not placement.placed_table(table).is_finite()
