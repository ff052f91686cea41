"""Encoding tables: ``python -m benchmarks.speed.encoder``.

FieldEncoder beside scikit-learn's OneHotEncoder, modern-fm's CategoricalEncoder and
category_encoders' one-hot encoder, each left out if it is not installed.
"""

import argparse
import ctypes
import gc
import importlib
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from sklearn.preprocessing import OneHotEncoder

from fastfm_cy.datasets import make_clicks
from fastfm_cy.preprocessing import FieldEncoder

from ..measure import min_median, paired, print_table, ratios

N_COLUMNS = 39


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed.encoder", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--features", type=int, default=1_000_000, help="at most, in all columns")
    parser.add_argument("--runs", type=int, default=5, help="paired runs")
    parser.add_argument("--folder", help="where to put the file; default: a temporary folder")
    options = parser.parse_args()
    ids = _ids(options)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "clicks.csv"
        _texts(ids).write_csv(path)
        frames = {
            "pandas": pd.read_csv(path, dtype=str),
            "pandas, objects": pd.read_csv(path, dtype=object),
            "polars": pl.read_csv(path, infer_schema=False),
        }
    print(f"pandas has the text as {frames['pandas'].dtypes.iloc[0]!r}")
    for name, frame in frames.items():
        _compare(
            f"{name}: {options.rows:,} rows, {N_COLUMNS} columns of text",
            {
                "FieldEncoder": lambda f=frame: FieldEncoder().fit_transform(f),
                "FieldEncoder, 2 threads": lambda f=frame: FieldEncoder(n_jobs=2).fit_transform(f),
                "OneHotEncoder": lambda f=frame: _one_hot().fit_transform(f),
            },
            options.runs,
        )
        _compare_transform(name, frame, options.runs)
        _memory(name, frame)
    del frames, frame
    _integers(ids, options.runs)
    _dense(ids, options.runs)


def _ids(options):
    """The id of each row's feature within its column, int64."""
    data = make_clicks(
        options.rows, n_fields=N_COLUMNS, n_features=options.features, random_state=0
    )
    return data.X.indices.reshape(options.rows, N_COLUMNS).astype(np.int64)


def _texts(ids):
    """The ids as texts of eight hexadecimal digits, as in Criteo's data."""
    names = np.array([f"{number * 2654435761 % 2**32:08x}" for number in range(ids.max() + 1)])
    return pl.DataFrame({f"C{j + 1}": names[column] for j, column in enumerate(ids.T)})


def _one_hot():
    return OneHotEncoder(handle_unknown="ignore", dtype=np.float32)


def _compare_transform(name, frame, runs):
    ours, theirs = FieldEncoder().fit(frame), _one_hot().fit(frame)
    _compare(
        f"{name}: transform alone",
        {
            "FieldEncoder": lambda: ours.transform(frame),
            "OneHotEncoder": lambda: theirs.transform(frame),
        },
        runs,
    )


def _integers(ids, runs):
    functions = {
        "FieldEncoder": lambda: FieldEncoder(categorical=range(N_COLUMNS)).fit_transform(ids),
        "OneHotEncoder": lambda: _one_hot().fit_transform(ids),
    }
    modern_fm = _imported("modern_fm")
    if modern_fm:
        functions["modern-fm's"] = lambda: modern_fm.CategoricalEncoder().fit_transform(ids)
    _compare(f"NumPy: {len(ids):,} rows, {N_COLUMNS} columns of integers", functions, runs)


def _dense(ids, runs):
    """A table small enough for an encoder whose output is dense."""
    category_encoders = _imported("category_encoders")
    if not category_encoders:
        return
    frame = _texts(ids[:20_000, :10] % 50).to_pandas().astype(object)
    _compare(
        f"pandas: {len(frame):,} rows, 10 columns of text, 50 categories each",
        {
            "FieldEncoder": lambda: FieldEncoder().fit_transform(frame),
            "OneHotEncoder": lambda: _one_hot().fit_transform(frame),
            "category_encoders'": lambda: category_encoders.OneHotEncoder().fit_transform(frame),
        },
        runs,
    )


def _imported(module):
    try:
        return importlib.import_module(module)
    except ImportError:
        print(f"\n{module} left out: it is not installed")
        return None


def _compare(title, functions, runs):
    """Print a table; the others are compared with the first function."""
    seconds = paired(functions, runs)
    print(f"\n**{title}**  \n{runs} paired runs\n")
    base = next(iter(functions))
    rows = [
        (name, min_median(its, 3), min_median(ratios(seconds, name, base), 2))
        for name, its in seconds.items()
    ]
    print_table(["", "s: min", "median", "times the first's: min", "median"], rows)


def _memory(name, frame):
    """Print the highest use of memory above what there was before; Linux only."""
    for title, encoder in (("FieldEncoder", FieldEncoder()), ("OneHotEncoder", _one_hot())):
        gc.collect()
        try:
            ctypes.CDLL(None).malloc_trim(0)  # gives back what was freed
            Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
        except (AttributeError, OSError):
            return
        before = _status("VmRSS")
        X = encoder.fit_transform(frame)
        output = (X.data.nbytes + X.indices.nbytes + X.indptr.nbytes) / 1e6
        peak = _status("VmHWM") - before
        print(
            f"\n{name}, {title}: {peak:.0f} MB at most for an output of {output:.0f} MB "
            f"({peak / output:.2f} times)",
            flush=True,
        )
        del X, encoder


def _status(key):
    """A line of /proc/self/status, in megabytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise KeyError(key)


if __name__ == "__main__":
    main()
