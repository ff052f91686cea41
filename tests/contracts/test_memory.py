"""Peak memory of training: what docs/guide/memory.md states."""

import re
import sys
import tracemalloc
from pathlib import Path

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


def resident(name):
    """VmRSS, or VmHWM, the most since it was last asked to begin anew, in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE).group(1)) << 10


def resident_peak_of_fit(model, X, y):
    """What the system gives: memory that was given back does not count, whoever has its array."""
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    model.fit(X, y)
    return resident("VmHWM") - before


def peak_of_fit(model, X, y):
    tracemalloc.start()
    try:
        model.fit(X, y)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def table_bytes(numbers_a_feature):
    return N_COLUMNS * numbers_a_feature * 4


def row_bytes():
    """Target, order, offsets: a few numbers a row, whatever the row holds."""
    return N_ROWS * 8 * 8


ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")


@ON_LINUX
@pytest.mark.parametrize(
    ("solver", "numbers"), [("sgd", 17), ("adagrad", 34), ("ftrl", 51), ("adam", 3 * 16 + 5)]
)
def test_training_holds_no_copy_of_x(solver, numbers, problem):
    X, y = problem
    model = FMRegressor(solver=solver, max_iter=1, random_state=0)
    allowed = table_bytes(numbers) + row_bytes() + SLACK
    entries = X.data.nbytes + X.indices.nbytes
    assert entries > SLACK
    assert resident_peak_of_fit(model, X, y) < allowed


@ON_LINUX
@pytest.mark.parametrize(("degree", "share", "n_vectors"), [(3, False, 2), (5, True, 1)])
def test_higher_degrees_hold_a_vector_an_order(degree, share, n_vectors, problem):
    X, y = problem
    model = FMRegressor(degree=degree, share_factors=share, max_iter=1, random_state=0)
    allowed = table_bytes(2 * (16 * n_vectors + 1)) + row_bytes() + SLACK
    assert resident_peak_of_fit(model, X, y) < allowed


def test_float64_is_converted_once(problem):
    X, y = problem
    model = FMRegressor(n_factors=0, solver="sgd", max_iter=1, random_state=0)
    converted = X.data.nbytes + X.indices.nbytes
    allowed = table_bytes(1) + row_bytes() + SLACK + converted
    assert peak_of_fit(model, X.astype(np.float64), y) < 1.1 * allowed


def test_threads_hold_the_columns_once_more(problem):
    X, y = problem
    model = FMRegressor(n_factors=0, solver="sgd", max_iter=1, n_jobs=2, random_state=0)
    features = N_COLUMNS * 8 * 6  # counts, ranks and places
    allowed = table_bytes(3) + row_bytes() + features + X.indices.nbytes + SLACK
    assert peak_of_fit(model, X, y) < allowed


def test_early_stopping_holds_one_table_more(problem):
    X, y = problem
    model = FMRegressor(solver="sgd", max_iter=2, early_stopping=True, random_state=0)
    held_out = 0.1 * (X.data.nbytes + X.indices.nbytes) * 3  # taken row by row
    allowed = 2 * table_bytes(17) + row_bytes() + held_out + SLACK
    assert peak_of_fit(model, X, y) < allowed


def test_a_small_block_costs_little(problem):
    """partial_fit trains the table in place; what it may have to undo is what the block touches."""
    X, y = problem
    model = FMRegressor(random_state=0).partial_fit(X, y)
    tracemalloc.start()
    try:
        model.partial_fit(X[:100], y[:100])
        assert tracemalloc.get_traced_memory()[1] < SLACK
    finally:
        tracemalloc.stop()
