"""Two threads against one, in training and prediction: ``python -m benchmarks.threads``."""

import argparse
import statistics

from fastfm_cy._matrix import check_rows
from fastfm_cy._prediction import score_rows

from .measure import min_median, paired, print_table, ratios
from .peers import modern_fm, ours
from .workloads import WORKLOADS

_MODES = {
    "1 thread": {},
    "2 threads": {"n_jobs": 2},
    "2 threads, deterministic": {"n_jobs": 2, "deterministic": True},
}


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.threads", description=__doc__)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=["A", "B", "C"])
    parser.add_argument("--solvers", nargs="+", default=["sgd", "adagrad"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--only-prediction", action="store_true")
    parser.add_argument("--rows", type=int, help="training rows, if not the workload's own")
    options = parser.parse_args()
    for name in options.workloads:
        workload = WORKLOADS[name](options)
        for solver in () if options.only_prediction else options.solvers:
            _training(workload, solver, options)
        _prediction(workload, options)


def _training(workload, solver, options):
    runs = {mode: ours.Run(workload, solver, 16) for mode in _MODES}
    for mode, run in runs.items():
        run.model.set_params(**_MODES[mode])
    seconds = {mode: [] for mode in runs}
    for _ in range(options.runs):
        for mode, run in runs.items():
            seconds[mode].append(run.seconds_an_epoch(options.epochs))
    print(f"\n{workload.title}; training, {solver}, k = 16\n")
    print_table(
        ["", "s an epoch: min", "median", "speed-up: max", "median", f"test {workload.metric}"],
        [
            (
                mode,
                min_median(seconds[mode], 4),
                _speed_up(seconds, mode),
                f"{run.test_metric():.5f}",
            )
            for mode, run in runs.items()
        ],
    )


def _speed_up(seconds, mode):
    gains = [1 / ratio for ratio in ratios(seconds, mode, "1 thread")]
    return f"{max(gains):.2f} | {statistics.median(gains):.2f}"


def _prediction(workload, options):
    run = ours.Run(workload, "adagrad", 16)
    run.fit(1)
    functions = {}
    for mode, n_jobs in (("1 thread", 1), ("2 threads", 2)):
        functions[mode] = lambda n_jobs=n_jobs: run.model.set_params(n_jobs=n_jobs).predict(
            workload.X
        )
    rows = check_rows(run.model, workload.X, "float32", 1)
    for mode, n_jobs in (("1 thread, kernel", 1), ("2 threads, kernel", 2)):
        functions[mode] = lambda n_jobs=n_jobs: score_rows(run.model._table, rows, n_jobs)
    if modern_fm.missing() is None:
        peer = modern_fm.Run(workload, "adagrad", 16)
        peer.fit(1)
        functions["modern-fm"] = lambda: peer.model.predict(peer.X)
    seconds = paired(functions, options.runs)
    print(f"\n{workload.title}; prediction, with all validation unless it says kernel\n")
    print_table(
        ["", "M rows a s: max", "median", "times 1 thread's seconds: min", "median"],
        [
            (
                mode,
                f"{len(workload.y) / min(seconds[mode]) / 1e6:.1f} | "
                f"{len(workload.y) / statistics.median(seconds[mode]) / 1e6:.1f}",
                min_median(ratios(seconds, mode, "1 thread"), 2),
            )
            for mode in functions
        ],
    )


if __name__ == "__main__":
    main()
