"""inspect and explain: what they say of models, and the pictures that they draw."""

import numpy as np
import pytest
from scipy import sparse

from fastfm_cy import FFMClassifier, FMClassifier, FMRegressor, inspection
from fastfm_cy.cli.commands import inspect as inspect_command
from fastfm_cy.io import read_libffm, read_libsvm, save_model, write_csv, write_libffm


@pytest.fixture
def clicks_model(files, clicks):
    """A field-aware model with fields beside its data, and the names of its files."""
    X = clicks.X
    fields = sparse.csr_array((clicks.fields[X.indices], X.indices, X.indptr), X.shape)
    write_libffm(files / "c.ffm", X, clicks.y, fields)
    data = read_libffm(files / "c.ffm")
    model = FFMClassifier(2, max_iter=2, random_state=0)
    model.fit(data.X, data.y, fields=data.fields)
    save_model(model, files / "f.fm")
    return model, data


def saved(model, files, data="ratings"):
    X, y = read_libsvm(files / f"{data}.libsvm")
    save_model(model.fit(X, y), files / "m.fm")
    return X


def without_event(rows):
    return [{name: v for name, v in row.items() if name != "event"} for row in rows]


def test_interactions_of_a_model(lines, files):
    model = FMRegressor(3, max_iter=2, random_state=0)
    X = saved(model, files)
    found = lines("inspect", files / "m.fm", "--top", 3)
    names = np.arange(X.shape[1])
    expected = list(inspection.top_interactions(model, 3, names=names).rows())
    assert without_event(found["strongest interactions"]) == expected
    names = [f"feature {i}" for i in range(X.shape[1])]
    (files / "names.txt").write_text("\n".join(names), encoding="utf-8")
    found = lines(
        "inspect", files / "m.fm", "--top", 3, "--data", files / "ratings.libsvm",
        "--names", files / "names.txt",
    )  # fmt: skip
    expected = list(inspection.top_interactions(model, 3, X=X, names=names).rows())
    assert without_event(found["strongest interactions"]) == expected
    assert next(iter(found["largest weights"][0].items()))[0] == "event"
    assert all(name in ("event", *names) for name in found["largest weights"][0])


def test_interactions_of_fields(lines, run, files, clicks_model):
    model, data = clicks_model
    found = lines("inspect", files / "f.fm", "--data", files / "c.ffm", "--top", 4)
    expected = inspection.field_interactions(model, X=data.X, fields=data.fields).head(4)
    assert without_event(found["interactions of fields"]) == list(expected.rows())
    result = run("inspect", files / "f.fm")
    assert result.exit_code == 0
    assert "give --data" in result.stderr


def test_many_features_want_rows(run, files, monkeypatch):
    saved(FMRegressor(3, max_iter=1), files)
    monkeypatch.setattr(inspect_command, "_MOST", 10)
    assert "give --data" in run("inspect", files / "m.fm").stderr
    result = run("inspect", files / "m.fm", "--data", files / "ratings.libsvm")
    assert "importance" in result.stdout


def test_explain(lines, run, files):
    model = FMClassifier(3, max_iter=2, random_state=0)
    X = saved(model, files, "clicks")
    found = lines("explain", files / "m.fm", files / "clicks.libsvm", "--row", 7, "--top", 2)
    expected = inspection.explain(model, X, 7, names=np.arange(X.shape[1]))
    facts = found["score"][0]
    assert facts["score"] == expected.score
    assert facts["of_class"] == 1
    assert facts["bias"] + facts["linear_terms"] + facts["pairs"] == pytest.approx(facts["score"])
    assert without_event(found["features"]) == list(expected.features.head(2).rows())
    assert without_event(found["interactions"]) == list(expected.pairs.head(2).rows())
    assert "prediction" in run("explain", files / "m.fm", files / "clicks.libsvm").stdout
    result = run("explain", files / "m.fm", files / "clicks.libsvm", "--row", 2000)
    assert result.exit_code == 1
    assert "2000 rows; there is no row 2000" in result.stderr


def test_explain_with_fields(lines, files, clicks_model):
    model, data = clicks_model
    found = lines("explain", files / "f.fm", files / "c.ffm", "--row", 3)
    expected = inspection.explain(model, data.X, 3, fields=data.fields)
    assert found["score"][0]["score"] == expected.score


def test_names_of_a_table(lines, files):
    rng = np.random.default_rng(0)
    X, y = rng.random((50, 3)), rng.random(50)
    write_csv(files / "t.csv", X, y, feature_names=["age", "height", "weight"])
    save_model(FMRegressor(2, max_iter=2).fit(X, y), files / "m.fm")
    found = lines("explain", files / "m.fm", files / "t.csv", "--target", 0)
    assert {row["feature"] for row in found["features"]} == {"age", "height", "weight"}


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_pictures(run, files, clicks_model, suffix):
    saved(FMRegressor(3, max_iter=2), files)
    for command in (
        ("inspect", "m.fm", "--plot"), ("inspect", "f.fm", "--data", "c.ffm", "--plot"),
        ("explain", "m.fm", "ratings.libsvm", "--plot"),
    ):  # fmt: skip
        picture = files / f"p.{suffix}"
        arguments = [files / word if "." in word else word for word in command]
        result = run(*arguments, picture)
        assert result.exit_code == 0, result.stderr
        start = picture.read_bytes()[:200]
        assert b"PNG" in start if suffix == "png" else b"svg" in start
        picture.unlink()


def test_wrong_options(run, files):
    saved(FMRegressor(3, max_iter=1), files)
    for arguments, message in (
        (("inspect", files / "ratings.libsvm", "--plot", files / "p.png"), "--plot is for models"),
        (("inspect", files / "m.fm", "--plot", files / "p.xyz"), "pictures can be"),
        (("inspect", files / "m.fm", "--plot", files / "gone" / "p.png"), "no folder"),
        (("inspect", files / "m.fm", "--names", files / "clicks.libsvm"), "a name a feature"),
        (("explain", files / "m.fm", files / "gone"), "No such file"),
        (("explain", files / "ratings.libsvm", files / "ratings.libsvm"), "no model file"),
    ):
        result = run(*arguments)
        assert result.exit_code == 1, arguments
        assert message in result.stderr, arguments
