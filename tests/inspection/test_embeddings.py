"""Embeddings, their files, neighbours, and learning curves."""

import csv

import numpy as np
import pytest
from support.machines import BAYESIAN, FIELDS, MACHINES, N_FEATURES, machine

from fastfm_cy import FMClassifier, FMRegressor
from fastfm_cy.inspection import Embeddings, embeddings, learning_curve_frame, nearest
from fastfm_cy.preprocessing import FieldEncoder


def test_they_are_the_factors():
    model, _ = machine("regressor")
    found = embeddings(model)
    np.testing.assert_array_equal(found.vectors, model.factors_)
    assert found.names.tolist() == [f"x{i}" for i in range(N_FEATURES)]
    assert found.fields is None
    by_order, _ = machine("degree 3")
    for order in (2, 3):
        vectors = embeddings(by_order, order=order).vectors
        np.testing.assert_array_equal(vectors, by_order.factors_[order - 2])
    several, _ = machine("three classes")
    np.testing.assert_array_equal(embeddings(several, class_=2).vectors, several.factors_[2])
    sparse, _ = machine("sparse")
    assert embeddings(sparse).names.tolist() == [f"x{i}" for i in (0, 2, 3, 4, 6, 7, 8)]


def test_of_fields():
    ffm, _ = machine("ffm")
    found = embeddings(ffm)
    np.testing.assert_array_equal(found.vectors, ffm.factors_.reshape(N_FEATURES, -1))
    toward = embeddings(ffm, field=2, toward=1)
    np.testing.assert_array_equal(toward.vectors, ffm.factors_[FIELDS == 2, 1])
    assert set(toward.fields) == {"2"}
    plain, _ = machine("regressor")
    found = embeddings(plain, fields=np.array(["a", "b", "c"])[FIELDS], field="c")
    np.testing.assert_array_equal(found.vectors, plain.factors_[FIELDS == 2])


@pytest.mark.parametrize("kind", BAYESIAN)
def test_draws_are_turned_onto_each_other(kind):
    model, _ = machine(kind)
    samples = model._samples
    found = embeddings(model)
    rng = np.random.default_rng(0)
    turns = [np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in samples.factors]
    last = turns[-1]
    samples.factors[...] = [v @ turn for v, turn in zip(samples.factors, turns, strict=True)]
    again = embeddings(model)
    np.testing.assert_allclose(again.vectors, found.vectors @ last, atol=1e-4)
    assert (again.std >= 0).all()
    samples.factors[...] = [samples.factors[-1] @ turn for turn in turns]
    same = embeddings(model)
    np.testing.assert_allclose(same.std, 0, atol=1e-5)


def test_files(tmp_path):
    names = np.array(["a b", "ü,1", ""], dtype=object)
    vectors = np.random.default_rng(0).normal(size=(3, 2))
    found = Embeddings(names, vectors, np.abs(vectors), np.array(["f", "g", "g"], dtype=object))
    for suffix in (".npz", ".csv", ".txt", ".vec"):
        found.save(tmp_path / f"e{suffix}")
    with np.load(tmp_path / "e.npz") as arrays:
        assert arrays["names"].tolist() == names.tolist()
        np.testing.assert_array_equal(arrays["vectors"], vectors)
        np.testing.assert_array_equal(arrays["std"], np.abs(vectors))
        assert arrays["fields"].tolist() == ["f", "g", "g"]
    with open(tmp_path / "e.csv", newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head == ["feature", "field", "v0", "v1", "std0", "std1"]
    assert [row[0] for row in rows] == names.tolist()
    np.testing.assert_array_equal([[float(row[2]), float(row[3])] for row in rows], vectors)
    first, *lines = (tmp_path / "e.txt").read_text(encoding="utf-8").splitlines()
    assert first == "3 2"
    assert [line.split(" ")[0] for line in lines] == ["a_b", "ü,1", "_"]
    numbers = [[float(number) for number in line.split(" ")[1:]] for line in lines]
    np.testing.assert_allclose(numbers, vectors, rtol=1e-8)
    with pytest.raises(ValueError, match=r"Name a file \*.npz"):
        found.save(tmp_path / "e.json")
    with pytest.raises(FileNotFoundError):
        found.save(tmp_path / "none" / "e.csv")
    assert not (tmp_path / "e.json").exists()


@pytest.mark.parametrize("kind", [*MACHINES, *BAYESIAN])
def test_neighbours(kind):
    model, fields = machine(kind)
    for measure in ("cosine", "weight"):
        table = nearest(model, 4, 3, measure=measure)
        assert (np.diff(table[measure]) <= 0).all()
        assert "x4" not in table["feature"]
    if fields is not None:
        assert nearest(model, 4)["feature"].tolist() == ["x3"]
        others = {"x0", "x1", "x2"} & set(embeddings(model).names)
        assert set(nearest(model, 4, field=0)["feature"]) == others


def test_neighbours_by_definition():
    model, _ = machine("regressor")
    v = model.factors_.astype(float)
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    others = [i for i in range(N_FEATURES) if i != 4]
    for measure, expected in (("cosine", unit @ unit[4]), ("weight", v @ v[4])):
        table = nearest(model, "x4", 20, measure=measure)
        order = sorted(others, key=lambda i: -expected[i])
        assert table["feature"].tolist() == [f"x{i}" for i in order]
        np.testing.assert_allclose(table[measure], expected[order])
    same = nearest(model, 4, fields=FIELDS, field=2)
    assert set(same["feature"]) == {"x5", "x6", "x7", "x8"}
    bayes, _ = machine("bayes")
    v = bayes._samples.factors.astype(float)
    v = v / np.linalg.norm(v, axis=2, keepdims=True)
    table = nearest(bayes, 4, 1, level=0.8)
    draws = np.einsum("dk,dk->d", v[:, 4], v[:, int(table["feature"][0][1:])])
    assert table["cosine"][0] == pytest.approx(draws.mean())
    assert table["low"][0] == pytest.approx(np.quantile(draws, 0.1))


def test_names_of_features():
    films = {"user": ["a", "b", "c", "a"], "film": ["x", "y", "z", "z"]}
    encoder = FieldEncoder()
    X = encoder.fit_transform(films)
    model = FMRegressor(2, max_iter=2, random_state=0).fit(X, [1.0, 2, 3, 4])
    assert set(nearest(model, "film=x", names=encoder)["feature"]) == {"film=y", "film=z"}
    assert set(nearest(model, "film=x", field="user", measure="weight", names=encoder)[
        "feature"]) == {"user=a", "user=b", "user=c"}  # fmt: skip
    assert embeddings(model, field="film", names=encoder).names.tolist() == [
        "film=x", "film=y", "film=z"
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no feature 'film=q'"):
        nearest(model, "film=q", names=encoder)
    with pytest.raises(ValueError, match=r"no field 'genre'; the fields are user, film"):
        embeddings(model, field="genre", names=encoder)


def test_wrong_arguments(clicks):
    model, _ = machine("regressor")
    ffm, _ = machine("ffm")
    for function, message in (
        (lambda: embeddings(model, order=3), "interactions of order 2; got order=3"),
        (lambda: embeddings(model, toward=1), "leave out toward="),
        (lambda: embeddings(ffm, toward=7), "no field 7"),
        (lambda: embeddings(model, class_=1), "no vectors of its own"),
        (lambda: embeddings(model, field=1), "give fields="),
        (lambda: nearest(model, 99), "must lie below 9"),
        (lambda: nearest(model, 1, measure="dot"), "measure must be one of"),
        (lambda: nearest(model, 1, field=0), "give fields="),
    ):
        with pytest.raises(ValueError, match=message):
            function()
    hashed = FMClassifier(2, n_hash=7, max_iter=1).fit(clicks.X, clicks.y)
    with pytest.raises(ValueError, match="hashed"):
        nearest(hashed, 1)
    assert len(embeddings(hashed)) == 7


def test_learning_curves(ratings):
    model = FMRegressor(4, early_stopping=True, max_iter=8, random_state=0)
    model.fit(ratings.X, ratings.y)
    table = learning_curve_frame(model)
    assert table["epoch"].tolist() == list(range(1, model.n_iter_ + 1))
    assert table["epoch"][table["is_best"]].tolist() == [model.best_iter_]
    np.testing.assert_array_equal(table["validation_loss"], model.history_["validation_loss"])
    np.testing.assert_allclose(table["total_seconds"], np.cumsum(model.history_["seconds"]))
    late = learning_curve_frame({"train_loss": [3.0, 2, 1], "validation_loss": [1.0]})
    np.testing.assert_array_equal(late["validation_loss"], [np.nan, np.nan, 1.0])
    assert learning_curve_frame({}).n_rows == 0
    with pytest.raises(TypeError, match="dict of lists or a fitted estimator"):
        learning_curve_frame(3)
