"""Second-order factorization machine (Rendle 2010): scores, and per-sample training.

    score(x) = w0 + sum_i w_i x_i + 1/2 sum_f (s_f^2 - q_f),
    s_f = sum_i v_if x_i,    q_f = sum_i (v_if x_i)^2,

which equals the sum over all pairs i < j of <v_i, v_j> x_i x_j in O(nnz * n_factors).

A model for several classes has one such score for each: the classes are the table's outputs, and a
row's scores are all there before the first of them is updated.

This source is compiled once for each instruction set (fm_baseline.pyx, fm_avx2.pyx), and every
loop once for each common number of factors, so that the inner loops have constant bounds.

The rows of the table that a sparse row touches are all over memory, and waiting for them is most
of the work. So three stages of prefetching run ahead of training: the row's offsets, its entries,
and then its parameters, these spread through the update of the current row.
"""

from libc.math cimport isfinite
from libc.stdlib cimport free, malloc

from .loss cimport row_value_gradients
from .settings cimport ADAGRAD, SGD, Settings, StepSettings
from .structs cimport CSRView, Strengths, TableView, int32_t, int64_t, real
from .update cimport general, grow_older, kind, plain_adagrad, plain_sgd, step
from .vector cimport (
    FM_PREFETCH, FM_PREFETCH_OWN, accumulate, accumulate_two, clear, fm_flush_denormals, fm_restore_denormals,
    interactions,
)

cdef enum:
    LINE = 64                     # bytes in a cache line
    ENTRIES_AHEAD = 64            # non-zeros between prefetching a parameter and using it
    MOST_ROWS_AHEAD = 16
    WIDEST = 64                   # of the widths below

# A type whose size is the number of factors: a constant that a function can be specialised for.
ctypedef struct any_width:
    char size[1]
ctypedef struct width_4:
    char size[4]
ctypedef struct width_8:
    char size[8]
ctypedef struct width_16:
    char size[16]
ctypedef struct width_32:
    char size[32]
ctypedef struct width_64:
    char size[64]
ctypedef fused width:
    any_width
    width_4
    width_8
    width_16
    width_32
    width_64


cdef inline Py_ssize_t n_factors_of(const width* tag, const TableView* table) noexcept nogil:
    if width is any_width:
        return table.n_factors
    else:
        return sizeof(width)


cdef inline Py_ssize_t n_outputs_of(const width* tag, const TableView* table) noexcept nogil:
    # Several outputs share the loops of any width, so that one output needs no loop over outputs.
    return table.n_outputs if width is any_width else 1


cdef inline const TableView* output_of(const width* tag, const TableView* table, Py_ssize_t output,
                                       TableView* view, real number) noexcept nogil:
    """The table as one output sees it: made in `view`, unless there is only one."""
    if width is any_width:
        view[0] = table[0]
        view.intercept = <real*>table.intercept + output * table.linear_block
        view.linear = <real*>table.linear + output * table.linear_block
        view.factors = <real*>table.factors + output * table.factor_block
        return view
    else:
        return table


cdef inline void prefetch_parameters(const TableView* table, Py_ssize_t column, bint to_write,
                                     real tag) noexcept nogil:
    cdef const real* v = <const real*>table.factors + column * table.factor_stride
    cdef Py_ssize_t f = 2 * LINE // sizeof(real)
    if to_write:
        FM_PREFETCH_OWN(v)
        if table.factor_stride > LINE // sizeof(real):
            FM_PREFETCH_OWN(v + LINE // sizeof(real))
        while f < table.factor_stride:
            FM_PREFETCH_OWN(v + f)
            f += LINE // sizeof(real)
        FM_PREFETCH_OWN(<const real*>table.linear + column * table.linear_stride)
    else:
        FM_PREFETCH(v)
        if table.factor_stride > LINE // sizeof(real):
            FM_PREFETCH(v + LINE // sizeof(real))
        while f < table.factor_stride:
            FM_PREFETCH(v + f)
            f += LINE // sizeof(real)
        FM_PREFETCH(<const real*>table.linear + column * table.linear_stride)


cdef inline void prefetch_entries(const CSRView* rows, Py_ssize_t row, real tag) noexcept nogil:
    cdef Py_ssize_t entry = rows.indptr[row]
    while entry < rows.indptr[row + 1]:
        FM_PREFETCH(rows.indices + entry)
        FM_PREFETCH(<const real*>rows.data + entry)
        entry += LINE // sizeof(real)


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
        column = rows.indices[entry]
        other = rows.indices[entry + 1]
        score = score + (linear[column * table.linear_stride] * data[entry]
                         + linear[other * table.linear_stride] * data[entry + 1])
        accumulate_two(sums, squares, factors + column * table.factor_stride, data[entry],
                       factors + other * table.factor_stride, data[entry + 1], k)
        entry += 2
    if entry < end:
        column = rows.indices[entry]
        score = score + linear[column * table.linear_stride] * data[entry]
        accumulate(sums, squares, factors + column * table.factor_stride, data[entry], k)
    # The intercept last: it is what each row's score must wait for from the row before.
    return (score + interactions(sums, squares, k)) + (<const real*>table.intercept)[0]


cdef inline void update_row(const width* tag, const kind* how, const CSRView* rows,
                            Py_ssize_t row, Py_ssize_t coming, const TableView* table, const Strengths* strengths,
                            const StepSettings* settings, const real* sums, real g) noexcept nogil:
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
    if coming >= 0:
        ahead = rows.indices + rows.indptr[coming]
        n_ahead = rows.indptr[coming + 1] - rows.indptr[coming]
    if settings.fit_intercept:
        if kind is general:
            grow_older(settings, w)
        step(how, settings, w, w + 1, w, &one, g, <real>0, <real>0, <real>0, 1)
    for i in range(n):
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
            step(how, settings, w, w + 1, w, &one, g * x, <real>0, l1_linear, l2_linear, 1)
        v = <real*>table.factors + column * table.factor_stride
        step(how, settings, v, v + k, w, sums, g * x, -g * x * x, l1_factors, l2_factors, k)
    for i in range(n, n_ahead):
        prefetch_parameters(table, ahead[i], True, one)


cdef Py_ssize_t train_rows(const width* tag, const kind* how, CSRView rows, const real* y,
                           const real* weights, const int64_t* order, Py_ssize_t n,
                           TableView table, Strengths strengths, StepSettings settings,
                           Py_ssize_t distance, real* scratch, double* outputs,
                           double* loss_sum) noexcept nogil:
    """Visit rows order[0..n); return how many were done before a score was not finite.

    The structs come by value: what has no address elsewhere can stay in registers."""
    cdef Py_ssize_t k = n_factors_of(tag, &table), n_outputs = n_outputs_of(tag, &table)
    cdef Py_ssize_t i, row, coming, output
    cdef double weight = 1, total = 0
    cdef bint finite
    cdef TableView view
    # On the stack where their size is known: no aliasing, so they may stay in registers.
    cdef real near_sums[WIDEST]
    cdef real near_squares[WIDEST]
    cdef double near_outputs[2]
    cdef real* sums = scratch if width is any_width else near_sums
    cdef real* squares = scratch + n_outputs * k if width is any_width else near_squares
    cdef double* scores = outputs if width is any_width else near_outputs
    cdef double* gradients = scores + n_outputs
    for i in range(n):
        coming = -1
        if i + 2 * distance < n:
            if i + 3 * distance < n:
                FM_PREFETCH(rows.indptr + order[i + 3 * distance])
            row = order[i + 2 * distance]
            FM_PREFETCH(y + row)
            prefetch_entries(&rows, row, <real>0)
            coming = order[i + distance]
        row = order[i]
        finite = True
        for output in range(n_outputs):
            scores[output] = score_row(tag, &rows, row,
                                       output_of(tag, &table, output, &view, <real>0),
                                       sums + output * k, squares)
            finite = finite and isfinite(scores[output])
        if not finite:
            n = i
            break
        if weights != NULL:
            weight = weights[row]
        total += weight * row_value_gradients(&settings, scores, n_outputs, y[row], gradients)
        for output in range(n_outputs):
            # The whole row of a feature is prefetched with its first output.
            update_row(tag, how, &rows, row, coming if output == 0 else -1,
                       output_of(tag, &table, output, &view, <real>0), &strengths, &settings,
                       sums + output * k, <real>(weight * gradients[output]))
    loss_sum[0] = total
    return n


cdef Py_ssize_t train_width(Py_ssize_t n_factors, const kind* how, CSRView rows, const real* y,
                            const real* weights, const int64_t* order, Py_ssize_t n,
                            TableView table, Strengths strengths, StepSettings settings,
                            Py_ssize_t distance, real* scratch, double* outputs,
                            double* loss_sum) noexcept nogil:
    """train_rows, specialised for the number of factors if it is one of the common."""
    if n_factors == 4:
        return train_rows(<width_4*>NULL, how, rows, y, weights, order, n, table, strengths,
                          settings, distance, scratch, outputs, loss_sum)
    if n_factors == 8:
        return train_rows(<width_8*>NULL, how, rows, y, weights, order, n, table, strengths,
                          settings, distance, scratch, outputs, loss_sum)
    if n_factors == 16:
        return train_rows(<width_16*>NULL, how, rows, y, weights, order, n, table, strengths,
                          settings, distance, scratch, outputs, loss_sum)
    if n_factors == 32:
        return train_rows(<width_32*>NULL, how, rows, y, weights, order, n, table, strengths,
                          settings, distance, scratch, outputs, loss_sum)
    if n_factors == 64:
        return train_rows(<width_64*>NULL, how, rows, y, weights, order, n, table, strengths,
                          settings, distance, scratch, outputs, loss_sum)
    return train_rows(<any_width*>NULL, how, rows, y, weights, order, n, table, strengths,
                      settings, distance, scratch, outputs, loss_sum)


cdef void predict_rows(const width* tag, CSRView rows, Py_ssize_t first, Py_ssize_t last,
                       TableView table, Py_ssize_t distance, real* scratch,
                       real* scores) noexcept nogil:
    """Scores of rows first..last-1 into scores[first..last), a row with its outputs."""
    cdef Py_ssize_t n_outputs = n_outputs_of(tag, &table), row, entry, output
    cdef TableView view
    for row in range(first, last):
        if row + distance < last:
            for entry in range(rows.indptr[row + distance], rows.indptr[row + distance + 1]):
                prefetch_parameters(&table, rows.indices[entry], False, <real>0)
        for output in range(n_outputs):
            scores[row * n_outputs + output] = score_row(
                tag, &rows, row, output_of(tag, &table, output, &view, <real>0), scratch,
                scratch + table.n_factors)


cdef Py_ssize_t prefetch_distance(Py_ssize_t n_entries, Py_ssize_t n_rows) noexcept nogil:
    """In rows: far enough that memory answers in time, near enough that caches still hold it."""
    cdef Py_ssize_t a_row = max(1, n_entries // max(1, n_rows))
    return min(MOST_ROWS_AHEAD, max(1, (ENTRIES_AHEAD + a_row - 1) // a_row))


cdef TableView table_view(const real[:, ::1] intercept, const real[:, ::1] linear,
                          const real[:, ::1] factors, Py_ssize_t n_factors):
    cdef Py_ssize_t n_outputs = intercept.shape[0]
    return TableView(<void*>&intercept[0, 0], <void*>&linear[0, 0], <void*>&factors[0, 0],
                     linear.shape[1], factors.shape[1], n_factors, n_outputs,
                     linear.shape[1] // n_outputs, factors.shape[1] // n_outputs)


def train(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
          const real[::1] y, const real[::1] weights, const int64_t[::1] order,
          real[:, ::1] intercept, real[:, ::1] linear, real[:, ::1] factors,
          Py_ssize_t n_factors, const int32_t[::1] groups, const real[:, ::1] strengths,
          Settings settings):
    """Train in place on the rows that `order` lists, one update a row.

    Parameters
    ----------
    indptr, indices, data
        The CSR matrix. Columns must lie in the table, and no row may hold a column twice.
    y, weights : shape (n_rows,)
        Targets (with several outputs, numbers of classes), and sample weights or None.
    order : rows to visit, in this order
    intercept, linear, factors, n_factors
        The parameter table's arrays, and its padded number of factors.
    groups : a row of `strengths` for each row of the table, or None if there is only one
    strengths : shape (n_groups, 4)
        l1 and l2 of the linear weights, then of the factors.

    Returns
    -------
    (weighted sum of losses before each update, number of rows done); fewer rows than `order`
    has means that the next row's score was not finite, and nothing was updated from it.
    """
    cdef CSRView rows = CSRView(&indptr[0], &indices[0], &data[0])
    cdef TableView table = table_view(intercept, linear, factors, n_factors)
    cdef const real* weight = NULL if weights is None else &weights[0]
    cdef const int32_t* group = NULL if groups is None else &groups[0]
    cdef Strengths strength = Strengths(group, &strengths[0, 0])
    cdef StepSettings steps = settings.values
    cdef const real* targets = &y[0]
    cdef const int64_t* visits = &order[0]
    cdef Py_ssize_t n = order.shape[0], done
    cdef bint is_plain = group == NULL and not steps.has_l1
    cdef Py_ssize_t ahead = n                               # beyond the last row: none
    cdef Py_ssize_t constant = n_factors if steps.constant_width and table.n_outputs == 1 else -1
    cdef real* scratch = <real*>new_scratch((table.n_outputs + 1) * n_factors * sizeof(real),
                                            2 * table.n_outputs * sizeof(double))
    cdef double* outputs = <double*>scratch
    cdef real* sums = <real*>(outputs + 2 * table.n_outputs)
    cdef double loss_sum = 0
    cdef unsigned int mode
    if steps.prefetch:
        ahead = prefetch_distance(indices.shape[0], indptr.shape[0] - 1)
    with nogil:
        mode = fm_flush_denormals()
        if is_plain and steps.solver == SGD:
            done = train_width(constant, <plain_sgd*>NULL, rows, targets, weight, visits, n, table,
                               strength, steps, ahead, sums, outputs, &loss_sum)
        elif is_plain and steps.solver == ADAGRAD:
            done = train_width(constant, <plain_adagrad*>NULL, rows, targets, weight, visits, n,
                               table, strength, steps, ahead, sums, outputs, &loss_sum)
        else:
            done = train_width(constant, <general*>NULL, rows, targets, weight, visits, n, table,
                               strength, steps, ahead, sums, outputs, &loss_sum)
        fm_restore_denormals(mode)
        free(scratch)
    return loss_sum, done


def predict(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
            const real[:, ::1] intercept, const real[:, ::1] linear,
            const real[:, ::1] factors, Py_ssize_t n_factors, real[:, ::1] scores, Py_ssize_t first, Py_ssize_t last):
    """Write the scores of rows first..last-1 into `scores`, shape (n_rows, n_outputs)."""
    cdef CSRView rows = CSRView(&indptr[0], &indices[0], &data[0])
    cdef TableView table = table_view(intercept, linear, factors, n_factors)
    cdef real* out = &scores[0, 0]
    cdef Py_ssize_t ahead = prefetch_distance(indices.shape[0], indptr.shape[0] - 1)
    cdef Py_ssize_t constant = n_factors if table.n_outputs == 1 else -1
    cdef real* scratch = <real*>new_scratch(2 * n_factors * sizeof(real), 0)
    cdef unsigned int mode
    with nogil:
        mode = fm_flush_denormals()
        if constant == 4:
            predict_rows(<width_4*>NULL, rows, first, last, table, ahead, scratch, out)
        elif constant == 8:
            predict_rows(<width_8*>NULL, rows, first, last, table, ahead, scratch, out)
        elif constant == 16:
            predict_rows(<width_16*>NULL, rows, first, last, table, ahead, scratch, out)
        elif constant == 32:
            predict_rows(<width_32*>NULL, rows, first, last, table, ahead, scratch, out)
        elif constant == 64:
            predict_rows(<width_64*>NULL, rows, first, last, table, ahead, scratch, out)
        else:
            predict_rows(<any_width*>NULL, rows, first, last, table, ahead, scratch, out)
        fm_restore_denormals(mode)
        free(scratch)


cdef void* new_scratch(size_t n_bytes, size_t more) except NULL:
    """Room for s_f and q_f of one row, and more."""
    cdef void* scratch = malloc(n_bytes + more + 1)         # malloc(0) may return NULL
    if scratch == NULL:
        raise MemoryError(f"No memory for a scratch buffer of {n_bytes + more} bytes.")
    return scratch
