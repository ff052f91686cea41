import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from support.files import assert_same_bits, assert_same_matrix, datasets, matrices

from fastfm_cy.exceptions import FileFormatError
from fastfm_cy.io import (
    convert,
    read_groups,
    read_libfm_binary,
    read_relation,
    read_vector,
    write_libfm_binary,
    write_vector,
)
from fastfm_cy.io.data_files import libfm_binary

X = sparse.csr_array(np.array([[0, 1.5, 0], [0, 0, 0], [-2, 0, 3]], dtype=np.float32))
# Two rows of different length and an empty one, byte for byte.
BYTES = struct.pack("<IIQII", 2, 4, 3, 3, 3) + struct.pack(
    "<IIfIIIfIf", 1, 1, 1.5, 0, 2, 0, -2.0, 2, 3.0
)


def test_bytes(tmp_path):
    write_libfm_binary(tmp_path / "train", X, [1, 2, 3.5])
    assert (tmp_path / "train.x").read_bytes() == BYTES
    vector = (tmp_path / "train.y").read_bytes()
    assert vector == struct.pack("<IIIfff", 1, 4, 3, 1, 2, 3.5)


def test_names(tmp_path):
    write_libfm_binary(tmp_path / "ml.100k", X, [1, 2, 3.5], by_columns=True)
    for name in ("ml.100k", "ml.100k.x", "ml.100k.xt"):
        dataset = read_libfm_binary(tmp_path / name)
        assert_same_matrix(dataset.X, X)
        assert dataset.y.tolist() == [1, 2, 3.5]
    (tmp_path / "ml.100k.y").rename(tmp_path / "elsewhere")
    assert read_libfm_binary(tmp_path / "ml.100k").y is None
    assert read_libfm_binary(tmp_path / "ml.100k", tmp_path / "elsewhere").y[2] == 3.5
    (tmp_path / "ml.100k.x").unlink()
    assert_same_matrix(read_libfm_binary(tmp_path / "ml.100k").X, X)
    with pytest.raises(FileNotFoundError, match=r"neither .*\.x nor"):
        read_libfm_binary(tmp_path / "missing")
    for old, new in ((".data", ".x"), (".target", ".y")):
        (tmp_path / f"old{old}").write_bytes(BYTES if new == ".x" else struct.pack("<III", 1, 4, 0))
    with pytest.raises(FileFormatError, match=r"old\.target has 0 targets, .*old\.data has 3 rows"):
        read_libfm_binary(tmp_path / "old")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("binary")


@given(datasets())
def test_round_trip(folder, dataset):
    y = dataset.y.clip(-1e30, 1e30)
    write_libfm_binary(folder / "rows", dataset.X, y)
    back = read_libfm_binary(folder / "rows")
    assert_same_matrix(back.X, dataset.X)
    assert_same_bits(back.y, y.astype(np.float32).astype(np.float64))


@given(matrices())
def test_round_trip_by_columns(folder, X):
    write_libfm_binary(folder / "columns", X, by_columns=True)
    back = read_libfm_binary(folder / "columns.xt").X
    X.sort_indices()
    back.sort_indices()
    np.testing.assert_array_equal(back.indptr, X.indptr)
    np.testing.assert_array_equal(back.indices, X.indices)


@given(matrices(), st.integers(1, 40))
def test_conversion_piece_by_piece(folder, X, piece):
    X.data.clip(-1e30, 1e30, out=X.data)
    write_libfm_binary(folder / "pieces", X, np.arange(X.shape[0]), by_columns=True)
    X.sum_duplicates()
    X.eliminate_zeros()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(libfm_binary, "_PIECE", piece)
        for name in ("pieces.x", "pieces.xt"):
            dataset = convert(folder / name, folder / "disk", overwrite=True)
            assert_same_matrix(dataset.X, X)
            assert dataset.y.tolist() == list(range(X.shape[0]))


def altered(at, form, value):
    contents = bytearray(BYTES)
    struct.pack_into(form, contents, at, value)
    return bytes(contents)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "too short"),
        (BYTES[:23], "too short"),
        (altered(0, "<I", 1), "begins with 1, 4"),
        (altered(4, "<I", 8), "begins with 2, 8"),
        (BYTES[:-1], "should have 60 bytes .* it has 59"),
        (BYTES + b"\0", "should have 60 bytes .* it has 61"),
        (altered(8, "<Q", 2**63), "should have 73786976294838206500 bytes"),
        (altered(16, "<I", 2**32 - 1), "should have"),
        (altered(20, "<I", 2**32 - 1), "at most 2147483647"),
        (altered(20, "<I", 2), "row 2 goes beyond"),
        (altered(24, "<I", 2**32 - 1), "row 0 goes beyond"),
        (altered(24, "<I", 0), "row"),
        (altered(32, "<f", np.nan), "feature 1 in row 0 is nan"),
        (altered(32, "<f", np.inf), "feature 1 in row 0 is inf"),
    ],
)
def test_wrong_matrices(tmp_path, monkeypatch, contents, message):
    (tmp_path / "wrong.x").write_bytes(contents)
    for piece in (1, 1000):
        monkeypatch.setattr(libfm_binary, "_PIECE", piece)
        with pytest.raises(FileFormatError, match=message):
            read_libfm_binary(tmp_path / "wrong.x")
        with pytest.raises(FileFormatError, match=message):
            convert(tmp_path / "wrong.x", tmp_path / "data")


def test_vectors(tmp_path):
    path = tmp_path / "vector"
    for values, dtype in (([1.5, -2], "float32"), ([0, 2**32 - 1], "uint32")):
        write_vector(path, values, dtype)
        assert_same_bits(read_vector(path, dtype), np.array(values, dtype=dtype))
        path.write_text("\n".join(map(str, values)))
        assert_same_bits(read_vector(path, dtype), np.array(values, dtype=dtype))
    path.write_text("")
    assert len(read_vector(path)) == 0
    for text, dtype, message in (
        ("1\nx", "float32", "number a line"),
        ("1\nnan", "float32", "number 1 is nan"),
        ("1\n1e39", "float32", "number 1 is inf"),
        ("1\n-1", "uint32", "number 1 must be an integer from 0"),
        ("1\n0.5", "uint32", "number 1 must be an integer from 0"),
        ("1\n4294967296", "uint32", "number 1 must be an integer from 0"),
    ):
        path.write_text(text)
        with pytest.raises(FileFormatError, match=message):
            read_vector(path, dtype)
    path.write_bytes(struct.pack("<IIIf", 1, 4, 2**32 - 1, 1))
    with pytest.raises(FileFormatError, match="for 4294967295 numbers"):
        read_vector(path)


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(ValueError, match="not finite in float32"):
        write_libfm_binary(tmp_path / "x", X.astype(np.float64) * 1e300)
    with pytest.raises(ValueError, match="3 rows, y 1"):
        write_libfm_binary(tmp_path / "x", X, [1])
    assert list(tmp_path.iterdir()) == []


def test_groups(tmp_path):
    path = tmp_path / "meta"
    path.write_text("0\n1\r\n1\n")
    groups = read_groups(path, 3)
    assert groups.tolist() == [0, 1, 1]
    assert groups.dtype == np.int32
    with pytest.raises(FileFormatError, match="groups of 3 features, not of 4"):
        read_groups(path, 4)
    for text in ("0\n3\n1", "0\n4000000000\n", "0\n-1", "a"):
        path.write_text(text)
        with pytest.raises(FileFormatError):
            read_groups(path)


def test_relations(tmp_path):
    name = tmp_path / "users"
    write_libfm_binary(name, X)
    write_vector(f"{name}.train", [0, 2, 2, 1], "uint32")
    (tmp_path / "users.test").write_text("2\n0\n")
    relation = read_relation(name)
    assert_same_matrix(relation.X, X)
    assert relation.train.tolist() == [0, 2, 2, 1]
    assert relation.test.tolist() == [2, 0]
    assert relation.groups is None
    (tmp_path / "users.groups").write_text("0\n0\n1\n")
    assert read_relation(name).groups.tolist() == [0, 0, 1]
    (tmp_path / "users.train").unlink()
    assert read_relation(name).train is None
    (tmp_path / "users.test").write_text("2\n3\n")
    with pytest.raises(FileFormatError, match="case 1 belongs to row 3 of a block that has 3"):
        read_relation(name)
