"""What higher degrees cost, and what they gain: ``python -m benchmarks.accuracy.degree``.

Seconds an epoch, or for ALS a sweep, beside those of degree 2 in the same run, and test errors, on
clicks and on rows with an interaction of three features. polylearn, whose coordinate descent knows
degree 3, runs in the Python that the environment variable POLYLEARN_PYTHON names: it needs an old
one. It uses double precision.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path
from statistics import fmean

import numpy as np
from scipy import sparse
from sklearn.metrics import root_mean_squared_error

from fastfm_cy import FMClassifier, FMRegressor

from ..measure import min_median, print_table, ratios
from ..workloads import WORKLOADS

_KINDS = [(2, False), (3, False), (4, False), (5, False), (3, True), (4, True), (5, True)]
_POLYLEARN = """
import sys, warnings
from time import perf_counter
import numpy as np
from scipy import sparse
from polylearn import FactorizationMachineRegressor
warnings.simplefilter("ignore")
data = np.load(sys.argv[1])
degree, n_factors, sweeps = map(int, sys.argv[2:])
X, X_test = (sparse.csr_matrix((data[n + "d"], data[n + "i"], data[n + "p"]),
             (len(data[n + "p"]) - 1, int(data["n_features"]))) for n in ("train", "test"))
def fit(n):
    start = perf_counter()
    model = FactorizationMachineRegressor(degree=degree, n_components=n_factors, alpha=3, beta=3,
        tol=-1, fit_lower="explicit", max_iter=n, random_state=0).fit(X, data["y"])
    return perf_counter() - start, model
short, _ = fit(1)
whole, model = fit(1 + sweeps)
error = np.sqrt(np.mean((model.predict(X_test) - data["y_test"]) ** 2))
print((whole - short) / sweeps, error)
"""


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--solvers", nargs="+", default=["sgd", "adagrad", "als"])
    parser.add_argument("--factors", type=int, default=8)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=100_000, help="training rows")
    options = parser.parse_args()
    clicks = WORKLOADS["A"](options)
    for solver in options.solvers:
        if solver != "als":
            _table(clicks.title, _epochs(clicks, solver, options), solver, options)
    thirds = third_order(options.rows)
    title = f"{options.rows:,} rows of 10 one-hot fields of 12 values, 3 of which interact"
    for solver in options.solvers:
        if solver != "sgd":  # whose steps of one size may diverge on such heavy tails
            _table(title, _thirds(thirds, solver, options), solver, options)


def third_order(n_rows, n_fields=10, n_values=12):
    """One-hot rows whose target is a product of what three fields chose, with noise of 0.5:
    (X, y, X_test, y_test)."""
    rng = np.random.default_rng(0)
    n = n_rows + n_rows // 4
    chosen = rng.integers(0, n_values, (n, n_fields))
    effects = rng.normal(size=(3, n_values, 2))
    score = np.prod([effects[f][chosen[:, f]] for f in range(3)], axis=0).sum(axis=1)
    y = score / score.std() + 0.5 * rng.normal(size=n)
    columns = (chosen + n_values * np.arange(n_fields)).astype(np.int32)
    indptr = np.arange(0, columns.size + 1, n_fields)
    X = sparse.csr_array((np.ones(columns.size, np.float32), columns.ravel(), indptr))
    return X[:n_rows], y[:n_rows], X[n_rows:], y[n_rows:]


def _epochs(workload, solver, options):
    """By name, a function that gives the seconds of an epoch, and no error."""

    def measured(degree, share):
        model = FMClassifier(
            options.factors, degree=degree, share_factors=share, solver=solver,
            max_iter=1 + options.epochs, random_state=0,
        ).fit(workload.X, workload.y)  # fmt: skip
        error = workload.error(model.predict_proba(workload.X_test)[:, 1])
        return fmean(model.history_["seconds"][1:]), error

    return {kind: lambda kind=kind: measured(*kind) for kind in _KINDS}


def _thirds(data, solver, options):
    X, y, X_test, y_test = data
    strengths = {"l2_factors": 1e-3}
    if solver == "als":
        strengths = {"l2_linear": 3.0, "l2_factors": 3.0, "init_scale": 0.1}

    def measured(degree, share):
        model = FMRegressor(
            options.factors, degree=degree, share_factors=share, solver=solver,
            max_iter=1 + options.epochs, random_state=0, **strengths,
        ).fit(X, y)  # fmt: skip
        return fmean(model.history_["seconds"][1:]), root_mean_squared_error(
            y_test, model.predict(X_test)
        )

    functions = {kind: lambda kind=kind: measured(*kind) for kind in _KINDS}
    if solver == "als" and "POLYLEARN_PYTHON" in os.environ:
        functions |= {f"polylearn {d}": lambda d=d: _polylearn(data, d, options) for d in (2, 3)}
    return functions


def _polylearn(data, degree, options):
    X, y, X_test, y_test = data
    arrays = {"y": y, "y_test": y_test, "n_features": X.shape[1]}
    for name, part in (("train", X), ("test", X_test)):
        arrays |= {name + "d": part.data.astype(np.float64), name + "i": part.indices}
        arrays[name + "p"] = part.indptr
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        np.savez(path, **arrays)
        command = [os.environ["POLYLEARN_PYTHON"], "-c", _POLYLEARN, path, degree]
        command += [options.factors, options.epochs]
        done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    return tuple(map(float, done.stdout.split()))


def _table(title, functions, solver, options):
    seconds, errors = {name: [] for name in functions}, {}
    for _ in range(options.runs):
        for name, function in functions.items():
            taken, errors[name] = function()
            seconds[name].append(taken)
    print(f"\n{title}; {solver}, k = {options.factors}, test error after {1 + options.epochs}\n")
    base = (2, False)
    print_table(
        ["degree", "s: min", "median", "times degree 2: min", "median", "test error"],
        [
            (
                _shown(name), min_median(seconds[name], 4),
                min_median(ratios(seconds, name, base), 2), f"{errors[name]:.4f}",
            )
            for name in functions
        ],
    )  # fmt: skip


def _shown(name):
    if isinstance(name, str):
        return name
    degree, share = name
    return f"{degree}, shared" if share else str(degree)


if __name__ == "__main__":
    main()
