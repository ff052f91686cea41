"""Docstrings: the examples of everything that users import run as they stand."""

import doctest
import inspect

import pytest

import fastfm_cy
from fastfm_cy import datasets, exceptions, inspection, io, metrics, preprocessing

MODULES = (fastfm_cy, datasets, exceptions, inspection, io, metrics, preprocessing)


def public_objects():
    """By their names: what the packages for users export."""
    for module in MODULES:
        for name in getattr(module, "__all__", vars(module)):
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                yield f"{module.__name__}.{name}", value


def examples():
    finder = doctest.DocTestFinder(recurse=False)
    for name, value in public_objects():
        for test in finder.find(value, name, globs={}):
            if test.examples:
                yield pytest.param(test, id=name)


@pytest.mark.parametrize("test", list(examples()))
def test_examples_of_docstrings_run(test, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "Display" in test.name:
        pytest.importorskip("matplotlib").use("Agg")
    report = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("name", inspection.__all__)
def test_inspection_has_an_example_of_everything(name):
    value = getattr(inspection, name)
    made_by_a_function = name in ("Embeddings", "Explanation")
    assert made_by_a_function or ">>> " in value.__doc__
