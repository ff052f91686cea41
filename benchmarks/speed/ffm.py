"""Field-aware machines against libffm, xLearn and modern-fm: ``python -m benchmarks.speed.ffm``.

libffm's ``ffm-train`` is looked for in the environment variable LIBFFM; the others are imported.
All train on the same generated clicks, one feature of each of 39 fields a row, with libffm's
settings: AdaGrad, rows of unit length, no bias and no linear terms.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.metrics import log_loss

from fastfm_cy.datasets import make_clicks
from fastfm_cy.model.families import FFM

from ..measure import from_difference, min_median, paired, print_table, ratios
from ..peers.xlearn import quiet
from ..workloads.base import Workload
from .kernel import Epoch

N_FIELDS, N_FEATURES, RATE, L2 = 39, 1_000_000, 0.2, 2e-5


class Data:
    """Rows for training and testing in a folder: npz, and libffm's text."""

    def __init__(self, folder, n_rows):
        self.folder, self.n_train = Path(folder), n_rows
        path = self.folder / "clicks.npz"
        if not path.exists():
            data = make_clicks(
                n_rows + n_rows // 10, n_fields=N_FIELDS, n_features=N_FEATURES, rank=8,
                random_state=0,
            )  # fmt: skip
            np.savez(path, data=data.X.data, indices=data.X.indices, indptr=data.X.indptr, y=data.y)
        arrays = np.load(path)
        shape = len(arrays["y"]), N_FEATURES
        X = sparse.csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape)
        self.fields = np.zeros(N_FEATURES, dtype=np.int32)
        self.fields[X.indices] = np.tile(np.arange(N_FIELDS), len(arrays["y"]))
        self.X, self.X_test = X[:n_rows], X[n_rows:]
        self.y, self.y_test = arrays["y"][:n_rows], arrays["y"][n_rows:]

    def text(self):
        """Paths of the training and the test rows in libffm's format."""
        paths = self.folder / "train.ffm", self.folder / "test.ffm"
        for path, X, y in zip(paths, (self.X, self.X_test), (self.y, self.y_test), strict=True):
            if not path.exists():
                entries = zip(self.fields[X.indices], X.indices, X.data, strict=True)
                words = np.array([f"{f}:{j}:{x:.6g}" for f, j, x in entries]).reshape(-1, N_FIELDS)
                lines = [f"{label} {' '.join(row)}" for label, row in zip(y, words, strict=True)]
                path.write_text("\n".join(lines) + "\n")
        return paths


class Ours:
    def __init__(self, data, n_factors, **parameters):
        from fastfm_cy import FFMClassifier

        self.data = data
        self.model = FFMClassifier(
            n_factors, fields=data.fields, learning_rate=RATE, l2_factors=L2,
            **({"fit_intercept": False, "fit_linear": False, "init_scale": 1.0} | parameters),
            random_state=0,
        )  # fmt: skip

    def seconds_an_epoch(self, epochs):
        model = clone(self.model).set_params(max_iter=epochs + 1)
        model.fit(self.data.X, self.data.y)
        self.error = log_loss(self.data.y_test, model.predict_proba(self.data.X_test))
        return np.mean(model.history_["seconds"][1:])

    def loss(self):
        return self.error


class LibFFM:
    def __init__(self, data, n_factors):
        self.binary, self.k = os.environ["LIBFFM"], n_factors
        self.train, self.test = map(str, data.text())

    def _lines(self, epochs, *more):
        with tempfile.TemporaryDirectory() as folder:
            command = [self.binary, "-k", str(self.k), "-t", str(epochs), "-r", str(RATE), "-l",
                       str(L2), "-s", "1", *more, self.train, f"{folder}/model"]  # fmt: skip
            # There, since it leaves binary copies of the data where it runs.
            ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
        return [line.split() for line in ran.stdout.splitlines() if re.match(r" +\d+ ", line)]

    def seconds_an_epoch(self, epochs):
        self.epochs = epochs + 1
        seconds = [float(line[-1]) for line in self._lines(self.epochs)]
        return (seconds[-1] - seconds[0]) / epochs  # each is the sum so far

    def loss(self):
        return float(self._lines(self.epochs, "-p", self.test)[-1][2])


class XLearn:
    def __init__(self, data, n_factors):
        os.environ.setdefault("USER", "benchmark")  # its logger dereferences it
        self.data, self.paths = data, tuple(map(str, data.text()))
        self.parameters = {"task": "binary", "lr": RATE, "lambda": L2, "k": n_factors,
                           "opt": "adagrad", "nthread": 1}  # fmt: skip
        self.fit(1)  # writes its binary copy of the text

    def fit(self, epochs):
        import xlearn

        self.model = xlearn.create_ffm()
        self.model.setTrain(self.paths[0])
        self.model.disableEarlyStop()
        self.model.setQuiet()
        with quiet():
            start = perf_counter()
            self.model.fit({**self.parameters, "epoch": epochs}, str(self.data.folder / "xlearn"))
            return perf_counter() - start

    def seconds_an_epoch(self, epochs):
        return from_difference(self.fit, epochs)

    def loss(self):
        self.model.setTest(self.paths[1])
        self.model.setSigmoid()
        output = str(self.data.folder / "xlearn.out")
        with quiet():
            self.model.predict(str(self.data.folder / "xlearn"), output)
        return log_loss(self.data.y_test, np.loadtxt(output))


class ModernFM:
    def __init__(self, data, n_factors):
        import modern_fm

        self.data = data
        self.model = modern_fm.FFMClassifier(
            n_factors=n_factors, learning_rate=RATE, l2_factors=L2, init_scale=0.5, n_jobs=1,
            random_state=0,
        )  # fmt: skip

    def fit(self, epochs):
        X = sparse.csr_matrix(self.data.X)
        self.model.set_params(max_iter=epochs)
        start = perf_counter()
        self.model.fit(X, self.data.y, field_ids=self.data.fields.astype(np.int64))
        return perf_counter() - start

    def seconds_an_epoch(self, epochs):
        return from_difference(self.fit, epochs)

    def loss(self):
        X = sparse.csr_matrix(self.data.X_test)
        return log_loss(self.data.y_test, self.model.predict_proba(X)[:, 1])


def _relabelled(data, n_factors):
    return Ours(data, n_factors, relabel=True)


def _two_threads(data, n_factors):
    return Ours(data, n_factors, n_jobs=2)


def _like_xlearn(data, n_factors):
    """With a bias and linear terms, and its start."""
    return Ours(data, n_factors, fit_intercept=True, fit_linear=True, l2_linear=L2, init_scale=0.66)


LIBRARIES = {
    "fastfm_cy": Ours, "fastfm_cy, relabel": _relabelled, "fastfm_cy, linear": _like_xlearn,
    "fastfm_cy, 2 threads": _two_threads, "libffm": LibFFM, "xlearn": XLearn, "modern_fm": ModernFM,
}  # fmt: skip


def _missing(name):
    if name == "libffm":
        return "" if os.environ.get("LIBFFM") else "LIBFFM does not name ffm-train"
    if name.startswith("fastfm_cy") or find_spec(name):
        return ""
    return "not installed"


def compare(data, n_factors, names, options):
    libraries = {name: LIBRARIES[name](data, n_factors) for name in names}
    seconds, runs = {name: [] for name in names}, range(options.runs)
    for _ in runs:
        for name, library in libraries.items():
            seconds[name].append(library.seconds_an_epoch(options.epochs))
    print(f"\nk = {n_factors}, {data.n_train:,} rows, {options.runs} paired runs\n")
    head = ["library", "s an epoch: min", "median", "times ours: min", "median", "log loss"]
    print_table(
        head,
        [
            (name, min_median(seconds[name], 3),
             min_median(ratios(seconds, name, "fastfm_cy"), 2), f"{libraries[name].loss():.4f}")
            for name in names
        ],
    )  # fmt: skip


_OFF = {
    "all on": {},
    "no prefetch": {"prefetch": False},
    "number of factors at run time": {"constant_width": False},
    "baseline instead of AVX2": {"build": "baseline"},
    "rows shuffled one by one": {"shuffle": True},
    "features not relabelled": {"relabel": False},
}


def ladder(data, n_factors, options):
    """What each optimisation of the kernel gains: all on, then each off alone."""
    workload = Workload(
        "", "classification", data.X, data.y, None, None, L2, {"adagrad": RATE}, 0.3
    )
    fields = data.fields[data.X.indices]
    epochs = {
        off: Epoch(workload, "adagrad", n_factors, family=FFM(N_FIELDS), fields=fields, **switches)
        for off, switches in _OFF.items()
    }
    seconds = paired(epochs, options.runs)
    print(f"\nkernel of FFM, adagrad, k = {n_factors}, {data.n_train:,} rows\n")
    print_table(
        ["", "us a row: min", "median", "times all on: min", "median"],
        [
            (off, min_median([s / data.n_train * 1e6 for s in seconds[off]], 2),
             min_median(ratios(seconds, off, "all on"), 2))
            for off in epochs
        ],
    )  # fmt: skip


def peak_memory(folder, n_rows, n_factors, names):
    """Of a process of its own a library, which reads the data and trains for one epoch, in MB."""
    print(f"\npeak memory, k = {n_factors}\n")
    rows = []
    for name in names:
        job = json.dumps([str(folder), n_rows, n_factors, name])
        command = [sys.executable, "-m", "benchmarks.speed.ffm", "--job", job]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rows.append((name, output.split()[-1]))
    print_table(["library", "MB"], rows)


def _run_job(job):
    folder, n_rows, n_factors, name = json.loads(job)
    library = LIBRARIES[name](Data(folder, n_rows), n_factors)
    library.seconds_an_epoch(1)
    who = resource.RUSAGE_CHILDREN if name == "libffm" else resource.RUSAGE_SELF
    print(resource.getrusage(who).ru_maxrss // 1024)


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--factors", type=int, nargs="+", default=[4, 8])
    parser.add_argument("--libraries", nargs="+", choices=LIBRARIES, default=list(LIBRARIES))
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", help="where the data are kept; a temporary one by default")
    parser.add_argument("--memory", action="store_true", help="peak memory instead of time")
    parser.add_argument("--ladder", action="store_true", help="what each optimisation gains")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        return _run_job(options.job)
    names = []
    for name in options.libraries:
        if reason := _missing(name):
            print(f"{name} left out: {reason}")
        else:
            names.append(name)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or temporary
        data = Data(folder, options.rows)
        data.text()
        for n_factors in options.factors:
            if options.ladder:
                ladder(data, n_factors, options)
            elif options.memory:
                peak_memory(folder, options.rows, n_factors, names)
            else:
                compare(data, n_factors, names, options)


if __name__ == "__main__":
    main()
