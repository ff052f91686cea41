"""modern-fm (Rust): ``python -m pip install modern-fm``."""

from importlib.util import find_spec
from time import perf_counter

import numpy as np
from scipy import sparse

from ..measure import from_difference

NAME = "modern-fm"
SOLVERS = ("sgd", "adagrad", "adam", "ftrl")


def missing():
    return None if find_spec("modern_fm") else "not installed (python -m pip install modern-fm)"


class Run:
    def __init__(self, workload, solver, n_factors, folder=None):
        import modern_fm

        self.workload = workload
        regression = workload.task == "regression"
        Model = modern_fm.FMRegressor if regression else modern_fm.FMClassifier
        self.model = Model(
            n_factors=n_factors,
            optimizer=solver,
            learning_rate=workload.learning_rates[solver],
            l2_linear=workload.l2,
            l2_factors=workload.l2,
            init_scale=workload.init_scale,
            batch_size=1,
            n_jobs=1,
            random_state=0,
        )
        self.X, self.X_test = (sparse.csr_matrix(X) for X in (workload.X, workload.X_test))

    def fit(self, epochs):
        self.model.set_params(max_iter=epochs)
        start = perf_counter()
        self.model.fit(self.X, self.workload.y)
        return perf_counter() - start

    def seconds_an_epoch(self, epochs):
        return from_difference(self.fit, epochs)

    def test_metric(self):
        if self.workload.task == "regression":
            predicted = self.model.predict(self.X_test)
            return self.workload.error(
                np.clip(predicted, *np.percentile(self.workload.y, [0, 100]))
            )
        return self.workload.error(self.model.predict_proba(self.X_test)[:, 1])
