import gzip
import io

import pytest
from hypothesis import given
from scipy import sparse
from support.files import assert_same_dataset, assert_same_matrix, datasets, file_of

from fastfm_cy.exceptions import FileFormatError
from fastfm_cy.io import (
    Dataset,
    detect_format,
    read,
    read_csv,
    read_libffm,
    read_libfm_binary,
    read_libsvm,
    write_libffm,
    write_libfm_binary,
    write_libsvm,
)

TEXTS = {
    "libsvm": (read_libsvm, "1 0:1 2:0.5\n-1 1:3\n2\n"),
    "libsvm with qid": (read_libsvm, "# x\n\n1 qid:3 2:1"),
    "libffm": (read_libffm, "1 0:2:1 1:1:0.5\n-1 0:1:3\n"),
    "csv": (read_csv, "y,a\n1,0.5\n"),
    "csv of one column": (read_csv, "1\n2\n"),
    "csv with tabs": (read_csv, "1\t2\n"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_first_line_tells(tmp_path, name):
    reader, text = TEXTS[name]
    path = tmp_path / "rows"
    for contents in (text.encode(), gzip.compress(text.encode())):
        path.write_bytes(contents)
        assert detect_format(path) == name.split()[0]
        for source in (path, [path], file_of(contents)):
            assert_same_dataset(read(source), reader(file_of(text)))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1\n0 1:2\n1 0:1\n", "libsvm"),
        ("1\n\n# x\n0\n1 0:1:3\n", "libffm"),
        ("1 # 2:3:4\n" * 5000 + "1 1:2\n", "libsvm"),
        ("1 qid:3\n1 qid:4 1:2\n", "libsvm"),
        ("0:1\n2:1\n", "libsvm"),
        ("0:1:1 2:1:1\n", "libffm"),
        ("y\n1\n", "csv"),
        ("12:30,5\n", "csv"),
        ("1 2 3\n", "csv"),
    ],
)
def test_the_first_line_that_tells(tmp_path, text, name):
    """Rows without entries, with which a file may begin, are of any format."""
    path = tmp_path / "rows"
    for contents in (text.encode(), gzip.compress(text.encode())):
        path.write_bytes(contents)
        assert detect_format(path) == name
    if not text.startswith("12:30"):
        assert_same_dataset(read(path), read(path, format=name))
        assert read(file_of(text)).format == name


@given(datasets(fields=True, query=True))
def test_what_we_write_is_recognised(dataset):
    for name, write, options in (
        ("libsvm", write_libsvm, {}), ("libffm", write_libffm, {}),
        ("libsvm", write_libsvm, {"query": None}),
    ):  # fmt: skip
        file = io.BytesIO()
        data = dataset if not options else Dataset(dataset.X, dataset.y)
        write(file, data)
        file.seek(0)
        back = read(file, **({"n_features": data.X.shape[1]} if data.X.nnz else {}))
        assert back.X.nnz == data.X.nnz
        assert back.y.tolist() == data.y.tolist()
        if data.X.nnz:
            assert back.format == name


def test_names_tell_where_no_line_does(tmp_path):
    """Of rows without any entry; else a table of one column is read."""
    for name in ("a.svm", "a.ffm.gz", "a.csv", "a"):
        write_libsvm(tmp_path / name, sparse.csr_array((2, 3)), [1, 2])
        assert detect_format(tmp_path / name) == {"a.svm": "libsvm", "a.ffm.gz": "libffm"}.get(
            name, "csv"
        )
        assert read(tmp_path / name).y.tolist() == [1, 2]
    with pytest.raises(FileFormatError, match=r"1 columns.*the first lines do not tell the format"):
        read(file_of("1\n" * 600_000 + "1 2:3\n"))


def test_magic_numbers_tell_rather_than_names(tmp_path):
    X, y = read_libsvm(file_of(TEXTS["libsvm"][1]))
    write_libfm_binary(tmp_path / "rows", X, y)
    content = (tmp_path / "rows.x").read_bytes()
    for name in ("other", "rows.data", "rows.svm"):
        (tmp_path / name).write_bytes(content)
        assert detect_format(tmp_path / name) == "libfm_binary"
        assert_same_matrix(read(tmp_path / name).X, X)
    for name, (reader, text) in TEXTS.items():
        for suffix in ("data", "x", "xt", "y"):
            path = tmp_path / f"text.{suffix}"
            path.write_text(text)
            assert detect_format(path) == name.split()[0]
            assert_same_dataset(read(path), reader(file_of(text)))
    (tmp_path / "wrong.x").write_bytes(b"\1\0\0\0" + bytes(30))
    with pytest.raises(FileFormatError, match="begins with 1, 0, not 2, 4"):
        read(tmp_path / "wrong.x")
    (tmp_path / "wrong.data").write_bytes(b"\1\0\0\0" + bytes(30))
    with pytest.raises(FileFormatError, match=r"binary file.*format="):
        read(tmp_path / "wrong.data")
    with pytest.raises(ValueError, match="by its path"):
        read(io.BufferedReader(io.BytesIO(content)))


def test_binary(tmp_path):
    X, y = read_libsvm(file_of(TEXTS["libsvm"][1]))
    write_libfm_binary(tmp_path / "rows", X, y)
    assert detect_format(tmp_path / "rows.x") == "libfm_binary"
    expected = read_libfm_binary(tmp_path / "rows")
    assert_same_dataset(read(tmp_path / "rows.x"), expected)
    assert_same_dataset(read(tmp_path / "rows", format="libfm_binary"), expected)
    with pytest.raises(ValueError, match="one file can be read, by its path"):
        read([tmp_path / "rows.x", tmp_path / "rows.x"])


def test_options_and_errors(tmp_path):
    assert read(file_of("1 0:1"), n_features=4).X.shape == (1, 4)
    assert read(file_of("1\n2"), format="libsvm").X.shape == (2, 0)
    with pytest.raises(TypeError, match="n_features is for libsvm, libffm; the data are csv"):
        read(file_of("1,2"), n_features=4)
    with pytest.raises(TypeError, match="n_feature is for no format"):
        read(file_of("1 0:1"), n_feature=4)
    with pytest.raises(ValueError, match="format must be one of"):
        read(file_of("1,2"), format="json")
    with pytest.raises(FileFormatError, match="no rows"):
        read(file_of("# nothing"))
    (tmp_path / "empty").write_text("")
    with pytest.raises(FileFormatError, match="no line with data"):
        detect_format(tmp_path / "empty")
