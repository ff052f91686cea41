"""The matrices of FieldEncoder are those of scikit-learn where its encoders apply."""

import inspect

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MultiLabelBinarizer,
    OneHotEncoder,
    StandardScaler,
)

from fastfm_cy.preprocessing import FieldEncoder, MultiValued, Numeric

# A few texts that often meet, and any others: empty, long, beyond ASCII, with zeros inside.
TEXTS = st.one_of(st.sampled_from(["a", "b", "ab", "", "a\0", "long enough for words"]), st.text())
KINDS = {
    "text": TEXTS,
    "integers": st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3),
    "floats": st.floats(allow_nan=False, allow_infinity=False),
    "bools": st.booleans(),
}


@st.composite
def tables(draw, missing=True):
    """An array of objects: columns of one kind each; in some, values are missing."""
    n_rows = draw(st.integers(1, 12))
    columns = []
    for kind in draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=3)):
        values = KINDS[kind]
        if missing and draw(st.booleans()):
            values = values | st.none()
        column = draw(st.lists(values, min_size=n_rows, max_size=n_rows))
        if all(value is None for value in column):
            column[0] = draw(KINDS[kind])
        columns.append(column)
    X = np.empty((n_rows, len(columns)), dtype=object)
    for place, column in enumerate(columns):
        X[:, place] = column
    return X


def all_categorical(X, **options):
    return FieldEncoder(categorical=range(X.shape[1]), **options)


def test_one_hot_on_all_texts():
    rng = np.random.default_rng(0)
    X = np.array([f"{rng.integers(10**6)}é" for _ in range(3000)], dtype=object).reshape(-1, 2)
    assert_equal(FieldEncoder().fit_transform(X), OneHotEncoder().fit_transform(X))


@given(X=tables())
def test_one_hot(X):
    theirs = OneHotEncoder(handle_unknown="ignore").fit(_without_none(X))
    ours = all_categorical(X)
    assert_equal(ours.fit_transform(X), theirs.transform(_without_none(X)))
    assert_equal(ours.transform(X), theirs.transform(_without_none(X)))
    assert len(ours.get_feature_names_out()) == len(theirs.get_feature_names_out())


@given(
    X=tables(),
    min_frequency=st.none() | st.integers(1, 4) | st.floats(0.05, 0.95),
    max_categories=st.none() | st.integers(1, 5),
    handle_unknown=st.sampled_from(["ignore", "infrequent_if_exist"]),
    data=st.data(),
)
def test_rare_categories(X, min_frequency, max_categories, handle_unknown, data):
    options = {
        "min_frequency": min_frequency,
        "max_categories": max_categories,
        "handle_unknown": handle_unknown,
    }
    theirs = OneHotEncoder(**options).fit(_without_none(X))
    ours = all_categorical(X, **options).fit(X)
    assert_equal(ours.transform(X), theirs.transform(_without_none(X)))
    more = X.copy()  # with values of other rows and, in columns of text, some that nobody knows
    for place in range(X.shape[1]):
        if any(isinstance(value, str) for value in X[:, place]):
            more[0, place] = data.draw(TEXTS)
    assert_equal(ours.transform(more), theirs.transform(_without_none(more)))


SETS = st.lists(st.sampled_from(["x", "y", "zz", "a b"]))


@given(
    rows=st.lists(SETS, min_size=1, max_size=8).filter(any),
    more=st.lists(st.lists(st.sampled_from(["x", "y", "new"])), max_size=8),
)
def test_several_values(rows, more):
    theirs = MultiLabelBinarizer(sparse_output=True).fit(rows)
    ours = FieldEncoder().fit({"values": rows})
    assert_equal(ours.transform({"values": rows}), theirs.transform(rows))
    texts = FieldEncoder({"values": MultiValued("|")})
    assert_equal(
        texts.fit_transform({"values": ["|".join(row) for row in rows]}), theirs.transform(rows)
    )
    if more:
        known = [[value for value in row if value in theirs.classes_] for row in more]
        assert_equal(ours.transform({"values": more}), theirs.transform(known))


@given(
    values=st.lists(st.floats(-1e6, 1e6) | st.integers(-5, 5), min_size=1, max_size=30),
    more=st.lists(st.floats(-1e7, 1e7), min_size=1, max_size=5),
)
def test_standardised(values, more):
    X, more = np.array(values, dtype=float)[:, None], np.array(more)[:, None]
    theirs = StandardScaler().fit(X)
    ours = FieldEncoder(dtype="float64").fit(X)
    for part in (X, more):
        np.testing.assert_allclose(
            ours.transform(part).toarray(), theirs.transform(part), rtol=1e-6, atol=1e-6
        )


@pytest.mark.parametrize("n_bins", [2, 5, 10])
def test_bins(n_bins):
    rng = np.random.default_rng(n_bins)
    X = np.column_stack([rng.standard_normal(200), rng.exponential(size=200)])
    theirs = KBinsDiscretizer(n_bins, strategy="quantile", **_linear_quantiles())
    ours = FieldEncoder(numeric=Numeric("quantiles", n_bins))
    assert_equal(ours.fit_transform(X), theirs.fit_transform(X))
    assert_equal(ours.transform(3 * X), theirs.transform(3 * X))


def test_frames_of_text_with_missing_values():
    frame = pl.DataFrame({"a": ["x", None, "y"], "b": [None, "é", "é"]})
    X = frame.to_numpy().astype(object)
    assert_equal(FieldEncoder().fit_transform(frame), OneHotEncoder().fit_transform(X))


def assert_equal(ours, theirs):
    assert ours.dtype == np.float32
    assert ours.indices.dtype == np.int32
    assert ours.has_canonical_format
    assert (np.diff(ours.indices)[_inside_rows(ours)] > 0).all()
    np.testing.assert_array_equal(ours.toarray(), theirs.toarray())


def _inside_rows(X):
    """Whether an entry and the next one are in one row."""
    inside = np.ones(max(0, X.nnz - 1), dtype=bool)
    ends = X.indptr[1:-1]
    inside[ends[(ends > 0) & (ends < X.nnz)] - 1] = False
    return inside


def _without_none(X):
    """As OneHotEncoder wants missing values: NaN in columns of numbers."""
    X = X.copy()
    for place in range(X.shape[1]):
        is_number = [isinstance(value, int | float) for value in X[:, place]]
        if any(is_number) and not any(isinstance(value, bool) for value in X[:, place]):
            X[:, place] = [np.nan if value is None else value for value in X[:, place]]
    return X


def _linear_quantiles():
    """What newer versions of scikit-learn do not do by default."""
    if "quantile_method" in inspect.signature(KBinsDiscretizer).parameters:
        return {"quantile_method": "linear"}
    return {}
