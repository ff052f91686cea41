"""What a user waits for: ``python -m benchmarks.speed.whole_fit``.

The set-up of a fit (all of its time but that of its epochs), its epochs, all of it in one thread
and in two, and the scores of all rows after each solver. With --old PATH, the same of an older
built checkout, in turn with this one. Processor times say what wall times of a busy machine cannot.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter, process_time

from ..measure import min_median, print_table

_SOLVERS = "sgd", "adagrad", "adam", "ftrl"


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--features", type=int, default=1_000_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--old", type=Path, help="folder of an older checkout, with its kernels")
    parser.add_argument("--solvers", nargs="+", default=_SOLVERS, choices=_SOLVERS)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        _measure(options)
        return
    trees = {"new": Path.cwd()} | ({"old": options.old} if options.old else {})
    found = {}
    for run in range(options.runs + 1):  # the first warms up
        for tree, folder in trees.items():
            for name, seconds in _of_worker(folder).items():
                if run:
                    found.setdefault(name, {}).setdefault(tree, []).append(seconds)
    print(f"\n{options.rows:,} rows of 39 non-zeros, {options.features:,} features, k = 16\n")
    head = ["seconds", *(part for tree in trees for part in (f"{tree}: min", "median"))]
    rows = [
        [name, *(min_median(times[tree], 3) for tree in trees)] for name, times in found.items()
    ]
    print_table(head, rows)


def _of_worker(folder):
    """The figures of one run, in a process that imports the package from a folder."""
    code = (
        "import sys, runpy; sys.path.insert(0, sys.argv.pop(1)); import fastfm_cy; "
        f"sys.path.insert(0, {str(Path.cwd())!r}); "
        f"runpy.run_module({__spec__.name!r}, run_name='__main__', alter_sys=True)"
    )
    command = [sys.executable, "-c", code, str(folder.resolve()), *sys.argv[1:], "--worker"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(out.splitlines()[-1])


def _measure(options):
    from fastfm_cy import FMClassifier
    from fastfm_cy.datasets import make_clicks

    data = make_clicks(options.rows, n_fields=39, n_features=options.features, random_state=0)
    found = {}
    for solver in options.solvers:
        for n_jobs in (1, 2):
            model = FMClassifier(
                16, solver=solver, max_iter=options.epochs, n_jobs=n_jobs, random_state=0
            )
            wall, processor = perf_counter(), process_time()
            model.fit(data.X, data.y)
            wall, processor = perf_counter() - wall, process_time() - processor
            epochs, name = sum(model.history_["seconds"]), f"{solver}, n_jobs={n_jobs}: "
            found |= {
                f"{name}set-up": wall - epochs, f"{name}an epoch": epochs / options.epochs,
                f"{name}fit": wall, f"{name}fit, processor": processor,
            }  # fmt: skip
        model.set_params(n_jobs=1)
        times = []
        for _ in range(3):
            wall, processor = perf_counter(), process_time()
            model.decision_function(data.X)
            times.append((perf_counter() - wall, process_time() - processor))
        wall, processor = map(min, zip(*times, strict=True))
        found |= {f"{solver}: scores": wall, f"{solver}: scores, processor": processor}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
