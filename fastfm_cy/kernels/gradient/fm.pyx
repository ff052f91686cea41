"""Second-order factorization machine (Rendle 2010): scores, and per-sample training.

    score(x) = w0 + sum_i w_i x_i + 1/2 sum_f (s_f^2 - q_f),
    s_f = sum_i v_if x_i,    q_f = sum_i (v_if x_i)^2,

which equals the sum over all pairs i < j of <v_i, v_j> x_i x_j in O(nnz * n_factors).

A model for several classes has one such score for each: the classes are the table's outputs, and a
row's scores are all there before the first of them is updated.

epoch.pxi, included at the end, has the loops over the rows.
"""

from ..common.prefetch cimport prefetch_parameters
from ..common.settings cimport StepSettings
from ..common.structs cimport CSRView, Strengths, TableView, int32_t, real
from ..gradient.solver_steps cimport (
    all_kinds as kind, general, grow_older, plain_adam, plain_ftrl, step,
)
from ..common.vector cimport accumulate, accumulate_two, clear, interactions
from ..common.widths cimport any_width, n_factors_of, width

cdef enum:
    ON_STACK = 64                 # numbers of each kind that stay on the stack, if constant widths
                                  # bound them: no aliasing, so they may stay in registers
    ENTRIES_AHEAD = 64            # non-zeros between prefetching a parameter and using it
    NEEDS_LONGEST = 0             # whether spare_size wants to know the length of the longest row
    SCORES_APART = 0              # whether training calls score_row rather than inlining it
    WIDEST_GENERAL = 64           # factors up to which a constant number gains general solvers time


# What epoch.pxi asks of a model: the two sizes, prefetch_parameters, score_row and update_row; and
# l2_gradients.pxi: add_factor_slopes.

cdef inline Py_ssize_t sums_size(const width* tag, const TableView* table) noexcept nogil:
    """Numbers that score_row leaves for update_row, an output."""
    return n_factors_of(tag, table)


cdef inline Py_ssize_t spare_size(const TableView* table, Py_ssize_t longest) noexcept nogil:
    """Numbers that score_row needs room for besides."""
    return table.n_factors


cdef inline real score_row(const width* tag, const CSRView* rows, Py_ssize_t row,
                           const TableView* table, real* sums, real* squares) noexcept nogil:
    """The score of one row; leaves s_f in `sums` for the update."""
    cdef const real* linear = <const real*>table.linear
    cdef const real* factors = <const real*>table.factors
    cdef const real* data = <const real*>rows.data
    cdef Py_ssize_t k = n_factors_of(tag, table)
    cdef Py_ssize_t entry = rows.indptr[row], end = rows.indptr[row + 1], column, other
    cdef real score = 0
    clear(sums, squares, k)
    while entry + 1 < end:
        column = rows.columns[entry]
        other = rows.columns[entry + 1]
        score = score + (linear[column * table.linear_stride] * data[entry]
                         + linear[other * table.linear_stride] * data[entry + 1])
        accumulate_two(sums, squares, factors + column * table.factor_stride, data[entry],
                       factors + other * table.factor_stride, data[entry + 1], k)
        entry += 2
    if entry < end:
        column = rows.columns[entry]
        score = score + linear[column * table.linear_stride] * data[entry]
        accumulate(sums, squares, factors + column * table.factor_stride, data[entry], k)
    # The intercept last: it is what each row's score must wait for from the row before.
    return (score + interactions(sums, squares, k)) + (<const real*>table.intercept)[0]


cdef inline void update_row(const width* tag, const kind* how, const CSRView* rows,
                            Py_ssize_t row, Py_ssize_t coming, const TableView* table, const Strengths* strengths,
                            const StepSettings* settings, const real* sums, real* spare,
                            real g) noexcept nogil:
    """One solver step on every parameter that the row touches; g = d loss / d score.

    Meanwhile prefetches the parameters of the row `coming` (none if negative)."""
    cdef const real* data = <const real*>rows.data
    cdef const int32_t* ahead = rows.indices
    cdef Py_ssize_t k = n_factors_of(tag, table)
    cdef Py_ssize_t start = rows.indptr[row], n = rows.indptr[row + 1] - start
    cdef Py_ssize_t n_ahead = 0, i, column
    cdef real* w = <real*>table.intercept
    cdef real* v
    cdef const real* strength = <const real*>strengths.values
    cdef real l1_linear = strength[0], l2_linear = strength[1]
    cdef real l1_factors = strength[2], l2_factors = strength[3]
    cdef real x
    cdef real one = 1
    cdef real[2] pace
    if coming >= 0:
        ahead = rows.indices + rows.indptr[coming]
        n_ahead = rows.indptr[coming + 1] - rows.indptr[coming]
    if settings.fit_intercept:
        grow_older(how, settings, w, pace)
        step(how, settings, w, 1, pace, &one, g, <real>0, <real>0,
             <real>settings.l2_intercept, 1)
    for i in range(n):
        if i < n_ahead:
            prefetch_parameters(table, ahead[i], True, one)
        column = rows.columns[start + i]
        x = data[start + i]
        w = <real*>table.linear + column * table.linear_stride
        grow_older(how, settings, w, pace)
        if kind is general:
            if strengths.group != NULL:
                strength = <const real*>strengths.values + 4 * strengths.group[column]
                l1_linear, l2_linear = strength[0], strength[1]
                l1_factors, l2_factors = strength[2], strength[3]
        if settings.fit_linear:
            step(how, settings, w, 1, pace, &one, g * x, <real>0, l1_linear, l2_linear, 1)
        v = <real*>table.factors + column * table.factor_stride
        step(how, settings, v, k, pace, sums, g * x, -g * x * x, l1_factors, l2_factors, k)
    for i in range(n, n_ahead):
        prefetch_parameters(table, ahead[i], True, one)


cdef inline void add_factor_slopes(const CSRView* rows, Py_ssize_t row, const TableView* table,
                                   const int32_t* group, real* sums, real* spare, double g,
                                   double* slopes) noexcept nogil:
    """What l2_gradients.pxi asks of one row's factors, whose gradient of the score is g."""
    cdef const real* data = <const real*>rows.data
    cdef const real* v
    cdef Py_ssize_t entry, column, f
    cdef double along
    for entry in range(rows.indptr[row], rows.indptr[row + 1]):
        column = rows.columns[entry]
        v = <const real*>table.factors + column * table.factor_stride
        along = 0
        for f in range(table.n_factors):
            along += v[f] * (sums[f] - v[f] * data[entry])
        slopes[2 * group[column] + 1 if group != NULL else 1] -= g * data[entry] * along


include "epoch.pxi"
include "scorer.pxi"
include "l2_gradients.pxi"
