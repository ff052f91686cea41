import json
import shutil
import zlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from support.files import (
    assert_same_bits,
    assert_same_dataset,
    assert_same_matrix,
    datasets,
    file_of,
)

from fastfm_cy.exceptions import FileFormatError, ParseError
from fastfm_cy.io import (
    Dataset,
    convert,
    open_dataset,
    read_csv,
    read_libffm,
    read_libsvm,
    write_libfm_binary,
    write_libsvm,
)
from fastfm_cy.io.data_files import line_reader as _lines

SVM = "1 0:1 2:0.5\n-1 1:3\n2\n0 1:1 2:2\n"
FFM = "1 0:2:1 1:1:0.5\n-1 0:1:3\n"
CSV = "y,a,b,w\n1,0.5,0,1\n2,0,3,0.5\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("disk")


@pytest.fixture
def small(tmp_path):
    return convert(file_of(SVM), tmp_path / "small", format="libsvm")


def test_text(tmp_path):
    dataset = convert(file_of(SVM), tmp_path / "svm")
    assert_same_dataset(dataset, read_libsvm(file_of(SVM)))
    assert (dataset.shape, dataset.n_entries, dataset.dtype) == ((4, 3), 5, "float32")
    dataset = convert(file_of(FFM), tmp_path / "ffm", dtype="float64")
    assert_same_dataset(dataset, read_libffm(file_of(FFM), dtype="float64"))
    assert dataset.n_fields == 2
    dataset = convert(file_of(CSV), tmp_path / "csv", format="csv", weight="w")
    assert_same_dataset(dataset, read_csv(file_of(CSV), weight="w"))
    assert dataset.feature_names == ["a", "b"]
    assert dataset.n_fields == 0
    assert [column.shape for column in dataset] == [(2, 2), (2,)]


def test_options_reach_the_reader(tmp_path):
    text = "1 qid:3 1:1 3:1\n1 qid:4 2:1 oops\n1 qid:5 1:1"
    options = {"n_jobs": 2, "on_error": "skip", "zero_based": "auto", "n_features": 7}
    with pytest.warns(UserWarning, match="2 lines"):
        dataset = convert([file_of(text), file_of(text)], tmp_path / "data", **options)
    assert dataset.shape == (4, 7)


def test_indices_that_start_from_one(tmp_path):
    text = "1 1:1 3:1\n1 2:1\n1"
    dataset = convert(file_of(text), tmp_path / "data", zero_based="auto", format="libsvm")
    assert_same_dataset(dataset, read_libsvm(file_of(text), zero_based=False))
    open_dataset(tmp_path / "data", verify=True)


def test_binary(tmp_path, small):
    write_libfm_binary(tmp_path / "rows", small.X, small.y)
    dataset = convert(tmp_path / "rows.x", tmp_path / "data")
    assert_same_dataset(dataset, small)


@pytest.mark.parametrize("fields", [False, True])
def test_what_is_in_memory(folder, fields):
    @given(datasets(fields=fields, query=True, weights=True))
    def check(dataset):
        dataset.X.data.clip(-1e30, 1e30, out=dataset.X.data)
        disk = convert(dataset, folder / "memory", overwrite=True)
        if not fields:
            dataset.X.sum_duplicates()
            dataset.X.eliminate_zeros()
        assert_same_matrix(disk.X, dataset.X)
        for name in ("y", "weights", "query"):
            assert_same_bits(getattr(disk, name), getattr(dataset, name))
        assert_same_dataset(open_dataset(folder / "memory", verify=True), disk)

    check()


@given(datasets(fields=True, weights=True), st.integers(1, 2000))
def test_chunks_cover_all_rows_within_their_bytes(folder, dataset, n_bytes):
    disk = convert(dataset, folder / "chunks", overwrite=True)
    cuts = disk.cuts(n_bytes)
    assert cuts[0] == 0
    assert cuts[-1] == disk.shape[0]
    for first, last in pairwise(cuts):
        assert first < last
        chunk = disk.chunk([(first, last)])
        n_entries = disk.X.indptr[last] - disk.X.indptr[first]
        assert last == first + 1 or n_entries * 12 + (last - first) * 80 <= n_bytes
        rows = chunk.rows
        part = sparse.csr_array(
            (rows.data, rows.indices, rows.indptr), (last - first, rows.n_features)
        )
        np.testing.assert_array_equal(part.toarray(), disk.X[first:last].toarray())
        assert_same_bits(chunk.y, disk.y[first:last])
        assert_same_bits(chunk.weights, disk.weights[first:last])
        assert len(chunk.rows.fields) == n_entries


def test_chunks_of_several_ranges(folder):
    X = sparse.random_array((50, 9), density=0.3, rng=np.random.default_rng(0)).tocsr()
    disk = convert(Dataset(X, np.arange(50)), folder / "ranges", overwrite=True)
    chunk = disk.chunk([(40, 50), (0, 3), (7, 7), (20, 21)], np.float32)
    numbers = [*range(40, 50), 0, 1, 2, 20]
    expected = X[numbers].astype(np.float32)
    for name in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(chunk.rows, name), getattr(expected, name))
    assert chunk.y.tolist() == numbers
    X.data[0] = 1e200
    disk = convert(Dataset(X, np.arange(50)), folder / "ranges", overwrite=True)
    assert disk.chunk([(0, 50)]).rows.data.max() == 1e200
    with pytest.raises(ValueError, match="too large for float32"):
        disk.chunk([(0, 50)], np.float32)


def test_chunks_across_blocks_of_offsets(folder, monkeypatch):
    X = sparse.random_array((500, 30), density=0.3, rng=np.random.default_rng(0)).tocsr()
    disk = convert(Dataset(X, None), folder / "many", overwrite=True)
    whole = disk.cuts(5000)
    for block in (1, 7, 100):
        monkeypatch.setattr("fastfm_cy.data.disk.dataset._OFFSETS", block)
        assert disk.cuts(5000) == whole


def test_rows_in_canonical_form(tmp_path):
    dataset = convert(file_of("1 2:1 0:0 1:2 2:3\n1 0:1"), tmp_path / "data", format="libsvm")
    assert dataset.X.indices.tolist() == [1, 2, 0]
    assert dataset.X.data.tolist() == [2, 4, 1]
    with pytest.raises(FileFormatError, match=r"feature 0 .* add up to more than float32"):
        convert(file_of("1 0:3e38 0:3e38"), tmp_path / "other", format="libsvm")


def test_nothing_half_written(tmp_path, monkeypatch):
    monkeypatch.setattr(_lines, "_PIECE", 8)
    for contents, error in ((SVM + "oops", ParseError), ("", FileFormatError)):
        with pytest.raises(error):
            convert(file_of(contents), tmp_path / "data")
        assert list(tmp_path.iterdir()) == []
    dataset = convert(file_of(SVM), tmp_path / "data", format="libsvm")
    with pytest.raises(FileExistsError, match="overwrite"):
        convert(file_of(FFM), tmp_path / "data")
    with pytest.raises(ParseError):
        convert(file_of(SVM + "oops"), tmp_path / "data", format="libsvm", overwrite=True)
    assert_same_dataset(open_dataset(tmp_path / "data", verify=True), dataset)
    convert(file_of(FFM), tmp_path / "data", overwrite=True)
    assert open_dataset(tmp_path / "data").has("fields")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    (tmp_path / "other").mkdir()
    with pytest.raises(FileExistsError, match="no data set"):
        convert(file_of(SVM), tmp_path / "other", format="libsvm", overwrite=True)


def test_an_interrupted_conversion_cannot_be_opened(tmp_path, monkeypatch):
    """Even if the process dies so that nothing is tidied up."""
    monkeypatch.setattr(shutil, "rmtree", lambda *args, **options: None)
    with pytest.raises(ParseError):
        convert(file_of(SVM + "oops"), tmp_path / "data", format="libsvm")
    (left,) = tmp_path.iterdir()
    with pytest.raises(FileFormatError, match=r"no header\.json"):
        open_dataset(left)
    with pytest.raises(FileNotFoundError):
        open_dataset(tmp_path / "data")


ARRAYS = ("indptr", "indices", "data", "target")


@pytest.mark.parametrize("name", ARRAYS)
def test_truncated_arrays(small, name):
    path = small.folder / f"{name}.npy"
    contents = path.read_bytes()
    for altered in (contents[:-1], contents + b"\0", b""):
        path.write_bytes(altered)
        with pytest.raises(FileFormatError, match=f"{name}.npy should have {len(contents)} bytes"):
            open_dataset(small.folder)
    path.write_bytes(b"X" + contents[1:])
    with pytest.raises(FileFormatError, match="first bytes are wrong"):
        open_dataset(small.folder)
    path.unlink()
    with pytest.raises(FileFormatError, match="but has 0"):
        open_dataset(small.folder)


@pytest.mark.parametrize("name", ARRAYS)
def test_altered_arrays_fail_verification(small, name):
    path = small.folder / f"{name}.npy"
    contents = bytearray(path.read_bytes())
    contents[-1] ^= 1
    path.write_bytes(contents)
    open_dataset(small.folder)
    with pytest.raises(FileFormatError, match=f"{name}.npy was altered"):
        open_dataset(small.folder, verify=True)


def test_altered_arrays_do_no_harm(small):
    for name, values in (
        ("indices", np.array([7] * 5, "<i4")),
        ("indices", np.array([-1] * 5, "<i4")),
        ("data", np.array([np.nan] * 5, "<f4")),
        ("indptr", np.array([0, 2, 1, 3, 5], "<i8")),
        ("indptr", np.array([0, 2, 2**62, 3, 5], "<i8")),
        ("indptr", np.array([-5, 2, 3, 3, 5], "<i8")),
        ("indptr", np.array([0, 2, 3, 3, 2**62], "<i8")),
    ):
        path = small.folder / f"{name}.npy"
        before = path.read_bytes()
        path.write_bytes(before[:128] + values.tobytes())
        with pytest.raises(FileFormatError, match=f"{name}.npy was altered"):
            open_dataset(small.folder).chunk([(0, 4)])
        path.write_bytes(before)
    dataset = open_dataset(small.folder)
    (small.folder / "data.npy").write_bytes(b"")
    with pytest.raises(FileFormatError, match="truncated since"):
        dataset.chunk([(0, 4)])


def with_header(folder, **changes):
    """Write a header with some things changed, and a checksum that is right."""
    path = folder / "header.json"
    header = json.loads(path.read_text())
    del header["checksum"]
    header.update(changes)
    header["checksum"] = zlib.crc32(json.dumps(header, sort_keys=True).encode())
    path.write_text(json.dumps(header))


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2}, {"version": "1"}, {"format": "other"}, {"n_rows": 2**63}, {"n_rows": -1},
        {"n_rows": "4"}, {"n_rows": 4.0}, {"n_rows": None}, {"n_features": 2**31},
        {"n_entries": 2**62}, {"n_entries": 4}, {"n_fields": -1}, {"n_fields": "2"},
        {"feature_names": ["a"]}, {"feature_names": [1, 2, 3]}, {"feature_names": 3},
        {"arrays": {}}, {"arrays": None},
        {"arrays": {"indptr": 1, "indices": 2, "data": 3}},
        {"arrays": {"../secret": {"dtype": "<f4", "length": 1}}},
    ],
)  # fmt: skip
def test_wrong_headers(small, changes):
    with_header(small.folder, **changes)
    with pytest.raises(FileFormatError):
        open_dataset(small.folder)


@pytest.mark.parametrize("key", ["dtype", "length", "crc32"])
@pytest.mark.parametrize("value", [None, "x", 1.5, [], True])
def test_headers_that_lack_something_of_an_array(small, key, value):
    arrays = json.loads((small.folder / "header.json").read_text())["arrays"]
    if value is None:
        del arrays["data"][key]
    else:
        arrays["data"][key] = value
    with_header(small.folder, arrays=arrays)
    for verify in (False, True):
        with pytest.raises(FileFormatError):
            open_dataset(small.folder, verify=verify)


def test_damaged_headers(small, tmp_path):
    path = small.folder / "header.json"
    before = path.read_text()
    for text in ("", "{", "[]", "[" * 100_000, before[:-10], before.replace("4", "5", 1), "\xff"):
        path.write_bytes(text.encode("latin1"))
        with pytest.raises(FileFormatError):
            open_dataset(small.folder)
    path.unlink()
    with pytest.raises(FileFormatError, match=r"no header\.json"):
        open_dataset(small.folder)


def test_memory_budgets(small):
    for budget, n_bytes in ((10, 10), ("1KB", 1000), ("1.5 gib", 3 << 29), ("7", 7)):
        assert open_dataset(small.folder, memory_budget=budget).memory_budget == n_bytes
    for budget in (0, -1, "x", "1XB", None, "infGB", "nanMB"):
        with pytest.raises(ValueError, match="memory_budget"):
            open_dataset(small.folder, memory_budget=budget)


def test_converting_streams(tmp_path, monkeypatch):
    """No piece of the text is held when the next is read."""
    rows = sparse.random_array((3000, 50), density=0.2, rng=np.random.default_rng(0)).tocsr()
    write_libsvm(tmp_path / "rows", rows)
    monkeypatch.setattr(_lines, "_PIECE", 1000)
    taken = []
    original = _lines.LineReader._read

    def read(self, text, *others):
        taken.append(len(text))
        return original(self, text, *others)

    monkeypatch.setattr(_lines.LineReader, "_read", read)
    dataset = convert(tmp_path / "rows", tmp_path / "data", dtype="float64")
    assert max(taken) < 2000
    assert len(taken) > 100
    np.testing.assert_array_equal(dataset.X.toarray(), rows.toarray())
