"""Field-aware factorization machine (Juan, Zhuang, Chin, Lin 2016).

    score(x) = w0 + sum_i w_i x_i + sum_{i<j} <v_i,f(j), v_j,f(i)> x_i x_j,

with f(i) the field of entry i. Every feature has a vector for each field, one after the other in its
row of the table. With

    T_f,g = sum of v_j,f x_j over the entries j of field g,

the gradient by v_i,g is x_i T_f(i),g, less entry i's own part if g is its field. So a row is
gathered once into T, whose rows lie in memory as the features' do, and one solver step a feature
updates the vectors of all fields that the row has, in one long loop: O(nnz * n_fields * n_factors).
A vector that meets several features of a field gets one step of its whole gradient; vectors that
meet none are left alone.

The entries of a row must be sorted by field.
"""

from ..gradient.row_fields cimport Present, present_fields, present_size
from ..common.settings cimport StepSettings
from ..common.structs cimport CSRView, Strengths, TableView, real
from ..gradient.solver_steps cimport (
    few_kinds as kind, general as plain_adam, general as plain_ftrl, general, grow_older, n_state,
    step,
)
from ..common.vector cimport CACHE_LINE, FM_PREFETCH, FM_PREFETCH_OWN, add_scaled, dot, scale
from ..common.widths cimport any_width, n_factors_of, width

cdef enum:
    ON_STACK = 1                  # T is too large for the stack
    ENTRIES_AHEAD = 39            # non-zeros between prefetching a parameter and using it
    NEEDS_LONGEST = 0             # whether spare_size wants to know the length of the longest row
    SCORES_APART = 0              # whether training calls score_row rather than inlining it
    WIDEST_GENERAL = 16           # factors up to which a constant number gains general solvers time


# What epoch.pxi asks of a model: the sizes, prefetch_parameters, score_row and update_row.

cdef inline Py_ssize_t sums_size(const width* tag, const TableView* table) noexcept nogil:
    """Numbers that score_row leaves for update_row, an output: T."""
    return table.n_fields * row_length(table)


cdef inline Py_ssize_t row_length(const TableView* table) noexcept nogil:
    """Of a row of T: n_weights, which predictions take to have the state in it."""
    cdef Py_ssize_t a_line = CACHE_LINE // 4
    cdef Py_ssize_t n = table.n_fields * table.n_factors
    return min(table.n_weights, (n + a_line - 1) // a_line * a_line)


cdef inline Py_ssize_t spare_size(const TableView* table, Py_ssize_t longest) noexcept nogil:
    """Room for the list of fields, and for a vector with its state."""
    return present_size(table.n_fields) + 3 * table.n_factors


cdef inline void prefetch_parameters(const TableView* table, Py_ssize_t column, bint to_write,
                                     real tag) noexcept nogil:
    cdef const real* v = <const real*>table.factors + column * table.factor_stride
    cdef Py_ssize_t f = 0
    if to_write:
        while f < table.factor_stride:
            FM_PREFETCH_OWN(v + f)
            f += CACHE_LINE // sizeof(real)
        FM_PREFETCH_OWN(<const real*>table.linear + column * table.linear_stride)
    else:
        while f < table.n_fields * table.n_factors:
            FM_PREFETCH(v + f)
            f += CACHE_LINE // sizeof(real)
        FM_PREFETCH(<const real*>table.linear + column * table.linear_stride)


cdef inline void prefetch_entry(const CSRView* rows, Py_ssize_t row, Py_ssize_t entry,
                                const TableView* table, Py_ssize_t n_slots,
                                real tag) noexcept nogil:
    """What training on an entry of a row will need: the vectors for the fields that the row has."""
    cdef const real* v
    cdef Py_ssize_t column = rows.indices[entry], other, slot, f
    if 2 * (rows.indptr[row + 1] - rows.indptr[row]) >= table.n_fields:
        prefetch_parameters(table, column, True, tag)
        return
    FM_PREFETCH_OWN(<const real*>table.linear + column * table.linear_stride)
    for other in range(rows.indptr[row], rows.indptr[row + 1]):
        v = (<const real*>table.factors + column * table.factor_stride
             + rows.fields[other] * table.n_factors)
        for slot in range(n_slots):
            f = 0
            while f < table.n_factors:
                FM_PREFETCH_OWN(v + slot * table.n_weights + f)
                f += CACHE_LINE // sizeof(real)


# Not inline: a call for each row costs nothing, and the loops of all solvers share the function.
cdef real score_row(const width* tag, const CSRView* rows, Py_ssize_t row,
                    const TableView* table, real* sums, real* spare) noexcept nogil:
    """The score of one row; leaves T in `sums` for the update, a row a field that is present."""
    cdef const real* data = <const real*>rows.data
    cdef Py_ssize_t k = n_factors_of(tag, table), n = row_length(table)
    cdef Present* fields = present_fields(rows, row, table.n_fields, k, spare)
    cdef Py_ssize_t entry = rows.indptr[row], column, place, other, seen, own, end, run
    cdef const real* v
    cdef real* mine
    cdef real x, pairs, score = 0, interactions = 0
    if fields.is_full:
        fields.ends[0] = n                                  # whole lines, with the padding's zeros
    for place in range(fields.n):
        own = fields.number[place] * k
        mine = sums + place * n
        if fields.is_full:
            clear_tail(mine, table.n_fields * k, n)
        for seen in range(fields.counts[place]):
            column = rows.columns[entry]
            x = data[entry]
            v = <const real*>table.factors + column * table.factor_stride
            score = score + (<const real*>table.linear)[column * table.linear_stride] * x
            # With all entries before it, which T holds already: those of lower fields, and of its
            # own if there are any.
            end = own + k if seen > 0 and table.same_field else own
            if fields.is_full:
                pairs = dot(v, mine, end)
            else:
                pairs = 0
                for run in range(fields.n_runs):
                    if fields.starts[run] >= end:
                        break
                    pairs = pairs + dot(v + fields.starts[run], mine + fields.starts[run],
                                        min(fields.ends[run], end) - fields.starts[run])
            interactions = interactions + pairs * x
            if seen == 0:
                for other in range(fields.n):
                    scale(sums + other * n + own, v + fields.number[other] * k, x, k)
            else:
                for other in range(fields.n):
                    add_scaled(sums + other * n + own, v + fields.number[other] * k, x, k)
            entry += 1
    return (score + interactions) + (<const real*>table.intercept)[0]


cdef inline void clear_tail(real* numbers, Py_ssize_t start, Py_ssize_t end) noexcept nogil:
    while start < end:
        numbers[start] = 0
        start += 1


cdef inline void update_row(const width* tag, const kind* how, const CSRView* rows,
                            Py_ssize_t row, Py_ssize_t coming, const TableView* table,
                            const Strengths* strengths, const StepSettings* settings,
                            const real* sums, real* spare, real g) noexcept nogil:
    """One solver step on every parameter that the row touches; g = d loss / d score.

    Meanwhile prefetches the parameters of the row `coming` (none if negative)."""
    cdef const real* data = <const real*>rows.data
    cdef Py_ssize_t k = n_factors_of(tag, table), n = table.n_weights
    cdef Present* fields = <Present*>spare
    cdef real* kept = spare + present_size(table.n_fields)
    cdef Py_ssize_t entry = rows.indptr[row], ahead = 0, end_ahead = 0
    cdef Py_ssize_t place, _seen, own, column, run, a
    cdef Py_ssize_t slot, n_slots = 1 + n_state(settings.solver)
    cdef real* w = <real*>table.intercept
    cdef real* v
    cdef const real* mine
    cdef const real* strength = <const real*>strengths.values
    cdef real l1_linear = strength[0], l2_linear = strength[1]
    cdef real l1_factors = strength[2], l2_factors = strength[3]
    cdef real x
    cdef real one = 1
    cdef real[2] pace
    if coming >= 0:
        ahead, end_ahead = rows.indptr[coming], rows.indptr[coming + 1]
    if settings.fit_intercept:
        grow_older(how, settings, w, pace)
        step(how, settings, w, 1, pace, &one, g, <real>0, <real>0,
             <real>settings.l2_intercept, 1)
    for place in range(fields.n):
        own = fields.number[place] * k
        mine = sums + place * n
        for _seen in range(fields.counts[place]):
            if ahead < end_ahead:
                prefetch_entry(rows, coming, ahead, table, n_slots, one)
                ahead += 1
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
            # The vector of its own field has a gradient of its own, or none. It is put aside, so
            # that the loops over all others need no gap.
            for slot in range(n_slots):
                scale(kept + slot * k, v + slot * n + own, one, k)
            for run in range(fields.n_runs):
                a = fields.starts[run]
                step(how, settings, v + a, n, pace, mine + a, g * x, <real>0, l1_factors,
                     l2_factors, fields.ends[run] - a)
            for slot in range(n_slots):
                scale(v + slot * n + own, kept + slot * k, one, k)
            if fields.counts[place] > 1 and table.same_field:
                step(how, settings, v + own, n, pace, mine + own, g * x, -g * x * x, l1_factors,
                     l2_factors, k)
            entry += 1
    while ahead < end_ahead:
        prefetch_entry(rows, coming, ahead, table, n_slots, one)
        ahead += 1


include "epoch.pxi"
