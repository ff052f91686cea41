"""libffm's models; the golden binary and its predictions were written by libffm 1.23."""

import base64
import struct
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from fastfm_cy import FFMClassifier, FMClassifier
from fastfm_cy.exceptions import ModelFileError
from fastfm_cy.io import read_libffm, read_libffm_model, write_libffm_model, write_xlearn_model
from fastfm_cy.io.model_files.xlearn import read_xlearn_model

DATA = "1 0:0:1 1:2:0.5\n0 0:1:1 1:3:1\n1 0:0:1 1:3:2\n0 0:1:1 1:2:1\n"
BINARY = base64.b64decode(
    "BAAAAAIAAAACAAAAAYyuuTaxfL49AAAAAAAAAAAAAIA/AACAPwAAgD8AAIA/98QXP0gkuD4AAAAA"
    "AAAAACashz8DQYU/AACAPwAAgD/h4cA+G4sePgAAAAAAAAAAAACAPwAAgD8AAIA/AACAP6rwSb1q"
    "ato+AAAAAAAAAADGoY8/0xiMPwAAgD8AAIA/zKoCP8xXJD8AAAAAAAAAANDmgz99XIc/AACAPwAA"
    "gD+z14o+fwy8PgAAAAAAAAAAAACAPwAAgD8AAIA/AACAP5wwHj/p8xo8AAAAAAAAAAASHYQ/gZaG"
    "PwAAgD8AAIA/aNcaPZ/Fvz4AAAAAAAAAAAAAgD8AAIA/AACAPwAAgD8="
)
PREDICTED = [0.553147, 0.496696, 0.536907, 0.531047]
FIELDS = [0, 0, 1, 1]
# By xLearn, with instance-wise normalisation and without.
XLEARN = """bias: -0.00454207
i_0: 0.49718
i_1: -0.525518
i_2: -0.104356
i_3: 0.0630445
v_0_0: 2.98207e-06 0.0501226 0.287924
v_0_1: 0.249502 0.208463 0.111227
v_1_0: 0.0179264 0.258682 0.258847
v_1_1: 0.254151 0.134582 0.159745
v_2_0: 0.28117 0.0175506 -0.00317595
v_2_1: 0.201843 0.255742 0.0029334
v_3_0: 0.114248 0.0319293 0.134501
v_3_1: 0.261696 0.22443 0.354544
"""
XLEARN_SCORES = [0.422863, -0.304151, 0.294241, -0.413273]


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").write_text(DATA)
    return read_libffm(tmp_path / "data")


def _read(content, folder, **options):
    path = Path(folder) / "model"
    path.write_bytes(content)
    return read_libffm_model(path, **options)


def test_predictions_are_libffms(data, tmp_path):
    model = _read(BINARY, tmp_path)
    beside = model.predict_proba(data.X, fields=data.fields)[:, 1]
    np.testing.assert_allclose(beside, PREDICTED, atol=6e-7)
    model = _read(BINARY, tmp_path, fields=FIELDS, classes=("no", "yes"))
    np.testing.assert_allclose(model.predict_proba(data.X)[:, 1], beside)
    assert model.predict(data.X).tolist() == ["yes", "no", "yes", "yes"]


def test_what_libffm_writes_is_written_again(data, tmp_path):
    model = _read(BINARY, tmp_path)
    write_libffm_model(model, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == BINARY
    write_libffm_model(model, tmp_path / "text", text=True)
    lines = (tmp_path / "text").read_text().splitlines()
    assert lines[:4] == ["n 4", "m 2", "k 2", "normalization 1"]
    assert lines[4].startswith("w0,0 ")
    assert lines[-1].startswith("w3,1 ")
    from_text = read_libffm_model(tmp_path / "text")
    np.testing.assert_array_equal(from_text.factors_, model.factors_)
    assert from_text.normalize == "l2"


def test_training_goes_on_with_the_state_in_the_file(data, tmp_path):
    options = {"warm_start": True, "shuffle": False, "max_iter": 2, "learning_rate": 0.1}
    whole = _read(BINARY, tmp_path, **options | {"max_iter": 4})
    parts = _read(BINARY, tmp_path, **options)
    for model in (whole, parts):
        model.fit(data.X, data.y, fields=data.fields)
    write_libffm_model(parts, tmp_path / "half")
    parts = read_libffm_model(tmp_path / "half", **options).fit(data.X, data.y, fields=data.fields)
    np.testing.assert_array_equal(parts.factors_, whole.factors_)


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("normalize", [None, "l2"])
@pytest.mark.parametrize("n_factors", [1, 4, 5])
def test_predictions_after_a_round_trip(text, normalize, n_factors, clicks, tmp_path):
    fields = np.arange(clicks.X.shape[1]) // 10
    model = FFMClassifier(
        n_factors, fields=fields, normalize=normalize, fit_intercept=False, fit_linear=False,
        max_iter=2, random_state=0,
    ).fit(clicks.X, clicks.y)  # fmt: skip
    write_libffm_model(model, tmp_path / "m", text=text)
    again = read_libffm_model(tmp_path / "m", fields=fields)
    np.testing.assert_array_equal(again.predict_proba(clicks.X), model.predict_proba(clicks.X))


def test_what_libffm_has_no_words_for(clicks, tmp_path):
    fields = np.arange(clicks.X.shape[1]) // 10
    model = FFMClassifier(fields=fields, max_iter=1).fit(clicks.X, clicks.y)
    with pytest.raises(ValueError, match="neither bias nor linear"):
        write_libffm_model(model, tmp_path / "m")
    options = {"fit_intercept": False, "fit_linear": False, "max_iter": 1}
    model = FFMClassifier(fields=fields, same_field=False, **options).fit(clicks.X, clicks.y)
    with pytest.raises(ValueError, match="same_field"):
        write_libffm_model(model, tmp_path / "m")
    with pytest.raises(TypeError, match="not of a FMClassifier"):
        write_libffm_model(FMClassifier(max_iter=1).fit(clicks.X, clicks.y), tmp_path / "m")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("n 4", "n four", "line 1: expected 'n' and a number"),
        ("m 2", "m 3", "8 lines of weights"),
        ("w1,0 ", "w1,1 ", "line 7: expected 'w1,0'"),
        ("w3,1 1 2", "w3,1 1 x", "line 12: expected 2 numbers, got '1 x'"),
        ("w3,1 1 2\n", "", "7 lines of weights"),
        ("w3,1 1 2", "w3,1 1 inf", "line 12: expected 2 numbers that are finite"),
        ("k 2", "k 0", "8 lines of weights"),
    ],
)
def test_errors_in_text_name_the_line(old, new, message, tmp_path):
    lines = ["n 4", "m 2", "k 2", "normalization 0"]
    lines += [f"w{j},{f} 1 2" for j in range(4) for f in range(2)]
    text = "\n".join(lines) + "\n"
    assert _read(text.encode(), tmp_path).factors_.shape == (4, 2, 2)
    assert old in text
    with pytest.raises(ModelFileError, match=message):
        _read(text.replace(old, new, 1).encode(), tmp_path)


@given(st.data())
def test_damaged_binaries_are_refused(data):
    content = bytearray(BINARY)
    kind = data.draw(st.sampled_from(["cut", "more", "count", "noise"]))
    if kind == "cut":
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    elif kind == "more":
        content += bytes(data.draw(st.integers(1, 50)))
    elif kind == "count":
        count = data.draw(st.integers(-(2**31), 2**31 - 1).filter(lambda n: n not in (1, 2, 4)))
        struct.pack_into("<i", content, data.draw(st.sampled_from([0, 4, 8])), count)
    else:
        content = bytearray(data.draw(st.binary(max_size=100)))
    tracemalloc.start()
    with tempfile.TemporaryDirectory() as folder:
        if kind == "count" and count in (3,):  # three factors take a block of four, too
            _read(bytes(content), folder)
        else:
            with pytest.raises(ModelFileError):
                _read(bytes(content), folder)
    assert tracemalloc.get_traced_memory()[1] < 2**21
    tracemalloc.stop()


@given(st.data())
def test_flipped_bits_never_crash(data):
    """The format has no checksums: other weights are read, or refused if they make no sense."""
    content = bytearray(BINARY)
    place = data.draw(st.integers(0, 8 * len(content) - 1))
    content[place // 8] ^= 1 << place % 8
    X = sparse.csr_array(np.eye(4))
    with tempfile.TemporaryDirectory() as folder:
        try:
            model = _read(bytes(content), folder, fields=FIELDS)
            model.predict_proba(X)
        except (ValueError, FloatingPointError):
            pass


def test_xlearns_field_aware_models(data, tmp_path):
    (tmp_path / "x").write_text(XLEARN)
    model = read_xlearn_model(tmp_path / "x", normalize=True)
    scores = model.decision_function(data.X, fields=data.fields)
    np.testing.assert_allclose(scores, XLEARN_SCORES, atol=2e-6)
    model = read_xlearn_model(tmp_path / "x", fields=FIELDS)
    w, v = model.coef_, model.factors_
    first = model.intercept_ + w[0] + 0.5 * w[2] + 0.5 * v[0, 1] @ v[2, 0]
    assert model.decision_function(data.X)[0] == pytest.approx(first, rel=1e-6)
    write_xlearn_model(model, tmp_path / "again")
    assert (tmp_path / "again").read_text() == XLEARN
    (tmp_path / "x").write_text(XLEARN.replace("v_1_0: 0.0179264 0.258682 0.258847\n", ""))
    with pytest.raises(ModelFileError, match="line 8: expected 'v_1_0', got 'v_1_1"):
        read_xlearn_model(tmp_path / "x")
