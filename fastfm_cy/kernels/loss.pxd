"""Losses of one sample: the value, and the gradient with respect to the score.

Classification losses take y in {-1, +1}. Each is written so that no intermediate overflows,
whatever the score: the exponential is only ever taken of a number <= 0. Double precision
throughout; this is one call a row, beside nnz * n_factors operations.

A new loss is one entry in LossCode (settings.pxd), one branch in each function here, and its
row in fastfm_cy/_losses.py.
"""

from libc.math cimport exp, fabs, log1p

from .settings cimport HINGE, LOG_LOSS, LossCode, SQUARED_ERROR, SQUARED_HINGE


cdef inline double loss_value(LossCode loss, double score, double y) noexcept nogil:
    cdef double margin
    if loss == SQUARED_ERROR:
        return 0.5 * (score - y) * (score - y)
    margin = y * score
    if loss == LOG_LOSS:
        return log1p(exp(-fabs(margin))) + (-margin if margin < 0 else 0)
    if margin >= 1:
        return 0
    if loss == HINGE:
        return 1 - margin
    return (1 - margin) * (1 - margin)                      # SQUARED_HINGE


cdef inline double loss_gradient(LossCode loss, double score, double y) noexcept nogil:
    cdef double margin, tail
    if loss == SQUARED_ERROR:
        return score - y
    margin = y * score
    if loss == LOG_LOSS:
        tail = exp(-fabs(margin))
        return -y * (tail if margin > 0 else 1) / (1 + tail)
    if margin >= 1:
        return 0
    if loss == HINGE:
        return -y
    return -2 * y * (1 - margin)                            # SQUARED_HINGE
