"""The likelihood of cutpoints in the ordered probit model, given the rows' scores.

A latent normal around the score falls between the cutpoints of its class: row i of class c has
probability P = Phi(b) - Phi(a), b = cutpoint c - score, a = cutpoint c - 1 - score (infinite at the
ends). With densities A = phi(a) / P and B = phi(b) / P,

    d log P / db = B,   d2 log P / db2 = -B (b + B),   d2 log P / da db = A B,
    d log P / da = -A,  d2 log P / da2 = A (a - A).

Everything is taken in logarithms and, if both ends are positive, on the other side of zero, so that
no score is too far off.
"""

import numpy as np

from libc.math cimport INFINITY, exp, expm1, isinf, log

from ..common.losses cimport minus_log_normal
from ..common.structs cimport int32_t

cdef double HALF_LOG_TWO_PI = 0.9189385332046727


cdef inline double log_density(double x) noexcept nogil:
    return -0.5 * x * x - HALF_LOG_TWO_PI


cdef inline double log_between(double a, double b) noexcept nogil:
    """log(Phi(b) - Phi(a)) for a < b."""
    cdef double high, low, slope, swapped
    if a > 0:
        swapped = a
        a = -b
        b = -swapped
    high = 0.0 if isinf(b) else -minus_log_normal(b, &slope)
    if isinf(a):
        return high
    low = -minus_log_normal(a, &slope)
    return high + log(-expm1(low - high))


def log_likelihood(const double[::1] scores, const int32_t[::1] classes,
                   const double[::1] cutpoints, bint with_slopes):
    """Sum of log P over the rows.

    Parameters
    ----------
    scores, classes : shape (n_rows,)
    cutpoints : shape (n_classes - 1,), increasing
    with_slopes : bool

    Returns
    -------
    float, gradient (n_classes - 1,) and Hessian (n_classes - 1, n_classes - 1) by the cutpoints;
    None for the last two if not `with_slopes`
    """
    cdef Py_ssize_t n = cutpoints.shape[0], i, c
    gradient, hessian = np.zeros(n), np.zeros((n, n))
    cdef double[::1] g = gradient
    cdef double[:, ::1] h = hessian
    cdef double total = 0, a, b, log_p, below, above
    with nogil:
        for i in range(scores.shape[0]):
            c = classes[i]
            a = cutpoints[c - 1] - scores[i] if c > 0 else -INFINITY
            b = cutpoints[c] - scores[i] if c < n else INFINITY
            log_p = log_between(a, b)
            total += log_p
            if not with_slopes:
                continue
            below = exp(log_density(a) - log_p) if c > 0 else 0
            above = exp(log_density(b) - log_p) if c < n else 0
            if c > 0:
                g[c - 1] -= below
                h[c - 1, c - 1] += below * (a - below)
            if c < n:
                g[c] += above
                h[c, c] -= above * (b + above)
            if 0 < c < n:
                h[c - 1, c] += below * above
                h[c, c - 1] += below * above
    return (total, gradient, hessian) if with_slopes else (total, None, None)
