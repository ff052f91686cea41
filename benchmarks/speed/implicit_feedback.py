"""Sweeps over whole data: ``python -m benchmarks.speed.implicit_feedback``.

CPU seconds a sweep in one thread of FMRecommender(loss="implicit_squared") and, if it is installed,
of implicit's alternating least squares (three steps of conjugate gradients), ids only, of the same
loss and regularisation; how long both take until the loss is about what fifteen sweeps of implicit
reach; two threads against one; and seconds and memory as the interactions grow. Start it with
OPENBLAS_NUM_THREADS=1, as implicit recommends.
"""

import argparse
import subprocess
import sys
import time
import warnings

import numpy as np
from scipy import sparse

from fastfm_cy import FMRecommender

from ..measure import min_median, print_table
from .ranking import DATA, generated, movielens_with_features

try:
    from implicit.cpu.als import AlternatingLeastSquares
except ImportError:
    AlternatingLeastSquares = None

warnings.filterwarnings("ignore", module="implicit")

ALPHA, L2 = 3.0, 10.0
SAME = {
    "loss": "implicit_squared", "solver": "als", "unobserved_weight": 1, "alpha": ALPHA,
    "counts_observed": False, "frequency_power": 0, "l2_factors": L2, "random_state": 0,
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed.implicit_feedback", description=__doc__
    )
    parser.add_argument("--data", nargs="+", choices=("ml-100k", "generated"), default=["ml-100k"])
    parser.add_argument("--factors", type=int, nargs="+", default=[16, 32, 64, 128])
    parser.add_argument("--sweeps", type=int, default=15)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--positives", type=int, default=10_500_000, help="generated ones")
    parser.add_argument("--parts", nargs="+", default=["sweeps", "threads"])
    options = parser.parse_args()
    if "curve" in options.parts:
        return _curve(options)
    for name in options.data:
        matrix = generated(options.positives)[0] if name == "generated" else DATA[name]()[0]
        if "sweeps" in options.parts:
            _sweeps(name, matrix, options)
        if "features" in options.parts:
            _features(options)
        if "threads" in options.parts:
            _threads(name, matrix, options)
    return None


class Course:
    """CPU seconds, and the loss, after each sweep; what the loss takes does not count."""

    def __init__(self, matrix):
        self.matrix, self.seconds, self.losses = matrix, [], []
        self.mark = time.process_time()

    def note(self, users, items):
        self.seconds.append(time.process_time() - self.mark)
        self.losses.append(loss_of(self.matrix, users(), items()))
        self.mark = time.process_time()

    def until(self, loss):
        """Seconds until the loss is no higher, begun sweeps in part."""
        ends, losses = np.cumsum(self.seconds), np.array(self.losses)
        reached = np.flatnonzero(losses <= loss)
        return ends[reached[0]] if len(reached) else np.inf


def loss_of(matrix, users, items):
    """Of Hu, Koren and Volinsky."""
    users, items = users.astype(np.float64), items.astype(np.float64)
    rows, total = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), 0.0
    for first in range(0, matrix.nnz, 1_000_000):
        part = slice(first, first + 1_000_000)
        scores = np.einsum("ij,ij->i", users[rows[part]], items[matrix.indices[part]])
        total += (ALPHA * (1 - scores) ** 2 - scores**2).sum()
    everywhere = ((users.T @ users) * (items.T @ items)).sum()
    return total + everywhere + L2 * ((users**2).sum() + (items**2).sum())


def ours(matrix, k, n_sweeps, n_jobs=1):
    course = Course(matrix)

    def after(model, history):
        course.note(lambda: model.query_vectors()[:, :-1], lambda: model.item_vectors_[:, :-1])

    FMRecommender(k, max_iter=n_sweeps, n_jobs=n_jobs, **SAME).fit(matrix, callbacks=after)
    return course


def theirs(matrix, k, n_sweeps):
    model = AlternatingLeastSquares(
        factors=k, regularization=L2, alpha=ALPHA, iterations=n_sweeps, num_threads=1,
        random_state=0,
    )  # fmt: skip
    course = Course(matrix)

    def after(*_):
        course.note(lambda: model.user_factors, lambda: model.item_factors)

    model.fit(sparse.csr_matrix(matrix), show_progress=False, callback=after)
    return course


def _sweeps(name, matrix, options):
    rows = []
    for k in options.factors:
        courses = {"fastfm_cy": [], "implicit": []}
        for _ in range(options.runs):
            courses["fastfm_cy"].append(ours(matrix, k, options.sweeps))
            if AlternatingLeastSquares is not None:
                courses["implicit"].append(theirs(matrix, k, options.sweeps))
        best = {
            library: min(np.min(one.seconds[1:]) for one in runs)
            for library, runs in courses.items() if runs
        }  # fmt: skip
        for library, runs in courses.items():
            if not runs:
                continue
            sweeps = [second for one in runs for second in one.seconds[1:]]
            row = [library, k, min_median(sweeps, 4), f"{runs[0].losses[-1] / matrix.nnz:.5f}"]
            if courses["implicit"]:
                goal = courses["implicit"][0].losses[-1] * (1 + 1e-4)
                row += [
                    f"{best['implicit'] / best[library]:.2f}",
                    f"{min(one.until(goal) for one in runs):.3f}",
                    int(np.argmax(np.array(runs[0].losses) <= goal)) + 1,
                ]
            rows.append(row)
    print(f"\n{name}: {matrix.nnz} positives, one thread, CPU seconds\n")
    print_table(
        ["library", "k", "a sweep: min", "median", "loss a positive at the end",
         "times implicit's speed", "until implicit's loss", "in sweeps"], rows,
    )  # fmt: skip


def _features(options):
    matrix, users, items = movielens_with_features()
    kinds = {"ids": {}, "both sides' features": {"user_features": users, "item_features": items}}
    rows = []
    for k in options.factors:
        for kind, features in kinds.items():
            marks = []
            model = FMRecommender(
                k, loss="implicit_squared", solver="als", max_iter=options.sweeps, random_state=0
            )
            model.fit(
                matrix, callbacks=lambda *_: marks.append(time.process_time()), **features  # noqa: B023
            )  # fmt: skip
            rows.append((kind, k, min_median(np.diff(marks), 4)))
    print("\nml-100k, defaults, one thread, CPU seconds\n")
    print_table(["features", "k", "a sweep: min", "median"], rows)


def _threads(name, matrix, options):
    rows = []
    for k in options.factors:
        seconds = {1: [], 2: []}
        for _ in range(max(2, options.runs)):
            for n_jobs in seconds:
                model = FMRecommender(k, max_iter=options.sweeps, n_jobs=n_jobs, **SAME)
                seconds[n_jobs] += model.fit(matrix).history_["seconds"][1:]
        rows.append((
            k, min_median(seconds[1], 4), min_median(seconds[2], 4),
            f"{min(seconds[1]) / min(seconds[2]):.2f}",
        ))  # fmt: skip
    print(f"\n{name}: seconds a sweep by the clock\n")
    print_table(["k", "1 thread: min", "median", "2: min", "median", "times faster"], rows)


_FITS = """
import re, sys, time
from benchmarks.speed.ranking import generated
from fastfm_cy import FMRecommender
def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) / 1024
def now():
    return int(re.search(r"VmRSS:\\s*(\\d+)", open("/proc/self/status").read())[1]) / 1024
matrix = generated(int(sys.argv[1]))[0]
open("/proc/self/clear_refs", "w").write("5")
before = now()
marks = []
model = FMRecommender(int(sys.argv[2]), loss="implicit_squared", solver="als", max_iter=3)
model.fit(matrix, callbacks=lambda *_: marks.append(time.process_time()))
print(matrix.nnz, min(b - a for a, b in zip(marks, marks[1:])), before, peak())
"""


def _curve(options):
    rows = []
    for n in (1_000_000, 2_500_000, 5_000_000, 10_000_000, 21_500_000):
        for k in options.factors:
            command = [sys.executable, "-c", _FITS, str(n), str(k)]
            text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            nnz, seconds, before, peak = map(float, text.split())
            rows.append((
                f"{nnz / 1e6:.2f}", k, f"{seconds:.2f}", f"{1e9 * seconds / nnz:.0f}",
                f"{before:.0f}", f"{peak - before:.0f}",
            ))  # fmt: skip
    print("\ngenerated, 100,000 users, 50,000 items, one thread, a process each\n")
    print_table(
        ["million positives", "k", "CPU seconds a sweep", "ns a positive", "MB with the data",
         "MB more at the peak"], rows,
    )  # fmt: skip


if __name__ == "__main__":
    main()
