"""Paired runs of all peers on one workload, and the table of their ratios."""

import tempfile
from pathlib import Path

from .measure import min_median, print_table, ratios
from .peers import PEERS, ours


def compare(workload, solver, n_factors, options):
    """Print a table: seconds an epoch, and each peer's over ours, run by run."""
    print(f"\n{workload.title}; {solver}, k = {n_factors}, one thread")
    print(f"{options.runs} paired runs, {options.epochs} epochs each\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        runs = {ours.NAME: ours.Run(workload, solver, n_factors, Path(folder))}
        for name in options.peers:
            peer = PEERS[name]
            reason = peer.missing() or ("" if solver in peer.SOLVERS else f"has no {solver}")
            if reason:
                print(f"{name} left out: {reason}\n")
            else:
                runs[name] = peer.Run(workload, solver, n_factors, Path(folder))
        for run in runs.values():
            run.fit(1)  # warm up; xLearn also writes its binary copy of the data now
        seconds = {name: [] for name in runs}
        for _ in range(options.runs):
            for name, run in runs.items():
                seconds[name].append(run.seconds_an_epoch(options.epochs))
        metrics = {name: _test_metric(run, options.epochs) for name, run in runs.items()}
    head = ["library", "s an epoch: min", "median", "times ours: min", "median", workload.metric]
    print_table(
        head,
        [
            (
                name,
                min_median(seconds[name], 4),
                min_median(ratios(seconds, name, ours.NAME), 1),
                f"{metrics[name]:.4f}",
            )
            for name in runs
        ],
    )


def _test_metric(run, epochs):
    run.fit(1 + epochs)
    return run.test_metric()
