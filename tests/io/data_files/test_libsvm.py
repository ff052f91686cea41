import bz2
import gzip
import io
import lzma
import os
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import dump_svmlight_file, load_svmlight_file
from support.files import (
    assert_same_bits,
    assert_same_dataset,
    assert_same_matrix,
    datasets,
    file_of,
)

from fastfm_cy.exceptions import FileFormatError, ParseError
from fastfm_cy.io import Dataset, read_libsvm, write_libsvm
from fastfm_cy.io.data_files import line_reader as _lines

TEXT = """# a comment
1 0:0.5 3:1e-3\t7:-2.5E+2

-1.5   2 4:+.5 # index 2 has no value
+1
0 7:1 7:2 3:0\r
2 0:1"""
DENSE = [
    [0.5, 0, 0, 1e-3, 0, 0, 0, -250],
    [0, 0, 1, 0, 0.5, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 3],
    [1, 0, 0, 0, 0, 0, 0, 0],
]


def test_what_a_line_may_hold():
    X, y = read_libsvm(file_of(TEXT), dtype="float64")
    assert X.toarray().tolist() == DENSE
    assert y.tolist() == [1, -1.5, 1, 0, 2]
    assert X.indices.dtype == np.int32
    assert X.nnz == 9  # stored as the file has them


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_are_those_of_float(dtype):
    texts = ["0.1", "1e-42", "9007199254740993", "7.038531e-26", "123456789.12345678901234567890"]
    line = " ".join(f"{i}:{text}" for i, text in enumerate(texts))
    X, y = read_libsvm(file_of(f"{texts[-1]} {line}"), dtype=dtype)
    assert_same_bits(X.data, np.array([float(text) for text in texts]).astype(dtype))
    assert y[0] == float(texts[-1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_round_trip(dtype):
    @given(st.data())
    def check(data):
        query = data.draw(st.booleans())
        dataset = data.draw(datasets(dtype, query=query))
        file = io.BytesIO()
        zero_based = data.draw(st.booleans())
        write_libsvm(file, dataset, zero_based=zero_based)
        file.seek(0)
        back = read_libsvm(file, dtype=dtype, n_features=dataset.X.shape[1], zero_based=zero_based)
        assert_same_dataset(back, dataset)

    check()


def test_numbers_are_written_short():
    X = np.array([[0.1, 1e6, 1e-7, 1 / 3, 16777216]], dtype=np.float32)
    file = io.BytesIO()
    write_libsvm(file, X, [0.1 + 0.2])
    assert file.getvalue() == (
        b"0.30000000000000004 0:0.1 1:1000000 2:1e-07 3:0.33333334 4:16777216\n"
    )


def test_as_scikit_learn_reads_and_writes(tmp_path, clicks):
    X = clicks.X.astype(np.float64)
    X.data *= np.random.default_rng(0).random(len(X.data))
    dump_svmlight_file(X, clicks.y, str(tmp_path / "theirs"), query_id=np.arange(X.shape[0]))
    ours = read_libsvm(tmp_path / "theirs", dtype="float64", n_features=X.shape[1])
    theirs = load_svmlight_file(str(tmp_path / "theirs"), query_id=True, n_features=X.shape[1])
    assert_same_matrix(ours.X, theirs[0])
    assert_same_bits(ours.y, theirs[1])
    assert_same_bits(ours.query, theirs[2])
    write_libsvm(tmp_path / "ours", X, clicks.y)
    again = load_svmlight_file(str(tmp_path / "ours"), n_features=X.shape[1])
    assert_same_matrix(again[0], X)


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
@pytest.mark.parametrize("piece", [1, 7, 64, 1000])
def test_pieces_and_threads_change_nothing(monkeypatch, n_jobs, piece):
    monkeypatch.setattr(_lines, "_PIECE", piece)
    rng = np.random.default_rng(0)
    lines = [f"{i} " + " ".join(f"{j}:{rng.random()}" for j in range(i % 7)) for i in range(200)]
    text = "# begin\n\n" + "\n".join(lines)
    X, y = read_libsvm(file_of(text), n_jobs=n_jobs)
    assert y.tolist() == list(range(200))
    monkeypatch.undo()
    assert_same_matrix(X, read_libsvm(file_of(text)).X)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("piece", [1, 30, 1 << 20])
def test_the_line_of_an_error_does_not_depend_on_pieces(monkeypatch, n_jobs, piece):
    monkeypatch.setattr(_lines, "_PIECE", piece)
    text = "\n".join(["1 2:3"] * 50 + ["1 2:x"] + ["oops"] * 50)
    with pytest.raises(ParseError) as caught:
        read_libsvm(file_of(text), n_jobs=n_jobs)
    assert (caught.value.line, caught.value.column) == (51, 5)


PROBLEMS = {
    "x 1:2": (1, "the target"),
    "nan 1:2": (1, "a finite number, the target"),
    "1:2 3:4": (1, "a target at the start of the line, as in the first line"),
    "1 2:3 4:x": (9, "a finite number behind the colon"),
    "1 2:inf": (5, "a finite number behind the colon"),
    "1 2: 3": (5, "a finite number behind the colon"),
    "1 2:1e39": (5, "a number that float32 can hold"),
    "1e400 2:1": (1, "a number that float32 can hold"),
    "1 2:3x": (6, "a blank or the end"),
    "1 2:3:4": (6, "a blank or the end"),
    "1 2.5:1": (4, "a blank or the end"),
    "1 -2:1": (3, "a feature's number, index:value"),
    "1 a:1": (3, "a feature's number, index:value"),
    "1 2147483647:1": (3, "at most 2147483646"),
    "1 9223372036854775808:1": (3, "at most 2147483646"),
    "1 " + "9" * 40: (3, "at most 2147483646"),
    "1 qid:3 2:1": (3, "no qid, as in the first line"),
    "1 0:2:1": (
        6,
        "a blank or the end of the line; an entry of three numbers is one of the format libffm",
    ),
    "1 0:1\x00": (6, "a blank or the end"),
}


@pytest.mark.parametrize(("line", "what"), list(PROBLEMS.items()), ids=list(PROBLEMS))
def test_a_wrong_line_is_named(tmp_path, line, what):
    path = tmp_path / "rows.txt"
    path.write_text(f"1 0:1\n\n{line}\n1 0:2\n")
    column, expected = what
    with pytest.raises(ParseError) as caught:
        read_libsvm(path)
    error = caught.value
    assert (error.file, error.line, error.column) == (str(path), 3, column)
    assert expected in error.expected
    assert error.text in line
    assert isinstance(error, ValueError)
    for part in (str(path), "line 3", f"column {column}", expected):
        assert part in str(error)


def test_the_largest_index():
    assert read_libsvm(file_of("1 2147483646:1")).X.shape == (1, 2**31 - 1)


def test_queries():
    text = "1 qid:7 0:1\n0  qid:7\n2\tqid:8 1:1 # best\n"
    assert read_libsvm(file_of(text)).query.tolist() == [7, 7, 8]
    for line in ("1 0:1", "1 qid: 0:1", "1 qid:x", "1 qid:1:2", "1 qid:" + "9" * 19):
        with pytest.raises(ParseError, match="qid: and a number, as in the first line"):
            read_libsvm(file_of(text + line))


def test_where_indices_start():
    text = "1 1:1 4:1\n0 2:1"
    assert read_libsvm(file_of(text)).X.shape == (2, 5)
    assert read_libsvm(file_of(text), zero_based="auto").X.indices.tolist() == [0, 3, 1]
    assert read_libsvm(file_of(text), zero_based=False).X.shape == (2, 4)
    assert read_libsvm(file_of(text + " 0:1"), zero_based="auto").X.shape == (2, 5)
    with pytest.raises(ParseError, match="at least 1"):
        read_libsvm(file_of(text + "\n1 0:1"), zero_based=False)


def test_the_number_of_features():
    text = "1 1:1 4:1\n0 2:1"
    assert read_libsvm(file_of(text), n_features=9).X.shape == (2, 9)
    assert read_libsvm(file_of(text), n_features=4, zero_based="auto").X.shape == (2, 4)
    assert read_libsvm(file_of("1\n0")).X.shape == (2, 0)
    with pytest.raises(ParseError, match=r"line 1, column 7: .*at most 3"):
        read_libsvm(file_of(text), n_features=4)
    with pytest.raises(FileFormatError, match="only 4 features"):
        read_libsvm(file_of(text + " 0:1"), n_features=4, zero_based="auto")


def test_wrong_lines_can_be_skipped(monkeypatch):
    text = "1 0:1\nx\n2 0:2 1:x\n3 0:3\n4 :\n5 qid:1\n6 1:6"
    for piece in (1, 1 << 20):
        monkeypatch.setattr(_lines, "_PIECE", piece)
        with pytest.warns(UserWarning, match=r"4 lines could not be read, .* line 2, column 1"):
            dataset = read_libsvm(file_of(text), on_error="skip")
        assert dataset.y.tolist() == [1, 3, 6]
        assert dataset.X.toarray().tolist() == [[1, 0], [3, 0], [0, 6]]
        assert [(error.line, error.column) for error in dataset.skipped] == [
            (2, 1), (3, 9), (5, 3), (6, 3),
        ]  # fmt: skip
        assert dataset.n_skipped == 4


def test_nothing_but_wrong_lines():
    with pytest.raises(FileFormatError, match=r"no rows .* 2 lines could not be read, .* line 1"):
        read_libsvm(file_of("x\ny\n"), on_error="skip")


def test_many_skipped_lines_are_counted():
    with pytest.warns(UserWarning, match="5000 lines"):
        dataset = read_libsvm(file_of("x\n" * 5000 + "1 0:1"), on_error="skip")
    assert (len(dataset.skipped), dataset.n_skipped) == (1000, 5000)


@pytest.mark.parametrize("contents", ["", "\n\n", "# nothing\n", " \t\r\n"])
def test_a_file_without_rows(contents):
    with pytest.raises(FileFormatError, match="no rows"):
        read_libsvm(file_of(contents))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_files(tmp_path, pack):
    plain = read_libsvm(file_of(TEXT))
    path = tmp_path / "whatever it is called"
    path.write_bytes(pack(TEXT.encode()))
    assert_same_dataset(read_libsvm(path), plain)
    assert_same_dataset(read_libsvm(file_of(path.read_bytes())), plain)
    path.write_bytes(pack(TEXT.encode() * 1000)[:-20])
    with pytest.raises(FileFormatError, match="damaged or truncated"):
        read_libsvm(path)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_packed_writing(tmp_path, suffix):
    dataset = read_libsvm(file_of(TEXT))
    path = tmp_path / f"rows{suffix}"
    write_libsvm(path, dataset)
    assert path.read_bytes()[:1] != b"1"
    assert_same_dataset(read_libsvm(path), dataset)


def test_zstd(tmp_path):
    path, dataset = tmp_path / "rows.zst", read_libsvm(file_of(TEXT))
    if find_spec("zstandard") or sys.version_info >= (3, 14):
        write_libsvm(path, dataset)
        assert_same_dataset(read_libsvm(path), dataset)
        packed = path.read_bytes()
        twice = read_libsvm(file_of(packed + packed))
        assert twice.y.tolist() == [*dataset.y, *dataset.y]
        for cut in (packed[:-1], packed[:20], packed + packed[:-1]):
            with pytest.raises(FileFormatError, match="damaged or truncated"):
                read_libsvm(file_of(cut))
        return
    with pytest.raises(ImportError, match="zstandard"):
        write_libsvm(path, dataset)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ImportError, match="zstandard"):
        read_libsvm(file_of(b"\x28\xb5\x2f\xfd1234"))


def test_several_sources(tmp_path):
    (tmp_path / "a").write_text("1 0:1\n2 1:1")
    (tmp_path / "b").write_bytes(gzip.compress(b"3 5:1\n"))
    sources = [tmp_path / "a", str(tmp_path / "b"), file_of("\xef\xbb\xbf".encode("latin1") + b"4")]
    X, y = read_libsvm(sources, n_jobs=2)
    assert y.tolist() == [1, 2, 3, 4]
    assert X.shape == (4, 6)
    (tmp_path / "b").write_text("3 5:1\n\n4 5:oops")
    with pytest.raises(ParseError) as caught:
        read_libsvm(sources[:2])
    assert (caught.value.file, caught.value.line) == (str(tmp_path / "b"), 3)


class Trickle:
    """A file that has only `read`, and gives a byte or two at a time."""

    def __init__(self, contents):
        self.file = file_of(contents)

    def read(self, size):
        return self.file.read(min(size, 2))


def test_what_only_reads():
    assert_same_dataset(read_libsvm(Trickle(TEXT)), read_libsvm(file_of(TEXT)))


def test_what_is_no_source(tmp_path):
    with pytest.raises(TypeError, match="binary mode"):
        read_libsvm(io.StringIO(TEXT))
    with pytest.raises(TypeError, match="path, a binary file object"):
        read_libsvm(7)
    with pytest.raises(ValueError, match="empty"):
        read_libsvm([])
    with pytest.raises(FileNotFoundError):
        read_libsvm(tmp_path / "missing")


@pytest.mark.parametrize(
    "wrong",
    [
        {"dtype": "int"}, {"zero_based": 2}, {"n_features": 0}, {"on_error": "ignore"},
        {"n_features": 2**31},
    ],
)  # fmt: skip
def test_wrong_parameters(wrong):
    with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
        read_libsvm(file_of(TEXT), **wrong)


def test_a_line_without_end(monkeypatch):
    monkeypatch.setattr(_lines, "LONGEST_LINE", 1 << 10)
    monkeypatch.setattr(_lines, "_PIECE", 100)
    with pytest.raises(FileFormatError, match="a line is longer"):
        read_libsvm(file_of("1 " + "0:1 " * 1000))


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "rows"
    path.write_text("before")
    X = np.array([[1.0], [np.nan]])
    with pytest.raises(ValueError, match="row 1, column 0"):
        write_libsvm(path, X)
    bad = read_libsvm(file_of(TEXT)).X
    bad.indices[3] = -1
    with pytest.raises(ValueError, match="column index -1"):
        write_libsvm(path, bad)
    with pytest.raises(ValueError, match=r"shape \(5,\)"):
        write_libsvm(path, read_libsvm(file_of(TEXT)).X, [1, 2])
    with pytest.raises(ValueError, match="query"):
        write_libsvm(path, X[:1], query=[-1])
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither")
def test_rewriting_keeps_the_mode_and_follows_links(tmp_path):
    path, link = tmp_path / "rows", tmp_path / "link"
    path.write_text("before")
    path.chmod(0o600)
    link.symlink_to(path)
    write_libsvm(link, np.ones((1, 1)))
    assert link.is_symlink()
    assert path.read_text() == "0 0:1\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("fastfm_cy.kernels.text.writer.sparse_lines", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_libsvm(tmp_path / "rows", np.ones((2, 2)))
    assert list(tmp_path.iterdir()) == []


def test_unpacking():
    X, y = Dataset(np.ones((2, 1)), np.zeros(2))
    assert X.shape == (2, 1)
    assert y.shape == (2,)
