"""Paired timing and tables, shared by all scripts."""

import statistics
from time import perf_counter


def paired(functions, runs, clock=perf_counter):
    """Call the functions in turn, `runs` times after a warm-up; seconds of each, run by run."""
    seconds = {name: [] for name in functions}
    for run in range(runs + 1):
        for name, function in functions.items():
            start = clock()
            function()
            if run:
                seconds[name].append(clock() - start)
    return seconds


def from_difference(fit, epochs):
    """Seconds an epoch from a long and a short fit: loading and set-up cancel out."""
    short = fit(1)
    return (fit(1 + epochs) - short) / epochs


def ratios(seconds, name, base):
    """Seconds of `name` over those of `base`, run by run."""
    return [ours / its for ours, its in zip(seconds[name], seconds[base], strict=True)]


def min_median(values, digits):
    return f"{min(values):.{digits}f} | {statistics.median(values):.{digits}f}"


def print_table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|---" * len(head) + "|")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
