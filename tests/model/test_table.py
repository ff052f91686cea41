import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from support.starts import start
from support.strategies import DTYPES

from fastfm_cy.model.families import FM
from fastfm_cy.model.table import ParameterTable
from fastfm_cy.utils.memory import CACHE_LINE


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_factors", [0, 1, 4, 5, 16, 17])
@pytest.mark.parametrize("state_start", [(), (1.0,), (0.0, 2.0)])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("n_row_state", [0, 2])
def test_layout(dtype, n_factors, state_start, n_outputs, n_row_state):
    table = ParameterTable(7, n_factors, dtype, n_outputs, state_start, n_row_state)
    slots = 1 + len(state_start)
    a_line = CACHE_LINE // table.dtype.itemsize
    assert table.n_padded in (0, 4, 8) or table.n_padded % a_line == 0
    assert 0 <= table.n_padded - n_factors < a_line
    assert table.factors.shape == (7, n_outputs * slots * table.n_padded)
    assert table.linear.shape == (7, n_outputs * (slots + n_row_state))
    for array in (table.intercept, table.linear, table.factors):
        assert array.size == 0 or array.ctypes.data % CACHE_LINE == 0
        assert array.flags.c_contiguous
        assert array.dtype == dtype
    for slot, value in enumerate(state_start, start=1):
        assert (table.factor_blocks[:, :, slot] == value).all()
        assert (table.linear_blocks[:, :, slot] == value).all()
        assert (table.intercept[:, slot] == value).all()
    assert not table.linear_blocks[:, :, slots:].any()
    assert not table.coef.any()
    assert not table.factor_vectors.any()
    shape = (7, n_factors) if n_outputs == 1 else (n_outputs, 7, n_factors)
    assert table.factor_vectors.shape == shape
    assert table.coef.shape == shape[:-1]
    table.coef[..., 2], table.factor_vectors[..., 2, :] = 5, 6  # views
    assert (table.linear_blocks[2, :, 0] == 5).all()
    assert (table.factor_blocks[2, :, 0, :n_factors] == 6).all()


def test_start_values_do_not_depend_on_the_layout():
    def drawn(*layout):
        table = ParameterTable(200_000, 3, *layout)
        start(table, 0.1)
        return table.factor_vectors

    plain = drawn("float64")
    assert np.array_equal(plain, drawn("float64", 1, (1.0,)))
    assert np.array_equal(plain.astype(np.float32), drawn("float32"))
    assert plain.std() == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_copies_keep_the_weights(dtype, n_outputs):
    table = ParameterTable(9, 5, dtype, n_outputs, (1.0,), 2)
    start(table, 1.0)
    table.coef[...] = np.arange(9)
    table.intercepts[...] = 4
    rows = np.arange(9)
    grown = table.grown(12)
    assert grown.start_key == table.start_key
    assert not grown.factors[9:, : table.n_weights].any()
    assert not grown.coef[..., 9:].any()
    pickled = pickle.loads(pickle.dumps(table))
    for copy in (table.copy(), pickled, table.take(rows), grown.take(rows)):
        for mine, its in zip(copy.arrays, table.arrays, strict=True):
            assert np.array_equal(mine, its)
        assert copy.factors.ctypes.data % CACHE_LINE == 0
    bare = table.weights_of(rows[2:4])
    assert np.array_equal(bare.coef[..., :2], table.coef[..., 2:4])
    assert not bare.coef[..., 2].any()
    assert np.array_equal(bare.factor_vectors[..., :2, :], table.factor_vectors[..., 2:4, :])
    assert bare.factors.nbytes == 3 * n_outputs * table.n_padded * table.dtype.itemsize


@dataclass(frozen=True)
class Several(FM):
    """A machine with three vectors a feature and five parameters of the whole model."""

    n_vectors = 3
    n_shared = 5
    shared_start = 1.0
    starts_late = False


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("n_factors", [0, 2, 5])
def test_several_vectors_and_shared_parameters(dtype, n_outputs, n_factors):
    table = ParameterTable(6, n_factors, dtype, n_outputs, (2.0,), 2, family=Several())
    assert table.n_padded % 4 == 0
    assert table.n_weights % table.n_padded == 0 if n_factors else table.n_weights == 0
    assert table.shared_blocks.shape == (n_outputs, 2, 5)
    assert (table.shared_blocks[:, 0] == 1).all()
    assert (table.shared_blocks[:, 1] == 2).all()
    assert table.intercept_blocks.tolist() == n_outputs * [[0, 2, 0, 0]]
    shape = (6, 3, n_factors) if n_outputs == 1 else (n_outputs, 6, 3, n_factors)
    assert table.factor_vectors.shape == shape
    start(table, 1.0)
    assert np.count_nonzero(table.factor_blocks[:, :, 0]) == 6 * n_outputs * 3 * n_factors
    table.shared_blocks[:, 0] = np.arange(5)
    for copy in (table.copy(), pickle.loads(pickle.dumps(table)), table.take(np.arange(6))):
        assert copy.family == table.family
        for mine, its in zip(copy.arrays, table.arrays, strict=True):
            assert np.array_equal(mine, its)
    bare = table.weights_of(np.array([4]))
    assert np.array_equal(bare.factor_vectors[..., 0, :, :], table.factor_vectors[..., 4, :, :])
    assert np.array_equal(bare.shared_blocks[:, 0], table.shared_blocks[:, 0])
    table.shared_blocks[0, 0, 4] = np.nan
    assert not table.is_finite()


@pytest.mark.parametrize("part", ["intercept", "coef", "factor_vectors"])
def test_is_finite(part):
    table = ParameterTable(3, 2, "float32", 1, (1.0,))
    assert table.is_finite()
    getattr(table, part)[:1] = np.nan
    assert not table.is_finite()
