"""The examples run, and show what they say."""

import runpy
import sys
from pathlib import Path

import pytest
from sklearn.metrics import root_mean_squared_error
from support.realdata import data_file

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_neighbour_index():
    pytest.importorskip("faiss")
    example = runpy.run_path(str(EXAMPLES / "neighbour_index.py"))
    assert example["main"](["--items", "2000", "--users", "200"]) > 0.95


def test_neighbour_index_without_faiss(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    example = runpy.run_path(str(EXAMPLES / "neighbour_index.py"))
    with pytest.raises(SystemExit, match="needs faiss"):
        example["main"](["--items", "50", "--users", "10"])


@pytest.mark.realdata
def test_movie_tables(capsys):
    example = runpy.run_path(str(EXAMPLES / "movie_tables.py"))
    folder = data_file("ml-100k")
    tables = example["read_tables"](folder, "u3")
    side_features = {"film": True, "user": True}
    for blocks, bound in (
        (side_features, 0.886),
        (side_features | {"time": True, "history": True}, 0.876),
    ):
        X, X_test, fields = example["design"](tables, **blocks)
        model = example["machines"](fields, 200)[2].set_params(random_state=0)
        predicted = model.fit(X, tables.train["rating"]).predict(X_test)
        assert root_mean_squared_error(tables.test["rating"], predicted) < bound
    for step in list(example["STEPS"])[1:]:
        example["STEPS"].pop(step)
    errors = example["main"](["--data", str(folder), "--sweeps", "60"])
    assert all(error < 0.95 for error in errors["ids"])
    assert "Bayesian FM" in capsys.readouterr().out
