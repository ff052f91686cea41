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

rows.pxi, included at the end, has the loops over the rows.
"""

from .prefetch cimport prefetch_parameters
from .settings cimport StepSettings
from .structs cimport CSRView, Strengths, TableView, int32_t, real
from .symmetric cimport extend, fill, inner, retract, total
from .update cimport general, grow_older, kind, step
from .widths cimport any_width, n_factors_of, n_outputs_of, width

cdef enum:
    ON_STACK = 1                  # nothing: rows have any length
    ENTRIES_AHEAD = 64            # non-zeros between prefetching a parameter and using it
    NEEDS_LONGEST = 1             # whether spare_size wants to know the length of the longest row


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
    """A gradient; the sum of the top levels; the derivatives by the levels; and the levels, for
    every number of features seen. Scores alone alternate between two sets of levels."""
    return (table.n_weights
            + table.n_factors * (1 + n_levels_of(table) * (1 + max(2, longest + 1))))


cdef inline real score_row(const width* tag, const CSRView* rows, Py_ssize_t row,
                           const TableView* table, real* sums, real* spare) noexcept nogil:
    """The score of one row; leaves the levels in `spare` for the update."""
    cdef const real* data = <const real*>rows.data
    cdef const real* v
    cdef Py_ssize_t k = n_factors_of(tag, table), n_numbers = n_levels_of(table) * k
    cdef real* top = spare + table.n_weights
    cdef real* first_levels = top + k + n_numbers
    cdef real* levels = first_levels
    cdef real* before
    cdef Py_ssize_t start = rows.indptr[row], n = rows.indptr[row + 1] - start
    cdef Py_ssize_t i, column, order, place = 0
    cdef real score = 0
    fill(top, <real>0, k)
    fill(levels, <real>0, n_numbers)
    for i in range(n):
        column = rows.indices[start + i]
        score = score + (<const real*>table.linear)[column * table.linear_stride] * data[start + i]
        v = <const real*>table.factors + column * table.factor_stride
        before = first_levels + place * n_numbers
        place = i + 1 if rows.longest > 0 else 1 - place
        levels = first_levels + place * n_numbers
        for order in range(first_order(table), table.degree + 1):
            extend(levels, top, before, v, data[start + i], order, k)
            v = v + k
            before = before + (order - 1) * k
            levels = levels + (order - 1) * k
    if table.n_vectors == 1:      # the levels from the second on are orders of their own
        score = score + total(first_levels + place * n_numbers + k, n_numbers - k)
    # The intercept last: it is what each row's score must wait for from the row before.
    return (score + total(top, k)) + (<const real*>table.intercept)[0]


cdef inline void start_slopes(const TableView* table, real* behind, Py_ssize_t k) noexcept nogil:
    """The derivatives of the score by the levels behind the last feature."""
    cdef Py_ssize_t n_numbers = n_levels_of(table) * k
    fill(behind, <real>0, n_numbers)
    if table.n_vectors == 1:
        fill(behind + k, <real>1, n_numbers - k)


cdef inline void slopes_of(const TableView* table, const real* v, real x, const real* levels,
                           real* behind, real* slopes, Py_ssize_t k) noexcept nogil:
    """The derivatives of the score by the p of a feature, whose v, x and levels before it are given;
    `behind` moves on to the feature before."""
    cdef Py_ssize_t order
    for order in range(first_order(table), table.degree + 1):
        retract(slopes, behind, levels, v, x, order, k)
        v = v + k
        slopes = slopes + k
        levels = levels + (order - 1) * k
        behind = behind + (order - 1) * k


cdef inline void update_row(const width* tag, const kind* how, const CSRView* rows,
                            Py_ssize_t row, Py_ssize_t coming, const TableView* table,
                            const Strengths* strengths, const StepSettings* settings, real* sums,
                            real* spare, real g) noexcept nogil:
    """One solver step on every parameter that the row touches, from its last feature to its first;
    g = d loss / d score.

    Meanwhile prefetches the parameters of the row `coming` (none if negative)."""
    cdef const real* data = <const real*>rows.data
    cdef const int32_t* ahead = rows.indices
    cdef Py_ssize_t k = n_factors_of(tag, table), n_weights = table.n_weights
    cdef Py_ssize_t start = rows.indptr[row], n = rows.indptr[row + 1] - start
    cdef Py_ssize_t n_ahead = 0, n_numbers = n_levels_of(table) * k, i, column
    cdef real* slopes = spare
    cdef real* behind = spare + n_weights + k
    cdef const real* levels = behind + n_numbers
    cdef real* w = <real*>table.intercept
    cdef real* v
    cdef const real* strength = <const real*>strengths.values
    cdef real l1_linear = strength[0], l2_linear = strength[1]
    cdef real l1_factors = strength[2], l2_factors = strength[3]
    cdef real x
    cdef real one = 1
    if n_outputs_of(tag, table) > 1:
        score_row(tag, rows, row, table, sums, spare)       # the levels of this output anew
    if coming >= 0:
        ahead = rows.indices + rows.indptr[coming]
        n_ahead = rows.indptr[coming + 1] - rows.indptr[coming]
    if settings.fit_intercept:
        if kind is general:
            grow_older(settings, w)
        step(how, settings, w, 1, w, &one, g, <real>0, <real>0, <real>0, 1)
    fill(slopes, <real>0, n_weights)
    start_slopes(table, behind, k)
    for i in range(n - 1, -1, -1):
        if i < n_ahead:
            prefetch_parameters(table, ahead[i], True, one)
        column = rows.indices[start + i]
        x = data[start + i]
        w = <real*>table.linear + column * table.linear_stride
        if kind is general:
            grow_older(settings, w)
            if strengths.group != NULL:
                strength = <const real*>strengths.values + 4 * strengths.group[column]
                l1_linear, l2_linear = strength[0], strength[1]
                l1_factors, l2_factors = strength[2], strength[3]
        if settings.fit_linear:
            step(how, settings, w, 1, w, &one, g * x, <real>0, l1_linear, l2_linear, 1)
        v = <real*>table.factors + column * table.factor_stride
        slopes_of(table, v, x, levels + i * n_numbers, behind, slopes, k)
        step(how, settings, v, n_weights, w, slopes, g * x, <real>0, l1_factors, l2_factors,
             n_weights)
    for i in range(n, n_ahead):
        prefetch_parameters(table, ahead[i], True, one)


cdef inline void add_factor_slopes(const CSRView* rows, Py_ssize_t row, const TableView* table,
                                   const int32_t* group, real* sums, real* spare, double g,
                                   double* slopes) noexcept nogil:
    """What strengths.pxi asks of one row's factors, whose gradient of the score is g."""
    cdef const real* data = <const real*>rows.data
    cdef const real* v
    cdef Py_ssize_t k = table.n_factors, start = rows.indptr[row], i, column
    cdef Py_ssize_t n_numbers = n_levels_of(table) * k
    cdef real* behind = spare + table.n_weights + k
    score_row(<any_width*>NULL, rows, row, table, sums, spare)
    start_slopes(table, behind, k)
    for i in range(rows.indptr[row + 1] - start - 1, -1, -1):
        column = rows.indices[start + i]
        v = <const real*>table.factors + column * table.factor_stride
        slopes_of(table, v, data[start + i], behind + (1 + i) * n_numbers, behind, spare, k)
        slopes[2 * group[column] + 1 if group != NULL else 1] -= (
            g * data[start + i] * inner(v, spare, table.n_vectors * k))


include "rows.pxi"
