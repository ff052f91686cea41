"""Which X of an estimator needs an encoder, and which."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from fastfm_cy.preprocessing.from_dtype import encoder_for


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"a": [1, 2], "b": [True, False]}),
        pl.DataFrame({"a": [1.5, None]}),
        np.ones((2, 2)),
        np.ones((2, 2)).tolist(),
        np.ones((2, 2), dtype=object),
        sparse.csr_array(np.ones((2, 2))),
    ],
)
def test_numbers_need_none(X):
    assert encoder_for(X) is None


@pytest.mark.parametrize("X", [{"a": [1, 2]}, [{"a": 1}, {"a": 2}]])
def test_numbers_in_dicts_stay_as_they_are(X):
    """What is no array needs an encoder, which then changes no number."""
    np.testing.assert_array_equal(encoder_for(X).fit_transform(X).toarray(), [[1.0], [2.0]])


@pytest.mark.parametrize(
    ("X", "names"),
    [
        (pd.DataFrame({"a": pd.Categorical([1, 2])}), ["a=1", "a=2"]),
        (pd.DataFrame({"a": ["1", "2"]}), ["a=1", "a=2"]),
        (pl.DataFrame({"a": ["x", "x"], "b": [1, 2]}), ["a=x", "b"]),
        (np.array([["1"], ["x"]], dtype=object), ["x0=1", "x0=x"]),
        ([["y", 1], ["x", 2]], ["x0=x", "x0=y", "x1"]),
    ],
)
def test_tables_do(X, names):
    assert encoder_for(X).fit(X).get_feature_names_out().tolist() == names


def test_columns_that_are_named():
    X = np.array([[1, 5], [2, 5]])
    encoder = encoder_for(X, [1], dtype="float64")
    assert encoder.fit(X).get_feature_names_out().tolist() == ["x0", "x1=5"]
    assert encoder.dtype == "float64"
    with pytest.raises(TypeError, match="X is a sparse matrix"):
        encoder_for(sparse.csr_array(X), [1])
    assert encoder_for(np.array([["1"]]), [0]) is not None


@pytest.mark.parametrize("X", [np.array([["x", None], ["y", "1.5"]], dtype=object), [["a", "17"]]])
def test_text_that_looks_like_numbers(X):
    with pytest.raises(ValueError, match=r"Column 1 of X .* row [01] has .*features=\[1\]"):
        encoder_for(X)
