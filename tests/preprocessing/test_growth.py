"""Chunks: known features keep their numbers, new ones come behind."""

from itertools import chain

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from fastfm_cy.preprocessing import Categorical, Dates, FieldEncoder, MultiValued, Numeric

CHUNKS = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "d", "ee", None]), min_size=1, max_size=6),
    min_size=1,
    max_size=4,
)


def tables(chunks):
    return [{"x": chunk, "n": list(range(len(chunk))), "y": chunk[::-1]} for chunk in chunks]


def first(chunks):
    """With a value in each column, which the first chunk needs."""
    return [[*chunks[0], "a"], *chunks[1:]]


@given(chunks=CHUNKS)
def test_numbers_stay_and_new_ones_follow(chunks):
    encoder, known = FieldEncoder(), []
    for table in tables(first(chunks)):
        encoder.partial_fit(table)
        names = encoder.get_feature_names_out().tolist()
        assert names[: len(known)] == known
        assert len(set(names)) == len(names) == len(encoder.fields_)
        columns = [encoder.field_names_[field] for field in encoder.fields_]
        assert columns == [name.split("=")[0] for name in names]
        known = names


@given(chunks=CHUNKS)
def test_all_chunks_together_have_the_same_entries(chunks):
    """Only the order of the features differs from that of one fit."""
    chunks = first(chunks)
    encoder = FieldEncoder(numeric="passthrough")
    for table in tables(chunks):
        encoder.partial_fit(table)
    whole = {"x": list(chain(*chunks)), "y": list(chain(*chunks[::-1]))}
    whole["n"] = list(range(len(whole["x"])))
    once = FieldEncoder(numeric="passthrough").fit(whole)
    names = encoder.get_feature_names_out().tolist()
    assert sorted(names) == sorted(once.get_feature_names_out())
    order = [names.index(name) for name in once.get_feature_names_out()]
    X = encoder.transform(whole)
    assert sparse.csr_array((X.data, X.indices, X.indptr), X.shape).has_canonical_format
    np.testing.assert_array_equal(X.toarray()[:, order], once.transform(whole).toarray())


def test_rare_categories_become_known():
    encoder = FieldEncoder(min_frequency=2).partial_fit({"x": ["a", "a", "b", None]})
    assert encoder.get_feature_names_out().tolist() == ["x=a", "x=<rare>"]
    encoder.partial_fit({"x": ["b", "c"]})
    assert encoder.get_feature_names_out().tolist() == ["x=a", "x=<rare>", "x=b"]
    X = encoder.transform({"x": ["a", "b", "c", None, "unknown"]})
    assert X.indices.tolist() == [0, 2, 1, 1, 1]


def test_max_categories_is_a_limit_of_all_chunks():
    encoder = FieldEncoder(max_categories=3).partial_fit({"x": ["a"]})
    encoder.partial_fit({"x": ["b", "c", "c", "d"]})
    assert encoder.get_feature_names_out().tolist() == ["x=a", "x=c", "x=<rare>"]
    encoder.partial_fit({"x": list("eeeeeeffff")})
    assert len(encoder.fields_) == 3


def test_hashed_fields_never_grow():
    encoder = FieldEncoder(n_hash=4).partial_fit({"x": ["a"], "t": [["u", "v"]]})
    before = encoder.transform({"x": ["new"], "t": [["w"]]})
    for k in range(5):
        encoder.partial_fit({"x": [f"b{k}", None], "t": [[f"c{k}"], None]})
    after = encoder.transform({"x": ["new"], "t": [["w"]]})
    assert after.indices.tolist() == before.indices.tolist()
    assert encoder.get_feature_names_out().tolist() == [
        *(f"x=<hash {k}>" for k in range(4)), "x=<missing>",
        *(f"t=<hash {k}>" for k in range(4)), "t=<missing>",
    ]  # fmt: skip


def reference_hash(text, n_hash):
    """The hash of a text, written out: multiply and fold, eight bytes at a time."""
    data, mask = text.encode(), 2**64 - 1
    value = len(data) * 0x9E3779B97F4A7C15 & mask
    for start in range(0, len(data) // 8 * 8 + 1, 8):
        value ^= int.from_bytes(data[start : start + 8], "little")
        value = (value ^ value >> 32) * 0xD6E8FEB86659FD93 & mask
        value = (value ^ value >> 32) * 0x9E3779B97F4A7C15 & mask
        value ^= value >> 32
    return (value >> 32) * n_hash >> 32


@given(texts=st.lists(st.text(st.characters(codec="utf-8")), min_size=1))
def test_hashes_are_part_of_the_format(texts):
    """They must be the same in every version and on every machine."""
    X = FieldEncoder(n_hash=1000).fit_transform({"x": texts})
    assert X.indices.tolist() == [reference_hash(text, 1000) for text in texts]


def test_hashes_of_numbers_are_those_of_their_texts():
    numbers = [17, -1, 0, 10**12]
    X = FieldEncoder(n_hash=1000, categorical=["x"]).fit_transform({"x": numbers})
    assert X.indices.tolist() == [reference_hash(str(number), 1000) for number in numbers]


def test_rare_categories_hashed():
    encoder = FieldEncoder(n_hash=3, min_frequency=2).fit({"x": ["a", "a", "b", "c"]})
    names = encoder.get_feature_names_out().tolist()
    assert names == ["x=a", "x=<hash 0>", "x=<hash 1>", "x=<hash 2>"]
    known = encoder.transform({"x": ["a", "b", "c", "d", "e", "f", None]}).indices
    assert known[0] == 0
    assert (known[1:] > 0).all()
    encoder.partial_fit({"x": ["b", "d"]})
    assert encoder.get_feature_names_out().tolist() == [*names, "x=b"]
    grown = encoder.transform({"x": ["a", "b", "c", "d", "e", "f", None]}).indices
    assert grown.tolist() == [0, 4, *known[2:]]


def test_moments_are_those_of_all_rows():
    rng = np.random.default_rng(0)
    chunks = [rng.normal(5, 3, size=(n, 1)) for n in (1, 7, 20)]
    ours, theirs = FieldEncoder(dtype="float64"), StandardScaler()
    for chunk in chunks:
        ours.partial_fit(chunk)
        theirs.partial_fit(chunk)
        np.testing.assert_allclose(ours.transform(chunk).toarray(), theirs.transform(chunk))


def test_what_the_first_chunk_settles():
    kinds = {"n": Numeric("quantiles", 2), "t": Dates(("days", "year"))}
    encoder = FieldEncoder(kinds)
    days = [np.datetime64("2020-01-01"), np.datetime64("2020-01-03")]
    encoder.partial_fit({"n": [1.0, 3.0], "t": days})
    names = encoder.get_feature_names_out().tolist()
    encoder.partial_fit({"n": [100.0], "t": [np.datetime64("2019-12-31")]})
    assert encoder.get_feature_names_out().tolist() == [*names, "t.year=2019"]


def test_missing_values_that_come_late():
    encoder = FieldEncoder().partial_fit({"x": ["a"], "n": [1.0], "l": [["u"]]})
    encoder.partial_fit({"x": [None], "n": [None], "l": [None]})
    names = encoder.get_feature_names_out().tolist()
    assert names == ["x=a", "n", "l=u", "x=<missing>", "n=<missing>", "l=<missing>"]
    assert encoder.transform({"x": [None], "n": [np.nan], "l": [None]}).indices.tolist() == [
        3,
        4,
        5,
    ]


def test_a_chunk_that_fails_changes_nothing():
    first_chunk = {"x": ["a", "b"], "i": [1, 2], "l": [["u"], []], "n": [1.0, 2.0]}
    encoder = FieldEncoder(categorical=["i"]).partial_fit(first_chunk)
    state, arrays = encoder.to_state()
    bad = {"x": ["c", "d"], "i": [7, 8], "l": [["v"], ["w"]], "n": [5.0, np.inf]}
    with pytest.raises(ValueError, match="'n', row 1: inf is not finite"):
        encoder.partial_fit(bad)
    same_state, same_arrays = encoder.to_state()
    assert same_state == state
    for array, same in zip(arrays, same_arrays, strict=True):
        np.testing.assert_array_equal(array, same)
    encoder.partial_fit({"x": ["c"], "i": [3], "l": [["v"]], "n": [5.0]})
    assert encoder.get_feature_names_out().tolist()[-3:] == ["x=c", "i=3", "l=v"]


def test_checkpoint_and_roll_back():
    encoder = FieldEncoder().partial_fit({"x": ["a"], "l": [["u"]]})
    checkpoint = encoder.checkpoint()
    encoder.partial_fit({"x": ["b"], "l": [["v"]]})
    encoder.roll_back(checkpoint)
    assert encoder.get_feature_names_out().tolist() == ["x=a", "l=u"]
    assert encoder.transform({"x": ["b"], "l": [["v"]]}).nnz == 0
    encoder.partial_fit({"x": ["c"], "l": [["w"]]})
    assert encoder.get_feature_names_out().tolist() == ["x=a", "l=u", "x=c", "l=w"]


def test_limits_of_sets():
    kinds = {"l": MultiValued("|", categories=Categorical(min_frequency=2))}
    encoder = FieldEncoder(kinds).partial_fit({"l": ["a|b", "a", "c"]})
    assert encoder.get_feature_names_out().tolist() == ["l=a", "l=<rare>"]
    X = encoder.transform({"l": ["a|b|c", "b|c", "d"]})
    assert X.toarray().tolist() == [[1, 1], [0, 1], [0, 1]]


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_threads_change_nothing(n_jobs):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {f"c{j}": [f"{v}" for v in rng.integers(0, 10**j, 200_000)] for j in range(1, 6)}
    )
    one, several = FieldEncoder(), FieldEncoder(n_jobs=n_jobs)
    X, Y = one.fit_transform(frame), several.fit_transform(frame)
    for name in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(X, name), getattr(Y, name))
    assert one.get_feature_names_out().tolist() == several.get_feature_names_out().tolist()
