"""Command line of the benchmarks: ``python -m benchmarks``, from the checkout's folder."""

import argparse

from .peers import PEERS
from .runner import compare
from .workloads import WORKLOADS


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Seconds an epoch of fastfm_cy and its peers, in pairs, and their ratios.",
    )
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=["ml100k", "A"])
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument(
        "--solvers",
        nargs="+",
        choices=["sgd", "adagrad", "adam", "ftrl"],
        default=["sgd", "adagrad"],
    )
    parser.add_argument("--factors", type=int, nargs="+", default=[16], help="numbers of factors")
    parser.add_argument("--epochs", type=int, default=10, help="epochs that a measurement spans")
    parser.add_argument("--runs", type=int, default=5, help="paired runs")
    parser.add_argument("--rows", type=int, help="training rows of A, B and C, if not their own")
    options = parser.parse_args()
    for name in options.workloads:
        workload = WORKLOADS[name](options)
        for n_factors in options.factors:
            for solver in options.solvers:
                compare(workload, solver, n_factors, options)


if __name__ == "__main__":
    main()
