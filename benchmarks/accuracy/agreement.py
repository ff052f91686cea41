"""libFM's command line beside `fastfm-cy libfm`: test errors on MovieLens 100K, over seeds.

    LIBFM=path/to/libFM python -m benchmarks.accuracy.agreement

prints a line of docs/migration.md's table for each set of flags.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import root_mean_squared_error

from ..data import data_file

N_USERS, N_ITEMS = 943, 1682
FLAGS = [
    "-method als -dim 1,1,4 -regular 0,5,5 -init_stdev 0.00001 -iter 100",
    "-method als -dim 1,1,1 -regular 0,5,5 -iter 300",
    "-method sgd -dim 1,1,0 -learn_rate 0.01 -regular 0.02 -iter 30",
    "-method sgd -dim 1,1,8 -learn_rate 0.01 -regular 0,0.01,0.05 -iter 30",
    "-method sgd -dim 1,1,8 -learn_rate 0.01 -regular 0.02 -iter 30",
    "-method mcmc -dim 1,1,10 -iter 200",
    "-method mcmc -dim 1,1,10 -iter 200 -meta META",
]


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    if "LIBFM" not in os.environ:
        parser.error("the environment variable LIBFM names no binary")
    folder = data_file("ml-100k")
    programs = [os.environ["LIBFM"]], [sys.executable, "-m", "fastfm_cy.cli", "libfm"]
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        for part in ("base", "test"):
            y = _write(folder / f"u1.{part}", scratch / part)
        (scratch / "meta").write_text("0\n" * N_USERS + "1\n" * N_ITEMS)
        for flags in FLAGS:
            errors = [
                [_error(program, flags, seed, scratch, y) for seed in range(1, options.seeds + 1)]
                for program in programs
            ]
            cells = [f"{np.mean(e):.4f} ± {np.std(e):.4f}" for e in errors]
            print(f"| `{flags}` | {cells[0]} | {cells[1]} |", flush=True)


def _write(source, target):
    users, items, y, _ = np.loadtxt(source, dtype=int).T
    lines = [
        f"{r} {u - 1}:1 {N_USERS + i - 1}:1\n" for u, i, r in zip(users, items, y, strict=True)
    ]
    target.write_text("".join(lines))
    return y


def _error(program, flags, seed, scratch, y):
    flags = flags.replace("META", str(scratch / "meta")).split()
    out = scratch / "out"
    subprocess.run(
        [*program, "-task", "r", "-train", scratch / "base", "-test", scratch / "test", *flags,
         "-seed", str(seed), "-out", out],
        check=True, capture_output=True,
    )  # fmt: skip
    return root_mean_squared_error(y, np.loadtxt(out))


if __name__ == "__main__":
    main()
