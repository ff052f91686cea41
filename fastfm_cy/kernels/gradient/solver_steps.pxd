"""One step of each solver on a run of parameters that share a row of the table.

For every parameter of a factorization machine the gradient of the loss has the same form,

    gradient[f] = along * direction[f] + own * theta[f],

with g the derivative of the (weighted) loss by the score and x the feature's value:

    parameter    direction        along    own
    intercept    1                g        0
    linear       1                g x      0
    factor f     s_f = sum v x    g x      -g x^2

so a solver is written once, in vector.h, for all of them. A new solver is one entry in SolverCode
(settings.pxd), one loop in vector.h, one branch here, and its row in training/solvers.py; and a kind
of its own if branches cost it too much.

Regularisation: SGD, AdaGrad and Adam add l2 theta to the gradient; AdamW shrinks by it apart from
the gradient (Loshchilov & Hutter 2019). Their L1 is a proximal step after the gradient's, as long
as the step is (Duchi & Singer 2009). In FTRL-Proximal (McMahan et al. 2013) both strengths belong
to the closed form of the weight, and count once for all rows.
"""

from libc.math cimport sqrt

from ..common.settings cimport ADAGRAD, ADAM, ADAMW, FTRL, SGD, StepSettings
from ..common.structs cimport real
from ..common.vector cimport (
    fm_adagrad_d, fm_adagrad_vector_f, fm_adam_d, fm_adam_vector_f, fm_ftrl_d,
    fm_ftrl_vector_f, fm_sgd_d, fm_sgd_f, fm_shrink_by_root_d, fm_shrink_by_root_f, fm_shrink_d, fm_shrink_f,
)

cdef enum:
    ADAM_STATE = 2                # numbers of state a parameter, before the two of the feature

# What most fits need, one L2 strength for all features and (but for FTRL) no L1, has loops of its
# own: branches for all the rest cost them a tenth to a quarter of their speed.
ctypedef struct plain_sgd:
    char size[1]
ctypedef struct plain_adagrad:
    char size[2]
ctypedef struct general:
    char size[3]
ctypedef struct plain_adam:       # or AdamW
    char size[4]
ctypedef struct plain_ftrl:
    char size[5]
ctypedef fused all_kinds:
    plain_sgd
    plain_adagrad
    general
    plain_adam
    plain_ftrl
# Where compiling those of Adam and FTRL takes longer than they gain, `general` is both.
ctypedef fused few_kinds:
    plain_sgd
    plain_adagrad
    general

cdef inline Py_ssize_t n_state(int solver) noexcept nogil:
    """Numbers of state a parameter."""
    return 0 if solver == SGD else 1 if solver == ADAGRAD else 2


cdef inline void pace_of(const all_kinds* how, const StepSettings* s, const real* linear,
                         real* pace) noexcept nogil:
    """What Adam's bias corrections make of the learning rate and of epsilon."""
    cdef const real* age = linear + 1 + ADAM_STATE
    cdef real root
    if all_kinds is plain_adam or (all_kinds is general and (s.solver == ADAM or s.solver == ADAMW)):
        root = <real>sqrt(age[1])
        pace[0] = <real>s.learning_rate * root / age[0]
        # Keeps 0 from dividing 0, and rounding errors where the gradient is 0 from becoming full
        # steps: that of the factors of a row's only feature is, and Kingma & Ba's 1e-8 is too small
        # for it.
        pace[1] = <real>1e-6 * root


cdef inline void grow_older(const all_kinds* how, const StepSettings* s, real* linear,
                            real* pace) noexcept nogil:
    """Adam's bias corrections, 1 - beta^t with t a feature's visits: averages of ones that start
    from zero. They stand behind the state of the feature's linear weight."""
    cdef real* age = linear + 1 + ADAM_STATE
    cdef real beta1, beta2, one = 1
    if all_kinds is plain_adam or (all_kinds is general and (s.solver == ADAM or s.solver == ADAMW)):
        beta1, beta2 = <real>s.beta1, <real>s.beta2
        age[0] = beta1 * age[0] + (one - beta1)
        age[1] = beta2 * age[1] + (one - beta2)
        pace_of(how, s, linear, pace)


cdef inline void step(const all_kinds* tag, const StepSettings* s, real* theta, Py_ssize_t apart,
                      const real* pace, const real* direction, real along, real own, real l1,
                      real l2, Py_ssize_t n) noexcept nogil:
    """Update theta[0..n) and its state, which lies `apart` from it (the second number of state as
    far from the first); `pace` is what pace_of says."""
    cdef real* state = theta + apart
    cdef real rate = <real>s.learning_rate
    if all_kinds is plain_sgd or (all_kinds is general and s.solver == SGD):
        if real is float:
            fm_sgd_f(theta, direction, along, own + l2, rate, n)
        else:
            fm_sgd_d(theta, direction, along, own + l2, rate, n)
    elif all_kinds is plain_adagrad or (all_kinds is general and s.solver == ADAGRAD):
        if real is float:
            fm_adagrad_vector_f(theta, state, direction, along, own + l2, rate, n)
        else:
            fm_adagrad_d(theta, state, direction, along, own + l2, rate, n)
    elif all_kinds is plain_ftrl or (all_kinds is general and s.solver == FTRL):
        ftrl_step(s, theta, state, state + apart, direction, along, own, l1, l2, n)
    else:
        adam_step(s, theta, state, state + apart, pace, direction, along, own, l2, n)
    if all_kinds is general:
        if s.has_l1 and s.solver != FTRL:
            shrink(s.solver, theta, state, rate * l1, n)


cdef inline void adam_step(const StepSettings* s, real* theta, real* mean, real* square,
                           const real* pace, const real* direction, real along, real own, real l2,
                           Py_ssize_t n) noexcept nogil:
    cdef real beta1 = <real>s.beta1, beta2 = <real>s.beta2
    cdef real keep = 1
    if s.solver == ADAMW:
        keep = 1 - <real>s.learning_rate * l2
    else:
        own = own + l2
    if real is float:
        fm_adam_vector_f(theta, mean, square, direction, along, own, beta1, beta2, pace[0],
                         pace[1], keep, n)
    else:
        fm_adam_d(theta, mean, square, direction, along, own, beta1, beta2, pace[0], pace[1],
                  keep, n)


cdef inline void ftrl_step(const StepSettings* s, real* theta, real* z, real* squares,
                           const real* direction, real along, real own, real l1, real l2,
                           Py_ssize_t n) noexcept nogil:
    cdef real per_rate = 1 / <real>s.learning_rate
    cdef real stiffness = <real>s.ftrl_beta * per_rate + l2
    if real is float:
        fm_ftrl_vector_f(theta, z, squares, direction, along, own, l1, stiffness, per_rate, n)
    else:
        fm_ftrl_d(theta, z, squares, direction, along, own, l1, stiffness, per_rate, n)


cdef inline void shrink(int solver, real* theta, const real* state, real by,
                        Py_ssize_t n) noexcept nogil:
    """The proximal step of L1: towards zero, and no further."""
    if solver == ADAGRAD:
        if real is float:
            fm_shrink_by_root_f(theta, state, by, n)
        else:
            fm_shrink_by_root_d(theta, state, by, n)
    elif real is float:
        fm_shrink_f(theta, by, n)
    else:
        fm_shrink_d(theta, by, n)
