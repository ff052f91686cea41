"""The Python face of the training settings."""


cdef class Settings:
    """What a training run holds fixed, checked by the estimator that builds it.

    prefetch and constant_width can be switched off to measure what they gain
    (benchmarks/analysis/ladder.py); the result is the same.
    """

    def __init__(self, *, LossCode loss, SolverCode solver, double learning_rate,
                 double beta1=0.9, double beta2=0.999, double ftrl_beta=1.0,
                 double huber_delta=1.0, double l2_intercept=0.0, double l2_pair_weights=0.0,
                 double low=float("-inf"), double high=float("inf"),
                 bint has_l1=False, bint fit_intercept=True, bint fit_linear=True,
                 bint fit_pair_weights=True, bint prefetch=True,
                 bint constant_width=True):
        self.values = StepSettings(
            loss, solver, learning_rate, beta1, beta2, ftrl_beta, huber_delta, l2_intercept,
            l2_pair_weights, low, high, has_l1, fit_intercept, fit_linear, fit_pair_weights,
            prefetch, constant_width,
        )

    @property
    def loss(self):
        return self.values.loss

    @property
    def l2_intercept(self):
        return self.values.l2_intercept

    @property
    def l2_pair_weights(self):
        return self.values.l2_pair_weights

    @property
    def ftrl_beta(self):
        return self.values.ftrl_beta

    @property
    def learning_rate(self):
        return self.values.learning_rate

    @learning_rate.setter
    def learning_rate(self, double value):
        self.values.learning_rate = value
