"""The hash table of texts against a Python dict."""

import pickle

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastfm_cy.kernels.text.arrow_text import encode_arrow
from fastfm_cy.kernels.text.vocabulary import TextVocabulary, is_missing

TEXTS = st.lists(st.text(max_size=20) | st.sampled_from(["a", "b", "\ud800", "é"]) | st.none())


def encode(vocabulary, values, add=True):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    numbers = np.full(len(values), -9, dtype=np.int32)
    assert vocabulary.encode_objects(array, numbers, add) == -1
    return numbers.tolist()


@given(batches=st.lists(TEXTS, max_size=4), others=TEXTS)
def test_numbers_in_order_of_arrival(batches, others):
    vocabulary, known = TextVocabulary(), {}
    for values in batches:
        expected = [-1 if v is None else known.setdefault(v, len(known)) for v in values]
        assert encode(vocabulary, values) == expected
    assert vocabulary.texts() == list(known)
    assert len(vocabulary) == len(known)
    expected = [-1 if v is None else known.get(v, -2) for v in others]
    for same in (vocabulary, pickle.loads(pickle.dumps(vocabulary))):
        assert encode(same, others, add=False) == expected
        assert same.texts() == list(known)


def test_many_texts():
    vocabulary = TextVocabulary()
    values = [f"{number * 7919 % 100_003}" for number in range(200_000)]
    numbers = encode(vocabulary, values)
    assert len(vocabulary) == len(set(values))
    assert vocabulary.texts(numbers[:1000]) == values[:1000]


@given(values=st.lists(st.text(max_size=30) | st.none()), cut=st.integers(0, 10))
def test_arrow(values, cut):
    values = [v and v.encode("utf-8", "ignore").decode() for v in values]
    series = pl.Series(values, dtype=pl.String)
    series = pl.concat([series[:cut], series[cut:]], rechunk=False)
    by_arrow, by_objects = TextVocabulary(), TextVocabulary()
    for add in (True, False):
        numbers = np.empty(len(values), dtype=np.int32)
        encode_arrow(series.__arrow_c_stream__(), by_arrow, numbers, add)
        assert numbers.tolist() == encode(by_objects, values, add)
    assert by_arrow.texts() == by_objects.texts()


def test_arrow_of_other_kinds_or_lengths():
    numbers = np.empty(2, dtype=np.int32)
    with pytest.raises(TypeError, match="format 'l', not text"):
        encode_arrow(pl.Series([1, 2]).__arrow_c_stream__(), TextVocabulary(), numbers, True)
    for n in (1, 3):
        texts = pl.Series(["a"] * n).__arrow_c_stream__()
        with pytest.raises(ValueError, match="rows than it says"):
            encode_arrow(texts, TextVocabulary(), numbers, True)
    nothing = pl.Series([None, None]).__arrow_c_stream__()
    encode_arrow(nothing, TextVocabulary(), numbers, True)
    assert numbers.tolist() == [-1, -1]


@pytest.mark.parametrize("value", [5, b"a", ["a"], object()])
def test_it_stops_at_what_is_no_text(value):
    array = np.array(["a", None, value, "b"], dtype=object)
    numbers = np.empty(4, dtype=np.int32)
    assert TextVocabulary().encode_objects(array, numbers, True) == 2


def test_arguments():
    numbers = np.empty(2, dtype=np.int32)
    for array in (np.array(["a", "b"]), np.array(["a"] * 4, dtype=object)[::2]):
        with pytest.raises(TypeError, match="contiguous array of objects"):
            TextVocabulary().encode_objects(array, numbers, True)
    with pytest.raises(ValueError, match="differ in length"):
        TextVocabulary().encode_objects(np.array(["a"], dtype=object), numbers, True)
    with pytest.raises(IndexError):
        TextVocabulary().texts([0])


@pytest.mark.parametrize(
    ("text", "offsets"),
    [
        ([], []), ([97], [1, 1]), ([97], [0]), ([97, 98], [0, 2, 1, 2]), ([97, 97], [0, 1, 2]),
        ([97], [0, 5, 1]), ([97], [0, -1, 1]),
    ],
)  # fmt: skip
def test_arrays_that_are_no_vocabulary(text, offsets):
    with pytest.raises(ValueError, match=r"offsets|twice"):
        TextVocabulary.from_arrays(
            np.array(text, dtype=np.uint8), np.array(offsets, dtype=np.int64)
        )


def test_is_missing():
    pd = pytest.importorskip("pandas")
    for value in (None, float("nan"), np.float32("nan"), np.datetime64("NaT"), pd.NA, pd.NaT):
        assert is_missing(value)
    for value in ("", 0, False, 0.0, "nan", [], {}, np.array([np.nan, 1.0])):
        assert not is_missing(value)
