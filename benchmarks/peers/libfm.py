"""libFM 1.4.4 (C++): the environment variable LIBFM names its binary.

Its own clock is used (``time_learn`` of -rlog), which leaves out loading and the evaluations
that it makes after every iteration. libFM does not shuffle.
"""

import os
import shutil
import subprocess

import numpy as np

NAME = "libfm"
SOLVERS = ("sgd",)


def missing():
    binary = os.environ.get("LIBFM")
    if not binary:
        return "the environment variable LIBFM names no binary"
    return None if shutil.which(binary) else f"LIBFM={binary} is no program"


class Run:
    def __init__(self, workload, solver, n_factors, folder):
        self.workload = workload
        train, test = workload.write(folder)
        self.log, self.output = folder / "libfm.log", folder / "libfm.out"
        self.command = [
            os.environ["LIBFM"], "-method", "sgd",
            "-task", "r" if workload.task == "regression" else "c",
            "-train", train, "-test", test, "-dim", f"1,1,{n_factors}",
            "-learn_rate", str(workload.learning_rates[solver]),
            "-regular", f"0,{workload.l2},{workload.l2}",
            "-init_stdev", str(workload.init_scale), "-seed", "1",
            "-rlog", self.log, "-out", self.output,
        ]  # fmt: skip

    def fit(self, epochs):
        command = [str(part) for part in [*self.command, "-iter", epochs]]
        subprocess.run(command, check=True, capture_output=True)
        header, *lines = self.log.read_text().splitlines()
        column = header.split("\t").index("time_learn")
        return sum(float(line.split("\t")[column]) for line in lines)

    def seconds_an_epoch(self, epochs):
        return self.fit(epochs) / epochs

    def test_metric(self):
        return self.workload.error(np.loadtxt(self.output))
