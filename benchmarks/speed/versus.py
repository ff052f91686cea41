"""This checkout against another: ``python -m benchmarks.speed.versus --old DIR CASE ...``.

A case says what to time: ``epoch:A:adam:16``; ``als:ml100k:8`` or ``gibbs:B:8`` (a sweep; with
``:2`` behind, in two threads); ``read:libsvm``, ``read:libffm``, ``read:csv`` (likewise);
``ffm:4`` (an epoch). Each checkout has a process of its own, which prepares the case; the processes
then run it in turn, in CPU seconds or, which threads need, in those of a clock (``--clock wall``).
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_HERE = Path(__file__).resolve().parents[2]
_CLOCKS = {"cpu": time.process_time, "wall": time.perf_counter}


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.versus", description=__doc__)
    parser.add_argument("--old", help="the other checkout, its kernels built in place")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--clock", choices=_CLOCKS, default="cpu")
    parser.add_argument("--rows", type=int, help="rows, if not the case's own")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    if options.work:
        return _work(*options.work, options)
    print("| case | old, ms: min, median | new, ms | old / new: of minima, median |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for case in options.cases:
            _compare(case, folder, options)


def _compare(case, folder, options):
    seconds = {"old": [], "new": []}
    workers = {
        "old": _worker(options.old, case, folder, options),
        "new": _worker(_HERE, case, folder, options),
    }
    for run in range(options.runs + 1):
        for name, worker in workers.items():
            worker.stdin.write("run\n")
            worker.stdin.flush()
            took = float(worker.stdout.readline())
            if run:
                seconds[name].append(took)
    said = {}
    for name, worker in workers.items():
        said[name] = worker.communicate("end\n")[0].strip()
    old, new = seconds["old"], seconds["new"]
    pairs = [a / b for a, b in zip(old, new, strict=True)]
    print(
        f"| {case} {said['old']} {said['new']} | {_ms(old)} | {_ms(new)} | "
        f"{min(old) / min(new):.2f}, {statistics.median(pairs):.2f} |",
        flush=True,
    )


def _ms(seconds):
    return f"{1e3 * min(seconds):.2f}, {1e3 * statistics.median(seconds):.2f}"


def _worker(tree, case, folder, options):
    command = [sys.executable, __file__, "--work", str(tree), case, "--clock", options.clock]
    if options.rows:
        command += ["--rows", str(options.rows)]
    pipe = subprocess.PIPE
    worker = subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, text=True)
    if worker.stdout.readline() != "ready\n":
        raise SystemExit(f"{case} cannot be prepared in {tree}.")
    return worker


def _work(tree, case, options):
    """The package of `tree`, and its benchmarks."""
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != Path(__file__).parent]
    sys.path.insert(0, tree)
    import fastfm_cy

    assert Path(fastfm_cy.__file__).resolve().is_relative_to(Path(tree).resolve())
    kind, *details = case.split(":")
    run, say = _CASES[kind](options, *details)
    clock = _CLOCKS[options.clock]
    print("ready", flush=True)
    while sys.stdin.readline() == "run\n":
        start = clock()
        took = run()
        print(clock() - start if took is None else took, flush=True)
    print(say())


def _quiet():
    return ""


def _epoch(options, name, solver, n_factors="16"):
    from benchmarks.speed.kernel import Epoch
    from benchmarks.workloads import WORKLOADS

    return Epoch(WORKLOADS[name](options), solver, int(n_factors)), _quiet


def _coordinate(options, method, name, n_factors, n_jobs="1"):
    """Seconds a sweep, the mean of those after the first."""
    from benchmarks.workloads import WORKLOADS
    from fastfm_cy import BayesianFMRegressor, FMRegressor

    workload = WORKLOADS[name](options)
    sweeps = 30 if name.startswith("ml100k") else 5
    common = {"max_iter": sweeps + 1, "n_jobs": int(n_jobs), "random_state": 0}
    if method == "als":
        model = FMRegressor(int(n_factors), solver="als", init_scale=0.1, **common)
    else:
        model = BayesianFMRegressor(int(n_factors), n_burn_in=sweeps, **common)
    clock = _CLOCKS[options.clock]
    times = []

    def after_epoch(*_):
        times.append(clock())

    def run():
        times.clear()
        model.fit(workload.X, workload.y, callbacks=[after_epoch])
        return (times[-1] - times[0]) / (len(times) - 1)

    return run, lambda: f"(RMSE {workload.error(model.predict(workload.X_test)):.5f})"


def _read(options, name, n_jobs="1"):
    import numpy as np

    from fastfm_cy import io
    from fastfm_cy.datasets import make_clicks

    path = Path("rows." + name)  # written by whoever comes first
    if not path.exists():
        n_rows = options.rows or 200_000
        data = make_clicks(n_rows, n_fields=39, n_features=1_000_000, random_state=0)
        if name == "csv":
            table = np.random.default_rng(0).random((n_rows, 20)).round(4)
            io.write_csv(path, table, np.arange(n_rows))
        elif name == "libffm":
            io.write_libffm(path, data.X, data.y, data.fields)
        else:
            io.write_libsvm(path, data.X, data.y)
    read = getattr(io, f"read_{name}")
    return (lambda: read(path, n_jobs=int(n_jobs)) and None), _quiet


def _ffm(options, n_factors):
    from sklearn.metrics import log_loss

    from benchmarks.speed.ffm import L2, RATE, Data
    from fastfm_cy import FFMClassifier

    data = Data(".", options.rows or 50_000)
    model = FFMClassifier(
        int(n_factors), fields=data.fields, learning_rate=RATE, l2_factors=L2, init_scale=1.0,
        fit_intercept=False, fit_linear=False, max_iter=3, random_state=0,
    )  # fmt: skip
    clock = _CLOCKS[options.clock]
    times = []

    def after_epoch(*_):
        times.append(clock())

    def run():
        times.clear()
        model.fit(data.X, data.y, callbacks=[after_epoch])
        return (times[-1] - times[0]) / (len(times) - 1)

    def say():
        return f"(log loss {log_loss(data.y_test, model.predict_proba(data.X_test)):.5f})"

    return run, say


_CASES = {
    "epoch": _epoch,
    "als": lambda options, *details: _coordinate(options, "als", *details),
    "gibbs": lambda options, *details: _coordinate(options, "gibbs", *details),
    "read": _read,
    "ffm": _ffm,
}


if __name__ == "__main__":
    main()
