"""Model files of ranking machines."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.ranking import block_taste

from fastfm_cy import FMRanker, FMRecommender, ModelFileError
from fastfm_cy.io import load_model, save_model
from fastfm_cy.io.model_files.container import read_container, write_container

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
TRAIN, TEST = block_taste(40, 30)
FAST = {"n_factors": 5, "max_iter": 3, "random_state": 0}


def fitted(kind):
    if kind == "ids":
        entries = TRAIN.tocoo()
        items = np.array([f"item {n}" for n in entries.col])
        return FMRecommender(solver="adam", **FAST).fit((100 + entries.row, items))
    if kind == "features":
        features = np.eye(5)[np.arange(30) % 5]
        return FMRecommender(early_stopping=True, **FAST).fit(TRAIN, item_features=features)
    if kind == "features alone":
        features = np.eye(5)[np.arange(30) % 5]
        return FMRecommender(item_identity=False, **FAST).fit(TRAIN, item_features=features)
    return FMRecommender(solver="ftrl", dtype="float64", **FAST).fit(TRAIN)


KINDS = ["matrix", "ids", "features", "features alone"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("optimizer_state", [False, True])
def test_recommenders_come_back(kind, mmap, optimizer_state, tmp_path):
    model = fitted(kind)
    save_model(model, tmp_path / "m", optimizer_state=optimizer_state)
    loaded = load_model(tmp_path / "m", mmap=mmap)
    for mine, theirs in zip(model.recommend(n=40), loaded.recommend(n=40), strict=True):
        assert np.array_equal(mine, theirs)
        assert mine.dtype == theirs.dtype
    assert np.array_equal(model.user_ids_, loaded.user_ids_)
    assert loaded.get_params() == model.get_params()
    assert loaded.history_ == model.history_
    history = [[loaded.item_ids_[0]]]
    assert np.array_equal(loaded.recommend(history=history)[0], model.recommend(history=history)[0])


def test_training_goes_on_as_if_never_saved(tmp_path):
    model = fitted("matrix")
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m", mmap=True)
    for each in (model, loaded):
        each.partial_fit(TEST)
    assert np.array_equal(model.item_vectors_, loaded.item_vectors_)


def test_rankers_come_back(tmp_path):
    rng = np.random.default_rng(0)
    X, y, qid = rng.normal(size=(60, 4)), rng.integers(0, 3, 60), np.arange(60) // 6
    model = FMRanker(**FAST).fit(X, y, qid=qid)
    save_model(model, tmp_path / "m")
    save_model(model, tmp_path / "small", optimizer_state=False)
    loaded, small = load_model(tmp_path / "m"), load_model(tmp_path / "small")
    assert np.array_equal(model.predict(X), loaded.predict(X))
    assert np.array_equal(model.predict(X), small.predict(X))
    assert (tmp_path / "small").stat().st_size < (tmp_path / "m").stat().st_size
    for each in (model, loaded):
        each.partial_fit(X, y, qid=qid)
    assert np.array_equal(model.predict(X), loaded.predict(X))
    small.partial_fit(X, y, qid=qid)


@pytest.mark.parametrize("place", range(20))
def test_contradictions_are_refused(place, tmp_path):
    """One array with other numbers: it is refused, or the model answers within its items."""
    model = fitted("features")
    save_model(model, tmp_path / "m")
    header, arrays = read_container(tmp_path / "m", mmap=False, verify=True)
    if place >= len(arrays):
        pytest.skip("there are fewer arrays")
    arrays = [np.array(array) for array in arrays]
    if arrays[place].dtype.kind in "iu":
        arrays[place].flat[-1] = 10_000
    else:
        arrays[place] = arrays[place][:-1]
    keys = {"estimator", "fastfm_cy", "parameters", "attributes"}
    write_container(tmp_path / "bad", {key: header[key] for key in keys}, arrays)
    with pytest.raises(ModelFileError):
        load_model(tmp_path / "bad")


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("v*_recommender.fm")), ids=lambda p: p.stem)
def test_golden_recommenders_are_read(path):
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    model = load_model(path)
    ids, scores = model.recommend(n=4)
    assert ids.tolist() == expected["ids"]
    finite = np.isfinite(scores)
    np.testing.assert_allclose(scores[finite], np.array(expected["scores"])[finite], rtol=1e-5)
    scores = model.recommend(item_features=expected["new_item"], n=1)[1]
    np.testing.assert_allclose(scores, expected["scores_of_new_item"], rtol=1e-5)
    table = list("abcd"), expected["table"]
    model.set_params(warm_start=True).fit((expected["users"], expected["items"]), None, table)
