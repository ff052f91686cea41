"""The examples that need no shared data run, and show what they say."""

import runpy
import sys
from pathlib import Path

import pytest

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
