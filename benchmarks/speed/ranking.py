"""Seconds of learning to rank items: ``python -m benchmarks.speed.ranking``.

CPU time a positive, of an epoch in one thread, of FMRecommender and, where they are installed, of
implicit and LightFM; then two threads against one, and top-10 for all users. Peers' epochs are from
the difference of a long and a short fit, or further epochs of one that began. ``--parts memory``:
peak of a process that loads a model and recommends to all of its users.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from scipy import sparse

from fastfm_cy import FMRecommender
from fastfm_cy.io import save_model

from ..data import data_file
from ..measure import min_median, print_table

try:
    from implicit.bpr import BayesianPersonalizedRanking
except ImportError:
    BayesianPersonalizedRanking = None
try:
    from lightfm import LightFM
except ImportError:
    LightFM = None

warnings.filterwarnings("ignore", module="implicit")


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.ranking", description=__doc__)
    parser.add_argument("--data", nargs="+", choices=DATA, default=["ml-100k", "features"])
    parser.add_argument("--factors", type=int, nargs="+", default=[32, 64])
    parser.add_argument("--losses", nargs="+", default=["bpr", "warp"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--positives", type=int, default=10_500_000, help="generated ones")
    parser.add_argument("--parts", nargs="+", default=["epochs", "threads", "top"])
    options = parser.parse_args()
    for name in options.data:
        data = DATA[name](options.positives) if name == "generated" else DATA[name]()
        if "epochs" in options.parts:
            _epochs(name, data, options)
        if "threads" in options.parts:
            _threads(name, data, options)
        if "top" in options.parts:
            _top(name, data, options)
        if "memory" in options.parts:
            _memory(name, data, options)


# Data ------------------------------------------------------------------------------------------


def movielens():
    columns = np.loadtxt(data_file("ml-100k") / "u.data", dtype=np.int64)[:, :2].T - 1
    train = np.random.default_rng(0).permutation(columns.shape[1])[20_000:]
    return _matrix(*columns[:, train], 943, 1682), None, None


def movielens_with_features():
    """Genres and years of movies; ages, sexes and occupations of users."""
    folder = data_file("ml-100k")
    lines = (folder / "u.item").read_text(encoding="latin-1").splitlines()
    items = [line.split("|") for line in lines]
    genres = np.array([[int(flag) for flag in item[5:]] for item in items])
    users = [line.split("|") for line in (folder / "u.user").read_text().splitlines()]
    years = _one_hot([item[2][-4:] for item in items])
    about = [_one_hot([user[1][:-1] or "0" for user in users]), _one_hot([u[2] for u in users]),
             _one_hot([user[3] for user in users])]  # fmt: skip
    return (
        movielens()[0], sparse.csr_array(np.hstack(about)),
        sparse.csr_array(np.hstack([genres, years])),
    )  # fmt: skip


def generated(n):
    """About n positives of 100,000 users and 50,000 items of falling popularity."""
    rng = np.random.default_rng(0)
    popularity = 1 / np.arange(10, 50_010) ** 0.8
    cuts = np.cumsum(popularity / popularity.sum())
    items = rng.permutation(50_000)[np.minimum(np.searchsorted(cuts, rng.random(n)), 49_999)]
    return _matrix(rng.integers(0, 100_000, n), items, 100_000, 50_000), None, None


def _matrix(users, items, n_users, n_items):
    matrix = sparse.csr_array(
        (np.ones(len(users), np.float32), (users, items)), shape=(n_users, n_items)
    )
    matrix.sum_duplicates()
    matrix.sort_indices()
    matrix.data[:] = 1
    return matrix


def _one_hot(words):
    return np.eye(len(set(words)))[np.unique(words, return_inverse=True)[1]]


DATA = {"ml-100k": movielens, "features": movielens_with_features, "generated": generated}


# Epochs ----------------------------------------------------------------------------------------


def _epochs(name, data, options):
    """ns of CPU a positive: min and median."""
    rows, n = [], data[0].nnz
    for loss in options.losses:
        for k in options.factors:
            for library, timed in LIBRARIES.items():
                seconds = timed(data, loss, k, options.runs)
                if seconds is not None:
                    figures = [1e9 * second / n for second in seconds]
                    rows.append((library, loss, k, min_median(figures, 0)))
    print(f"\n{name}: {n} positives, one thread\n")
    print_table(["library", "loss", "k", "CPU ns a positive: min", "median"], rows)


def _ours(data, loss, k, runs):
    matrix, users, items = data
    marks = []
    model = FMRecommender(k, loss=loss, max_iter=runs + 2, random_state=0)
    model.fit(matrix, users, items,
              callbacks=lambda *_: marks.append(time.process_time()))  # fmt: skip
    return np.diff(marks)[1:]


def _implicit(data, loss, k, runs):
    matrix, users, _ = data
    if BayesianPersonalizedRanking is None or loss != "bpr" or users is not None:
        return None
    extra = 10 if matrix.nnz < 1_000_000 else 2
    seconds = []
    for _ in range(runs):
        times = []
        for epochs in (1, 1 + extra):
            model = BayesianPersonalizedRanking(
                factors=k, iterations=epochs, num_threads=1, random_state=0
            )
            start = time.process_time()
            model.fit(sparse.csr_matrix(matrix), show_progress=False)
            times.append(time.process_time() - start)
        seconds.append((times[1] - times[0]) / extra)
    return seconds


def _lightfm(data, loss, k, runs):
    if LightFM is None:
        return None
    matrix, users, items = data
    features = {}
    for name, rows in (("user_features", users), ("item_features", items)):
        if rows is not None:
            whole = sparse.hstack([sparse.identity(rows.shape[0]), rows])
            features[name] = as_lightfm(whole)
    entries = matrix.tocoo()
    parts = entries.data, (entries.row.astype(np.int32), entries.col.astype(np.int32))
    given = sparse.coo_matrix(parts, shape=matrix.shape)
    model, seconds = LightFM(no_components=k, loss=loss, random_state=0), []
    model.fit_partial(given, epochs=2, **features)
    for _ in range(runs):
        start = time.process_time()
        model.fit_partial(given, epochs=1, **features)
        seconds.append(time.process_time() - start)
    return seconds


def as_lightfm(matrix):
    """A matrix of the types that LightFM takes."""
    matrix = sparse.csr_matrix(matrix, dtype=np.float32)
    matrix.indices = matrix.indices.astype(np.int32)
    matrix.indptr = matrix.indptr.astype(np.int32)
    return matrix


LIBRARIES = {"fastfm_cy": _ours, "implicit": _implicit, "LightFM": _lightfm}


# Threads and top-N -----------------------------------------------------------------------------


def _threads(name, data, options):
    """By the clock, and by the CPU: on a busy machine the clock shows what others leave, the CPU
    whether two threads do more work than one."""
    rows = []
    for loss in options.losses:
        clock, cpu = {1: [], 2: []}, {1: [], 2: []}
        for _ in range(3):
            for n_jobs in (1, 2):
                marks = []
                model = FMRecommender(
                    options.factors[0], loss=loss, max_iter=options.runs + 1, random_state=0,
                    n_jobs=n_jobs,
                )  # fmt: skip
                model.fit(*data, callbacks=lambda *_: marks.append(time.process_time()))  # noqa: B023
                clock[n_jobs] += model.history_["seconds"][1:]
                cpu[n_jobs] += np.diff(marks).tolist()
        rows.append((
            loss, min_median(clock[1], 4), min_median(clock[2], 4),
            f"{min(clock[1]) / min(clock[2]):.2f}",
            f"{np.median(cpu[2]) / np.median(cpu[1]):.2f}",
        ))  # fmt: skip
    print(f"\n{name}, k = {options.factors[0]}: seconds an epoch\n")
    print_table(
        ["loss", "1 thread: min", "median", "2 threads: min", "median", "times faster",
         "CPU of 2 over CPU of 1, medians"],
        rows,
    )  # fmt: skip


def _top(name, data, options):
    rows = []
    for k in options.factors:
        for library, asked in (("fastfm_cy", _our_top), ("implicit", _implicit_top)):
            recommend = asked(data, k)
            if recommend is not None:
                seconds = []
                for _ in range(options.runs):
                    start = time.perf_counter()
                    recommend()
                    seconds.append(time.perf_counter() - start)
                rows.append((library, k, min_median(seconds, 4)))
    print(f"\n{name}: top-10 of all users, seconds by the clock, one thread\n")
    print_table(["library", "k", "seconds: min", "median"], rows)


def _our_top(data, k):
    model = FMRecommender(k, max_iter=1, random_state=0).fit(*data)
    return lambda: model.recommend(n=10)


def _implicit_top(data, k):
    if BayesianPersonalizedRanking is None or data[1] is not None:
        return None
    model, given = BayesianPersonalizedRanking(factors=k, iterations=1), sparse.csr_matrix(data[0])
    model.fit(given, show_progress=False)
    return lambda: model.recommend(np.arange(given.shape[0]), given, N=10)


_SERVES = """
import re, sys, time
from fastfm_cy.io import load_model
model = load_model(sys.argv[1]).set_params(n_jobs=int(sys.argv[2]))
start = time.perf_counter()
model.recommend(n=10)
seconds = time.perf_counter() - start
# Linux's; getrusage would count what the parent had when it started this process.
peak = re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())
print(seconds, int(peak[1]) / 1024)
"""


def _memory(name, data, options):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.fm"
        model = FMRecommender(options.factors[0], max_iter=1, random_state=0).fit(*data)
        save_model(model, path, optimizer_state=False)
        for n_jobs in (1, 2):
            command = [sys.executable, "-c", _SERVES, str(path), str(n_jobs)]
            text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            seconds, megabytes = map(float, text.split())
            rows.append((n_jobs, f"{seconds:.1f}", f"{megabytes:.0f}"))
    print(f"\n{name}, k = {options.factors[0]}: top-10 of all users in a process of its own\n")
    print_table(["threads", "seconds", "peak MB"], rows)


if __name__ == "__main__":
    main()
