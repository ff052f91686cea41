"""Docstrings: the examples of everything that users import run as they stand."""

import doctest
import inspect

import pytest
from numpydoc.validate import validate

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


# What numpydoc's checker asks for and these docstrings do not have, and why.
IGNORED = {
    "SA01": "what belongs together stands together in the reference",
    "ES01": "a summary that says all needs no more",
    "EX01": "methods are shown in the example of their class; the guide shows the rest",
    "PR07": "a name and a type may say all: X, y, ax",
    "RT03": "so may the type of what is returned",
    "GL02": "where the quotes of longer docstrings stand is the formatter's",
    "SS02": "names of libraries, parameters and formulas keep their case",
    "SS05": "nouns such as clicks are taken for verbs in the third person",
}
# Made by functions: what they have stands under Attributes. The last has scikit-learn's parameters.
WITHOUT_PARAMETERS = (
    "Ratings", "ParseError", "Embeddings", "Explanation", "Dataset", "DiskDataset", "Relation",
    "FieldColumnTransformer",
)  # fmt: skip


def documented_names():
    """What the reference shows: the public names, and what these have with a docstring."""
    for name, value in public_objects():
        if value.__module__.partition(".")[0] != "fastfm_cy":
            continue
        yield name
        for member, found in inspect.getmembers(value) if inspect.isclass(value) else ():
            function = found.fget if isinstance(found, property) else found
            module = getattr(inspect.unwrap(function), "__module__", None) or ""
            is_ours = callable(function) and module.startswith("fastfm_cy.")
            if is_ours and not member.startswith("_") and inspect.getdoc(found):
                yield f"{name}.{member}"


@pytest.mark.parametrize("name", sorted(set(documented_names())))
def test_docstrings_are_numpydocs(name):
    errors = dict(validate(name)["errors"])
    for code in IGNORED:
        errors.pop(code, None)
    if name.rpartition(".")[2] in WITHOUT_PARAMETERS:
        errors.pop("PR01", None)
    assert not errors


@pytest.mark.parametrize("name", inspection.__all__)
def test_inspection_has_an_example_of_everything(name):
    value = getattr(inspection, name)
    made_by_a_function = name in ("Embeddings", "Explanation")
    assert made_by_a_function or ">>> " in value.__doc__
