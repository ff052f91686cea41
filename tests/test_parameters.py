import pickle

import numpy as np
import pytest
from strategies import DTYPES

from fastfm_cy._parameters import CACHE_LINE, ParameterTable


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_factors", [0, 1, 4, 5, 16, 17])
@pytest.mark.parametrize("state_start", [(), (1.0,), (0.0, 2.0)])
def test_layout(dtype, n_factors, state_start):
    table = ParameterTable(7, n_factors, dtype, state_start)
    slots = 1 + len(state_start)
    a_line = CACHE_LINE // table.dtype.itemsize
    assert table.n_padded in (0, 4, 8) or table.n_padded % a_line == 0
    assert 0 <= table.n_padded - n_factors < a_line
    assert table.factors.shape == (7, slots * table.n_padded)
    assert table.linear.shape == (7, slots)
    for array in (table.intercept, table.linear, table.factors):
        assert array.size == 0 or array.ctypes.data % CACHE_LINE == 0
        assert array.flags.c_contiguous
        assert array.dtype == dtype
    for slot, value in enumerate(state_start, start=1):
        start = slot * table.n_padded
        assert (table.factors[:, start : start + table.n_padded] == value).all()
        assert (table.linear[:, slot] == value).all()
        assert table.intercept[slot] == value
    assert not table.coef.any()
    assert not table.factor_vectors.any()


def test_start_values_do_not_depend_on_the_layout():
    def drawn(*layout):
        table = ParameterTable(200_000, 3, *layout)
        table.draw_factors(0.1, np.random.default_rng(0))
        return table.factor_vectors

    plain = drawn("float64")
    assert np.array_equal(plain, drawn("float64", (1.0,)))
    assert np.array_equal(plain.astype(np.float32), drawn("float32"))
    assert plain.std() == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize("dtype", DTYPES)
def test_without_state_and_pickle_keep_the_weights(dtype):
    table = ParameterTable(9, 5, dtype, (1.0,))
    table.draw_factors(1.0, np.random.default_rng(0))
    table.coef[...] = np.arange(9)
    table.intercept[0] = 4
    for copy in (table.for_prediction(), pickle.loads(pickle.dumps(table))):
        assert np.array_equal(copy.factor_vectors, table.factor_vectors)
        assert np.array_equal(copy.coef, table.coef)
        assert copy.intercept[0] == 4
        assert copy.factors.ctypes.data % CACHE_LINE == 0
    assert table.for_prediction().factors.nbytes == 9 * table.n_padded * table.dtype.itemsize


@pytest.mark.parametrize("part", ["intercept", "coef", "factor_vectors"])
def test_is_finite(part):
    table = ParameterTable(3, 2, "float32", (np.inf,))
    assert table.is_finite()
    getattr(table, part)[:1] = np.nan
    assert not table.is_finite()
