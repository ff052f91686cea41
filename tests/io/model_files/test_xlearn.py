"""xLearn's text models; the golden texts and predictions were written by xLearn 0.40."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from fastfm_cy import FMClassifier, FMRegressor
from fastfm_cy.exceptions import ModelFileError
from fastfm_cy.io import read_xlearn_model, write_xlearn_model

X = np.array([[1, 0, 0.5, 0], [0, 1, 0, 1], [1, 0, 0, 2], [0, 1, 1, 0]])

LINEAR = """bias: -0.00667357
i_0: 0.604058
i_1: -0.609584
i_2: -0.148122
i_3: 0.169706
"""
FM = """bias: -0.0452612
i_0: 0.57241
i_1: -0.604539
i_2: -0.149659
i_3: 0.118455
v_0: 0.21646 0.192021 0.531323
v_1: 0.0226542 0.0403426 -0.159509
v_2: 0.00412598 0.230066 0.351216
v_3: 0.365848 0.164964 0.442872
"""
NORMALIZED = """bias: -1.58835e-05
i_0: 0.496456
i_1: -0.522508
i_2: -0.101733
i_3: 0.0652464
v_0: 0.0146403 0.0912458 0.333611
v_1: 0.132338 0.157 0.0282137
v_2: 0.0014201 0.246426 0.295243
v_3: 0.336648 0.127065 0.202254
"""
SCORES = {
    "linear": (LINEAR, True, [0.523323, -0.446552, 0.936795, -0.764379]),
    "fm": (FM, False, [0.568159, -0.587045, 1.45641, -0.846107]),
    "normalized": (NORMALIZED, True, [0.437252, -0.305797, 0.287084, -0.429619]),
}


def _read(text, folder, **options):
    path = Path(folder) / "model.txt"
    path.write_text(text, encoding="utf-8")
    return read_xlearn_model(path, **options)


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("rows", [X, sparse.csr_matrix(X), sparse.coo_array(X)])
def test_scores_are_xlearns(name, rows, tmp_path):
    text, normalize, scores = SCORES[name]
    model = _read(text, tmp_path, normalize=normalize)
    np.testing.assert_allclose(model.decision_function(rows), scores, atol=3e-6)
    model = _read(text, tmp_path, normalize=normalize, task="regression")
    np.testing.assert_allclose(model.predict(rows), scores, atol=3e-6)


def test_an_empty_row_scores_the_bias(tmp_path):
    model = _read(NORMALIZED, tmp_path, normalize=True)
    np.testing.assert_allclose(model.decision_function(np.zeros((1, 4))), [-1.58835e-05], rtol=1e-6)


def test_what_xlearn_writes_is_written_again(tmp_path):
    for text in (LINEAR, FM):
        write_xlearn_model(_read(text, tmp_path), tmp_path / "again.txt")
        assert (tmp_path / "again.txt").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("n_factors", [0, 1, 5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predictions_after_a_round_trip(n_factors, dtype, ratings, clicks, tmp_path):
    options = {"n_factors": n_factors, "max_iter": 3, "random_state": 0, "dtype": dtype}
    model = FMClassifier(**options).fit(clicks.X, clicks.y)
    write_xlearn_model(model, tmp_path / "m")
    again = read_xlearn_model(tmp_path / "m", dtype=dtype)
    np.testing.assert_array_equal(again.predict_proba(clicks.X), model.predict_proba(clicks.X))
    model = FMRegressor(clip_predictions=False, **options).fit(ratings.X, ratings.y)
    write_xlearn_model(model, tmp_path / "m")
    again = read_xlearn_model(tmp_path / "m", task="regression", dtype=dtype)
    np.testing.assert_array_equal(again.predict(ratings.X), model.predict(ratings.X))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("i_1: -0.604539", "i_1: -0.6o4539", "line 3: expected a number, got '-0.6o4539'"),
        ("i_1: -0.604539\n", "", "line 3: expected 'i_1', got 'i_2"),
        ("bias", "bios", "line 1: expected 'bias: w0'"),
        ("v_2: 0.00412598", "v_2:", "line 8: expected 3 numbers, got '0.230066 0.351216'"),
        ("v_3: 0.365848 0.164964 0.442872\n", "", "8 lines where 9 are expected"),
        ("v_3: 0.365848", "v_3: nan", "line 9: expected 3 numbers"),
        ("i_3: 0.118455\n", "i_3: 0.118455\ni_3: 1\n", "line 6: expected 'i_4'"),
    ],
)
def test_errors_name_the_line(old, new, message, tmp_path):
    assert old in FM
    with pytest.raises(ModelFileError, match=message):
        _read(FM.replace(old, new, 1), tmp_path)


@given(st.binary(max_size=200) | st.text(alphabet="bias_v:0123e-. \n", max_size=100))
def test_anything_else_is_refused(content):
    content = content if isinstance(content, bytes) else content.encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.txt"
        for start in (b"", FM.encode()[:40], FM.encode()):
            path.write_bytes(start + content)
            try:
                model = read_xlearn_model(path)
            except ModelFileError:
                pass
            else:
                assert np.isfinite(model.coef_).all()
