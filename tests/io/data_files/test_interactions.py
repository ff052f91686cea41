"""read_interactions: who chose what, in text."""

import gzip
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastfm_cy import FMRecommender
from fastfm_cy.exceptions import FileFormatError
from fastfm_cy.io import read_interactions


def read(text, **options):
    return read_interactions(io.BytesIO(text.encode()), **options)


@given(
    st.lists(
        st.tuples(st.integers(-5, 10**12), st.integers(0, 99), st.floats(-1e9, 1e9)), min_size=1
    ),
    st.sampled_from([",", "\t", ";", "|", "::", " "]),
    st.booleans(),
)
def test_what_was_written(rows, separator, has_header):
    lines = [separator.join(map(repr, row)) for row in rows]
    lines = ([separator.join(["user", "item", "weight"])] if has_header else []) + lines
    users, items, weights = read("\n".join(lines))
    for found, expected in zip((users, items, weights), zip(*rows, strict=True), strict=True):
        assert found.tolist() == list(expected)


def test_kinds_of_ids():
    users, items = read("7,a\n08,b\n7,c d\n")
    assert users.tolist() == ["7", "08", "7"]  # "08" is no number as Python writes it
    assert items.tolist() == ["a", "b", "c d"]
    users, items = read('7,"a,b"\n8,3\n', as_text=True)
    assert users.tolist() == ["7", "8"]
    assert items.tolist() == ["a,b", "3"]
    assert read("99999999999999999999,1\n")[0].tolist() == ["99999999999999999999"]


def test_headers():
    assert len(read("userId,movie\n1,2\n")[0]) == 1
    assert len(read("a,b\nc,d\n")[0]) == 2
    assert len(read("a,b\nc,d\n", header=True)[0]) == 1
    assert len(read("who,what,how much\nc,d,1\n")[0]) == 1
    assert len(read("user,item\nc,d\n", header=False)[0]) == 2


def test_several_packed_files(tmp_path):
    (tmp_path / "a.csv").write_text("user,item\n1,2\n")
    with gzip.open(tmp_path / "b.csv.gz", "wt") as file:
        file.write("3;4\n\n5;6\n")
    users, items = read_interactions([tmp_path / "a.csv", tmp_path / "b.csv.gz"])
    assert users.tolist() == [1, 3, 5]
    model = FMRecommender(2, max_iter=1).fit((users, items))
    assert model.item_ids_.tolist() == [2, 4, 6]


def test_further_columns():
    users, items = read("1,2,5,881250949\n2,1,3,881250950\n", weights=False)
    assert (users.tolist(), items.tolist()) == ([1, 2], [2, 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no interaction"),
        ("user,item\n", "there is no interaction"),
        ("1,2,3,4\n", "line 1: expected user, item and perhaps a weight, found 4 column"),
        ("1\n2\n", "found 1 column"),
        ("1,2\n3\n", "line 2: .*The first line has 2"),
        ("1,2\n3,4,5\n", "line 2"),
        ("1,2,3\n\n4,5,x\n", "line 3: the weight is 'x', no number"),
        ("1,2,3\n4,5,nan\n", "line 2: the weight is 'nan'"),
        ("1,2\n,4\n", "line 2: the user is empty"),
        ("1,2\n3, \n", "line 2: the item is empty"),
        ("a\0b,c\n", "binary file"),
    ],
)
def test_what_is_wrong_is_named(text, message):
    with pytest.raises(FileFormatError, match=message):
        read(text)


def test_files_that_do_not_go_together(tmp_path):
    (tmp_path / "a").write_text("1,2\n")
    (tmp_path / "b").write_text("1,2,3\n")
    with pytest.raises(FileFormatError, match="Some files have a column of weights"):
        read_interactions([tmp_path / "a", tmp_path / "b"])
    with pytest.raises(FileNotFoundError):
        read_interactions(tmp_path / "none")


def test_many_lines_come_in_parts():
    n = 150_000
    users, items = read("".join(f"{row},{row % 7}\n" for row in range(n)))
    np.testing.assert_array_equal(users, np.arange(n))
    np.testing.assert_array_equal(items, np.arange(n) % 7)
