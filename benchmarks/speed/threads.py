"""Two threads against one, in training and prediction: ``python -m benchmarks.speed.threads``."""

import argparse
import copy
import statistics
import tempfile
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from fastfm_cy.data.matrix_checks import check_rows
from fastfm_cy.model.scoring import score_rows

from ..analysis.roofline import Bound, compiled
from ..measure import min_median, paired, print_table, ratios
from ..peers import modern_fm, ours
from ..workloads import WORKLOADS
from .kernel import Epoch

_MODES = {
    "1 thread": {},
    "2 threads": {"n_jobs": 2},
    "2 threads, deterministic": {"n_jobs": 2, "deterministic": True},
}


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=["A", "B", "C"])
    parser.add_argument("--solvers", nargs="+", default=["sgd", "adagrad"])
    parser.add_argument("--runs", type=int, default=7, help="each with a seed of its own")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--only-prediction", action="store_true")
    parser.add_argument("--rows", type=int, help="training rows, if not the workload's own")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        touch_rows = compiled(folder)
        for name in options.workloads:
            workload = WORKLOADS[name](options)
            for solver in () if options.only_prediction else options.solvers:
                _training(workload, solver, options, MemoryScaling(workload, touch_rows, pool))
            _prediction(workload, options)


class MemoryScaling:
    """Callable: how much faster two threads than one touch the memory of an SGD epoch.

    Each has a table of its own, so nothing but the machine slows them.
    """

    def __init__(self, workload, touch_rows, pool):
        epoch = Epoch(workload, "sgd")
        self.one, self.halves, self.pool = Bound(touch_rows, epoch), [], pool
        for part in (0, 1):
            half = copy.copy(epoch)
            half.table = copy.deepcopy(epoch.table)
            half.order = epoch.order[part * len(epoch.order) // 2 :][: len(epoch.order) // 2].copy()
            self.halves.append(Bound(touch_rows, half))

    def __call__(self):
        start = perf_counter()
        self.one()
        middle = perf_counter()
        list(self.pool.map(lambda half: half(), self.halves))
        return (middle - start) / (perf_counter() - middle)


def _training(workload, solver, options, memory_scaling):
    seconds, errors = {mode: [] for mode in _MODES}, {mode: [] for mode in _MODES}
    scaling = []
    for seed in range(options.runs):
        for mode, parameters in _MODES.items():
            run = ours.Run(workload, solver, 16)
            run.model.set_params(random_state=seed, **parameters)
            seconds[mode].append(run.seconds_an_epoch(options.epochs))
            errors[mode].append(run.test_metric())
        scaling.append(memory_scaling())
    print(f"\n{workload.title}; training, {solver}, k = 16\n")
    print_table(
        [
            "",
            "s an epoch: min",
            "median",
            "speed-up: max",
            "median",
            f"test {workload.metric}: mean",
            "sd",
        ],
        [
            (
                mode,
                min_median(seconds[mode], 4),
                _speed_up(seconds, mode),
                f"{statistics.fmean(errors[mode]):.5f} | {statistics.stdev(errors[mode]):.5f}",
            )
            for mode in _MODES
        ],
    )
    print(
        "\nTwo threads that touch the same memory, sharing nothing: "
        f"{max(scaling):.2f} at most, {statistics.median(scaling):.2f} in the median."
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
