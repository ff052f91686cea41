"""The Python face of the training settings."""


cdef class Settings:
    """What a training run holds fixed, checked by the estimator that builds it.

    prefetch and constant_width can be switched off to measure what they gain
    (benchmarks/ladder.py); the result is the same.
    """

    def __init__(self, *, LossCode loss, SolverCode solver, double learning_rate,
                 double l2_linear, double l2_factors, bint fit_intercept, bint fit_linear,
                 bint prefetch=True, bint constant_width=True):
        self.values = StepSettings(
            loss, solver, learning_rate, l2_linear, l2_factors, fit_intercept, fit_linear,
            prefetch, constant_width,
        )

    @property
    def loss(self):
        return self.values.loss
