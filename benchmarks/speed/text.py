"""Megabytes of text a second: ``python -m benchmarks.speed.text``.

libffm is compared if the environment variable LIBFFM names a folder with its sources; a C++
compiler (CXX, else c++) builds its conversion of text to its binary format in a temporary folder.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

from fastfm_cy.datasets import make_clicks
from fastfm_cy.io import (
    convert,
    read_csv,
    read_libffm,
    read_libsvm,
    write_csv,
    write_libffm,
    write_libsvm,
)

from ..measure import min_median, print_table

_DRIVER = """
#include "ffm.h"
int main(int, char **names) { ffm::ffm_read_problem_to_disk(names[1], names[2]); }
"""


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5, help="paired runs")
    parser.add_argument("--folder", help="where to put the files; default: a temporary folder")
    options = parser.parse_args()
    data = make_clicks(options.rows, n_fields=39, n_features=1_000_000, random_state=0)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        folder = Path(folder)
        _libsvm(data, folder, options.runs)
        _libffm(data, folder, options.runs)
        _tables(folder, options.runs)


def _libsvm(data, folder, runs):
    path = folder / "rows.svm"
    for title, values in (
        ("values of 8 digits", data.X.data),
        ("values of 16 digits", np.random.default_rng(0).random(data.X.nnz)),
    ):
        X = data.X.astype(values.dtype)
        X.data[:] = values
        write_libsvm(path, X, data.y)
        _compare(
            f"libsvm, 39 entries a row, {title}",
            path,
            {
                "read_libsvm": lambda: read_libsvm(path),
                "read_libsvm, 2 threads": lambda: read_libsvm(path, n_jobs=2),
                "convert": lambda: convert(path, folder / "disk", overwrite=True),
                "scikit-learn": lambda: load_svmlight_file(str(path), dtype=np.float32),
            },
            runs,
        )
    _writing(folder, X, data.y)


def _libffm(data, folder, runs):
    path = folder / "rows.ffm"
    write_libffm(path, data.X, data.y, data.fields)
    functions = {
        "read_libffm": lambda: read_libffm(path),
        "read_libffm, 2 threads": lambda: read_libffm(path, n_jobs=2),
        "convert": lambda: convert(path, folder / "disk", overwrite=True),
    }
    driver = _libffm_driver(folder)
    if driver:
        binary = folder / "rows.bin"

        def convert_by_libffm():
            binary.unlink(missing_ok=True)  # else it only compares a hash
            subprocess.run([driver, path, binary], check=True, capture_output=True)

        functions["libffm's conversion"] = convert_by_libffm
    _compare("libffm, 39 entries a row, values of 8 digits", path, functions, runs)


def _libffm_driver(folder):
    """A program that converts a file as libffm does, or None."""
    sources = os.environ.get("LIBFFM")
    if not sources:
        print("\nlibffm left out: the environment variable LIBFFM names no folder")
        return None
    (folder / "driver.cpp").write_text(_DRIVER)
    compiler = os.environ.get("CXX") or shutil.which("c++")
    flags = ["-O3", "-march=native", "-std=c++11", "-DUSESSE", "-w", f"-I{sources}"]
    files = [f"{sources}/ffm.cpp", f"{sources}/timer.cpp", folder / "driver.cpp"]
    subprocess.run([compiler, *flags, *files, "-o", folder / "driver"], check=True)
    return folder / "driver"


def _tables(folder, runs):
    path = folder / "rows.csv"
    write_csv(path, np.random.default_rng(0).random((200_000, 20)).round(4), np.arange(200_000))
    _compare(
        "csv, 21 columns, numbers of 4 digits",
        path,
        {
            "read_csv": lambda: read_csv(path),
            "read_csv, 2 threads": lambda: read_csv(path, n_jobs=2),
            "numpy.loadtxt": lambda: np.loadtxt(path, delimiter=",", dtype=np.float32),
        },
        runs,
    )


def _compare(title, path, functions, runs):
    """Print a table; the first function is the one that the others are compared with."""
    size = path.stat().st_size / 1e6
    seconds = {name: [] for name in functions}
    for _ in range(runs):
        for name, function in functions.items():
            start = perf_counter()
            function()
            seconds[name].append(perf_counter() - start)
    print(f"\n**{title}; {size:.0f} MB**  \n{runs} paired runs\n")
    base = seconds[next(iter(functions))]
    rows = []
    for name, its in seconds.items():
        speeds = [size / value for value in its]
        slower = [value / ours for value, ours in zip(its, base, strict=True)]
        rows.append((name, f"{max(speeds):.0f} | {np.median(speeds):.0f}", min_median(slower, 2)))
    print_table(["", "MB/s: max", "median", "times the first's seconds: min", "median"], rows)


def _writing(folder, X, y):
    path = folder / "written"
    print("\nWriting, MB/s:", end=" ")
    for name, matrix in (("float32", X.astype(np.float32)), ("float64", X)):
        start = perf_counter()
        write_libsvm(path, matrix, y)
        print(f"{name} {path.stat().st_size / 1e6 / (perf_counter() - start):.0f}", end="; ")
    start = perf_counter()
    dump_svmlight_file(X, y, str(path))
    print(f"scikit-learn {path.stat().st_size / 1e6 / (perf_counter() - start):.0f}")


if __name__ == "__main__":
    main()
