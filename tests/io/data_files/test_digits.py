"""Numbers of all lengths through whole lines, where usual ones take loops of their own."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastfm_cy.io import read_csv, read_libffm, read_libsvm

digits = st.text("0123456789", min_size=1, max_size=20)
numbers = st.builds(
    lambda sign, before, point, behind, exponent: sign + before + point + behind + exponent,
    st.sampled_from(["", "-", "+"]), digits, st.sampled_from([".", ".0"]),
    st.one_of(st.just(""), digits), st.sampled_from(["", "", "", "e-3", "E2"]),
)  # fmt: skip
indices = st.integers(0, 10**9)


@given(rows=st.lists(st.lists(st.tuples(indices, numbers), max_size=6), min_size=1, max_size=4))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sparse_values_are_what_python_makes_of_them(dtype, rows):
    text = "".join("1 " + " ".join(f"{j}:{x}" for j, x in row) + "\n" for row in rows)
    X = read_libsvm(io.BytesIO(text.encode()), zero_based=True, dtype=dtype).X
    expected = np.array([float(x) for row in rows for _, x in row]).astype(dtype)
    assert X.data.tobytes() == expected.tobytes()
    assert X.indices.tolist() == [j for row in rows for j, _ in row]
    assert np.diff(X.indptr).tolist() == [len(row) for row in rows]


@given(rows=st.lists(st.lists(st.tuples(indices, indices, numbers), min_size=1), min_size=1))
def test_fields_and_values_are_what_python_makes_of_them(rows):
    text = "".join("1 " + " ".join(f"{f}:{j}:{x}" for f, j, x in row) + "\n" for row in rows)
    data = read_libffm(io.BytesIO(text.encode()), dtype="float64")
    entries = [entry for row in rows for entry in row]
    assert data.X.data.tolist() == [float(x) for _, _, x in entries]
    assert data.X.indices.tolist() == [j for _, j, _ in entries]
    assert data.fields.data.tolist() == [f for f, _, _ in entries]


@given(data=st.data(), n_columns=st.integers(2, 6))
@pytest.mark.parametrize("separator", [",", ";", " ", "\t"])
def test_cells_are_what_python_makes_of_them(separator, data, n_columns):
    rows = data.draw(
        st.lists(st.lists(numbers, min_size=n_columns, max_size=n_columns), min_size=1, max_size=4)
    )
    text = "".join(separator.join(row) + "\n" for row in rows)
    source = io.BytesIO(text.encode())
    read = read_csv(source, separator=separator, header=False, dtype="float64")
    expected = np.array([[float(x) for x in row] for row in rows])
    assert read.y.tolist() == expected[:, 0].tolist()
    assert read.X.toarray().tolist() == (expected[:, 1:] + 0.0).tolist()


def test_pieces_that_share_their_arrays_keep_their_rows():
    """Some 4 MB: of rows that get longer, then shorter, and of more than a piece each."""
    lengths = [3, 50_000, 7, 120_000, 1, 2, 80_000] + [5] * 20_000
    text = "".join(f"{n} " + " ".join(f"{j}:.5" for j in range(n)) + "\n" for n in lengths)
    for n_jobs in (1, 2):
        read = read_libsvm(io.BytesIO(text.encode()), zero_based=True, n_jobs=n_jobs)
        assert read.y.tolist() == lengths
        assert np.diff(read.X.indptr).tolist() == lengths
        expected = np.concatenate([np.arange(n) for n in lengths])
        assert np.array_equal(read.X.indices, expected)
