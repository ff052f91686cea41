"""What each optimisation gains: ``python -m benchmarks.analysis.ladder``.

All are on, then each is switched off alone; seconds over those with all on, in paired runs.
"""

import argparse

from ..measure import min_median, paired, print_table, ratios
from ..speed.kernel import Epoch
from ..workloads import WORKLOADS

_OFF = {
    "all on": {},
    "no prefetch": {"prefetch": False},
    "number of factors at run time": {"constant_width": False},
    "baseline instead of AVX2": {"build": "baseline"},
    "small pages": {"huge_pages": False},
    "rows shuffled one by one": {"shuffle": True},
    "features not relabelled": {"relabel": False},
    "all off": {
        "prefetch": False,
        "constant_width": False,
        "build": "baseline",
        "huge_pages": False,
        "shuffle": True,
        "relabel": False,
    },
}


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=["A", "B", "C"])
    parser.add_argument("--solvers", nargs="+", default=["sgd", "adagrad"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, help="training rows, if not the workload's own")
    options = parser.parse_args()
    for name in options.workloads:
        workload = WORKLOADS[name](options)
        for solver in options.solvers:
            epochs = {off: Epoch(workload, solver, **switches) for off, switches in _OFF.items()}
            seconds = paired(epochs, options.runs)
            print(f"\n{workload.title}; {solver}, k = 16\n")
            n_rows = len(workload.y)
            print_table(
                ["", "ns a row: min", "median", "times all on: min", "median"],
                [
                    (
                        off,
                        min_median([s / n_rows * 1e9 for s in seconds[off]], 0),
                        min_median(ratios(seconds, off, "all on"), 2),
                    )
                    for off in epochs
                ],
            )


if __name__ == "__main__":
    main()
