"""From text to predictions: programs that read files, train for 10 epochs and write predictions.

    LIBFM=path/to/libFM XLEARN_PYTHON=path/to/python python -m benchmarks.speed.end_to_end

on the clicks of workload A, one thread. All programs run in turn; a round of them is one paired
run. XLEARN_PYTHON is an interpreter that has xLearn; what is not named is left out.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from ..workloads import WORKLOADS

EPOCHS, N_FACTORS = 10, 16
OURS = [sys.executable, "-m", "fastfm_cy.cli"]

_XLEARN = """
import sys, xlearn
train, test, out, opt, rate, l2, epochs, k = sys.argv[1:]
model = xlearn.create_fm()
model.setTrain(train)
model.disableNorm()
model.disableEarlyStop()
model.disableLockFree()
model.setQuiet()
model.fit({"task": "binary", "opt": opt, "lr": float(rate), "lambda": float(l2),
           "epoch": int(epochs), "k": int(k)}, "xlearn.model")
model.setTest(test)
model.setSigmoid()
model.predict("xlearn.model", out)
"""


def programs(workload, train, test, out):
    """Lists of commands by the program's name, in pairs of ours and theirs."""
    rate, l2 = workload.learning_rates, workload.l2
    flags = [
        "-task", "c", "-method", "sgd", "-train", train, "-test", test, "-out", out, "-dim",
        f"1,1,{N_FACTORS}", "-iter", EPOCHS, "-learn_rate", rate["sgd"], "-regular",
        f"0,{l2},{l2}", "-init_stdev", workload.init_scale, "-seed", 1,
    ]  # fmt: skip
    yield "fastfm-cy libfm", [[*OURS, "libfm", *flags]]
    if "LIBFM" in os.environ:
        yield "libFM", [[os.environ["LIBFM"], *flags]]
    for solver in ("sgd", "adagrad"):
        fit = [
            *OURS, "fit", train, "-m", "ours.fm", "--no-state", "-k", N_FACTORS, "--solver", solver,
            "--max-iter", EPOCHS, "--learning-rate", rate[solver], "--l2-linear", l2,
            "--l2-factors", l2, "--seed", 0,
        ]  # fmt: skip
        predict = [*OURS, "predict", "ours.fm", test, "-o", out]
        yield f"fastfm-cy fit, predict ({solver})", [fit, predict]
        if "XLEARN_PYTHON" in os.environ:
            arguments = [train, test, out, solver, rate[solver], l2, EPOCHS, N_FACTORS]
            yield f"xLearn ({solver})", [[os.environ["XLEARN_PYTHON"], "-c", _XLEARN, *arguments]]


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="paired runs")
    parser.add_argument("--rows", type=int, help="training rows, if not the workload's own")
    options = parser.parse_args()
    workload = WORKLOADS["A"](options)
    with tempfile.TemporaryDirectory() as folder:
        train, test = workload.write(Path(folder))
        out = Path(folder) / "out"
        named = list(programs(workload, train, test, out))
        seconds, errors = {name: [] for name, _ in named}, {}
        for _ in range(options.runs):
            for name, commands in named:
                for cache in Path(folder).glob("*.bin"):
                    cache.unlink()  # xLearn's, of the text
                start = perf_counter()
                for command in commands:
                    _run(command, folder)
                seconds[name].append(perf_counter() - start)
                errors[name] = workload.error(np.loadtxt(out))
    print("| program | s: min | median | log loss |\n|---|---|---|---|")
    for name, values in seconds.items():
        print(f"| {name} | {min(values):.2f} | {np.median(values):.2f} | {errors[name]:.4f} |")


def _run(command, folder):
    environment = {"USER": "anyone"} | dict(os.environ)  # xLearn wants it
    subprocess.run(
        [str(word) for word in command], check=True, capture_output=True, cwd=folder,
        env=environment,
    )  # fmt: skip


if __name__ == "__main__":
    main()
