"""Peak memory of training: what README.md states."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from fastfm_cy import FMRegressor

N_ROWS, N_COLUMNS, A_ROW = 50_000, 100_000, 40
SLACK = 8 << 20  # interpreter, blocks of temporary arrays, small buffers


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    columns = np.sort(rng.integers(0, N_COLUMNS // A_ROW, (N_ROWS, A_ROW)), axis=1)
    columns += np.arange(A_ROW) * (N_COLUMNS // A_ROW)
    indptr = np.arange(0, N_ROWS * A_ROW + 1, A_ROW, dtype=np.int32)
    values = rng.random(columns.size).astype(np.float32) + 0.1
    X = sparse.csr_array(
        (values, columns.ravel().astype(np.int32), indptr), shape=(N_ROWS, N_COLUMNS)
    )
    assert X.has_canonical_format
    return X, rng.normal(size=N_ROWS)


def peak_of_fit(model, X, y):
    tracemalloc.start()
    try:
        model.fit(X, y)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def table_bytes(n_padded, copies):
    return copies * N_COLUMNS * (n_padded + 1) * 4


def row_bytes():
    """Target, order, offsets: a few numbers a row, whatever the row holds."""
    return N_ROWS * 8 * 8


@pytest.mark.parametrize(("solver", "copies"), [("sgd", 1), ("adagrad", 3)])
def test_training_holds_no_copy_of_x(solver, copies, problem):
    X, y = problem
    model = FMRegressor(solver=solver, max_iter=1, random_state=0)
    allowed = table_bytes(16, copies) + row_bytes() + SLACK
    entries = X.data.nbytes + X.indices.nbytes
    assert entries > SLACK
    assert peak_of_fit(model, X, y) < allowed


def test_float64_is_converted_once(problem):
    X, y = problem
    model = FMRegressor(n_factors=0, solver="sgd", max_iter=1, random_state=0)
    converted = X.data.nbytes + X.indices.nbytes
    allowed = table_bytes(0, 1) + row_bytes() + SLACK + converted
    assert peak_of_fit(model, X.astype(np.float64), y) < 1.1 * allowed


def test_threads_hold_the_columns_once_more(problem):
    X, y = problem
    model = FMRegressor(n_factors=0, solver="sgd", max_iter=1, n_jobs=2, random_state=0)
    features = N_COLUMNS * 8 * 6  # counts, ranks and places
    allowed = table_bytes(0, 2) + row_bytes() + features + X.indices.nbytes + SLACK
    assert peak_of_fit(model, X, y) < allowed
