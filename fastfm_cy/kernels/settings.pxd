"""What a training run holds fixed: the loss, the solver and their strengths."""

cpdef enum LossCode:
    SQUARED_ERROR = 0
    LOG_LOSS = 1
    HINGE = 2
    SQUARED_HINGE = 3


cpdef enum SolverCode:
    SGD = 0
    ADAGRAD = 1


ctypedef struct StepSettings:
    LossCode loss
    SolverCode solver
    double learning_rate
    double l2_linear
    double l2_factors
    bint fit_intercept
    bint fit_linear
    bint prefetch
    bint constant_width


cdef class Settings:
    cdef StepSettings values
