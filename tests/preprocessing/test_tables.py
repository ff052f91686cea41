"""Tables of every library, and of NumPy and plain Python, give the same matrix."""

import datetime
import sys

import narwhals.stable.v1 as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastfm_cy.preprocessing import FieldEncoder, MultiValued

TIME = datetime.datetime
ROWS = {
    "text": ["b", None, "a", "b", "ü" * 20],
    "number": [1.5, None, -2.0, 0.0, 4.25],
    "whole": [3, 1, 2, 3, 3],
    "flag": [True, False, True, True, False],
    "time": [TIME(2020, 1, 31, 23), None, TIME(2021, 12, 1), TIME(1969, 5, 4), TIME(2020, 2, 29)],
    "tags": [["x", "y"], [], None, ["y"], ["z", "x"]],
}
FRAMES = {
    "dict": dict,
    "dicts": lambda rows: [
        dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)
    ],
    "pandas": pd.DataFrame,
    "pandas, objects": lambda rows: pd.DataFrame(rows).astype(object),
    "pandas, nullable": lambda rows: pd.DataFrame(rows).convert_dtypes(),
    "pandas, category": lambda rows: pd.DataFrame(rows).astype({"text": "category"}),
    "polars": pl.DataFrame,
    "polars, lazy": lambda rows: pl.DataFrame(rows).lazy(),
    "polars, category": lambda rows: pl.DataFrame(rows).with_columns(
        pl.col("text").cast(pl.Categorical)
    ),
    "polars, enum": lambda rows: pl.DataFrame(rows).with_columns(
        pl.col("text").cast(pl.Enum(["unused", "b", "a", "ü" * 20]))
    ),
    "polars, chunks": lambda rows: pl.concat(
        [pl.DataFrame(rows)[:2], pl.DataFrame(rows)[2:]], rechunk=False
    ),
    "polars, slice": lambda rows: pl.concat([pl.DataFrame(rows)] * 2)[5:],
    "narwhals": lambda rows: nw.from_native(pl.DataFrame(rows)),
    "series": lambda rows: {name: pl.Series(values) for name, values in rows.items()},
}


def encoder():
    return FieldEncoder(categorical=["whole"])


@pytest.mark.parametrize("kind", FRAMES)
def test_same_matrix(kind):
    table = FRAMES[kind](ROWS)
    known, fitted = encoder().fit(ROWS), encoder().fit(table)
    expected = known.transform(ROWS)
    assert fitted.get_feature_names_out().tolist() == known.get_feature_names_out().tolist()
    for matrix in (known.transform(table), fitted.transform(table), fitted.transform(ROWS)):
        assert_same(matrix, expected)


@pytest.mark.parametrize("kind", ["pyarrow", "pandas"])
@pytest.mark.parametrize("rows", [range(5), [0, 3, 4]])  # the latter miss nothing
def test_arrow(kind, rows):
    pa = pytest.importorskip("pyarrow")
    names = list(ROWS) if kind == "pyarrow" else [name for name in ROWS if name != "tags"]
    columns = {name: [ROWS[name][row] for row in rows] for name in names}
    table = pa.table(columns)
    if kind == "pandas":
        table = table.to_pandas(types_mapper=pd.ArrowDtype)
    known = encoder().fit(columns)
    assert_same(encoder().fit_transform(table), known.transform(columns))
    assert_same(known.transform(table), known.transform(columns))


def test_arrow_layouts_of_text():
    pa = pytest.importorskip("pyarrow")
    expected = FieldEncoder().fit_transform({"text": ROWS["text"]})
    dictionary = pa.dictionary(pa.int8(), pa.string())
    views = [pa.string_view()] if hasattr(pa, "string_view") else []
    for kind in (pa.string(), pa.large_string(), dictionary, *views):
        chunks = [pa.array(part, kind) for part in (ROWS["text"][:3], ROWS["text"][3:])]
        table = pa.table({"text": pa.chunked_array(chunks)})
        assert_same(FieldEncoder().fit_transform(table), expected)


@given(texts=st.lists(st.text() | st.none(), min_size=1).filter(any))
def test_texts_of_polars_and_of_objects(texts):
    texts = [text and text.encode("utf-8", "ignore").decode() for text in texts]
    if not any(text is not None for text in texts):
        return
    by_polars = FieldEncoder().fit(pl.DataFrame({"x": texts}, schema={"x": pl.String}))
    by_objects = FieldEncoder().fit({"x": texts})
    assert_same(by_polars.transform({"x": texts}), by_objects.transform({"x": texts}))
    names = by_polars.get_feature_names_out().tolist()
    assert names == by_objects.get_feature_names_out().tolist()


@pytest.mark.parametrize(
    "missing", [None, float("nan"), pd.NA, pd.NaT, np.datetime64("NaT"), np.float32("nan")]
)
def test_everything_missing_is_one_category(missing):
    column = np.array(["a", missing, "b", None], dtype=object)
    fitted = FieldEncoder().fit({"x": column})
    assert fitted.get_feature_names_out().tolist() == ["x=a", "x=b", "x=<missing>"]


def test_arrays_of_numbers_and_of_text():
    numbers = np.array([[1, 2], [3, 4], [1, 5]])
    X = FieldEncoder(categorical=[1]).fit(numbers)
    assert X.get_feature_names_out().tolist() == ["x0", "x1=2", "x1=4", "x1=5"]
    assert not hasattr(X, "feature_names_in_")
    texts = np.array([["a", "b"], ["c", "b"]])
    X = FieldEncoder().fit(texts)
    assert X.get_feature_names_out().tolist() == ["x0=a", "x0=c", "x1=b"]
    rows = FieldEncoder().fit([["a", 1], ["b", 2]])
    assert rows.get_feature_names_out().tolist() == ["x0=a", "x0=b", "x1"]


def test_ids_with_missing_values_keep_their_names():
    """Missing values make integers floats in pandas; 1.0 is the category 1 all the same."""
    fitted = FieldEncoder(categorical=["id"]).fit(pd.DataFrame({"id": [3, None, 1]}))
    assert fitted.get_feature_names_out().tolist() == ["id=1", "id=3", "id=<missing>"]
    assert fitted.transform(pd.DataFrame({"id": [1, 3]})).indices.tolist() == [0, 1]
    large = [2**64 - 1, 2**63, None]
    fitted = FieldEncoder(categorical=["id"]).fit(
        pl.DataFrame({"id": large}, schema={"id": pl.UInt64})
    )
    assert fitted.get_feature_names_out()[1] == f"id={2**64 - 1}"
    exact = pl.DataFrame({"id": [2**60 + 1, None, 2**60]})
    fitted = FieldEncoder(categorical=["id"]).fit(exact)
    assert fitted.get_feature_names_out()[1] == f"id={2**60 + 1}"


def test_columns_are_found_by_name_in_any_order():
    fitted = encoder().fit(ROWS)
    turned = {name: ROWS[name] for name in reversed(ROWS)}
    assert_same(fitted.transform(turned), fitted.transform(ROWS))


def test_weights_of_dicts():
    column = [{"x": 2.0, "y": 0.5}, {}, None, {"y": 3}]
    X = FieldEncoder({"tags": MultiValued(normalize="l1")}).fit_transform({"tags": column})
    np.testing.assert_allclose(X.toarray(), [[0.8, 0.2, 0], [0, 0, 0], [0, 0, 1], [0, 1, 0]])


def test_time_zones_count_as_local_time():
    times = pd.to_datetime(["2024-01-01 23:30", "2024-06-01 00:30"]).tz_localize("UTC")
    local = times.tz_convert("Asia/Tokyo")
    names = FieldEncoder().fit(pd.DataFrame({"t": local})).get_feature_names_out()
    assert {"t.hour=8", "t.hour=9", "t.weekday=1"} <= set(names)


def test_it_needs_no_frame_library(monkeypatch):
    for module in ("pandas", "polars", "pyarrow"):
        monkeypatch.setitem(sys.modules, module, None)
    assert FieldEncoder().fit_transform({"a": ["x", "y"]}).shape == (2, 2)


def assert_same(X, expected):
    assert X.shape == expected.shape
    np.testing.assert_array_equal(X.indptr, expected.indptr)
    np.testing.assert_array_equal(X.indices, expected.indices)
    np.testing.assert_array_equal(X.data, expected.data)
