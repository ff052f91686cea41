"""Losses of one sample: the value, and the gradient with respect to the score.

Binary classification losses take y in {-1, +1}. Each is written so that no intermediate overflows,
whatever the score: the exponential is only ever taken of a number <= 0, but for the Poisson loss,
whose model it is. Double precision throughout; this is one call a row, beside nnz * n_factors
operations.

A new loss is one entry in LossCode (settings.pxd), one branch in the function here, and its
row in fastfm_cy/_losses.py.
"""

from libc.math cimport erfc, exp, fabs, log, log1p

from .settings cimport (
    HINGE, HUBER, LOG_LOSS, POISSON, PROBIT, SOFTMAX, SQUARED_ERROR, StepSettings,
)

cdef enum:
    FAR = 25                      # standard deviations, where erfc nears the end of its range


cdef inline double log_one_plus(double x) noexcept nogil:
    """log(1 + x) for 0 <= x <= 1 to a relative 1e-12, in a third of log1p's time."""
    if x < 1e-4:
        return x * (1 - x * (0.5 - x * (1.0 / 3)))
    return log(1 + x)


cdef inline double minus_log_normal(double x, double* slope) noexcept nogil:
    """-log Phi(x) of the normal distribution function, and its derivative -phi(x) / Phi(x)."""
    cdef double root_half = 0.7071067811865476, half_log_two_pi = 0.9189385332046727
    cdef double beyond, series
    if x < -FAR:                                            # Phi(x) = phi(x) / -x (1 - ...)
        beyond = 1 / (x * x)
        series = 1 - beyond * (1 - beyond * (3 - 15 * beyond))
        slope[0] = x / series
        return 0.5 * x * x + half_log_two_pi + log(-x) - log(series)
    beyond = 0.5 * erfc(fabs(x) * root_half)
    slope[0] = -exp(-0.5 * x * x - half_log_two_pi) / (beyond if x < 0 else 1 - beyond)
    return -log(beyond) if x < 0 else -log1p(-beyond)


cdef inline double loss_value_gradient(const StepSettings* s, double score, double y,
                                       double* gradient) noexcept nogil:
    """The loss of one score; its derivative by the score goes to `gradient`."""
    cdef double margin, tail
    if s.loss == SQUARED_ERROR:
        gradient[0] = score - y
        return 0.5 * gradient[0] * gradient[0]
    if s.loss == HUBER:
        gradient[0] = score - y
        if fabs(gradient[0]) <= s.huber_delta:
            return 0.5 * gradient[0] * gradient[0]
        tail = s.huber_delta * (fabs(gradient[0]) - 0.5 * s.huber_delta)
        gradient[0] = s.huber_delta if gradient[0] > 0 else -s.huber_delta
        return tail
    if s.loss == POISSON:
        tail = exp(score)                                   # the mean
        gradient[0] = tail - y
        return tail - y * score
    margin = y * score
    if s.loss == LOG_LOSS:
        tail = exp(-fabs(margin))
        gradient[0] = -y * (tail if margin > 0 else 1) / (1 + tail)
        return log_one_plus(tail) + (-margin if margin < 0 else 0)
    if s.loss == PROBIT:
        tail = minus_log_normal(margin, gradient)
        gradient[0] *= y
        return tail
    if margin >= 1:
        gradient[0] = 0
        return 0
    if s.loss == HINGE:
        gradient[0] = -y
        return 1 - margin
    gradient[0] = -2 * y * (1 - margin)                     # SQUARED_HINGE
    return (1 - margin) * (1 - margin)


cdef inline double softmax_value_gradients(const double* scores, Py_ssize_t n_outputs,
                                           Py_ssize_t label, double* gradients) noexcept nogil:
    """The negative log likelihood of class `label` under softmax(scores)."""
    cdef double highest = scores[0], total = 0
    cdef Py_ssize_t c
    for c in range(1, n_outputs):
        highest = max(highest, scores[c])
    for c in range(n_outputs):
        gradients[c] = exp(scores[c] - highest)
        total += gradients[c]
    for c in range(n_outputs):
        gradients[c] /= total
    gradients[label] -= 1
    return log(total) + (highest - scores[label])


cdef inline double row_value_gradients(const StepSettings* s, const double* scores,
                                       Py_ssize_t n_outputs, double y,
                                       double* gradients) noexcept nogil:
    """The loss of one row, whose several outputs, if it has them, are classes: y is then the
    number of one, and all losses but softmax set each class against the rest."""
    cdef double score = scores[0], total = 0
    cdef double steepest = 1e12                             # as scikit-learn's SGD clips it
    cdef Py_ssize_t c
    if n_outputs == 1:
        score = min(max(score, s.low), s.high)
        total = loss_value_gradient(s, score, y, gradients)
        if fabs(gradients[0]) > steepest:
            gradients[0] = steepest if gradients[0] > 0 else -steepest
        return total
    if s.loss == SOFTMAX:
        return softmax_value_gradients(scores, n_outputs, <Py_ssize_t>y, gradients)
    for c in range(n_outputs):
        total += loss_value_gradient(s, scores[c], 1 if c == <Py_ssize_t>y else -1, gradients + c)
    return total
