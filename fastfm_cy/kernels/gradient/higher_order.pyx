"""Higher-order factorization machine (Blondel, Fujino, Ueda, Ishihata, NIPS 2016): scores, and
per-sample training.

    score(x) = w0 + sum_i w_i x_i + sum_{d = 2..degree} sum_f A_d(v^d_f, x),
    A_d(v, x) = sum over i1 < .. < id of p_i1 .. p_id,    p_i = v_i x_i,

with factor vectors v^d of each order's own, or one v for all orders. A_d is the elementary symmetric
polynomial e_d of the row's p, and comes with those below it, the levels, from one feature after the
other: e_m grows by p_i e_(m-1). That takes O(nnz * n_factors) for each level of each vector.

The levels before every feature of the row are kept, and its gradient comes from the last feature to the
first, with the derivatives of the score by the levels behind it:

    dA_d / dp_i = sum_{m < d} e_m(p_1 .. p_(i-1)) e_(d-1-m)(p_(i+1) .. p_n).

Nothing is divided by, and nothing taken out of a sum that it went into, so that features whose products
are large leave the others' gradients their digits.

epoch.pxi, included at the end, has the loops over the rows.
"""

from ..common.prefetch cimport prefetch_parameters
from ..common.settings cimport StepSettings
from ..common.structs cimport CSRView, Strengths, TableView, int32_t, real
from ..common.symmetric cimport fill, inner, row_levels, row_slopes, total
from ..gradient.solver_steps cimport (
    few_kinds as kind, general as plain_adam, general as plain_ftrl, general, grow_older, pace_of,
    step,
)
from ..common.vector cimport FM_PREFETCH
from ..common.widths cimport any_width, n_factors_of, n_outputs_of, width

cdef enum:
    ON_STACK = 1                  # nothing: rows have any length
    ENTRIES_AHEAD = 64            # non-zeros between prefetching a parameter and using it
    NEEDS_LONGEST = 1             # whether spare_size wants to know the length of the longest row
    SCORES_APART = 1              # whether training calls score_row rather than inlining it
    WIDEST_GENERAL = 64           # factors up to which a constant number gains general solvers time
    FOUR = 4                      # features whose gradients are found together


cdef inline Py_ssize_t first_order(const TableView* table) noexcept nogil:
    """Of a feature's first vector; a single one is for all orders up to the degree."""
    return 2 if table.n_vectors > 1 else table.degree


cdef inline Py_ssize_t n_levels_of(const TableView* table) noexcept nogil:
    """Those below the top one, of all vectors."""
    cdef Py_ssize_t highest = table.degree - 1
    return highest * (highest + 1) // 2 if table.n_vectors > 1 else highest


cdef inline Py_ssize_t sums_size(const width* tag, const TableView* table) noexcept nogil:
    # The levels of all outputs at once might be very many.
    return 0


cdef inline Py_ssize_t spare_size(const TableView* table, Py_ssize_t longest) noexcept nogil:
    """Of n_factors each: gradients; the sum of the top levels; the derivatives by the levels; and
    the levels for every number of features seen, from none on."""
    return table.n_factors * (FOUR + 1 + n_levels_of(table) * (1 + 1 + longest))


cdef inline real score_row(const width* tag, const CSRView* rows, Py_ssize_t row,
                           const TableView* table, real* sums, real* spare) noexcept nogil:
    """The score of one row; leaves the levels in `spare` for the update."""
    cdef const real* linear = <const real*>table.linear
    cdef const real* factors = <const real*>table.factors
    cdef const real* data = <const real*>rows.data
    cdef Py_ssize_t k = n_factors_of(tag, table), n_numbers = n_levels_of(table) * k
    cdef Py_ssize_t start = rows.indptr[row], n = rows.indptr[row + 1] - start
    cdef Py_ssize_t stride = n_numbers if rows.longest > 0 else 0, entry, order
    cdef real* top = spare + FOUR * k
    cdef real* levels = top + k + n_numbers
    cdef real score = 0
    fill(top, <real>0, k)
    fill(levels, <real>0, n_numbers)
    for entry in range(start, start + n):
        # The prefetch also keeps compilers from making vectors of the loop for some strides only,
        # which would round differently.
        FM_PREFETCH(factors + rows.columns[entry] * table.factor_stride)
        score = score + linear[rows.columns[entry] * table.linear_stride] * data[entry]
    for order in range(first_order(table), table.degree + 1):
        row_levels(levels, stride, top, factors, table.factor_stride, rows.columns + start,
                   data + start, n, order, k)
        factors = factors + k
        levels = levels + (order - 1) * k
    if table.n_vectors == 1:      # the levels from the second on are orders of their own
        levels = levels + n * stride - n_numbers
        score = score + total(levels + k, n_numbers - k)
    # The intercept last: it is what each row's score must wait for from the row before.
    return (score + total(top, k)) + (<const real*>table.intercept)[0]


cdef inline void start_slopes(const TableView* table, real* behind, Py_ssize_t k) noexcept nogil:
    """The derivatives of the score by the levels behind the last feature."""
    cdef Py_ssize_t n_numbers = n_levels_of(table) * k
    fill(behind, <real>0, n_numbers)
    if table.n_vectors == 1:
        fill(behind + k, <real>1, n_numbers - k)


cdef inline void update_row(const width* tag, const kind* how, const CSRView* rows,
                            Py_ssize_t row, Py_ssize_t coming, const TableView* table,
                            const Strengths* strengths, const StepSettings* settings, real* sums,
                            real* spare, real g) noexcept nogil:
    """One solver step on every parameter that the row touches; g = d loss / d score.

    Meanwhile prefetches the parameters of the row `coming` (none if negative)."""
    cdef const real* data = <const real*>rows.data + rows.indptr[row]
    cdef const int32_t* columns = rows.columns + rows.indptr[row]
    cdef const int32_t* ahead = rows.indices
    cdef Py_ssize_t k = n_factors_of(tag, table), n_numbers = n_levels_of(table) * k
    cdef Py_ssize_t n = rows.indptr[row + 1] - rows.indptr[row], n_ahead = 0, i, j, order, count
    cdef real* w = <real*>table.intercept
    cdef real* factors = <real*>table.factors
    cdef real* behind = spare + (FOUR + 1) * k
    cdef const real* levels = behind + n_numbers
    cdef const real* strength = <const real*>strengths.values
    cdef real one = 1
    cdef real[2] pace
    if n_outputs_of(tag, table) > 1:
        # The levels of this output anew.
        score_row_apart(tag, rows, row, table, sums, spare)
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
        w = <real*>table.linear + columns[i] * table.linear_stride
        grow_older(how, settings, w, pace)
        if kind is general:
            if strengths.group != NULL:
                strength = <const real*>strengths.values + 4 * strengths.group[columns[i]]
        if settings.fit_linear:
            step(how, settings, w, 1, pace, &one, g * data[i], <real>0, strength[0], strength[1], 1)
    for i in range(n, n_ahead):
        prefetch_parameters(table, ahead[i], True, one)
    start_slopes(table, behind, k)
    for order in range(first_order(table), table.degree + 1):
        i = n
        while i > 0:
            count = FOUR if i >= FOUR else 1
            i -= count
            row_slopes(spare, behind, levels + i * n_numbers, n_numbers, factors,
                       table.factor_stride, columns + i, data + i, count, order, k)
            for j in range(count):
                pace_of(how, settings,
                        <real*>table.linear + columns[i + j] * table.linear_stride, pace)
                if kind is general:
                    if strengths.group != NULL:
                        strength = (<const real*>strengths.values
                                    + 4 * strengths.group[columns[i + j]])
                step(how, settings, factors + columns[i + j] * table.factor_stride,
                     table.n_weights, pace, spare + j * k, g * data[i + j], <real>0,
                     strength[2], strength[3], k)
        factors = factors + k
        behind = behind + (order - 1) * k
        levels = levels + (order - 1) * k


cdef inline void add_factor_slopes(const CSRView* rows, Py_ssize_t row, const TableView* table,
                                   const int32_t* group, real* sums, real* spare, double g,
                                   double* slopes) noexcept nogil:
    """What l2_gradients.pxi asks of one row's factors, whose gradient of the score is g."""
    cdef const real* data = <const real*>rows.data + rows.indptr[row]
    cdef const int32_t* columns = rows.columns + rows.indptr[row]
    cdef const real* factors = <const real*>table.factors
    cdef Py_ssize_t k = table.n_factors, n_numbers = n_levels_of(table) * k, i, order
    cdef real* behind = spare + (FOUR + 1) * k
    cdef const real* levels = behind + n_numbers
    score_row_apart(<any_width*>NULL, rows, row, table, sums, spare)
    start_slopes(table, behind, k)
    for order in range(first_order(table), table.degree + 1):
        for i in range(rows.indptr[row + 1] - rows.indptr[row] - 1, -1, -1):
            row_slopes(spare, behind, levels + i * n_numbers, n_numbers, factors,
                       table.factor_stride, columns + i, data + i, 1, order, k)
            slopes[2 * group[columns[i]] + 1 if group != NULL else 1] -= (
                g * data[i] * inner(factors + columns[i] * table.factor_stride, spare, k))
        factors = factors + k
        behind = behind + (order - 1) * k
        levels = levels + (order - 1) * k


include "epoch.pxi"
include "scorer.pxi"
include "l2_gradients.pxi"
