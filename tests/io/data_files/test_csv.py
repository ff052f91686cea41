import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from support.files import assert_same_bits, datasets, file_of

from fastfm_cy.exceptions import FileFormatError, ParseError
from fastfm_cy.io import read_csv, write_csv
from fastfm_cy.io.data_files import line_reader as _lines

FILES = {
    "comma": "1,0.5,0\n2,-1e2,3\n",
    "tab, CRLF": "1\t0.5\t0\r\n2\t-1e2\t3\r\n",
    "semicolon, blanks": " 1; 0.5 ;0\n\n2 ;-1e2; 3",
    "bar, comment": "# rows\n1|0.5|0\n2|-1e2|3\n",
    "blanks": "1  0.5 0\n 2\t-1e2   3 \n",
    "quotes": '"1","0.5",0\n"2","-1e2","3"\n',
    "header": "a,b,c\n1,0.5,0\n2,-1e2,3\n",
    "quoted header": '"a";"b;x";c\n1;0.5;0\n2;-1e2;3\n',
}


@pytest.mark.parametrize("text", list(FILES.values()), ids=list(FILES))
def test_tables(text):
    X, y = dataset = read_csv(file_of(text))
    assert X.toarray().tolist() == [[0.5, 0], [-100, 3]]
    assert X.nnz == 3
    assert y.tolist() == [1, 2]
    if text[1] == "a":
        assert dataset.feature_names == ["b;x", "c"]


def test_columns():
    text = FILES["header"]
    dataset = read_csv(file_of(text), target="c", weight=0)
    assert dataset.y.tolist() == [0, 3]
    assert dataset.weights.tolist() == [1, 2]
    assert dataset.feature_names == ["b"]
    assert read_csv(file_of(text), target=-1).y.tolist() == [0, 3]
    no_target = read_csv(file_of(text), target=None)
    assert no_target.y is None
    assert no_target.X.shape == (2, 3)
    for columns, message in (
        ({"target": "d"}, "no column 'd' for the target; its columns are"),
        ({"target": 3}, "has 3 columns; there is no column 3"),
        ({"weight": -4}, "no column -4 for the weight"),
        ({"target": 1, "weight": "b"}, "different columns"),
        ({"target": 0.5}, "number or name"),
        ({"separator": "--"}, "one character"),
        ({"separator": "e"}, "one character"),
        ({"header": 1.5}, "header"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            read_csv(file_of(text), **columns)
    with pytest.raises(FileFormatError, match="it has no header"):
        read_csv(file_of(FILES["comma"]), target="a")


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        ("1,2", 4, "3 columns"),
        ("1,2,3,4", 6, "3 columns"),
        ("1,2,", 5, "a finite number"),
        ("1,,3", 3, "a finite number"),
        ("1,x,3", 3, "a finite number"),
        ("1,nan,3", 3, "a finite number"),
        ("1,1e39,3", 3, "a number that float32 can hold"),
        ("1,1e999,3", 3, "a number that float32 can hold"),
        ('1,"2,3', 3, "a finite number"),
        ("1,2 5,3", 5, "3 columns"),
        ("1 2 3", 3, "3 columns"),
        ("a,b,c", 1, "a finite number"),
    ],
)
def test_wrong_lines(line, column, expected):
    with pytest.raises(ParseError, match=f"line 3, column {column}: expected {expected}"):
        read_csv(file_of(FILES["comma"] + line + "\n1,2,3\n"))


def test_a_first_line_that_is_no_row():
    with pytest.raises(FileFormatError, match="no row of a table"):
        read_csv(file_of("1," + "2" * 200_000))


def test_negative_weights_are_refused():
    with pytest.raises(ParseError, match="line 2, column 5: expected a weight of at least 0"):
        read_csv(file_of("1,2,3\n1,2,-3\n"), weight=2)


def test_skipping(monkeypatch):
    monkeypatch.setattr(_lines, "_PIECE", 4)
    with pytest.warns(UserWarning, match="2 lines"):
        dataset = read_csv(file_of("1,2\nx,2\n3,4\n5\n6,7"), on_error="skip", n_jobs=2)
    assert dataset.y.tolist() == [1, 3, 6]
    assert dataset.X.toarray().ravel().tolist() == [2, 4, 7]


def test_columns_without_a_name():
    """As pandas and R write the numbers of the rows."""
    pandas = ",y,a\n0,1,5\n1,0,6\n"
    for text, column in (
        (pandas, 0),
        ('"","y","a"\n"1",1,5\n"2",0,6\n', 0),
        ("Unnamed: 0,y,a\n0,1,5\n1,0,6\n", 0),
        ("y,a,\n1,5,x\n0,6,y\n", 2),
    ):
        for options in ({}, {"target": "y"}):
            with pytest.raises(
                FileFormatError, match=rf"column {column} has .* drop={column} \(--dr"
            ):
                read_csv(file_of(text), **options)
            dataset = read_csv(file_of(text), drop=column, **options)
            assert dataset.y.tolist() == [1, 0]
            assert dataset.X.toarray().ravel().tolist() == [5, 6]
            assert dataset.feature_names == ["a"]
            assert dataset.target_name == "y"
    assert read_csv(file_of(pandas), drop=[0, "a"]).X.shape == (2, 0)
    with pytest.raises(ValueError, match="different columns"):
        read_csv(file_of(pandas), drop=[0, "y"], target="y")
    with pytest.raises(FileFormatError, match="no column 'z' for the columns to drop"):
        read_csv(file_of(pandas), drop="z")
    with pytest.raises(FileFormatError, match="2 columns 'a'; give a number"):
        read_csv(file_of("y,a,a\n1,2,3\n"), target="a")


def test_columns_left_out_may_hold_anything():
    text = 'id,y,note,a\n7,1,"x, ""y""; \'z",5\n,0,,6\n8 9,1, # ,7\n'
    dataset = read_csv(file_of(text), drop=["id", "note"], separator=",")
    assert dataset.y.tolist() == [1, 0, 1]
    assert dataset.X.toarray().ravel().tolist() == [5, 6, 7]
    with pytest.raises(ParseError, match="line 2, column 3: expected a quotation mark"):
        read_csv(file_of('y,note\n1,"x\n2,y"\n'), drop="note")


def test_cells_that_are_no_numbers_say_what_to_use():
    for text in ("y,a\n1,ann\n", "y,a\n1,\n", "y,a\n1,nan\n"):
        with pytest.raises(ParseError, match=r"n_hash=.*drop=.*empty cells"):
            read_csv(file_of(text))


def test_tables_too_wide_to_be_read_back_are_not_written(tmp_path):
    X = sparse.csr_array((1, 2**31 - 1), dtype=np.float32)
    with pytest.raises(ValueError, match="longer a line than can be read"):
        write_csv(tmp_path / "wide.csv", X, [1])
    assert list(tmp_path.iterdir()) == []


def test_a_header_in_each_file():
    files = [file_of("y,a\n1,2\n"), file_of("y,a\n3,4\n")]
    assert read_csv(files, target="y").y.tolist() == [1, 3]
    with pytest.raises(ParseError, match="2 columns, as in the first file"):
        read_csv([file_of("y,a\n1,2\n"), file_of("y,a,b\n3,4,5\n")])
    with pytest.raises(ParseError, match="2 columns"):
        read_csv([file_of("y,a\n1,2\n"), file_of("3,4,5\n")])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("separator", [",", "\t", ";", " "])
def test_round_trip(dtype, separator):
    @given(st.data())
    def check(data):
        dataset = data.draw(datasets(dtype, weights=data.draw(st.booleans())))
        dense = dataset.X.toarray()
        if not np.isfinite(dense).all():
            return  # columns that are there twice, summed
        names = data.draw(st.sampled_from([None, [f"a {i}" for i in range(dense.shape[1])]]))
        if names and separator == " ":
            names = [name.replace(" ", "_") for name in names]
        file = io.BytesIO()
        write_csv(
            file, dense, dataset.y, weights=dataset.weights, feature_names=names,
            separator=separator,
        )  # fmt: skip
        file.seek(0)
        weight = None if dataset.weights is None else 1
        back = read_csv(file, weight=weight, separator=separator, header=bool(names), dtype=dtype)
        np.testing.assert_array_equal(back.X.toarray(), dense)
        assert_same_bits(back.y, dataset.y)
        assert_same_bits(back.weights, dataset.weights)
        assert back.feature_names == names

    check()


def test_what_cannot_be_written():
    with pytest.raises(ValueError, match="2 features, but 1 names"):
        write_csv(io.BytesIO(), np.ones((1, 2)), feature_names=["a"])
    with pytest.raises(ValueError, match="no column"):
        write_csv(io.BytesIO(), np.ones((1, 0)))
