"""What a training run holds fixed: the loss, the solver and their constants."""

cpdef enum LossCode:
    SQUARED_ERROR = 0
    HUBER = 1
    POISSON = 2
    LOG_LOSS = 3
    HINGE = 4
    SQUARED_HINGE = 5
    SOFTMAX = 6
    PROBIT = 7


cpdef enum SolverCode:
    SGD = 0
    ADAGRAD = 1
    ADAM = 2
    ADAMW = 3
    FTRL = 4


ctypedef struct StepSettings:
    LossCode loss
    SolverCode solver
    double learning_rate
    double beta1                # Adam's decay of the mean gradient,
    double beta2                # and of the mean square
    double ftrl_beta
    double huber_delta
    double l2_intercept         # as strengths of the features' parameters are
    double l2_pair_weights      # towards 1, of a field-weighted model
    double low                  # scores are clipped to this range before the loss
    double high
    bint has_l1
    bint fit_intercept
    bint fit_linear
    bint fit_pair_weights       # of a field-weighted model
    bint prefetch
    bint constant_width


cdef class Settings:
    cdef StepSettings values
