"""Memory that runs out in the middle of a fit, or of reading and writing (RLIMIT_AS).

    python hunger.py FOLDER CASE ...

does the work of each case with no more address space than it has, then with ever more, until it has
enough. After each MemoryError all must be as it was. Prints how often each failed.

Fits in one thread only: CPython's Thread.start() waits forever for a thread that found no memory to
begin with.
"""

import os
import resource
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from scipy import sparse

from fastfm_cy import (
    BayesianFMClassifier,
    BayesianFMRegressor,
    FFMClassifier,
    FMClassifier,
    FMRanker,
    FMRecommender,
    FMRegressor,
    FwFMClassifier,
)
from fastfm_cy.io import (
    Dataset,
    convert,
    load_model,
    open_dataset,
    read_csv,
    read_libsvm,
    save_model,
    write_csv,
    write_libsvm,
)

N_ROWS, N_FEATURES = 20_000, 30_000
STEP, MOST = 1 << 19, 1 << 29  # bytes
# glibc takes what is larger from the system, and gives it back: every array counts at once. What
# is smaller always finds room: NumPy ends the process by a signal where the buffers of a cast do
# not (it raises that error without the GIL).
LARGE = 1 << 18
ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": str(LARGE), "MALLOC_TRIM_THRESHOLD_": "0",
    "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1",
}  # fmt: skip
N_HOLES = 16  # for what is smaller


def data(n_rows=N_ROWS, seed=0):
    rng = np.random.default_rng(seed)
    indices = rng.integers(0, N_FEATURES, 6 * n_rows, dtype=np.int32)
    X = sparse.csr_array(
        (rng.random(6 * n_rows, np.float32), indices, np.arange(n_rows + 1) * 6),
        shape=(n_rows, N_FEATURES),
    )
    return X, rng.integers(0, 2, n_rows)


FIELDS = np.arange(N_FEATURES, dtype=np.int32) % 3
COMMON = {"n_factors": 8, "max_iter": 2, "random_state": 0}
FITS = {
    "adagrad": (FMClassifier, {}),
    "als": (FMRegressor, {"solver": "als"}),
    "early stopping": (FMClassifier, {"early_stopping": True, "solver": "adam"}),
    "tuning": (FMClassifier, {"tuning": "auto", "max_iter": 1}),
    "ffm": (FFMClassifier, {"fields": FIELDS}),
    "fwfm": (FwFMClassifier, {"fields": FIELDS}),
    "bayes": (BayesianFMRegressor, {"n_burn_in": 0}),
    "bayes, classes": (BayesianFMClassifier, {"n_burn_in": 0}),
    "ranker": (FMRanker, {}),
    "recommender": (FMRecommender, {}),
}


def said(model, X):
    if isinstance(model, FMRecommender):
        return model.recommend([0, 1, 2], 5)[1]
    return model.predict(X[:50])


def parts(value):
    """What of a fitted estimator must stay: its attributes, as numbers or as the same objects."""
    return {name: value for name, value in vars(value).items() if name.endswith("_")}


def fit_case(kind, method):
    """Fit anew, or go on, with other and more rows."""
    Estimator, parameters = FITS[kind]
    model = Estimator(**COMMON | parameters)
    X, y = data(2000, seed=1)
    small, large = (X, y), data()
    if Estimator is FMRecommender:
        small, large = ((matrix,) for matrix in (X, large[0]))
    model.fit(*small)
    before, expected = parts(model), said(model, X)

    def check():
        assert parts(model).keys() == before.keys()
        for name, value in parts(model).items():
            assert value is before[name], name
        np.testing.assert_array_equal(said(model, X), expected)

    return lambda: getattr(model, method)(*large), check


def files_case(folder):
    X, y = data()
    model = FMClassifier(8, max_iter=1, random_state=0).fit(X, y)
    write_libsvm(folder / "x.svm", X, y)
    write_csv(folder / "x.csv", Dataset(X[:, :20], y))
    save_model(model, folder / "m.fm")
    convert(folder / "x.svm", folder / "d", n_features=N_FEATURES)
    names = set(os.listdir(folder))

    def work():
        read_libsvm(folder / "x.svm")
        read_csv(folder / "x.csv")
        open_dataset(folder / "d", verify=True)
        convert(folder / "x.svm", folder / "d", overwrite=True, n_features=N_FEATURES)
        load_model(folder / "m.fm").predict(X)
        save_model(model, folder / "m.fm")
        write_libsvm(folder / "x.svm", X, y)

    def check():
        assert set(os.listdir(folder)) == names
        assert open_dataset(folder / "d", verify=True).shape == X.shape
        np.testing.assert_array_equal(load_model(folder / "m.fm").predict(X), model.predict(X))
        assert read_libsvm(folder / "x.svm", n_features=N_FEATURES).X.shape == X.shape

    return work, check


def address_space():
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def starved(work, n_bytes):
    """Whether it ran out of memory with so much more than the process has."""
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    room = [bytes(LARGE // 2) for _ in range(2 * N_HOLES)]
    del room[::2]  # each by itself, so that nothing large fits
    resource.setrlimit(resource.RLIMIT_AS, (address_space() + n_bytes, most))
    try:
        work()
    except MemoryError:
        return True
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return False


def main(folder, *cases):
    for case in cases:
        kind, _, method = case.partition(": ")
        work, check = fit_case(kind, method or "fit") if kind in FITS else files_case(Path(folder))
        print(n_failures(work, check))


def n_failures(work, check):
    n_failed = 0
    for n_bytes in range(0, MOST, STEP):
        if not starved(work, n_bytes):
            return n_failed
        n_failed += 1
        check()
    raise AssertionError(f"{n_failed} attempts, and never enough memory")


if __name__ == "__main__":
    if not ENVIRONMENT.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ENVIRONMENT)
    # In a thread, whose stack is there from the beginning: that of a process grows, and where it
    # cannot, the process ends by a signal.
    threading.stack_size(1 << 26)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(main, *sys.argv[1:]).result()
