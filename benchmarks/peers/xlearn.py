"""xLearn (C++): ``python -m pip install xlearn``, which needs cmake and a compiler."""

import os
from contextlib import contextmanager
from importlib.util import find_spec
from time import perf_counter

import numpy as np

from ..measure import from_difference

NAME = "xlearn"
SOLVERS = ("sgd", "adagrad", "ftrl")


def missing():
    return None if find_spec("xlearn") else "not installed (python -m pip install xlearn)"


@contextmanager
def quiet():
    """xLearn prints from C++; send its standard output nowhere."""
    saved, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(nowhere)


class Run:
    def __init__(self, workload, solver, n_factors, folder):
        os.environ.setdefault("USER", "benchmark")  # its logger dereferences it
        self.workload = workload
        self.train, self.test = map(str, workload.write(folder))
        self.model_path = str(folder / "xlearn.model")
        self.output_path = str(folder / "xlearn.out")
        self.parameters = {
            "task": "reg" if workload.task == "regression" else "binary",
            "lr": workload.learning_rates[solver],
            "lambda": workload.l2,
            "alpha": workload.learning_rates[solver],  # these four for ftrl
            "beta": 1.0,
            "lambda_1": 0.0,
            "lambda_2": workload.l2,
            "k": n_factors,
            "init": workload.init_scale,
            "opt": solver,
            "nthread": 1,
        }

    def fit(self, epochs):
        import xlearn

        self.model = xlearn.create_fm()
        self.model.setTrain(self.train)
        self.model.disableNorm()
        self.model.disableEarlyStop()
        self.model.setQuiet()  # no metric, hence no extra pass, after each epoch
        with quiet():
            start = perf_counter()
            self.model.fit({**self.parameters, "epoch": epochs}, self.model_path)
            return perf_counter() - start

    def seconds_an_epoch(self, epochs):
        return from_difference(self.fit, epochs)

    def test_metric(self):
        self.model.setTest(self.test)
        if self.workload.task == "classification":
            self.model.setSigmoid()
        with quiet():
            self.model.predict(self.model_path, self.output_path)
        predicted = np.loadtxt(self.output_path)
        if self.workload.task == "regression":
            predicted = np.clip(predicted, self.workload.y.min(), self.workload.y.max())
        return self.workload.error(predicted)
