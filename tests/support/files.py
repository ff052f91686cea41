"""What the tests of files share: random data sets, and files of given bytes."""

import io

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse

from fastfm_cy.io import Dataset


def file_of(contents):
    """A binary file object of text or bytes."""
    return io.BytesIO(contents.encode() if isinstance(contents, str) else contents)


@st.composite
def matrices(draw, dtype="float32"):
    """Rows that may be empty, unsorted, hold zeros and a column twice."""
    n_rows, n_features = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    lengths = draw(st.lists(st.integers(0, 5), min_size=n_rows, max_size=n_rows))
    indptr, n_entries = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32), sum(lengths)
    values = st.floats(width=np.dtype(dtype).itemsize * 8, allow_nan=False, allow_infinity=False)
    indices = draw(arrays.arrays(np.int32, n_entries, elements=st.integers(0, n_features - 1)))
    data = draw(arrays.arrays(dtype, n_entries, elements=values))
    return sparse.csr_array((data, indices, indptr), shape=(n_rows, n_features))


@st.composite
def datasets(draw, dtype="float32", *, fields=False, query=False, weights=False):
    X = draw(matrices(dtype))
    numbers = st.floats(allow_nan=False, allow_infinity=False)

    def of_rows(elements, dtype):
        return draw(arrays.arrays(dtype, X.shape[0], elements=elements))

    own = None
    if fields:
        ids = draw(arrays.arrays(np.int32, X.nnz, elements=st.integers(0, 2**31 - 2)))
        own = sparse.csr_array((ids, X.indices, X.indptr), shape=X.shape)
    return Dataset(
        X,
        of_rows(numbers, np.float64),
        weights=of_rows(st.floats(0, 1e300), np.float64) if weights else None,
        fields=own,
        query=of_rows(st.integers(0, 9 * 10**17), np.int64) if query else None,
    )


def assert_same_matrix(a, b):
    """Entry by entry, as they are stored, to the last bit."""
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a.indptr, b.indptr)
    np.testing.assert_array_equal(a.indices, b.indices)
    assert_same_bits(a.data, b.data)


def assert_same_bits(a, b):
    if b is None:
        assert a is None
    else:
        assert a.dtype == b.dtype
        assert a.tobytes() == b.tobytes()


def assert_same_dataset(a, b):
    assert_same_matrix(a.X, b.X)
    for name in ("y", "weights", "query"):
        assert_same_bits(getattr(a, name), getattr(b, name))
    if b.fields is None:
        assert a.fields is None
    else:
        assert_same_matrix(a.fields, b.fields)


def assert_sound(dataset):
    """What was read is a matrix, numbers, and a number a row of each kind."""
    X = dataset.X
    assert len(X.indptr) == X.shape[0] + 1
    assert X.indptr[0] == 0
    assert (np.diff(X.indptr) >= 0).all()
    assert X.indptr[-1] == len(X.indices) == len(X.data)
    assert not len(X.indices) or 0 <= X.indices.min() <= X.indices.max() < X.shape[1]
    assert np.isfinite(X.data).all()
    for values in (dataset.y, dataset.weights, dataset.query):
        assert values is None or (values.shape == X.shape[:1] and np.isfinite(values).all())
    if dataset.fields is not None:
        np.testing.assert_array_equal(dataset.fields.indices, X.indices)
        assert not len(X.indices) or dataset.fields.data.min() >= 0
