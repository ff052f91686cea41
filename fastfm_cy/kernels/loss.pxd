"""Losses of one sample: the value, and the gradient with respect to the score.

Classification losses take y in {-1, +1}. Each is written so that no intermediate overflows,
whatever the score: the exponential is only ever taken of a number <= 0. Double precision
throughout; this is one call a row, beside nnz * n_factors operations.

A new loss is one entry in LossCode (settings.pxd), one branch in the function here, and its
row in fastfm_cy/_losses.py.
"""

from libc.math cimport exp, fabs, log

from .settings cimport HINGE, LOG_LOSS, LossCode, SQUARED_ERROR


cdef inline double log_one_plus(double x) noexcept nogil:
    """log(1 + x) for 0 <= x <= 1 to a relative 1e-12, in a third of log1p's time."""
    if x < 1e-4:
        return x * (1 - x * (0.5 - x * (1.0 / 3)))
    return log(1 + x)


cdef inline double loss_value_gradient(LossCode loss, double score, double y,
                                       double* gradient) noexcept nogil:
    """The loss; its derivative by the score goes to `gradient`."""
    cdef double margin, tail
    if loss == SQUARED_ERROR:
        gradient[0] = score - y
        return 0.5 * gradient[0] * gradient[0]
    margin = y * score
    if loss == LOG_LOSS:
        tail = exp(-fabs(margin))
        gradient[0] = -y * (tail if margin > 0 else 1) / (1 + tail)
        return log_one_plus(tail) + (-margin if margin < 0 else 0)
    if margin >= 1:
        gradient[0] = 0
        return 0
    if loss == HINGE:
        gradient[0] = -y
        return 1 - margin
    gradient[0] = -2 * y * (1 - margin)                     # SQUARED_HINGE
    return (1 - margin) * (1 - margin)
