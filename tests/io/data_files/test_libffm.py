import io

import numpy as np
import pytest
from hypothesis import given
from support.files import assert_same_dataset, datasets, file_of

from fastfm_cy.exceptions import ParseError
from fastfm_cy.io import read_libffm, write_libffm

TEXT = "1 0:3:0.5 2:1:1\n-1 1:0:1 # end\n"


def test_lines():
    X, y = dataset = read_libffm(file_of(TEXT))
    assert X.toarray().tolist() == [[0, 1, 0, 0.5], [1, 0, 0, 0]]
    assert y.tolist() == [1, -1]
    assert dataset.fields.data.tolist() == [0, 2, 1]
    X.sort_indices()
    assert dataset.fields.indices.tolist() == [3, 1, 0]
    assert read_libffm(file_of("1 1:1:1"), zero_based=False).X.indices.tolist() == [0]


@given(datasets(fields=True))
def test_round_trip(dataset):
    file = io.BytesIO()
    write_libffm(file, dataset)
    file.seek(0)
    assert_same_dataset(read_libffm(file, n_features=dataset.X.shape[1]), dataset)


def test_a_field_a_feature():
    file = io.BytesIO()
    write_libffm(file, np.eye(3), [1, 2, 3], fields=[0, 5, 5], zero_based=False)
    assert file.getvalue() == b"1 0:1:1\n2 5:2:1\n3 5:3:1\n"


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        ("1 5 1:1:1", 3, "field:index:value"),
        ("1 x:1:1", 3, "field:index:value"),
        ("1 -1:1:1", 3, "field:index:value"),
        ("1 2147483647:1:1", 3, "field:index:value"),
        ("1 9223372036854775808:1:1", 3, "field:index:value"),
        ("1 1:x:1", 5, "a feature's number, index"),
        ("1 1:2147483647:1", 5, "a feature's number of at most 2147483646"),
        ("1 1:1:x", 7, "a finite number behind the colon"),
        ("1 1:1:", 7, "a finite number behind the colon"),
        ("1 1:1:1:1", 8, "a blank"),
        ("1 3:1 27:1", 6, r"field:index:value; an entry of two numbers is .*libsvm"),
        ("1 1:1:1 27:1", 13, r"field:index:value; an entry of two numbers is .*libsvm"),
    ],
)
def test_wrong_lines(line, column, expected):
    with pytest.raises(ParseError, match=f"line 3, column {column}: expected {expected}"):
        read_libffm(file_of(TEXT + line))


def test_fields_must_fit():
    X = read_libffm(file_of(TEXT)).X
    for fields, message in (
        (None, "fields must say"),
        ([0, 1], "a field a feature"),
        ([0.5] * 4, "integers"),
        ([-1] * 4, "integers"),
        (X[:1], "where X has them"),
    ):
        with pytest.raises(ValueError, match=message):
            write_libffm(io.BytesIO(), X, fields=fields)
