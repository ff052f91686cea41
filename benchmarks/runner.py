"""Paired runs of all peers on one workload, and the table of their ratios."""

import statistics
import tempfile
from pathlib import Path

from .peers import PEERS, ours


def compare(workload, solver, n_factors, options):
    """Print a table: seconds an epoch, and each peer's over ours, run by run."""
    print(f"\n{workload.title}; {solver}, k = {n_factors}, one thread")
    print(f"{options.runs} paired runs, {options.epochs} epochs each", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        runs = {ours.NAME: ours.Run(workload, solver, n_factors, Path(folder))}
        for name in options.peers:
            peer = PEERS[name]
            reason = peer.missing() or ("" if solver in peer.SOLVERS else f"has no {solver}")
            if reason:
                print(f"  {name} left out: {reason}")
            else:
                runs[name] = peer.Run(workload, solver, n_factors, Path(folder))
        for run in runs.values():
            run.fit(1)  # warm up; xLearn also writes its binary copy of the data now
        seconds = {name: [] for name in runs}
        for _ in range(options.runs):
            for name, run in runs.items():
                seconds[name].append(seconds_an_epoch(run, options.epochs))
        metrics = {name: run.test_metric() for name, run in runs.items()}
    _print_table(workload, seconds, metrics)


def seconds_an_epoch(run, epochs):
    """From the difference of a long and a short fit: loading and set-up cancel out."""
    short = run.fit(1)
    return (run.fit(1 + epochs) - short) / epochs


def _print_table(workload, seconds, metrics):
    columns = ["s an epoch: min", "median", "times ours: min", "median", f"test {workload.metric}"]
    head = f"| {'library':<12} | " + " | ".join(columns) + " |"
    print(head)
    print("|" + "|".join("-" * len(cell) for cell in head.strip("|").split("|")) + "|")
    for name, times in seconds.items():
        ratios = [theirs / own for theirs, own in zip(times, seconds[ours.NAME], strict=True)]
        cells = [
            f"{name:<12}",
            f"{min(times):15.4f}",
            f"{statistics.median(times):6.4f}",
            f"{min(ratios):15.2f}",
            f"{statistics.median(ratios):6.2f}",
            f"{metrics[name]:{len(workload.metric) + 5}.4f}",
        ]
        print("| " + " | ".join(cells) + " |", flush=True)
