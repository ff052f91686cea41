"""save_model and load_model: bit-equal predictions, training that goes on, files that lie."""

import json
import os
import pickle
import struct
import tracemalloc
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from fastfm_cy import (
    BayesianFMClassifier,
    BayesianFMOrdinal,
    BayesianFMRegressor,
    FFMClassifier,
    FFMRegressor,
    FMClassifier,
    FMRegressor,
    FwFMClassifier,
    FwFMRegressor,
)
from fastfm_cy.exceptions import DivergenceError, ModelFileError
from fastfm_cy.io import load_model, save_model, write_libfm_model, write_xlearn_model
from fastfm_cy.io.model_files.container import read_container, write_container
from fastfm_cy.io.model_files.schema import ESTIMATORS

RANKING = {"FMRanker", "FMRecommender"}  # test_ranking_models.py
GOLDEN = Path(__file__).resolve().parents[2] / "golden"

FIELDS = [i // 10 for i in range(60)]
FAST = {"max_iter": 3, "random_state": 0, "n_factors": 5}
MODELS = {
    **{solver: FMRegressor(solver=solver, **FAST) for solver in ("sgd", "adagrad", "adam", "ftrl")},
    "als": FMRegressor(solver="als", **FAST),
    "double": FMRegressor(dtype="float64", **FAST),
    "linear": FMRegressor(**FAST | {"n_factors": 0}),
    "auto": FMRegressor(l2_linear="auto", l2_factors="auto", **FAST),
    "stopping": FMRegressor(early_stopping=True, tol=1e-4, **FAST),
    "degree 3": FMRegressor(degree=3, **FAST),
    "degree 4, shared": FMClassifier(degree=4, share_factors=True, **FAST),
    "degree 3, als": FMRegressor(degree=3, solver="als", **FAST),
    "poisson": FMRegressor(loss="poisson", **FAST),
    "clicks": FMClassifier(class_weight={0: 1.0, 1: 2.0}, **FAST),
    "als clicks": FMClassifier(solver="als", **FAST),
    "bayes": BayesianFMRegressor(n_burn_in=1, **FAST),
    "bayes double": BayesianFMRegressor(n_burn_in=0, dtype="float64", **FAST),
    "als probit": FMClassifier(solver="als", loss="probit", **FAST),
    "ordinal": BayesianFMOrdinal(n_burn_in=1, **FAST),
    "fields": FFMRegressor(fields=FIELDS, **FAST),
    "fields, ftrl": FFMClassifier(fields=FIELDS, solver="ftrl", **FAST),
    "fields, hashed": FFMClassifier(fields=FIELDS, n_hash=50, normalize=None, **FAST),
    "weighted fields": FwFMClassifier(fields=FIELDS, solver="adam", **FAST),
    "weighted fields of ratings": FwFMRegressor(fields=FIELDS, **FAST),
    "probit": BayesianFMClassifier(n_burn_in=1, **FAST),
}


def _data(model, ratings, clicks):
    data = clicks if hasattr(model, "predict_proba") else ratings
    n_features = 60 if hasattr(model, "fields") else data.X.shape[1]
    return data.X[:400, :n_features], data.y[:400]


def _outputs(model, X):
    names = ("predict", "predict_proba", "decision_function", "sample_predictions")
    return [getattr(model, name)(X) for name in names if hasattr(model, name)]


def _assert_same(model, other, X):
    for mine, theirs in zip(_outputs(model, X), _outputs(other, X), strict=True):
        np.testing.assert_array_equal(mine, theirs)
        assert mine.dtype == theirs.dtype


def test_every_estimator_is_tried():
    assert {type(model).__name__ for model in MODELS.values()} == set(ESTIMATORS) - RANKING


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("optimizer_state", [False, True])
def test_predictions_are_bit_equal(name, mmap, optimizer_state, ratings, clicks, tmp_path):
    X, y = _data(MODELS[name], ratings, clicks)
    model = clone(MODELS[name]).fit(X, y)
    save_model(model, tmp_path / "m", optimizer_state=optimizer_state)
    loaded = load_model(tmp_path / "m", mmap=mmap)
    _assert_same(model, loaded, X)
    assert loaded.get_params() == model.get_params()
    assert loaded.history_ == model.history_
    np.testing.assert_array_equal(loaded.coef_, model.coef_)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]  # nothing is left aside
    _assert_same(model, pickle.loads(pickle.dumps(loaded)), X)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("mmap", [False, True])
def test_training_goes_on_as_if_never_saved(name, mmap, ratings, clicks, tmp_path):
    X, y = _data(MODELS[name], ratings, clicks)
    model = clone(MODELS[name]).fit(X, y)
    save_model(model, tmp_path / "m")
    content = (tmp_path / "m").read_bytes()
    loaded = load_model(tmp_path / "m", mmap=mmap)
    if hasattr(model, "partial_fit") and model.l2_linear != "auto" and not model.early_stopping:
        for each in (model, loaded):
            each.partial_fit(X[:100], y[:100])
        _assert_same(model, loaded, X)
    for each in (model, loaded):
        each.set_params(warm_start=True).fit(X, y)
    _assert_same(model, loaded, X)
    assert (tmp_path / "m").read_bytes() == content


@pytest.mark.parametrize("name", ["adagrad", "ftrl", "adam", "als"])
def test_without_optimizer_state_files_are_small_and_training_starts_afresh(
    name, ratings, tmp_path
):
    X, y = ratings.X, ratings.y
    model = clone(MODELS[name]).fit(X, y)
    save_model(model, tmp_path / "m", optimizer_state=False)
    save_model(model, tmp_path / "whole")
    weights = 4 * X.shape[1] * (1 + model._table.n_padded)
    assert os.path.getsize(tmp_path / "m") < weights + 5000
    n_state = len(model._table.state_start)
    assert os.path.getsize(tmp_path / "whole") > weights * (1 + n_state)
    loaded = load_model(tmp_path / "m").set_params(warm_start=True)
    before = loaded.score(X, y)
    loaded.fit(X, y)
    assert loaded.score(X, y) > before
    assert loaded._table.state_start == model._table.state_start


def test_a_chain_that_was_not_saved_cannot_go_on(ratings, tmp_path):
    model = clone(MODELS["bayes"]).fit(ratings.X, ratings.y)
    save_model(model, tmp_path / "m", optimizer_state=False)
    loaded = load_model(tmp_path / "m").set_params(warm_start=True)
    with pytest.raises(ValueError, match="without the state of its chain"):
        loaded.fit(ratings.X, ratings.y)


@pytest.mark.parametrize("loss", ["log_loss", "softmax"])
@pytest.mark.parametrize(
    "labels",
    [
        ["ham", "spam", "é\udc80"], [3, 1, 2], [2.0, -1.0, 0.0], [False, True, True],
        np.array(["b", "a", "c"], dtype=object), np.array([7, 8, 9], dtype=np.uint8),
    ],
    ids=lambda labels: str(np.asarray(labels).dtype),
)  # fmt: skip
def test_labels_of_any_type(loss, labels, clicks, tmp_path):
    X = clicks.X[:300]
    y = np.asarray(labels)[np.arange(300) % 3]
    model = FMClassifier(loss=loss, **FAST).fit(X, y)
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    assert loaded.classes_.dtype == model.classes_.dtype
    _assert_same(model, loaded, X)


def test_parameters_of_every_type(ratings, tmp_path):
    n_features = ratings.X.shape[1]
    model = FMRegressor(
        feature_groups=np.arange(n_features) % 2, l2_linear=[0.1, 0.2], l2_factors=np.float32(0.1),
        clip_predictions=(0, 3.5), adam_betas=(0.8, 0.9), random_state=np.int64(4), max_iter=2,
    ).fit(ratings.X, ratings.y)  # fmt: skip
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    assert loaded.adam_betas == (0.8, 0.9)
    assert loaded.y_range_ == (0.0, 3.5)
    assert loaded.l2_factors == np.float32(0.1)
    np.testing.assert_array_equal(loaded.feature_groups, model.feature_groups)
    _assert_same(model, loaded, ratings.X)


def test_what_cannot_be_saved_is_none(ratings, tmp_path):
    model = FMRegressor(max_iter=1, random_state=np.random.RandomState(0))
    model.fit(ratings.X, ratings.y)
    with pytest.warns(UserWarning, match="random_state"):
        save_model(model, tmp_path / "m")
    assert load_model(tmp_path / "m").random_state is None


def test_names_of_columns_stay(tmp_path):
    frame = pd.DataFrame(np.eye(4), columns=["a", "b", "ü", "d"])
    model = FMRegressor(max_iter=1).fit(frame, np.arange(4.0))
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    assert loaded.feature_names_in_.tolist() == ["a", "b", "ü", "d"]
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(frame[["b", "a", "ü", "d"]])


@pytest.mark.parametrize("mmap", [False, True])
def test_sparse_models_and_streams(mmap, clicks, tmp_path):
    X, y = clicks.X[:500], clicks.y[:500]
    model = FMClassifier(solver="ftrl", l1_linear=3.0, l1_factors=3.0, **FAST).fit(X, y)
    model.sparsify()
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m", mmap=mmap)
    assert loaded.sparsity_ == model.sparsity_
    _assert_same(model, loaded, X)
    _assert_same(model.densify(), loaded.densify(), X)
    stream = FMClassifier(grow_features=True, **FAST).partial_fit(X[:, :30], y, classes=[0, 1])
    save_model(stream, tmp_path / "m")
    loaded = load_model(tmp_path / "m", mmap=mmap)
    _assert_same(stream.partial_fit(X, y), loaded.partial_fit(X, y), X)


def test_a_sparse_model_of_zeros(clicks, tmp_path):
    model = FMClassifier(solver="ftrl", l1_linear=1e5, l1_factors=1e5, **FAST)
    model.fit(clicks.X, clicks.y).sparsify()
    assert not model.coef_.nnz
    save_model(model, tmp_path / "m")
    _assert_same(model, load_model(tmp_path / "m"), clicks.X)


def test_what_is_no_fitted_estimator_of_ours(ratings, tmp_path):
    with pytest.raises(NotFittedError):
        save_model(FMRegressor(), tmp_path / "m")
    pipeline = make_pipeline(Normalizer(), FMRegressor(max_iter=1)).fit(ratings.X, ratings.y)
    with pytest.raises(TypeError, match="got a Pipeline"):
        save_model(pipeline, tmp_path / "m")

    class FMRegressorOfMine(FMRegressor):
        pass

    FMRegressorOfMine.__name__ = "FMRegressor"
    with pytest.raises(TypeError, match="Model files hold"):
        save_model(FMRegressorOfMine(max_iter=1).fit(ratings.X, ratings.y), tmp_path / "m")
    model = FMRegressor(max_iter=1).fit(ratings.X, ratings.y).set_params(scoring={1j})
    with pytest.raises(TypeError, match="scoring must be None"):
        save_model(model, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_models_are_not_packed(ratings, tmp_path):
    model = FMRegressor(max_iter=1).fit(ratings.X, ratings.y)
    for write in (save_model, write_libfm_model, write_xlearn_model):
        with pytest.raises(ValueError, match="not packed"):
            write(model, tmp_path / "m.gz")
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_the_old_file(ratings, tmp_path, monkeypatch):
    model = FMRegressor(max_iter=1).fit(ratings.X, ratings.y)
    save_model(model, tmp_path / "m")
    before = (tmp_path / "m").read_bytes()

    def full(*arguments):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        save_model(model.set_params(n_factors=3).fit(ratings.X, ratings.y), tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


# Hostile files -----------------------------------------------------------------------------------


def _saved(model, folder):
    save_model(model, folder / "m")
    return folder / "m", bytearray((folder / "m").read_bytes())


@pytest.fixture(scope="module", params=["sgd", "probit"])
def saved(request, clicks, tmp_path_factory):
    model = MODELS[request.param]
    y = clicks.y[:50] if request.param == "probit" else clicks.y[:50].astype(float)
    model = clone(model).set_params(n_factors=2).fit(clicks.X[:50], y)
    path, content = _saved(model, tmp_path_factory.mktemp("models"))
    return path.parent / "altered", content


def _assert_refused(path, content):
    path.write_bytes(content)
    tracemalloc.start()
    for mmap in (False, True):
        with pytest.raises(ModelFileError) as error:
            load_model(path, mmap=mmap)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(path) in str(error.value)
    assert peak < 20 * len(content) + 2**20
    return str(error.value)


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(saved, content):
    _assert_refused(saved[0], content)
    _assert_refused(saved[0], bytes(saved[1][:8]) + content)
    _assert_refused(saved[0], bytes(saved[1][:64]) + content)


@given(st.data())
def test_truncated_files_are_refused(saved, data):
    path, content = saved
    length = data.draw(st.integers(0, len(content) - 1))
    message = _assert_refused(path, content[:length])
    assert length < 8 or "truncated" in message
    _assert_refused(path, content + bytes(data.draw(st.integers(1, 100))))


@given(st.data())
def test_every_flipped_bit_is_found(saved, data):
    path, content = saved
    place = data.draw(st.integers(0, 8 * len(content) - 1))
    altered = bytearray(content)
    altered[place // 8] ^= 1 << place % 8
    _assert_refused(path, altered)


@given(st.data())
def test_huge_counts_in_the_preamble(saved, data):
    path, content = saved
    altered = bytearray(content)
    place = data.draw(st.sampled_from([16, 24]))
    struct.pack_into("<Q", altered, place, data.draw(st.integers(0, 2**64 - 1)))
    if altered != content:
        _assert_refused(path, altered)


def test_a_newer_version_is_named(saved):
    path, content = saved
    altered = bytearray(content)
    struct.pack_into("<I", altered, 8, 7)
    assert "version 7 of the format; this fastfm_cy reads versions up to 1" in _assert_refused(
        path, altered
    )


def _with_header(content, change):
    """The file with a header that was changed by someone who knows about checksums."""
    (n_text,) = struct.unpack_from("<Q", content, 16)
    header = json.loads(bytes(content[64 : 64 + n_text]))
    body = content[-(-(64 + n_text) // 64) * 64 :]
    header = change(header)
    text = json.dumps(header).encode()
    start = -(-(64 + len(text)) // 64) * 64
    preamble = bytes(content[:16]) + struct.pack("<QQ", len(text), start + len(body))
    return b"".join(
        [preamble, sha256(preamble + text).digest(), text, bytes(start - 64 - len(text)), body]
    )


def _places(value, path=()):
    """Paths to everything in a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list):
            yield from _places(item, (*path, key))
        else:
            yield (*path, key)


_NONSENSE = st.one_of(
    st.sampled_from([None, True, -1, 2**31, 2**63, 1e308, "os.system", "", [], {}, [[1]], "<O8"]),
    st.sampled_from([{"array": 0}, {"array": 3}, {"array": 10**9}, {"float": "nan"}, {"dict": 1}]),
    st.sampled_from([{"table": []}, {"generator": [1, 2, 3]}, {"tuple": [1, 2]}, {"eval": "1"}]),
    st.integers(-5, 300),
)


@settings(max_examples=300)
@pytest.mark.filterwarnings("ignore:overflow encountered")
@given(st.data())
def test_forged_headers_never_crash(saved, clicks, data):
    """Whoever forges checksums, too, may load another model, but never breaks the interpreter."""
    path, content = saved

    def change(header):
        place = data.draw(st.sampled_from(list(_places(header))))
        nonsense = data.draw(_NONSENSE)
        if not place:
            return nonsense
        inner = header
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = nonsense
        return header

    path.write_bytes(_with_header(content, change))
    try:
        model = load_model(path)
        _use(model, clicks)
    except (ValueError, TypeError, FloatingPointError, AttributeError, KeyError):
        pass  # a clear ModelFileError from load_model, or a parameter that fit refuses


def _use(model, clicks):
    model.set_params(n_jobs=None, verbose=0)
    model.predict(clicks.X[:10])
    model.set_params(warm_start=True, max_iter=2).fit(clicks.X[:50], clicks.y[:50])


def test_an_unforged_header_is_read(saved):
    path, content = saved
    path.write_bytes(_with_header(content, lambda header: header))
    load_model(path)


@pytest.mark.parametrize(
    ("part", "name", "value", "message"),
    [
        ("attributes", "predict", 1, "unknown name 'predict'"),
        ("parameters", "sideways", 1, "sideways"),
        ("parameters", "dtype", "float16", "dtype must be"),
        ("attributes", "n_features_in_", 7, "number of features"),
    ],
)
def test_the_message_says_what_is_wrong(saved, part, name, value, message):
    def change(header):
        header[part][name] = value
        return header

    assert message in _assert_refused(saved[0], _with_header(saved[1], change))


def test_shapes_beyond_memory_are_refused(saved):
    def change(header):
        header["arrays"].append({"dtype": "<f8", "shape": [2**61, 0, 2**61], "sha256": ""})
        return header

    assert "of shape" in _assert_refused(saved[0], _with_header(saved[1], change))


def test_a_class_is_never_imported_by_name(saved):
    def change(header):
        return header | {"estimator": "os.system"}

    assert "unknown name 'os.system'" in _assert_refused(saved[0], _with_header(saved[1], change))


# Files of all versions so far -------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    sorted(set(GOLDEN.glob("v*.fm")) - set(GOLDEN.glob("v*_recommender.fm"))),
    ids=lambda path: path.stem,
)
def test_golden_files_are_read(path):
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    X, y = np.array(expected["X"]), np.array(expected["y"])
    model = load_model(path)
    predict = getattr(model, "predict_proba", model.predict)
    np.testing.assert_allclose(predict(X), expected["predicted"], rtol=1e-5)
    model.set_params(warm_start=True).fit(X, y)


def test_every_estimator_has_a_golden_file():
    names = {type(load_model(path)).__name__ for path in GOLDEN.glob("v*.fm")}
    assert names == set(ESTIMATORS)


@pytest.mark.parametrize("name", ["sgd", "als", "degree 3", "fields", "bayes", "ordinal"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("options", [{}, {"verify": False}, {"verify": False, "mmap": True}])
def test_numbers_that_are_none_are_refused(name, bad, options, ratings, clicks, tmp_path):
    """Signed or not: in each array of a model in turn."""
    model = clone(MODELS[name])
    X, y = _data(model, ratings, clicks)
    save_model(model.fit(X, y), tmp_path / "m")
    header, arrays = read_container(tmp_path / "m")
    spoiled = [number for number, array in enumerate(arrays) if array.dtype.kind == "f"]
    assert spoiled
    for number in spoiled:
        if not arrays[number].size:
            continue
        others = [array.copy() for array in arrays]
        others[number].reshape(-1)[-1] = bad
        write_container(tmp_path / "n", header, others)
        with pytest.raises(ModelFileError, match="holds NaN or infinity"):
            load_model(tmp_path / "n", **options)


def test_large_arrays_are_not_read_unasked(tmp_path):
    """Mapped and not verified, a number in them that is none is found by predictions."""
    X = np.ones((2, 70_000), dtype=np.float32)
    save_model(FMRegressor(16, max_iter=1, random_state=0).fit(X, [0.0, 1.0]), tmp_path / "m")
    header, arrays = read_container(tmp_path / "m")
    largest = max(range(len(arrays)), key=lambda number: arrays[number].size)
    arrays[largest][69_000, 3] = np.nan
    write_container(tmp_path / "n", header, arrays)
    model = load_model(tmp_path / "n", mmap=True, verify=False)
    with pytest.raises(DivergenceError):
        model.predict(X)
    for options in ({}, {"mmap": True}, {"verify": False}):
        with pytest.raises(ModelFileError, match="NaN"):
            load_model(tmp_path / "n", **options)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("bayes", lambda model: model._samples.alpha.fill(0)),
        ("ordinal", lambda model: model._samples.cutpoints.__setitem__((0, 0), 1e9)),
        ("bayes", lambda model: setattr(model._chain, "alpha", np.nan)),
        ("bayes", lambda model: model._chain.precisions.fill(-1.0)),
        ("sgd", lambda model: _retarget(model, (np.nan, np.nan))),
        ("sgd", lambda model: _retarget(model, (np.inf, np.inf))),
        ("sgd", lambda model: _retarget(model, (2.0, 1.0))),
        ("clicks", lambda model: _reclass(model, np.array([0.0, np.nan]))),
        ("clicks", lambda model: _reclass(model, np.array([1, 1]))),
    ],
)
def test_contents_that_make_no_sense_are_refused(name, change, ratings, clicks, tmp_path):
    model = clone(MODELS[name])
    X, y = _data(model, ratings, clicks)
    model.fit(X, np.arange(len(y)) % 3 if name == "ordinal" else y)
    change(model)
    save_model(model, tmp_path / "m")
    with pytest.raises(ModelFileError, match=r"makes no sense|NaN"):
        load_model(tmp_path / "m")


def _retarget(model, y_range):
    model._fitted = replace(model._fitted, target=replace(model._fitted.target, y_range=y_range))


def _reclass(model, classes):
    model._fitted = replace(model._fitted, target=replace(model._fitted.target, classes=classes))
