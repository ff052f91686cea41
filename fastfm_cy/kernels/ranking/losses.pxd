"""Ranking losses: the value, and the derivative by the difference of two scores.

"bpr" is the logistic loss of the difference (Rendle et al., UAI 2009), "hinge" the hinge loss with
a margin of 1. "warp" (Weston et al., IJCAI 2011) draws negatives until one comes within the margin,
and weighs it by the rank that the number of draws tells; `smooth` says which of the two losses it
weighs. "softmax" and "logistic" look at a positive and several negatives at once.
"""

from libc.math cimport exp, fabs, log

cpdef enum RankingLoss:
    BPR = 0
    RANK_HINGE = 1
    WARP = 2
    SAMPLED_SOFTMAX = 3
    LOGISTIC = 4


ctypedef struct LossSum:
    # Logarithms are the dearest part of a logistic loss: a product of 1 + tail, each at most 2, has
    # one for many rows.
    double total
    double product
    int n_factors


cdef enum:
    MOST_FACTORS = 512


cdef inline void add_logistic(LossSum* losses, double tail, double linear,
                              double weight) noexcept nogil:
    """Add weight (log(1 + tail) + linear), 0 <= tail <= 1."""
    if weight == 1:
        losses.total += linear
        losses.product *= 1 + tail
        losses.n_factors += 1
        if losses.n_factors == MOST_FACTORS:
            losses.total += log(losses.product)
            losses.product = 1
            losses.n_factors = 0
    else:
        losses.total += weight * (linear + log(1 + tail))


cdef inline double sum_of(const LossSum* losses) noexcept nogil:
    return losses.total + log(losses.product)


cdef inline double logistic(LossSum* losses, double margin, double weight) noexcept nogil:
    """Add the loss log(1 + exp(-margin)); return its derivative, without the weight."""
    cdef double tail = exp(-fabs(margin))
    add_logistic(losses, tail, -margin if margin < 0 else 0, weight)
    return -(tail if margin > 0 else 1) / (1 + tail)


cdef inline double hinge(LossSum* losses, double margin, double weight) noexcept nogil:
    """Add the loss max(0, 1 - margin); return its derivative, without the weight."""
    if margin >= 1:
        return 0
    losses.total += weight * (1 - margin)
    return -1
