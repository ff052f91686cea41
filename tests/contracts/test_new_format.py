"""A new format is one row in a registry: docs/extending/format.md, followed to the letter."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.files import assert_same_dataset
from typer.testing import CliRunner

from fastfm_cy.cli.app import app
from fastfm_cy.io import (
    Dataset,
    convert,
    detect_format,
    load_model,
    open_dataset,
    read,
    read_libsvm,
    write_libsvm,
)
from fastfm_cy.io.data_files.formats import DATA_FORMATS
from fastfm_cy.io.model_files.formats import MODEL_FORMATS, ModelFormat, model_format_of
from fastfm_cy.io.model_files.weights import Weights, estimator_of, weights_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending" / "format.md"


@pytest.fixture
def page(monkeypatch):
    """The page's code has run: there are two formats more."""
    before = dict(DATA_FORMATS)
    names = {}
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(code, PAGE.name, "exec"), names)
    yield names
    DATA_FORMATS.clear()
    DATA_FORMATS.update(before)


@pytest.fixture
def dataset(tmp_path):
    rng = np.random.default_rng(0)
    X = np.round(rng.random((60, 5)) * (rng.random((60, 5)) < 0.6), 3).astype(np.float32)
    write_libsvm(tmp_path / "rows.svm", X, X.sum(axis=1).round(2))
    return replace(read_libsvm(tmp_path / "rows.svm", n_features=5), format=None)


@pytest.mark.parametrize("name", ["npz", "tilde"])
def test_in_python(page, dataset, tmp_path, name):
    path = tmp_path / f"rows.{name}"
    DATA_FORMATS[name].write(path, dataset)
    elsewhere = path.rename(tmp_path / "without suffix")
    for source in (elsewhere, [str(elsewhere)]):
        assert detect_format(elsewhere) == name
        assert_same_dataset(read(source), dataset)
    assert_same_dataset(read(elsewhere, format=name), dataset)
    assert read(elsewhere).format == name
    assert_same_dataset(convert(elsewhere, tmp_path / "disk"), dataset)
    with pytest.raises(TypeError, match=f"zero_based is for libsvm, libffm; the data are {name}"):
        read(elsewhere, zero_based=True)


def test_in_pieces(page, dataset, tmp_path):
    """A reader of pieces is used where not all rows should be in memory."""
    path, calls = tmp_path / "rows.npz", []

    def pieces(path):
        whole = page["read_npz"](path)
        for rows in (slice(0, 7), slice(7, 8), slice(8, 60)):
            calls.append(rows)
            yield Dataset(whole.X[rows], whole.y[rows])

    DATA_FORMATS["npz"] = replace(DATA_FORMATS["npz"], pieces=pieces)
    DATA_FORMATS["npz"].write(path, dataset)
    assert_same_dataset(convert(path, tmp_path / "disk"), dataset)
    assert len(calls) == 3


@pytest.mark.parametrize("name", ["npz", "tilde"])
def test_on_the_command_line(page, dataset, tmp_path, name):
    def run(*arguments, exit_code=0):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == exit_code, result.stderr
        return result.stdout if exit_code == 0 else result.stderr

    rows, model = tmp_path / f"rows.{name}", tmp_path / "m.fm"
    run("convert", tmp_path / "rows.svm", rows)
    assert_same_dataset(read(rows), dataset)
    run("convert", rows, tmp_path / "again.csv")
    run("convert", rows, tmp_path / "folder")
    assert_same_dataset(open_dataset(tmp_path / "folder"), dataset)
    assert "60" in run("inspect", rows)
    run("fit", rows, "-m", model, "--valid", rows, "--max-iter", 2)
    assert len(run("predict", model, rows, "--format", name).splitlines()) == 60
    assert "rmse" in run("evaluate", model, rows)
    run("cv", rows, "--folds", 2, "--max-iter", 1)
    message = run("fit", rows, "-m", model, "--n-hash", 9, exit_code=1)
    assert f"the data are {name}" in message
    before = rows.read_bytes()
    assert "no folder" in run("convert", rows, tmp_path / "no" / rows.name, exit_code=1)
    assert rows.read_bytes() == before


def test_a_format_of_models(monkeypatch, dataset, tmp_path):
    def write(model, path):
        weights = weights_of(model, "A toy model")
        np.savetxt(path, [weights.intercept, *weights.coef], header="toy")

    def read_toy(path, task):
        intercept, *coef = np.loadtxt(path)
        weights = Weights(intercept, np.array(coef), np.zeros((len(coef), 0)))
        return estimator_of(task, weights, classes=(0, 1), y_range=None)

    row = ModelFormat(
        "toy_model", "Toy", lambda beginning, n_bytes: beginning.startswith(b"# toy"), read_toy,
        write, needs_task=True,
    )  # fmt: skip
    monkeypatch.setitem(MODEL_FORMATS, row.name, row)

    def run(*arguments, exit_code=0):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == exit_code, result.stderr
        return result.stdout if exit_code == 0 else result.stderr

    data, model, toy = tmp_path / "rows.svm", tmp_path / "m.fm", tmp_path / "toy"
    options = "-k", 0, "--max-iter", 2, "--set", "clip_predictions=false"
    run("fit", data, "-m", model, *options)
    run("convert", model, toy, "--to", "toy_model")
    assert model_format_of(toy) is row
    assert run("predict", toy, data, "--task", "regression") == run("predict", model, data)
    assert "a model of Toy, which does not tell its task" in run("predict", toy, data, exit_code=1)
    assert "FMRegressor" in run("inspect", toy)
    assert "is a model of Toy, not data" in run("predict", model, toy, exit_code=1)
    run("convert", toy, tmp_path / "again.fm", "--task", "regression")
    np.testing.assert_array_equal(load_model(tmp_path / "again.fm").coef_, load_model(model).coef_)
