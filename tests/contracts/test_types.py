"""Types: what must be annotated is, and the stubs say what the compiled kernels take.

mypy itself runs beside the tests; pyproject.toml has its configuration.
"""

import ast
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import fastfm_cy
from fastfm_cy import datasets, io
from fastfm_cy.estimators.registry import ESTIMATORS
from fastfm_cy.kernels import dispatch, interfaces

PACKAGE = Path(fastfm_cy.__file__).parent
KERNELS = PACKAGE / "kernels"
ANNOTATED = ("data", "model", "training", "utils", "exceptions.py", "show_config.py")
STUBS = sorted(KERNELS.rglob("*.pyi"))
DISPATCHED = {
    "fm": interfaces.PlainKernels,
    "higher_order": interfaces.PlainKernels,
    "ffm": interfaces.GradientKernels,
    "fwfm": interfaces.GradientKernels,
    "coordinate": interfaces.CoordinateKernels,
}


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def sources(*names):
    for name in names:
        path = PACKAGE / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def unannotated(function):
    """What of a function's signature lacks a type."""
    args = function.args
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    lacking = [a.arg for a in named if a and a.annotation is None and a.arg not in ("self", "cls")]
    return lacking + ["return"] * (function.returns is None)


def test_every_function_is_annotated():
    lacking = [
        f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}: {', '.join(names)}"
        for path in sources(*ANNOTATED)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef) and (names := unannotated(node))
    ]
    assert not lacking


def public_functions():
    for module in (fastfm_cy, io, datasets):
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value):
                yield f"{module.__name__}.{name}", value
    for name, entry in ESTIMATORS.items():
        own = [cls for cls in entry.estimator.__mro__ if is_ours(cls)]
        for attribute in sorted({"__init__", *(key for cls in own for key in vars(cls))}):
            if attribute.startswith("_") and attribute != "__init__":
                continue
            holder = next((cls for cls in entry.estimator.__mro__ if attribute in vars(cls)), None)
            value = vars(holder)[attribute]
            value = getattr(value, "fget", getattr(value, "fn", value))  # of available_if
            if is_ours(holder) and inspect.isfunction(value):
                yield f"{name}.{attribute}", value


def is_ours(cls):
    return cls.__module__.startswith("fastfm_cy")


@pytest.mark.parametrize(("name", "function"), list(public_functions()))
def test_what_users_call_is_annotated(name, function):
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    assert {*names, "return"} <= set(function.__annotations__)


def stub_of(*parts):
    """Functions, classes and constants that the stub of a kernel module names."""
    path = KERNELS.joinpath(*parts).with_suffix(".pyi")
    assert path.exists(), f"{path.relative_to(PACKAGE)} is missing"
    found = {}
    for node in parsed(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.AnnAssign):
            found[node.target.id] = node
    return found


def is_compiled(parts):
    """Whether kernels has a compiled module of that name; once installed, there is no source."""
    folder = KERNELS.joinpath(*parts[:-1])
    return any(path.suffix in (".so", ".pyd") for path in folder.glob(f"{parts[-1]}.*"))


def uses_of_kernels(tree):
    """(parts of a compiled module's name, a name that is taken from it) of a Python file."""
    modules = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or "kernels" not in (node.module or "").split("."):
            continue
        parts = tuple(node.module.split("."))
        parts = parts[parts.index("kernels") + 1 :]
        for alias in node.names:
            inner = (*parts, alias.name)
            if is_compiled(inner):
                modules[alias.asname or alias.name] = inner
            elif parts and is_compiled(parts):
                yield parts, alias.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) in modules:
            yield modules[node.value.id], node.attr


def test_what_python_takes_from_kernels_has_a_stub():
    found = {use for path in sources(".") for use in uses_of_kernels(parsed(path))}
    assert (("matrix", "scan"), "scan") in found  # the search itself works
    assert (("gradient", "replicas"), "merge") in found
    for parts, name in sorted(found):
        assert name in stub_of(*parts), f"kernels/{'/'.join(parts)}.pyi does not name {name}"


def parameters_of_stub(function):
    args = function.args
    return [arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)]


@pytest.mark.parametrize("path", STUBS, ids=lambda path: path.stem)
def test_stubs_say_what_kernels_take(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    module = import_module(".".join(("fastfm_cy", *parts)))
    for name, node in stub_of(*parts[1:]).items():
        value = getattr(module, name)
        if isinstance(node, ast.FunctionDef):
            assert list(inspect.signature(value).parameters) == parameters_of_stub(node), name
        elif isinstance(node, ast.ClassDef):
            check_class(value, node)


def check_class(cls, node):
    for part in node.body:
        if isinstance(part, ast.Assign):  # of an enumeration
            assert cls[part.targets[0].id] == part.value.value
        elif isinstance(part, ast.FunctionDef) and part.name != "__init__":
            value = getattr(cls, part.name)
            if not part.decorator_list:
                expected = list(inspect.signature(value).parameters)
                assert parameters_of_stub(part) == expected, part.name


@pytest.mark.parametrize("build", dispatch.available_builds())
@pytest.mark.parametrize("family", DISPATCHED)
def test_interfaces_say_what_dispatched_kernels_take(build, family):
    module, protocol = dispatch.load(build, family), DISPATCHED[family]
    names = {name for cls in protocol.__mro__ if is_ours(cls) for name in own_names(cls)}
    compiled = {name for name in vars(module) if not name.startswith("_")} - {"np"}
    assert compiled == names
    for name in names:
        expected = getattr(protocol, name, None)
        if inspect.isfunction(expected):
            parameters = list(inspect.signature(expected).parameters)[1:]
            assert list(inspect.signature(getattr(module, name)).parameters) == parameters, name


def own_names(cls):
    names = {*vars(cls), *vars(cls).get("__annotations__", {})}
    return {name for name in names if not name.startswith("_")}


def test_the_package_says_that_it_has_types():
    assert (PACKAGE / "py.typed").exists()
