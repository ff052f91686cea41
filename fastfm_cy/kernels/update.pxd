"""One step of each solver on a run of parameters that share a row of the table.

For every parameter of a factorization machine the gradient of loss + L2 has the same form,

    gradient[f] = along * direction[f] + own * theta[f],

with g the derivative of the (weighted) loss by the score and x the feature's value:

    parameter    direction        along    own
    intercept    1                g        0
    linear       1                g x      l2
    factor f     s_f = sum v x    g x      l2 - g x^2

so a solver is written once, here, for all of them. A new solver is one entry in SolverCode
(settings.pxd), one function and one branch here, and its row in fastfm_cy/_solvers.py.
"""

from libc.math cimport sqrt

from .settings cimport ADAGRAD, SGD, SolverCode
from .structs cimport real


cdef inline void sgd_step(real* theta, const real* direction, real along, real own,
                          real learning_rate, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t f
    for f in range(n):
        theta[f] = theta[f] - learning_rate * (along * direction[f] + own * theta[f])


cdef inline void adagrad_step(real* theta, real* squares, const real* direction, real along,
                              real own, real learning_rate, Py_ssize_t n) noexcept nogil:
    # `squares` starts above zero (_solvers.py), so the root needs no guard.
    cdef Py_ssize_t f
    cdef real gradient
    for f in range(n):
        gradient = along * direction[f] + own * theta[f]
        squares[f] = squares[f] + gradient * gradient
        theta[f] = theta[f] - learning_rate * gradient / <real>sqrt(squares[f])


cdef inline void step(SolverCode solver, real* theta, real* state, const real* direction,
                      real along, real own, real learning_rate, Py_ssize_t n) noexcept nogil:
    if solver == SGD:
        sgd_step(theta, direction, along, own, learning_rate, n)
    else:                                                   # ADAGRAD
        adagrad_step(theta, state, direction, along, own, learning_rate, n)
