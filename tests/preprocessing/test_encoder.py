"""FieldEncoder as an estimator: conventions, fields, kinds of columns, joins."""

import doctest

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder
from sklearn.utils.estimator_checks import parametrize_with_checks
from support.realdata import data_file

from fastfm_cy import FFMClassifier, FMRegressor
from fastfm_cy.preprocessing import Dates, FieldEncoder, Join, MultiValued, Numeric, Text

FILMS = pd.DataFrame(
    {"user": [7, 7, 9, 8], "genres": ["Comedy|War", "War", None, ""], "year": [1999, 2001, 1999, 0]}
)


@parametrize_with_checks(
    [FieldEncoder(dtype="float64")],
    expected_failed_checks=lambda encoder: {
        "check_estimators_nan_inf": "missing numbers are a feature",
        "check_transformer_preserve_dtypes": "the parameter dtype says what the matrix holds",
    },
)
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


def test_fields_and_names():
    kinds = {"genres": MultiValued("|"), "user": "categorical"}
    encoder = FieldEncoder(kinds, numeric="passthrough")
    X = encoder.fit_transform(FILMS)
    assert isinstance(X, sparse.csr_array)
    assert encoder.get_feature_names_out().tolist() == [
        "user=7", "user=8", "user=9", "genres=Comedy", "genres=War", "genres=<missing>", "year",
    ]  # fmt: skip
    assert encoder.fields_.tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert encoder.fields_.dtype == np.int32
    assert encoder.n_fields_ == 3
    assert encoder.field_names_ == ["user", "genres", "year"]
    assert X.toarray().tolist() == [
        [1, 0, 0, 1, 1, 0, 1999],
        [1, 0, 0, 0, 1, 0, 2001],
        [0, 0, 1, 0, 0, 1, 1999],
        [0, 1, 0, 0, 0, 0, 0],
    ]
    assert X.nnz == 4 + 4 + 3  # no zero is stored
    assert encoder.n_features_in_ == 3
    with pytest.raises(ValueError, match="input_features is not equal"):
        encoder.get_feature_names_out(["user", "genres", "films"])


def test_the_docstring_is_true():
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    for example in finder.find(FieldEncoder, "FieldEncoder", globs={}):
        runner.run(example)
    assert runner.summarize().attempted > 0
    assert runner.summarize().failed == 0


def test_before_fit():
    encoder = FieldEncoder()
    for method in (encoder.transform, encoder.get_feature_names_out, encoder.to_state):
        with pytest.raises(NotFittedError):
            method(*([FILMS] if method == encoder.transform else []))
    for attribute in ("fields_", "n_fields_", "field_names_"):
        assert not hasattr(encoder, attribute)


def test_clone_and_parameters():
    kinds = {"genres": MultiValued("|"), "title": Text(TfidfVectorizer())}
    encoder = FieldEncoder(kinds, categorical=["user"], join={"j": Join(FILMS, "user", "year")})
    other = clone(encoder)
    assert other.join["j"].table is FILMS  # shared, not copied
    assert other.columns["genres"] == kinds["genres"]
    assert "MultiValued(separator='|'" in repr(other)


def test_fit_again_forgets():
    encoder = FieldEncoder().fit({"x": ["a"], "y": ["b"]})
    encoder.fit(np.array([["c"]], dtype=object))
    assert encoder.get_feature_names_out().tolist() == ["x0=c"]
    assert not hasattr(encoder, "feature_names_in_")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_estimators_take_the_matrix_as_it_is(dtype):
    X = FieldEncoder(categorical=["user"], dtype=dtype).fit_transform(FILMS)
    assert X.dtype == dtype
    model = FMRegressor(2, random_state=0, dtype=dtype, max_iter=2).fit(X, [1.0, 2.0, 3.0, 4.0])
    assert np.isfinite(model.predict(X)).all()


def test_fields_for_a_field_aware_machine():
    frame = pl.read_csv(data_file("criteo-tiny/train.tiny.csv"))
    y = frame["Label"].to_numpy()
    table = frame.drop("Label", "Id")
    encoder = FieldEncoder(numeric="log_square", min_frequency=5)
    X = encoder.fit_transform(table)
    assert encoder.n_fields_ == 39
    assert np.bincount(encoder.fields_).min() >= 2
    model = FFMClassifier(4, fields=encoder.fields_, max_iter=3, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.75
    frame = pd.read_csv(data_file("criteo-tiny/train.tiny.csv")).drop(columns=["Label", "Id"])
    by_pandas = FieldEncoder(numeric="log_square", min_frequency=5).fit_transform(frame)
    np.testing.assert_array_equal(by_pandas.indices, X.indices)


def test_in_pipelines():
    y = [1.0, 2.0, 3.0, 4.0]
    encoder = FieldEncoder(categorical=["user"])
    model = make_pipeline(encoder, FMRegressor(2, random_state=0, max_iter=2)).fit(FILMS, y)
    assert len(model.predict(FILMS)) == 4
    columns = make_column_transformer(
        (FieldEncoder(categorical=[0]), ["user"]),
        (FieldEncoder({"genres": MultiValued("|")}), ["genres"]),
        (FunctionTransformer(feature_names_out="one-to-one"), ["year"]),
        sparse_threshold=1,
    )
    assert columns.fit_transform(FILMS).shape == (4, 7)
    names = columns.get_feature_names_out().tolist()
    assert names[0] == "fieldencoder-1__user=7"
    ordinal = make_pipeline(OrdinalEncoder(), FieldEncoder(categorical=[0])).fit(FILMS[["user"]])
    assert ordinal.get_feature_names_out().tolist() == ["user=0", "user=1", "user=2"]
    with pytest.raises(ValueError, match="length equal to 1"):
        ordinal[1].get_feature_names_out(["a", "b"])


def test_numbers_of_criteo():
    """As the winners had it: ln(x)^2 above 2, small numbers for themselves."""
    column = [None, -1, 0, 1, 2, 3, 4, 1000, 10**6, 3]
    encoder = FieldEncoder(numeric=Numeric("log_square")).fit({"I1": column})
    assert encoder.get_feature_names_out().tolist() == [
        "I1=-1", "I1=0", "I1=1", "I1=2", "I1=ln^2 1", "I1=ln^2 47", "I1=ln^2 190", "I1=<missing>",
    ]  # fmt: skip
    X = encoder.transform({"I1": [*column, 2.5, -10]})
    assert X.toarray()[10].sum() == 0  # ln(2.5)^2 is in bucket 0, which was not there
    assert X[[4]].indices.tolist() == [3]


def test_bins_have_their_bounds_as_names():
    ages = {"age": [1.0, 2.0, 30.0, 40.0, None]}
    encoder = FieldEncoder(numeric=Numeric("quantiles", 2)).fit(ages)
    assert encoder.get_feature_names_out().tolist() == [
        "age=(-inf, 16)", "age=[16, inf)", "age=<missing>",
    ]  # fmt: skip


def test_parts_of_dates():
    days = pd.date_range("1999-12-25", periods=800, freq="31h")
    parts = ("year", "quarter", "month", "day", "weekday", "hour", "minute", "date", "days")
    kinds = {"t": Dates(parts, days=Numeric("passthrough"))}
    encoder = FieldEncoder(kinds)
    names = np.array(encoder.fit(pd.DataFrame({"t": days})).get_feature_names_out())
    X = encoder.transform(pd.DataFrame({"t": days}))
    for row in (0, 1, 500, 799):
        day = days[row]
        expected = {f"t.{part}={getattr(day, part)}" for part in parts[:7] if part != "weekday"}
        expected.add(f"t.weekday={day.weekday()}")
        expected |= {f"t.date={day.date()}"} | ({"t.days"} if row else set())
        assert set(names[X[[row]].indices]) == expected
    elapsed = (days - days[0]).total_seconds() / 86400
    np.testing.assert_allclose(X[:, names == "t.days"].toarray().ravel(), elapsed, rtol=1e-6)


def test_days_have_no_hours():
    days, hours = ["2026-11-22", "NaT"], ["2026-11-22T01", "2026-11-22T02"]
    table = {"t": np.array(days, "M8[D]"), "u": np.array(hours, "M8[s]")}
    assert FieldEncoder().fit(table).field_names_ == [
        "t.year", "t.month", "t.weekday", "t.days",
        "u.year", "u.month", "u.weekday", "u.hour", "u.days",
    ]  # fmt: skip


def test_text_by_vectorizers():
    titles = ["Toy Story", "Jumanji", None, "Story Story"]
    encoder = FieldEncoder({"title": Text(TfidfVectorizer())}).fit({"title": titles})
    words = TfidfVectorizer().fit(["Toy Story", "Jumanji", "", "Story Story"])
    expected = words.transform(["Story", ""]).toarray()
    X = encoder.transform({"title": ["Story", None]}).toarray()
    np.testing.assert_allclose(X[:, :-1], expected, rtol=1e-6)
    assert X[:, -1].tolist() == [0, 1]
    assert encoder.get_feature_names_out()[-2:].tolist() == ["title=toy", "title=<missing>"]
    hashed = FieldEncoder({"title": Text(HashingVectorizer(n_features=4))}).fit({"title": titles})
    assert hashed.get_feature_names_out()[0] == "title=<hash 0>"


def test_join_is_the_sets_of_svdpp():
    """Each user's rated items, divided by the root of their number."""
    rng = np.random.default_rng(0)
    ratings = pd.DataFrame({"user": rng.integers(0, 20, 200), "item": rng.integers(0, 30, 200)})
    ratings = ratings.drop_duplicates()
    encoder = FieldEncoder(
        categorical=["user", "item"],
        join={"rated": Join(ratings, on="user", values="item", normalize="l2")},
    )
    X = encoder.fit_transform(ratings).toarray()
    rated = pd.crosstab(ratings["user"], ratings["item"]).to_numpy(dtype=float)
    rated = rated / np.sqrt(rated.sum(axis=1, keepdims=True))
    users = np.unique(ratings["user"], return_inverse=True)[1]
    np.testing.assert_allclose(X[:, encoder.fields_ == 2], rated[users], rtol=1e-6)
    stranger = encoder.transform(pd.DataFrame({"user": [99], "item": [ratings["item"].iloc[0]]}))
    assert stranger.nnz == 1
    assert encoder.field_names_ == ["user", "item", "rated"]


def test_join_with_weights_and_gaps():
    table = {"u": ["a", "a", None, "b", "a"], "v": [1, 2, 1, None, 1], "w": [1.0, 2, 3, 4, 0.5]}
    join = {"set": Join(table, on=("user", "u"), values="v", weights="w", normalize="l1")}
    X = FieldEncoder({"user": "drop"}, join=join).fit_transform({"user": ["a", "b", "c", None]})
    np.testing.assert_allclose(X.toarray()[0, :2], [1.5 / 3.5, 2 / 3.5])
    assert X.nnz == 2
