"""Field-weighted factorization machine (Pan, Xu, Ruiz, Zhao, Pan, Sun, Lu 2018).

    score(x) = w0 + sum_i w_i x_i + sum_{i<j} r_f(i),f(j) <v_i, v_j> x_i x_j,

with f(i) the field of entry i. With S_f = sum of v_i x_i over the entries of field f, that is

    w0 + sum_i w_i x_i + sum_{f<g} r_fg <S_f, S_g> + sum_f r_ff (|S_f|^2 - sum_i |v_i x_i|^2) / 2,

so it takes O(nnz * n_factors + n_fields^2 * n_factors). The weights r, of which those with f <= g
are used, lie behind the intercept. Their L2 strength pulls them towards 1: solvers then step on
r - 1, which each of them shrinks as it does any other parameter.

The entries of a row must be sorted by field.
"""

from ..common.prefetch cimport prefetch_parameters
from ..gradient.row_fields cimport Present, present_fields, present_size
from ..common.settings cimport StepSettings
from ..common.structs cimport CSRView, Strengths, TableView, int32_t, real
from ..gradient.solver_steps cimport (
    few_kinds as kind, general as plain_adam, general as plain_ftrl, general, grow_older, pace_of,
    step,
)
from ..common.vector cimport add_scaled, dot, scale
from ..common.widths cimport any_width, n_factors_of, width

cdef enum:
    ON_STACK = 1                  # the sums of many fields are too large for the stack
    ENTRIES_AHEAD = 64            # non-zeros between prefetching a parameter and using it
    NEEDS_LONGEST = 0             # whether spare_size wants to know the length of the longest row
    SCORES_APART = 0              # whether training calls score_row rather than inlining it
    WIDEST_GENERAL = 64           # factors up to which a constant number gains general solvers time


# What epoch.pxi asks of a model: two sizes, score_row and update_row.

cdef inline Py_ssize_t sums_size(const width* tag, const TableView* table) noexcept nogil:
    """Numbers that score_row leaves for update_row, an output: the S_f, and what r multiplies; an
    even number, which keeps what follows aligned."""
    return (table.n_fields * (n_factors_of(tag, table) + table.n_fields) + 1) // 2 * 2


cdef inline Py_ssize_t spare_size(const TableView* table, Py_ssize_t longest) noexcept nogil:
    """Room for the list of fields, and for a direction."""
    return present_size(table.n_fields) + table.n_factors


cdef inline real* pair_weights_of(const TableView* table, real tag) noexcept nogil:
    return <real*>table.intercept + table.linear_block


cdef inline real weight_of(const real* weights, Py_ssize_t n_fields, Py_ssize_t f,
                           Py_ssize_t g) noexcept nogil:
    return weights[f * n_fields + g] if f < g else weights[g * n_fields + f]


# Not inline: a call for each row costs nothing, and the loops of all solvers share the function.
cdef real score_row(const width* tag, const CSRView* rows, Py_ssize_t row,
                    const TableView* table, real* sums, real* spare) noexcept nogil:
    """The score of one row; leaves the S_f and the derivatives by r in `sums` for the update."""
    cdef const real* data = <const real*>rows.data
    cdef Py_ssize_t k = n_factors_of(tag, table), n_fields = table.n_fields
    cdef Present* fields = present_fields(rows, row, n_fields, 1, spare)
    cdef const real* weights = pair_weights_of(table, <real>0)
    cdef Py_ssize_t entry = rows.indptr[row], place, other, seen, column, f, g
    cdef real* by_weight = sums + n_fields * k              # [f * n_fields + g]
    cdef const real* v
    cdef real x, squares, score = 0, interactions = 0
    for place in range(fields.n):
        squares = 0
        for seen in range(fields.counts[place]):
            column = rows.columns[entry]
            x = data[entry]
            v = <const real*>table.factors + column * table.factor_stride
            score = score + (<const real*>table.linear)[column * table.linear_stride] * x
            if seen == 0:
                scale(sums + place * k, v, x, k)
            else:
                add_scaled(sums + place * k, v, x, k)
            if fields.counts[place] > 1:
                squares = squares + x * x * dot(v, v, k)
            entry += 1
        f = fields.number[place]
        by_weight[f * n_fields + f] = 0
        if fields.counts[place] > 1 and table.same_field:
            by_weight[f * n_fields + f] = (
                dot(sums + place * k, sums + place * k, k) - squares) / 2
    for place in range(fields.n):
        f = fields.number[place]
        interactions = interactions + weights[f * n_fields + f] * by_weight[f * n_fields + f]
        for other in range(place + 1, fields.n):
            g = fields.number[other]
            by_weight[f * n_fields + g] = dot(sums + place * k, sums + other * k, k)
            interactions = interactions + weights[f * n_fields + g] * by_weight[f * n_fields + g]
    return (score + interactions) + (<const real*>table.intercept)[0]


cdef inline void update_row(const width* tag, const kind* how, const CSRView* rows,
                            Py_ssize_t row, Py_ssize_t coming, const TableView* table,
                            const Strengths* strengths, const StepSettings* settings,
                            const real* sums, real* spare, real g) noexcept nogil:
    """One solver step on every parameter that the row touches; g = d loss / d score.

    Meanwhile prefetches the parameters of the row `coming` (none if negative)."""
    cdef const real* data = <const real*>rows.data
    cdef const int32_t* ahead = rows.indices
    cdef Py_ssize_t k = n_factors_of(tag, table), n_fields = table.n_fields
    cdef Present* fields = <Present*>spare
    cdef real* direction = spare + present_size(n_fields)
    cdef real* weights = pair_weights_of(table, <real>0)
    cdef real* shared = <real*>table.intercept
    cdef const real* by_weight = sums + n_fields * k
    cdef Py_ssize_t entry = rows.indptr[row], n_ahead = 0, i = 0, place, other, _seen, column, run
    cdef Py_ssize_t f, first
    cdef real* w
    cdef real* v
    cdef const real* strength = <const real*>strengths.values
    cdef real l1_linear = strength[0], l2_linear = strength[1]
    cdef real l1_factors = strength[2], l2_factors = strength[3]
    cdef real x, own
    cdef real one = 1
    cdef real[2] pace
    if coming >= 0:
        ahead = rows.indices + rows.indptr[coming]
        n_ahead = rows.indptr[coming + 1] - rows.indptr[coming]
    grow_older(how, settings, shared, pace)
    if settings.fit_intercept:
        step(how, settings, shared, 1, pace, &one, g, <real>0, <real>0,
             <real>settings.l2_intercept, 1)
    for place in range(fields.n):
        f = fields.number[place]
        # The derivative of the score by S_f, and what an entry's own part adds to it.
        own = 0
        scale(direction, sums + place * k, <real>0, k)
        for other in range(fields.n):
            if other != place:
                add_scaled(direction, sums + other * k,
                           weight_of(weights, n_fields, f, fields.number[other]), k)
        if fields.counts[place] > 1 and table.same_field:
            own = weights[f * n_fields + f]
            add_scaled(direction, sums + place * k, own, k)
        for _seen in range(fields.counts[place]):
            if i < n_ahead:
                prefetch_parameters(table, ahead[i], True, one)
            column = rows.columns[entry]
            x = data[entry]
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
            step(how, settings, v, k, pace, direction, g * x, -g * x * x * own, l1_factors,
                 l2_factors, k)
            entry += 1
            i += 1
    while i < n_ahead:
        prefetch_parameters(table, ahead[i], True, one)
        i += 1
    if settings.fit_pair_weights:
        pace_of(how, settings, shared, pace)
        for place in range(fields.n):
            f = fields.number[place]
            for run in range(fields.n_runs):
                first = max(fields.starts[run], f)
                if first < fields.ends[run]:
                    step_pairs(how, settings, weights + f * n_fields + first, n_fields * n_fields,
                               pace, by_weight + f * n_fields + first, g,
                               fields.ends[run] - first)


cdef inline void step_pairs(const kind* how, const StepSettings* settings, real* weights,
                            Py_ssize_t apart, const real* pace, const real* direction, real g,
                            Py_ssize_t n) noexcept nogil:
    """One solver step on a run of pair weights; on what they differ from 1 by, if that has an L2."""
    cdef real l2 = <real>settings.l2_pair_weights
    cdef Py_ssize_t i
    if l2 != 0:
        for i in range(n):
            weights[i] = weights[i] - 1
    step(how, settings, weights, apart, pace, direction, g, <real>0, <real>0, l2, n)
    if l2 != 0:
        for i in range(n):
            weights[i] = weights[i] + 1


include "epoch.pxi"
