"""The Python face of the training settings."""


cdef class Settings:
    """What a training run holds fixed, checked by the estimator that builds it."""

    def __init__(self, *, LossCode loss, SolverCode solver, double learning_rate,
                 double l2_linear, double l2_factors, bint fit_intercept, bint fit_linear):
        self.values = StepSettings(
            loss, solver, learning_rate, l2_linear, l2_factors, fit_intercept, fit_linear
        )

    @property
    def loss(self):
        return self.values.loss
