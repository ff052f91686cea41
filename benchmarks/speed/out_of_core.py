"""Training on a data set five times the allowed memory: ``python -m benchmarks.speed.out_of_core``.

Every fit runs in a process of its own. Those from disk may not have more memory than a fifth of the
data set (``ulimit -d``: the heap and all private mappings, the interpreter's and libraries'
included). "uncached" also drops what was read from the system's cache at once, so that every epoch
reads the disk itself.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import log_loss

from fastfm_cy import FMClassifier
from fastfm_cy.data.disk.dataset import DiskDataset
from fastfm_cy.datasets import make_clicks
from fastfm_cy.io import Dataset, convert, open_dataset

from ..measure import min_median, print_table, ratios

_TIMES = 5  # the allowed memory
_KINDS = {
    "memory": "in memory",
    "disk": "from disk",
    "uncached": "from disk, uncached",
}


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--features", type=int, default=200_000)
    parser.add_argument("--factors", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--runs", type=int, default=5, help="paired runs, each with its own seed")
    parser.add_argument("--budget", default="48MB", help="memory_budget")
    parser.add_argument("--folder", help="where to put the data; default: a temporary folder")
    parser.add_argument("--fit", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        _fit(*options.fit, options)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        _write(Path(folder), options)
        results = {kind: [] for kind in _KINDS}
        for seed in range(options.runs):
            for kind in _KINDS:
                results[kind].append(_in_process(kind, folder, seed))
        _report(Path(folder), results, options)


def _write(folder, options):
    n_rows = options.rows
    size = {"n_fields": 39, "n_features": options.features, "rank": 8}
    data = make_clicks(n_rows + n_rows // 10, **size, random_state=0)
    for name, part in (("train", slice(n_rows)), ("test", slice(n_rows, None))):
        convert(Dataset(data.X[part], data.y[part]), folder / name)


def _size(folder):
    return sum(path.stat().st_size for path in (folder / "train").iterdir())


def _in_process(kind, folder, seed):
    command = [sys.executable, "-m", "benchmarks.speed.out_of_core", *sys.argv[1:]]
    command += ["--fit", kind, folder, str(seed)]
    # Its threads' buffers would count, though nothing here uses them.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout)


def _fit(kind, folder, seed, options):
    """One fit, in this process; prints what came out."""
    folder = Path(folder)
    if kind != "memory":
        allowed = _size(folder) // _TIMES
        resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))
    if kind == "uncached":
        _drop_what_is_read()
    train, test = (
        open_dataset(folder / name, memory_budget=options.budget) for name in ("train", "test")
    )
    model = FMClassifier(options.factors, max_iter=options.epochs, random_state=int(seed))
    if kind == "memory":
        X, y = train
        for name in ("data", "indices", "indptr"):
            setattr(X, name, np.array(getattr(X, name)))
        model.fit(X, np.array(y))
    else:
        model.fit(train)
    probabilities = model.predict_proba(test)
    result = {
        "seconds": statistics.median(model.history_["seconds"]),
        "loss": log_loss(test.y, probabilities[:, 1]),
        "peak": _peak(),
    }
    print(json.dumps(result))


def _peak():
    """MB; what getrusage says, a child process inherits."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _drop_what_is_read():
    original = DiskDataset.read

    def read(self, name, ranges):
        numbers = original(self, name, ranges)
        with open(self._path(name), "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return numbers

    DiskDataset.read = read


def _report(folder, results, options):
    size = _size(folder) / 2**20
    print(
        f"\n**{options.rows:,} rows of 39, {options.features:,} features, {size:.0f} MB on disk; "
        f"adagrad, k = {options.factors}**  \nat most {size / _TIMES:.0f} MB allowed from disk, "
        f"memory_budget {options.budget}; {options.runs} paired runs, {options.epochs} epochs\n"
    )
    seconds = {kind: [run["seconds"] for run in runs] for kind, runs in results.items()}
    rows = []
    for kind, runs in results.items():
        losses = [run["loss"] for run in runs]
        rows.append(
            (
                _KINDS[kind],
                min_median(seconds[kind], 3),
                min_median(ratios(seconds, kind, "memory"), 2),
                f"{statistics.mean(losses):.5f} | {statistics.stdev(losses):.5f}",
                f"{max(run['peak'] for run in runs):.0f}",
            )
        )
    head = ["", "s an epoch: min", "median", "times in memory: min", "median"]
    print_table([*head, "test log loss: mean", "sd", "peak resident MB"], rows)


if __name__ == "__main__":
    main()
