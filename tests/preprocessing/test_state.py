"""States without pickle: the same encoder comes back, and nonsense is refused."""

import copy
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline

from fastfm_cy.preprocessing import (
    Categorical,
    Dates,
    FieldEncoder,
    Join,
    MultiValued,
    Numeric,
    Text,
)

RATINGS = {"user": ["u1", "u1", "u2", "u9"], "film": [7, 8, 7, 9], "stars": [5, 1, 3, 2]}
ROWS = {
    "user": ["u1", "u2", "u3", None],
    "id": [5, -1, 5, 2**62],
    "real": [0.5, 2.25, 0.5, None],
    "flag": [True, None, False, True],
    "size": [1, 10, 100, None],
    "price": [0.0, 1.5, None, 9.0],
    "age": [18.0, 30.0, 41.0, 77.0],
    "when": np.array(["2020-01-01T10", "NaT", "2021-06-01T00", "2021-06-02T00"], dtype="M8[s]"),
    "genres": ["Comedy:2|War", "War", None, ""],
    "tags": [["a"], [], ["b", "a"], None],
    "title": ["the one", "two", None, "the three"],
    "words": ["xx yy", "yy", "yy zz", "xx"],
    "hashes": ["xx", "yy", "zz", ""],
    "rest": ["?", "?", "?", "?"],
}
LATER = {**ROWS, "user": ["u4", "u1", "u1", "u2"], "tags": [["new"], None, [], ["a"]]}


def full_encoder():
    return FieldEncoder(
        {
            "size": Numeric("log_square"),
            "age": Numeric("quantiles", 2),
            "price": "numeric",
            "when": Dates(("days", "hour", "date"), days=Numeric("quantiles", 2)),
            "genres": MultiValued("|", ":", "l1", Categorical(min_frequency=2)),
            "tags": MultiValued(normalize="l2"),
            "title": Text(TfidfVectorizer(ngram_range=(1, 2))),
            "words": Text(CountVectorizer(dtype=np.float32)),
            "hashes": Text(HashingVectorizer(n_features=8)),
            "user": Categorical(n_hash=5),
            "rest": "drop",
        },
        categorical=["id", "real"],
        join={
            "history": Join(RATINGS, on="user", values="film", weights="stars", normalize="l2"),
            "fans": Join(RATINGS, on=("id", "film"), values="user"),
        },
    )


@pytest.fixture(scope="module")
def fitted():
    return full_encoder().fit(ROWS)


def returned(encoder):
    state, arrays = encoder.to_state()
    assert all(array.dtype in ("u1", "i4", "i8", "f8", "?") for array in arrays)
    return FieldEncoder.from_state(json.loads(json.dumps(state, allow_nan=False)), arrays)


@pytest.mark.parametrize(
    "copied", [returned, copy.deepcopy, lambda encoder: pickle.loads(pickle.dumps(encoder))]
)
def test_the_same_encoder_comes_back(copied):
    encoder = full_encoder().fit(ROWS)
    other = copied(encoder)
    for _ in range(2):
        for table in (ROWS, LATER):
            X, Y = encoder.transform(table), other.transform(table)
            np.testing.assert_array_equal(X.toarray(), Y.toarray())
        names = encoder.get_feature_names_out().tolist()
        assert other.get_feature_names_out().tolist() == names
        np.testing.assert_array_equal(other.fields_, encoder.fields_)
        assert other.field_names_ == encoder.field_names_
        assert other.feature_names_in_.tolist() == encoder.feature_names_in_.tolist()
        for each in (encoder, other):  # and grows alike
            each.partial_fit(LATER)


def test_parameters_come_back():
    encoder = full_encoder().fit(ROWS)
    other = returned(encoder)
    for name, value in encoder.get_params(deep=False).items():
        if name not in ("columns", "join"):
            assert getattr(other, name) == value, name
    for name, kind in encoder.columns.items():
        if not isinstance(kind, Text):
            assert other.columns[name] == kind
    assert other.columns["title"].vectorizer.ngram_range == (1, 2)
    assert other.join["fans"].on == ("id", "film")
    with pytest.raises(ValueError, match="table of a Join is not part of a stored encoder"):
        other.fit(ROWS)
    without = other.set_params(join=None)
    assert clone(without).fit(ROWS).n_fields_ == encoder.n_fields_ - 2


@pytest.mark.parametrize(
    "vectorizer",
    [
        TfidfVectorizer(use_idf=False, norm=None, stop_words=["the"]),
        TfidfVectorizer(min_df=2, max_df=0.9, sublinear_tf=True, analyzer="char_wb"),
        CountVectorizer(binary=True, vocabulary=["one", "two"], token_pattern=r"\w+"),
        HashingVectorizer(n_features=16, norm="l1", alternate_sign=False),
    ],
)
def test_vectorizers(vectorizer):
    table = {"t": ["the one", "two two", None, "one two three"]}
    encoder = FieldEncoder({"t": Text(vectorizer)}).fit(table)
    other = returned(encoder)
    new = {"t": ["one two the", "new", "", None]}
    expected = encoder.transform(new).toarray()
    np.testing.assert_array_equal(other.transform(new).toarray(), expected)
    refitted = other.fit(table)  # the parameters are those of before
    np.testing.assert_array_equal(refitted.transform(new).toarray(), expected)


def test_what_cannot_be_stored():
    table = {"t": ["one", "two"]}
    with pytest.raises(TypeError, match="'t': a vectorizer of type Pipeline cannot be stored"):
        FieldEncoder({"t": Text(make_pipeline(TfidfVectorizer()))}).fit(table).to_state()
    vectorizer = CountVectorizer(tokenizer=str.split, token_pattern=None)
    with pytest.raises(TypeError, match=r"'t': the vectorizer's tokenizer=.* cannot be stored"):
        FieldEncoder({"t": Text(vectorizer)}).fit(table).to_state()


def _places(code, path=()):
    """All places of numbers, texts and truths in a JSON object."""
    if isinstance(code, dict):
        for key, value in code.items():
            yield from _places(value, (*path, key))
    elif isinstance(code, list):
        for key, value in enumerate(code):
            yield from _places(value, (*path, key))
    else:
        yield path


@settings(max_examples=200)
@given(data=st.data())
def test_nonsense_is_refused_or_encodes(fitted, data):
    state, arrays = fitted.to_state()
    state = json.loads(json.dumps(state))
    arrays = [array.copy() for array in arrays]
    if data.draw(st.booleans()):
        path = data.draw(st.sampled_from(list(_places(state))))
        place = state
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = data.draw(
            st.sampled_from([None, -1, 0, 1, 10**6, 2**70, 0.5, "x", "numbers", [], {}, True])
        )
    else:
        number = data.draw(st.integers(0, len(arrays) - 1))
        array = arrays[number]
        change = data.draw(st.sampled_from(["short", "long", "type", "value", "random"]))
        if change == "short":
            arrays[number] = array[:-1]
        elif change == "long":
            arrays[number] = np.append(array, array[-1:])
        elif change == "type":
            arrays[number] = array.astype(data.draw(st.sampled_from(["u1", "i4", "i8", "f8"])))
        elif len(array):
            place = data.draw(st.integers(0, len(array) - 1))
            values = [0, 1, 100] if array.dtype.kind == "u" else [-3, 0, 1, 2**30]
            array[place] = data.draw(st.sampled_from(values))
            if change == "random":
                array[:] = np.random.default_rng(place).permutation(array)
    try:
        encoder = FieldEncoder.from_state(state, arrays)
    except ValueError:
        return
    try:
        X = encoder.transform(ROWS)
    except (TypeError, ValueError):
        return  # such as a column that it now takes for another
    assert np.isfinite(X.data).all()
    assert X.indices.max(initial=-1) < X.shape[1]
