"""The layout: imports point down and never in a circle, files and functions stay short.

docs/design.md describes the floors. Imports are read from the sources, Cython's too.
"""

import ast
import re
from pathlib import Path

import pytest

import fastfm_cy
from fastfm_cy.estimators.registry import ESTIMATORS
from fastfm_cy.model.losses import LOSSES
from fastfm_cy.training.solvers import ALL_SOLVERS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "fastfm_cy"

FLOORS = {
    "exceptions": 1, "utils": 1, "kernels": 1,
    "show_config": 2, "data": 2,
    "datasets": 3, "preprocessing": 3, "model": 3,
    "training": 4, "metrics": 4,
    "estimators": 5,
    "io": 6,
    "inspection": 7, "dask": 7,
    "cli": 8,
}  # fmt: skip
KERNEL_FLOORS = {
    "common": 1, "matrix": 2, "text": 2, "gradient": 2, "coordinate": 2, "ranking": 3,
    "whole_data": 3,
    "baseline": 4, "avx2": 4,
}  # fmt: skip
LONGEST_FILE, LONGEST_FUNCTION = 400, 60


def python_files():
    return sorted(PACKAGE.rglob("*.py"))


def module_of(path):
    parts = ("fastfm_cy", *path.relative_to(PACKAGE).with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" else parts


def absolute(path, level, module):
    """The parts of an imported module's name."""
    package = module_of(path) if path.name == "__init__.py" else module_of(path)[:-1]
    base = package[: len(package) - level + 1] if level else ()
    return (*base, *(module.split(".") if module else ()))


def imports_of(path):
    """Modules of the package that a Python file imports, as tuples of names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            target = absolute(path, node.level, node.module)
            for name in node.names:
                inner = PACKAGE.joinpath(*target[1:], name.name)
                is_module = inner.with_suffix(".py").exists() or inner.is_dir()
                found.add((*target, name.name) if is_module else target)
        elif isinstance(node, ast.Import):
            found |= {tuple(name.name.split(".")) for name in node.names}
    return {target for target in found if target[0] == "fastfm_cy"}


def test_imports_point_down():
    upward = []
    for path in python_files():
        here = module_of(path)
        for target in imports_of(path):
            if len(here) > 1 and len(target) > 1 and here[1] != target[1]:
                assert here[1] in FLOORS, f"{path} is in a folder that FLOORS does not know"
                if FLOORS[target[1]] >= FLOORS[here[1]]:
                    upward.append(f"{'.'.join(here)} imports {'.'.join(target)}")
    assert not upward


def test_no_imports_in_a_circle():
    graph = {module_of(path): imports_of(path) for path in python_files() if path.parent != PACKAGE}
    done, under_way = set(), []

    def visit(module):
        assert module not in under_way, [".".join(name) for name in (*under_way, module)]
        if module in done or module not in graph:
            return
        under_way.append(module)
        for target in graph[module] - {module}:
            visit(target)
        under_way.pop()
        done.add(module)

    for module in graph:
        visit(module)
    assert done == set(graph)


def test_kernels_import_down():
    for path in PACKAGE.joinpath("kernels").rglob("*.p[yx][xdi]"):
        here = path.relative_to(PACKAGE / "kernels").parts[0]
        for line in path.read_text().splitlines():
            match = re.match(r"from \.(\.\w+)?", line)
            if match and match[1]:
                target = match[1].removeprefix(".")
                # What is included is compiled in baseline/ and avx2/, and names its own folder.
                assert target == here or KERNEL_FLOORS[target] < KERNEL_FLOORS[here], (path, line)


def test_nothing_below_the_estimators_takes_one():
    for folder in ("utils", "data", "model", "training"):
        for path in PACKAGE.joinpath(folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.arg):
                    assert node.arg != "estimator", (path, node.lineno)


@pytest.mark.parametrize("entry", ESTIMATORS.values(), ids=ESTIMATORS)
def test_estimators_are_shallow_and_have_one_public_path(entry):
    cls = entry.estimator
    own = [base for base in cls.__mro__ if base.__module__.startswith("fastfm_cy")]
    assert len(own) <= 4
    assert cls.__module__ == "fastfm_cy"
    assert getattr(fastfm_cy, cls.__name__) is cls


def test_names_decide_nothing_outside_their_registries():
    """No `if loss == "hinge"`, no `solver in ("sgd", ...)`: a row of the registry says it."""
    names = {name for losses in LOSSES.values() for name in losses} | set(ALL_SOLVERS)
    names |= {entry.family for entry in ESTIMATORS.values()}
    found = []
    for folder in ("data", "model", "training", "estimators", "io"):
        for path in PACKAGE.joinpath(folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Compare):
                    continue
                constants = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
                if constants & names:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not found


def test_files_fit():
    long = {
        str(path.relative_to(ROOT)): length
        for path in python_files()
        if (length := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert not long


def length_of(function):
    """Lines from the first to the last, without the docstring."""
    first = function.body[0]
    has_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = first.end_lineno - first.lineno + 1 if has_docstring else 0
    return function.end_lineno - function.lineno + 1 - docstring


def test_functions_fit_on_a_screen():
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length_of(node)} lines"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and length_of(node) > LONGEST_FUNCTION
    ]
    assert not long


def test_packages_speak_for_themselves():
    """Every folder has a line on what it holds, and every module begins with one."""
    for path in python_files():
        text = path.read_text()
        assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
