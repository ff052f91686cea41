"""Columns side by side, against scipy's hstack."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from fastfm_cy.preprocessing.assembly import assemble


@given(
    n_rows=st.integers(0, 12),
    kinds=st.lists(st.sampled_from(["one-hot", "values", "sets", "sets of ones"]), max_size=5),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
    is_turned=st.booleans(),
)
def test_like_hstack(n_rows, kinds, seed, dtype, is_turned):
    rng, width = np.random.default_rng(seed), 4
    parts, expected = [], [sparse.csr_array((n_rows, 0))]
    for place, kind in enumerate(kinds):
        dense = np.zeros((n_rows, width))
        if "sets" in kind:
            dense = (rng.random((n_rows, width)) < 0.4) * rng.integers(1, 9, (n_rows, width))
            dense = dense > 0 if kind == "sets of ones" else dense
            block = sparse.csr_array(dense, dtype=dtype)
            columns, values = block.indices.astype(np.int32), block.data
            indptr = block.indptr.astype(np.int64)
            values = None if kind == "sets of ones" else values
        else:
            columns, indptr = rng.integers(-1, width, n_rows).astype(np.int32), None
            values = rng.integers(1, 9, n_rows).astype(dtype) if kind == "values" else None
            rows = np.flatnonzero(columns >= 0)
            dense[rows, columns[rows]] = 1 if values is None else values[rows]
        offset = place * width
        parts.append(
            (np.where(columns >= 0, columns + offset, -1).astype(np.int32), values, indptr)
        )
        expected.append(sparse.csr_array(dense))
    parts = parts[::-1] if is_turned else parts
    n_features = width * len(kinds)
    X = assemble(parts, n_rows, n_features, np.dtype(dtype), is_sorted=not is_turned, n_jobs=1)
    assert X.dtype == dtype
    assert sparse.csr_array((X.data, X.indices, X.indptr), X.shape).has_canonical_format
    np.testing.assert_array_equal(X.toarray(), sparse.hstack(expected).toarray())
