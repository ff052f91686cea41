"""Top-N: the same as sorting all scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from fastfm_cy.model import top_n as module
from fastfm_cy.model.top_n import top_n


def by_sorting(queries, items, n, hidden):
    scores = queries @ items.T
    if hidden is not None:
        scores = np.where(hidden.toarray(), -np.inf, scores)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :n]  # of equal scores, the first item
    best = np.take_along_axis(scores, order, axis=1)
    order = np.where(best > -np.inf, order, -1)
    missing = n - order.shape[1]
    if missing > 0:
        order = np.pad(order, ((0, 0), (0, missing)), constant_values=-1)
        best = np.pad(best, ((0, 0), (0, missing)), constant_values=-np.inf)
    return order, best


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(
    seed=st.integers(0, 1000), n_queries=st.integers(0, 9), n_items=st.integers(0, 90),
    n=st.integers(1, 100), hides=st.booleans(), n_jobs=st.sampled_from([1, 2]),
)  # fmt: skip
def test_same_as_sorting(dtype, seed, n_queries, n_items, n, hides, n_jobs):
    rng = np.random.default_rng(seed)
    # Small integers: exact sums, and many ties.
    queries = rng.integers(-2, 3, (n_queries, 4)).astype(dtype)
    items = rng.integers(-2, 3, (n_items, 4)).astype(dtype)
    hidden = lists = None
    if hides:
        hidden = sparse.csr_array(rng.random((n_queries, n_items)) < rng.random())
        lists = hidden.indptr.astype(np.int64), hidden.indices.astype(np.int32)
    rows, tile = module.ROWS_A_TILE, module.ITEMS_A_TILE
    module.ROWS_A_TILE, module.ITEMS_A_TILE = 4, 23
    try:
        found, scores = top_n(queries, items, n, lists, n_jobs)
    finally:
        module.ROWS_A_TILE, module.ITEMS_A_TILE = rows, tile
    wanted, best = by_sorting(queries, items, n, hidden)
    assert np.array_equal(found, wanted)
    assert np.array_equal(scores, best)
