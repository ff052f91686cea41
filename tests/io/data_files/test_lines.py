"""What all text formats share: the ends of lines, rows without labels, names, what is no text."""

import io
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.files import assert_same_dataset, datasets, file_of

from fastfm_cy.exceptions import FileFormatError, ModelFileError, ParseError
from fastfm_cy.io import (
    Dataset,
    convert,
    detect_format,
    hashed_feature,
    read,
    read_csv,
    read_groups,
    read_libffm,
    read_libffm_model,
    read_libfm_model,
    read_libsvm,
    read_vector,
    read_xlearn_model,
    write_libffm,
    write_libsvm,
)
from fastfm_cy.io.data_files import line_reader

TEXTS = {
    "libsvm": (read_libsvm, "1 0:1 2:0.5\n\n-1 1:3 # x\n2\n"),
    "libsvm without labels": (read_libsvm, "0:1 2:0.5\n1:3\n"),
    "libffm": (read_libffm, "1 0:2:1 1:1:0.5\n-1 0:1:3\n"),
    "csv": (read_csv, "y,a,b\n1,0.5,2\n-1,0,3\n"),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ends_of_lines(monkeypatch, name, piece, n_jobs):
    """LF, CR, CRLF, any mixture of them, wherever the pieces are cut."""
    reader, text = TEXTS[name]
    expected = reader(file_of(text))
    monkeypatch.setattr(line_reader, "_PIECE", piece)

    @given(st.lists(st.sampled_from(["\n", "\r", "\r\n"]), min_size=5, max_size=5))
    def check(ends):
        lines = text.split("\n")[:-1]
        mixed = "".join(line + end for line, end in zip(lines, ends, strict=False))
        assert_same_dataset(reader(file_of(mixed), n_jobs=n_jobs), expected)
        assert_same_dataset(reader(file_of(mixed.rstrip("\r\n")), n_jobs=n_jobs), expected)

    check()


def test_ends_of_lines_in_other_files(tmp_path):
    path = tmp_path / "file"
    for end in ("\n", "\r", "\r\n"):
        for text in TEXTS.values():
            path.write_bytes(text[1].replace("\n", end).encode())
            assert detect_format(path) in ("libsvm", "libffm", "csv")
        path.write_bytes(f"0{end}1{end}1".encode())
        assert read_vector(path).tolist() == [0, 1, 1]
        assert read_groups(path).tolist() == [0, 1, 1]
        path.write_bytes(end.join(["#pairwise interactions Vj,f", "1 2", "3 4"]).encode())
        assert read_libfm_model(path).factors_.tolist() == [[1, 2], [3, 4]]
        path.write_bytes(end.join(["bias: 1", "i_0: 2", "v_0: 3 4", ""]).encode())
        assert read_xlearn_model(path).factors_.tolist() == [[3, 4]]
        lines = ["n 1", "m 1", "k 2", "normalization 0", "w0,0 3 4", ""]
        path.write_bytes(end.join(lines).encode())
        assert read_libffm_model(path).factors_.tolist() == [[3, 4]]


def test_a_wrong_line_is_counted_by_any_end():
    for end in ("\n", "\r", "\r\n"):
        with pytest.raises(ParseError, match="line 3, column 3"):
            read_libsvm(file_of(end.join(["1 0:1", "", "1 x:2", "1"])))


# Rows without labels -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reader", "entries"),
    [(read_libsvm, ["2:1 31:1", "0:0.5", "3:1 # x"]), (read_libffm, ["1:2:1 0:31:1", "1:0:0.5"])],
)
@pytest.mark.parametrize("query", ["", "qid:7 "])
def test_rows_without_labels(monkeypatch, tmp_path, reader, entries, query):
    if query and reader is read_libffm:
        pytest.skip("libffm knows no queries")
    labelled = "".join(f"1 {query}{entry}\n" for entry in entries)
    bare = "# rows\n" + "".join(f"{query}{entry}\n" for entry in entries) + "\n\n# end\n"
    expected = reader(file_of(labelled))
    for piece in (3, 1 << 20):
        monkeypatch.setattr(line_reader, "_PIECE", piece)
        for n_jobs in (1, 2):
            found = reader(file_of(bare), n_jobs=n_jobs)
            assert found.y is None
            assert_same_dataset(type(found)(expected.X, None, fields=expected.fields,
                                            query=expected.query), found)  # fmt: skip
            monkeypatch.setattr(line_reader, "_PIECE", 1 << 20)
            assert_same_dataset(read(file_of(bare)), found)
            monkeypatch.setattr(line_reader, "_PIECE", piece)
    on_disk = convert(file_of(bare), tmp_path / "data")
    assert on_disk.y is None
    assert on_disk.shape == expected.X.shape


@pytest.mark.parametrize("write", [write_libsvm, write_libffm])
@pytest.mark.parametrize("query", [False, True])
def test_rows_without_labels_are_written_so(tmp_path, write, query):
    @given(datasets(fields=write is write_libffm, query=query and write is write_libsvm))
    def check(dataset):
        bare = replace(dataset, y=None)
        file = io.BytesIO()
        if write is write_libffm or not query:
            empty = np.diff(dataset.X.indptr) == 0
            if empty.any() and dataset.query is None:
                with pytest.raises(ValueError, match=f"Row {empty.argmax()} has no entries"):
                    write(file, bare)
                return
        write(file, bare)
        file.seek(0)
        back = read(file, n_features=dataset.X.shape[1])
        assert_same_dataset(back, bare)

    check()
    X = np.eye(2)
    write(
        tmp_path / "rows",
        convert(Dataset(X, None), tmp_path / "disk"),
        **({"fields": [0, 1]} if write is write_libffm else {}),
    )
    assert read(tmp_path / "rows").y is None


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("1 0:1\n0:1\n", 2, "a target at the start of the line, as in the first line"),
        ("0:1\n1 0:1\n", 2, "an entry at the start of the line, as in the first line"),
        ("0:1\n5\n", 2, "an entry at the start of the line"),
        ("qid:1 0:1\n0:1\n", 2, "qid: and a number, as in the first line"),
        ("0:1\n\n1:1\n", 2, "one without entries cannot be told from an empty line"),
        ("\n0:1\n", 1, "one without entries cannot be told from an empty line"),
        ("0:1\n \n# x\n\n1:1\n", 2, "one without entries cannot be told from an empty line"),
        ("0:1\n\nx\n", 2, "one without entries cannot be told from an empty line"),
    ],
)
@pytest.mark.parametrize("piece", [1, 4, 1 << 20])
def test_files_of_both_kinds(monkeypatch, text, line, message, piece):
    if not text.startswith("\n"):  # the first piece always holds the first line with data
        monkeypatch.setattr(line_reader, "_PIECE", piece)
    with pytest.raises(ParseError, match=message) as caught:
        read_libsvm(file_of(text))
    assert caught.value.line == line
    with pytest.warns(UserWarning, match="could not be read"):
        dataset = read_libsvm(file_of(text + text), on_error="skip")
    assert dataset.n_skipped > 0


# Names ------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 9), st.text("abc09=-é漢", min_size=1, max_size=6)),
                min_size=1, max_size=6), st.integers(1, 50), st.sampled_from([1, 2]))  # fmt: skip
def test_names_are_hashed(entries, n_hash, n_jobs):
    expected = [hashed_feature(name, n_hash) for _, name in entries]
    assert all(0 <= index < n_hash for index in expected)
    line = "1 " + " ".join(f"{name}:2" for _, name in entries)
    bare = " ".join(f"{name}:2" for _, name in entries)
    fields = "1 " + " ".join(f"{field}:{name}:2" for field, name in entries)
    for reader, text in ((read_libsvm, line), (read_libsvm, bare), (read_libffm, fields)):
        dataset = reader(file_of(text), n_hash=n_hash, n_jobs=n_jobs)
        assert dataset.X.shape == (1, n_hash)
        assert dataset.X.indices.tolist() == expected
        assert (dataset.X.data == 2).all()
        if reader is read_libffm:
            assert dataset.fields.data.tolist() == [field for field, _ in entries]
    table = ",".join(f'"{name}"' for _, name in entries)
    for separator in ",;\t":
        text = f"1,{table}\n2" + "," * len(entries)
        dataset = read_csv(file_of(text.replace(",", separator)), n_hash=n_hash, n_jobs=n_jobs)
        assert dataset.y.tolist() == [1, 2]
        assert np.diff(dataset.X.indptr).tolist() == [len(entries), 0]  # empty cells are nothing
        in_columns = [
            hashed_feature(f"{column}={name}", n_hash)
            for column, (_, name) in enumerate(entries, start=1)
        ]
        assert dataset.X.indices.tolist() == in_columns
        assert dataset.fields.data.tolist() == list(range(len(entries)))


def test_hashes_never_change():
    """Models depend on them."""
    assert [hashed_feature(name, 2**31 - 1) for name in ("", "0", "user=alice", "漢")] == [
        439969771, 214397200, 1545534805, 201802251,
    ]  # fmt: skip
    assert hashed_feature("x", 1) == 0


def test_hashes_spread():
    found = np.bincount([hashed_feature(str(i), 64) for i in range(64_000)], minlength=64)
    assert 800 < found.min() <= found.max() < 1200


def test_names_by_the_header_and_columns_left_out(tmp_path):
    text = "id,y,user,item\nx1,1,ann,7\nx2,0,,8\n"
    dataset = read_csv(file_of(text), target="y", drop="id", n_hash=1000)
    names = ["user=ann", "item=7", "item=8"]
    assert dataset.X.indices.tolist() == [hashed_feature(name, 1000) for name in names]
    assert dataset.fields.data.tolist() == [0, 1, 1]
    assert dataset.feature_names is None
    on_disk = convert(file_of(text), tmp_path / "data", target="y", drop="id", n_hash=1000)
    assert on_disk.n_fields == 2
    np.testing.assert_array_equal(on_disk.X.toarray(), dataset.X.toarray())
    moved = file_of("item,user,y,id\n7,ann,1,x1\n8,,0,x2\n")
    again = read_csv(moved, target="y", drop="id", n_hash=1000)
    np.testing.assert_array_equal(again.X.toarray(), dataset.X.toarray())


def test_numbers_beyond_the_largest():
    text = "1 12345678901234567890:1 3000000000:2\n"
    with pytest.raises(
        ParseError, match=r"at most 2147483646; larger ones are hashed with n_hash="
    ):
        read_libsvm(file_of(text))
    assert read_libsvm(file_of(text), n_hash=100).X.sum() == 3
    with pytest.raises(ParseError, match="names are hashed with n_hash="):
        read_libsvm(file_of("1 ann:1"))
    for wrong in ({"n_hash": 0}, {"n_hash": 2**31}, {"n_hash": 5, "n_features": 5},
                  {"n_hash": 5, "zero_based": False}):  # fmt: skip
        with pytest.raises(ValueError, match="n_hash"):
            read_libsvm(file_of(text), **wrong)


# What is no text that we read --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16"), ("utf-32", "UTF-32")],
)
@pytest.mark.parametrize("text", ["1 0:1 2:0.5\n", "y,a,b\n1,2,3\n"])
def test_other_encodings_are_named(tmp_path, encoding, name, text):
    path = tmp_path / "rows"
    path.write_bytes(text.encode(encoding))
    for reader in (read, read_libsvm, read_libffm, read_csv, detect_format):
        with pytest.raises(FileFormatError, match=f"is text in {name}; only UTF-8"):
            reader(path)
    for reader in (read_libfm_model, read_xlearn_model):
        with pytest.raises(ModelFileError, match=f"is text in {name}"):
            reader(path)


def test_a_byte_order_mark_of_utf8_is_none_of_the_text(tmp_path):
    path = tmp_path / "rows"
    for text in ("y,a\n1,2\n", "1 0:1\n"):
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
        assert_same_dataset(read(path), read(file_of(text)))
    path.write_bytes(b"\xef\xbb\xbfbias: 1\ni_0: 2\n")
    assert read_xlearn_model(path).intercept_ == 1


def test_binary_files_are_called_so(tmp_path):
    path = tmp_path / "rows"
    for content in (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\n\0\0\0\2\0\0\0", bytes(1000)):
        path.write_bytes(content)
        for reader in (read, read_libsvm, read_csv):
            with pytest.raises(FileFormatError, match="is a binary file"):
                reader(path)


def test_a_target_that_nobody_named_is_told(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("userId,movieId,rating\n1,2,3.5\n")
    with pytest.warns(UserWarning, match=r"ratings\.csv: the first column, 'userId', is taken"):
        assert read(path).target_name == "userId"
    with pytest.warns(UserWarning, match="'userId'"):
        convert(path, tmp_path / "data")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(path, target="rating").y.tolist() == [3.5]
        assert read(path, format="csv").target_name == "userId"
        assert read_csv(path).target_name == "userId"
        path.write_text("Label,a\n1,2\n")
        assert read(path).target_name == "Label"
