"""Errors say what is wrong, in which column and row, and what to do."""

import datetime
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from fastfm_cy.preprocessing import (
    Categorical,
    Dates,
    FieldEncoder,
    Join,
    MultiValued,
    Numeric,
    Text,
    categorical,
)

NAT = np.datetime64("NaT")
TABLE = {"user": ["a", "b"], "price": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({**TABLE, "extra": [1, 2], "e2": [1, 2]}, "were not there in fit: 'extra', 'e2'"),
        ({"user": ["a"]}, "X lacks columns that were there in fit: 'price'"),
        ({"user": ["a", "b"], "price": ["1.0", "2"]}, "'price' must hold numbers.*text.*row 0"),
        ({"user": [None, 5], "price": [1, 2]}, "'user' must hold text.*holds numbers.*row 1 has 5"),
        ({"user": [True, False], "price": [1, 2]}, "'user' must hold text.*holds bools"),
        ({"user": ["a", "b"], "price": [1, 2, 3]}, "'price' has 3 rows, column 'user' has 2"),
        (
            {"user": ["a", 7], "price": [1, 2]},
            "'user' mixes types: .*text \\('a'\\) in row 0 and a number \\(7\\) in row 1",
        ),
        ({"user": ["a", "b"], "price": [1, np.inf]}, "'price', row 1: inf is not finite"),
        ({"user": ["a", "b"], "price": [1e300, 1]}, "'price', row 0: .*too large"),
        ({"user": ["a", "b"], "price": [1, [2]]}, "'price' mixes types"),
        ({"user": ["a", "b"], "price": [1, "x"]}, "'price' mixes types: .*text \\('x'\\) in row 1"),
    ],
)  # fmt: skip
def test_tables_that_do_not_fit(table, message):
    encoder = FieldEncoder().fit(TABLE)
    for method in (encoder.transform, encoder.partial_fit):
        with pytest.raises((TypeError, ValueError), match=message):
            method(table)
    assert encoder.get_feature_names_out().tolist() == ["user=a", "user=b", "price"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"a": [None, None], "b": [1, 2], "c": [np.nan, None]}, "2 values of column 'a', 'c' are"),
        ({"b": [1, 2], "c": np.full(2, np.nan)}, "'c' are missing.*columns={'c': 'drop'}"),
        (pl.DataFrame({"a": [None, None]}), "'a' are missing"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "several columns of the name 'a'"),
        (pd.DataFrame([[1, 2]], columns=["a", 1]), "X has the column name 1 of type int"),
        ({"a": ["x", None, 3]}, "'a' mixes types: it has text .*row 0 and a number .*row 2"),
        ({"a": [1, None, "x"]}, "'a' mixes types: it has a number .*row 0 and text .*row 2"),
        ({"a": [True, 1]}, "'a' mixes types: it has a bool .*row 0 and a number"),
        ({"a": [["x"], "y"]}, "'a' mixes types: it has a list .*row 0 and text"),
        ({"a": [["x", 1]]}, "'a' mixes types"),
        ({"a": [{"x": 1}, ["y"]]}, "'a', row 1: expected a dict from values to weights"),
        ({"a": [None, object()]}, "'a', row 1: a value of type object"),
        ({"a": [1j]}, "'a', row 0: a value of type complex"),
        ({"a": [b"x"]}, "'a', row 0: a value of type bytes"),
        (pl.DataFrame({"a": [datetime.timedelta(1)]}), "'a' is of type Duration.*not supported"),
        (np.array([["x"]], dtype="S1"), "'x0' is of type .*S1, not supported"),
        ({"a": [2**64]}, "'a', row 0: 18446744073709551616 is too large"),
        (sparse.csr_array(np.eye(2)), "sparse matrix, which is encoded already"),
        (np.array(["a", "b"]), "Expected 2D array, got 1D array"),
        ([["a", 1], ["b"]], "Row 1 of X has 1 values, row 0 2"),
        (5, "X is a int, not a table"),
        ({"a": 5}, "'a' is a int; give a list"),
        (pd.DataFrame({"a": []}), "0 sample"),
        ({}, "0 sample|0 feature"),
        (pd.DataFrame(index=[0, 1]), "0 feature"),
        ({"a.year": [1], "a": np.array(["2020"], "M8[s]")}, "Two fields have the name 'a.year'"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_learned(table, message):
    encoder = FieldEncoder()
    with pytest.raises((TypeError, ValueError), match=message):
        encoder.fit(table)
    assert not hasattr(encoder, "n_features_in_")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"columns": {"users": "categorical"}}, "columns names the column 'users'.*it has 'user'"),
        ({"columns": {2: "drop"}}, "columns has 2; X has the columns 0 to 1"),
        ({"columns": {1.5: "drop"}}, "must name columns or their positions, not 1.5"),
        ({"columns": {"user": "ids"}}, "columns\\['user'\\] must be one of 'categorical'"),
        ({"columns": {"user": TfidfVectorizer()}}, "must be one of .*Text\\(...\\)"),
        ({"columns": {"user": Text(TfidfVectorizer)}}, "vectorizer must be a transformer"),
        ({"columns": ["user"]}, "columns must be a dict"),
        ({"columns": {"user": "numeric"}}, "'user' must hold numbers, but holds text"),
        ({"columns": {"user": "dates"}}, "'user', row 0: 'a' is no date"),
        ({"columns": {"price": "multi"}}, "'price' must hold lists"),
        ({"columns": {"user": MultiValued("")}}, "separator must be a text"),
        ({"columns": {"user": MultiValued(weights=":")}}, "give a separator, too"),
        ({"columns": {"user": MultiValued("|", normalize="max")}}, "normalize must be"),
        ({"columns": {"price": Numeric("log")}}, "transform must be one of"),
        ({"columns": {"price": Numeric(n_bins=1)}}, "n_bins"),
        ({"columns": {"price": Dates(("century",))}}, "a part of a date must be one of"),
        ({"columns": {"price": Dates(("year", "year"))}}, "one twice"),
        ({"columns": {"price": Dates(unit="weeks")}}, "unit must be one of"),
        ({"columns": {"price": Text(TfidfVectorizer())}}, "'price' must hold text"),
        ({"columns": {"user": Text(TfidfVectorizer(vocabulary=[]))}}, "Column 'user': "),
        ({"columns": {"user": Categorical(min_frequency=0)}}, "min_frequency must be"),
        ({"categorical": "user"}, "categorical must be"),
        ({"categorical": ["user", "item"]}, "categorical names the column 'item'"),
        ({"numeric": "scaled"}, "transform must be one of"),
        ({"numeric": 5}, "numeric must be a Numeric"),
        ({"min_frequency": 1.5}, "min_frequency must be"),
        ({"max_categories": 0}, "max_categories"),
        ({"n_hash": 0}, "n_hash"),
        ({"handle_unknown": "warn"}, "handle_unknown must be one of"),
        ({"dtype": "float16"}, "dtype must be one of"),
        ({"join": {"j": "ratings"}}, "join\\['j'\\] must be a Join"),
        ({"join": {"j": Join(TABLE, on="film", values="user")}}, "names the column 'film'"),
        ({"join": {"j": Join(TABLE, on="user", values="film")}}, "'j': ...} has no column 'film'"),
        ({"join": {"j": Join(TABLE, on=5, values="user")}}, "on must be the name"),
        ({"join": {"user": Join(TABLE, on="user", values="price")}}, "Two fields have the name"),
        ({"join": {"j": Join(TABLE, on=("price", "user"), values="price")}}, "must hold text"),
    ],
)  # fmt: skip
def test_parameters(parameters, message):
    with pytest.raises((TypeError, ValueError), match=message):
        FieldEncoder(**parameters).fit(TABLE)


def test_unknown_categories_as_errors():
    encoder = FieldEncoder(
        {"tags": MultiValued("|")},
        handle_unknown="error",
        join={"films": Join({"u": [1], "film": ["x"]}, on=("id", "u"), values="film")},
        categorical=["id"],
    )
    table = {"user": ["a", "b"], "tags": ["x|y", "y"], "id": [1, 1], "n": [1.0, 2.0]}
    encoder.fit(table)
    for column, values, said in (
        ("user", ["a", "c"], "'user', row 1: found unknown category 'c'"),
        ("user", ["a", None], "'user', row 1: found unknown category None"),
        ("tags", ["x", "y|x|z"], "'tags', row 1: found unknown category 'z'"),
        ("tags", [None, "x"], "'tags', row 0: found unknown category None"),
        ("id", [1, 7], "'id', row 1: "),
        ("n", [1, None], "'n', row 1: the number is missing"),
    ):
        with pytest.raises(ValueError, match=re.escape(said)):
            encoder.transform({**table, column: values})
    encoder = FieldEncoder(handle_unknown="error").fit({"tags": [["x"], ["y"]]})
    with pytest.raises(ValueError, match="'tags', row 1: found unknown category 'z'"):
        encoder.transform({"tags": [["x", "y"], [None, "x", "z"]]})


def test_a_number_missing_for_the_first_time():
    """A number as it is would be taken for 0; a standardised one is the mean."""
    table, later = {"n": [5.0, 7.0]}, {"n": [5.0, None]}
    raw = FieldEncoder(numeric="passthrough").fit(table)
    with pytest.raises(ValueError, match="'n', row 1: the number is missing, but none was"):
        raw.transform(later)
    assert FieldEncoder().fit(table).transform(later).toarray().tolist() == [[-1.0], [0.0]]


def test_too_many_categories(monkeypatch):
    monkeypatch.setattr(categorical, "MOST_CATEGORIES", 3)
    table = {"session": list("abcd")}
    with pytest.raises(ValueError, match=r"'session' has more than 3 .*max_categories=5"):
        FieldEncoder().fit(table)
    assert len(FieldEncoder(max_categories=5).fit(table).fields_) == 4
    assert len(FieldEncoder(n_hash=2).fit(table).fields_) == 3
    encoder = FieldEncoder().partial_fit({"session": ["a", "b"]})
    with pytest.raises(ValueError, match="max_categories=5"):
        encoder.partial_fit({"session": ["c", "d"]})
    assert encoder.get_feature_names_out().tolist() == ["session=a", "session=b"]


def test_texts_with_weights():
    kinds = {"g": MultiValued("|", ":")}
    X = FieldEncoder(kinds).fit_transform({"g": ["a:2|b", "b:0.5|b:1|c:0"]})
    assert X.toarray().tolist() == [[2, 1, 0], [0, 1.5, 0]]
    for text in ("a:x", "a:", "a:nan", "a:inf"):
        with pytest.raises(ValueError, match=f"'g', row 1: '{text}' has no finite number"):
            FieldEncoder(kinds).fit({"g": ["a", text]})


def test_dates_from_text_and_numbers():
    kinds = {"t": Dates(("year", "hour"))}
    names = FieldEncoder(kinds).fit({"t": ["2026-11-22", "2026-11-22T18:30"]})
    assert names.get_feature_names_out().tolist() == ["t.year=2026", "t.hour=0", "t.hour=18"]
    seconds = FieldEncoder(kinds).fit({"t": [0, 3600, None]}).get_feature_names_out().tolist()
    assert seconds == [
        "t.year=1970", "t.year=<missing>", "t.hour=0", "t.hour=1", "t.hour=<missing>",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="'t', row 1: 1e\\+18 is no date in 's' since 1970"):
        FieldEncoder(kinds).fit({"t": [0, 10**18]})


def test_columns_without_a_type_in_chunks():
    with pytest.raises(ValueError, match="'a' are missing"):
        FieldEncoder().partial_fit({"a": [None], "b": ["x"]})
    encoder = FieldEncoder(categorical=["a"]).partial_fit({"a": [None], "b": ["x"]})
    encoder.partial_fit({"a": ["y"], "b": [None]})
    assert encoder.get_feature_names_out().tolist() == ["a=<missing>", "b=x", "a=y", "b=<missing>"]
    assert encoder.transform({"a": [None], "b": [None]}).indices.tolist() == [0, 3]


def test_names_that_need_not_be_there():
    encoder = FieldEncoder({"row": "drop"}).fit({**TABLE, "row": [1, 2]})
    assert encoder.transform(TABLE).shape == (2, 3)
    assert encoder.transform({**TABLE, "row": [5, 6]}).shape == (2, 3)
