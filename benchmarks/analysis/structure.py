"""Structure of the package: files, floors and arrows of its imports, and the course of one fit.

    python -m benchmarks.analysis.structure [PACKAGE_FOLDER]

Imports are read from the Python sources. A floor is one more than the highest floor that a file
imports; an arrow is an import from one file (or folder) of another. The course of a fit counts the
calls that cross from one file of the package to another, by sys.setprofile.
"""

import ast
import sys
from pathlib import Path

import numpy as np
from scipy import sparse

import fastfm_cy
from fastfm_cy import FFMClassifier, FMClassifier


def imports(package):
    """For each module, the modules of the package that it imports."""
    files = {path: _module(path, package) for path in sorted(package.rglob("*.py"))}
    known = set(files.values())
    graph = {}
    for path, module in files.items():
        own = module if path.name == "__init__.py" else module[:-1]
        found = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = own[: len(own) - node.level + 1]
                target = (*base, *(node.module.split(".") if node.module else ()))
                found |= {
                    (*target, name.name) if (*target, name.name) in known else target
                    for name in node.names
                }
        graph[module] = (found & known) - {module}
    return graph


def _module(path, package):
    parts = (package.name, *path.relative_to(package).with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" else parts


def floors(graph):
    """The number of floors; imports in a circle count once."""
    height, under_way = {}, set()

    def visit(module):
        if module in height or module in under_way:
            return height.get(module, 0)
        under_way.add(module)
        height[module] = 1 + max((visit(target) for target in graph[module]), default=0)
        under_way.discard(module)
        return height[module]

    return max(map(visit, graph))


def crossings(fit, package):
    """(calls into the package, calls from one of its files to another, files) of one call."""
    calls, crossed, seen, root = 0, 0, set(), str(package)

    def profile(frame, event, argument):
        nonlocal calls, crossed
        if event != "call" or not frame.f_code.co_filename.startswith(root):
            return
        calls += 1
        seen.add(frame.f_code.co_filename)
        caller = frame.f_back
        while caller and not caller.f_code.co_filename.startswith(root):
            caller = caller.f_back
        if caller and caller.f_code.co_filename != frame.f_code.co_filename:
            crossed += 1

    sys.setprofile(profile)
    try:
        fit()
    finally:
        sys.setprofile(None)
    return calls, crossed, len(seen)


def main():
    package = Path(sys.argv[1] if len(sys.argv) > 1 else fastfm_cy.__file__).resolve()
    package = package if package.is_dir() else package.parent
    graph = imports(package)
    in_root = sum(len(module) == 2 for module in graph)
    arrows = sum(map(len, graph.values()))
    rooms = {(a[1:2], b[1:2]) for a, targets in graph.items() for b in targets if a[1:2] != b[1:2]}
    longest = max(package.rglob("*.py"), key=lambda path: len(path.read_text().splitlines()))
    n_lines = len(longest.read_text().splitlines())
    print(f"{len(graph)} files, {in_root} of them in the root; {arrows} arrows between files,")
    print(f"{len(rooms)} between rooms; {floors(graph)} floors of files")
    print(f"longest file: {longest.relative_to(package)}, {n_lines} lines")
    X = sparse.random(200, 20, 0.3, format="csr", dtype=np.float32, random_state=0)
    y = np.arange(200) % 2
    for model in (FMClassifier(max_iter=1), FFMClassifier(max_iter=1, fields=np.arange(20) % 4)):
        calls, crossed, n_files = crossings(lambda model=model: model.fit(X, y), package)
        own = [cls for cls in type(model).__mro__ if cls.__module__.startswith("fastfm_cy")]
        print(
            f"{type(model).__name__}.fit: {calls} calls in {n_files} files, {crossed} from file to "
            f"file; {len(own)} own classes"
        )


if __name__ == "__main__":
    main()
