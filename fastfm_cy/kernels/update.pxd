"""One step of each solver on a run of parameters that share a row of the table.

For every parameter of a factorization machine the gradient of loss + L2 has the same form,

    gradient[f] = along * direction[f] + own * theta[f],

with g the derivative of the (weighted) loss by the score and x the feature's value:

    parameter    direction        along    own
    intercept    1                g        0
    linear       1                g x      l2
    factor f     s_f = sum v x    g x      l2 - g x^2

so a solver is written once, in vector.h, for all of them. A new solver is one entry in SolverCode
(settings.pxd), one loop in vector.h, one branch here, and its row in fastfm_cy/_solvers.py.
AdaGrad's sums of squares start above zero (_solvers.py), so its root needs no guard.
"""

from .settings cimport SGD, SolverCode
from .structs cimport real
from .vector cimport fm_adagrad_d, fm_adagrad_vector_f, fm_sgd_d, fm_sgd_f


cdef inline void step(SolverCode solver, real* theta, real* state, const real* direction,
                      real along, real own, real rate, Py_ssize_t n) noexcept nogil:
    if solver == SGD:
        if real is float:
            fm_sgd_f(theta, direction, along, own, rate, n)
        else:
            fm_sgd_d(theta, direction, along, own, rate, n)
    else:                                                   # ADAGRAD
        if real is float:
            fm_adagrad_vector_f(theta, state, direction, along, own, rate, n)
        else:
            fm_adagrad_d(theta, state, direction, along, own, rate, n)
