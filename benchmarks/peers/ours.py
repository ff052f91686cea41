"""fastfm_cy itself."""

from statistics import fmean
from time import perf_counter

from fastfm_cy import FMClassifier, FMRegressor

NAME = "fastfm_cy"
_EPOCHS_FOR_ONE = 5


class Run:
    def __init__(self, workload, solver, n_factors, folder=None):
        self.workload = workload
        Model = FMRegressor if workload.task == "regression" else FMClassifier
        self.model = Model(
            n_factors,
            solver=solver,
            learning_rate=workload.learning_rates[solver],
            l2_linear=workload.l2,
            l2_factors=workload.l2,
            init_scale=workload.init_scale,
            random_state=0,
        )

    def fit(self, epochs):
        self.model.set_params(max_iter=epochs)
        start = perf_counter()
        self.model.fit(self.workload.X, self.workload.y)
        return perf_counter() - start

    def seconds_an_epoch(self, epochs):
        self.fit(_EPOCHS_FOR_ONE * epochs)  # an epoch is short beside a peer's
        return fmean(self.model.history_["seconds"])

    def test_metric(self):
        X = self.workload.X_test
        if self.workload.task == "regression":
            return self.workload.error(self.model.predict(X))
        return self.workload.error(self.model.predict_proba(X)[:, 1])
