import gzip

import pytest
from support.files import assert_same_dataset, file_of

from fastfm_cy.exceptions import FileFormatError
from fastfm_cy.io import (
    detect_format,
    read,
    read_csv,
    read_libffm,
    read_libfm_binary,
    read_libsvm,
    write_libfm_binary,
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
    with pytest.raises(TypeError, match="n_features"):
        read(file_of("1,2"), n_features=4)
    with pytest.raises(ValueError, match="format must be one of"):
        read(file_of("1,2"), format="json")
    with pytest.raises(FileFormatError, match="no rows"):
        read(file_of("# nothing"))
    (tmp_path / "empty").write_text("")
    with pytest.raises(FileFormatError, match="no line with data"):
        detect_format(tmp_path / "empty")
