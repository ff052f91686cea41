"""The loops over rows that every model's kernels share; included after what the model defines:
ON_STACK, ENTRIES_AHEAD, NEEDS_LONGEST, SCORES_APART, WIDEST_GENERAL, sums_size, spare_size,
prefetch_parameters, score_row and update_row; and which kinds of loops it cimported.

A model for several classes has one score for each: the classes are the table's outputs, and a row's
scores are all there before the first of them is updated.

Sources are compiled once for each instruction set (into baseline/ and avx2/), and every loop once
for each common number of factors, so that the inner loops have constant bounds.

The rows of the table that a sparse row touches are all over memory, and waiting for them is most
of the work. So three stages of prefetching run ahead of training: the row's offsets, its entries,
and then its parameters, these spread through the update of the current row.
"""

from libc.math cimport isfinite
from libc.stdlib cimport free, malloc

from ..gradient.fields cimport Fields
from ..common.losses cimport row_value_gradients
from ..common.settings cimport ADAGRAD, ADAM, ADAMW, FTRL, SGD, Settings, StepSettings
from ..common.structs cimport CSRView, Strengths, TableView, int32_t, int64_t, real, uint32_t
from ..gradient.solver_steps cimport general, n_state, plain_adagrad, plain_sgd
from ..common.vector cimport (
    CACHE_LINE, FM_PREFETCH, fm_clamp, fm_flush_denormals, fm_restore_denormals,
)
from ..common.widths cimport (
    any_width, n_outputs_of, output_of, width, width_4, width_8, width_16, width_32, width_64,
)

_NO_MEMORY = "No memory for the columns of a row."

cdef enum:
    MOST_ROWS_AHEAD = 16
    NEAR = 512                    # columns that are at hand on the stack


cdef struct Room:
    # For the columns of the rows at hand: on the stack, or more of it elsewhere.
    int32_t* near
    int32_t* columns
    Py_ssize_t size


cdef int32_t* larger_room(int32_t* room, int32_t* near, Py_ssize_t size) noexcept nogil:
    if room != near:
        free(room)
    return <int32_t*>malloc(size * sizeof(int32_t))


cdef inline Room room_of(int32_t* near) noexcept nogil:
    return Room(near, near, NEAR)


cdef inline void leave(const Room* room) noexcept nogil:
    if room.columns != room.near:
        free(room.columns)


cdef inline const int32_t* brought_columns(const int64_t* indptr, const int32_t* indices,
                                           uint32_t last_column, Room* room, Py_ssize_t first,
                                           Py_ssize_t last) noexcept nogil:
    """The columns of rows first..last-1, to be indexed by entry; NULL if there is no memory."""
    cdef Py_ssize_t start = indptr[first], n = indptr[last] - start
    if n > room.size:
        room.size = 2 * n
        room.columns = larger_room(room.columns, room.near, room.size)
        if room.columns == NULL:
            return NULL
    fm_clamp(room.columns, indices + start, n, last_column)
    return room.columns - start


cdef const int32_t* columns_of(const int64_t* indptr, const int32_t* indices,
                               uint32_t last_column, Room* room, Py_ssize_t first,
                               Py_ssize_t last) noexcept nogil:
    """The same for many rows at once, out of the way of what is inline."""
    return brought_columns(indptr, indices, last_column, room, first, last)


cdef inline void prefetch_entries(const CSRView* rows, Py_ssize_t row, real tag) noexcept nogil:
    cdef Py_ssize_t entry = rows.indptr[row]
    while entry < rows.indptr[row + 1]:
        FM_PREFETCH(rows.indices + entry)
        FM_PREFETCH(<const real*>rows.data + entry)
        if rows.fields != NULL:
            FM_PREFETCH(rows.fields + entry)
        entry += CACHE_LINE // sizeof(real)


cdef real score_row_apart(const width* tag, const CSRView* rows, Py_ssize_t row,
                          const TableView* table, real* sums, real* spare) noexcept nogil:
    """score_row as one function for the loops of all solvers, compiled once for each width."""
    return score_row(tag, rows, row, table, sums, spare)


cdef Py_ssize_t train_rows(const width* tag, const kind* how, CSRView rows, const real* y,
                           const real* weights, const int64_t* order, Py_ssize_t n,
                           TableView table, Strengths strengths, StepSettings settings,
                           Py_ssize_t distance, real* scratch, double* outputs,
                           double* loss_sum) noexcept nogil:
    """Visit rows order[0..n); return how many were done before a score was not finite, or -1 if
    there was no memory.

    The structs come by value: what has no address elsewhere can stay in registers."""
    cdef Py_ssize_t n_sums = sums_size(tag, &table), n_outputs = n_outputs_of(tag, &table)
    cdef Py_ssize_t i, row, coming, output
    cdef double weight = 1, total = 0
    cdef bint finite
    cdef TableView view
    cdef const TableView* of_output
    cdef real near_sums[ON_STACK]
    cdef real near_spare[ON_STACK]
    cdef double near_outputs[2]
    cdef bint is_far = width is any_width or ON_STACK == 1
    cdef real* sums = scratch if is_far else near_sums
    cdef real* spare = scratch + n_outputs * n_sums if is_far else near_spare
    cdef double* scores = outputs if width is any_width else near_outputs
    cdef double* gradients = scores + n_outputs
    cdef int32_t[NEAR] near
    cdef Room room = room_of(near)
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
        rows.columns = brought_columns(rows.indptr, rows.indices, rows.last_column, &room, row,
                                       row + 1)
        if rows.columns == NULL:
            n = -1
            break
        finite = True
        for output in range(n_outputs):
            of_output = output_of(tag, &table, output, &view, <real>0)
            if SCORES_APART:
                scores[output] = score_row_apart(tag, &rows, row, of_output,
                                                 sums + output * n_sums, spare)
            else:
                scores[output] = score_row(tag, &rows, row, of_output, sums + output * n_sums,
                                           spare)
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
                       sums + output * n_sums, spare, <real>(weight * gradients[output]))
    loss_sum[0] = total
    leave(&room)
    return n


cdef Py_ssize_t train_width(Py_ssize_t n_factors, const kind* how, CSRView rows, const real* y,
                            const real* weights, const int64_t* order, Py_ssize_t n,
                            TableView table, Strengths strengths, StepSettings settings,
                            Py_ssize_t distance, real* scratch, double* outputs,
                            double* loss_sum) noexcept nogil:
    """train_rows, specialised for the number of factors if it is one of the common."""
    if kind is general and n_factors > WIDEST_GENERAL:
        n_factors = -1
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


cdef bint predict_rows(const width* tag, CSRView rows, Py_ssize_t first, Py_ssize_t last,
                       TableView table, Py_ssize_t distance, real* scratch,
                       real* scores) noexcept nogil:
    """Scores of rows first..last-1 into scores[first..last), a row with its outputs; False if there
    was no memory."""
    cdef Py_ssize_t n_outputs = n_outputs_of(tag, &table), row, entry, output
    cdef Py_ssize_t brought = first, at_once = rows_at_once(&rows, first, last)
    cdef TableView view
    cdef int32_t[NEAR] near
    cdef Room room = room_of(near)
    cdef bint has_memory = True
    for row in range(first, last):
        if row == brought:
            brought = min(row + at_once, last)
            rows.columns = columns_of(rows.indptr, rows.indices, rows.last_column, &room, row,
                                      brought)
            has_memory = rows.columns != NULL
            if not has_memory:
                break
        if row + distance < last:
            for entry in range(rows.indptr[row + distance], rows.indptr[row + distance + 1]):
                prefetch_parameters(&table, rows.indices[entry], False, <real>0)
        for output in range(n_outputs):
            scores[row * n_outputs + output] = score_row(
                tag, &rows, row, output_of(tag, &table, output, &view, <real>0), scratch,
                scratch + sums_size(tag, &table))
    leave(&room)
    return has_memory


cdef Py_ssize_t rows_at_once(const CSRView* rows, Py_ssize_t first, Py_ssize_t last) noexcept nogil:
    """Rows whose columns are brought together: as many as have room, if all are equally long."""
    if last - first <= 1:
        return 1
    return max(1, NEAR * (last - first) // max(1, rows.indptr[last] - rows.indptr[first]))


cdef Py_ssize_t prefetch_distance(Py_ssize_t n_entries, Py_ssize_t n_rows) noexcept nogil:
    """In rows: far enough that memory answers in time, near enough that caches still hold it."""
    cdef Py_ssize_t a_row = max(1, n_entries // max(1, n_rows))
    return min(MOST_ROWS_AHEAD, max(1, (ENTRIES_AHEAD + a_row - 1) // a_row))


cdef CSRView rows_view(const int64_t[::1] indptr, const int32_t[::1] indices,
                       const real[::1] data, Fields fields, Py_ssize_t longest,
                       const real[:, ::1] linear):
    """Of rows whose columns are rows of a table with these linear weights."""
    cdef const int32_t* of_entry = NULL
    if fields is not None:
        of_entry = &fields.of_entry[0]
    return CSRView(&indptr[0], &indices[0], &data[0], of_entry, longest, NULL,
                   <uint32_t>(linear.shape[0] - 1))


cdef TableView table_view(const real[:, ::1] intercept, const real[:, ::1] linear,
                          const real[:, ::1] factors, Py_ssize_t n_factors, Py_ssize_t n_vectors,
                          Py_ssize_t degree, Py_ssize_t n_slots, Fields fields):
    """`n_slots`: numbers of state a parameter; predictions need not know."""
    cdef Py_ssize_t n_outputs = intercept.shape[0]
    return TableView(<void*>&intercept[0, 0], <void*>&linear[0, 0], <void*>&factors[0, 0],
                     linear.shape[1], factors.shape[1], n_factors,
                     factors.shape[1] // n_outputs // (1 + n_slots), n_vectors, degree, n_outputs,
                     intercept.shape[1], linear.shape[1] // n_outputs,
                     factors.shape[1] // n_outputs, 0 if fields is None else fields.n_fields,
                     fields is not None and fields.same_field)


def train(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
          const real[::1] y, const real[::1] weights, const int64_t[::1] order,
          real[:, ::1] intercept, real[:, ::1] linear, real[:, ::1] factors,
          Py_ssize_t n_factors, const int32_t[::1] groups, const real[:, ::1] strengths,
          Settings settings, Fields fields=None, Py_ssize_t n_vectors=1, Py_ssize_t degree=2):
    """Train in place on the rows that `order` lists, one update a row.

    Parameters
    ----------
    indptr, indices, data
        The CSR matrix, whose offsets nobody else may change. Columns must lie in the table, and no
        row may hold a column twice.
    y, weights : shape (n_rows,)
        Targets (with several outputs, numbers of classes), and sample weights or None.
    order : rows to visit, in this order
    intercept, linear, factors, n_factors
        The parameter table's arrays, and its padded number of factors.
    groups : a row of `strengths` for each row of the table, or None if there is only one
    strengths : shape (n_groups, 4)
        l1 and l2 of the linear weights, then of the factors.
    n_vectors, degree
        Factor vectors of a feature, and how many features interact; a plain FM does not look.
    fields : for field-aware models

    Returns
    -------
    (weighted sum of losses before each update, number of rows done); fewer rows than `order`
    has means that the next row's score was not finite, and nothing was updated from it.
    """
    cdef CSRView rows = rows_view(indptr, indices, data, fields, longest_row(indptr, order),
                                  linear)
    cdef TableView table = table_view(intercept, linear, factors, n_factors, n_vectors, degree,
                                      n_state(settings.values.solver), fields)
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
    cdef real* scratch = <real*>new_scratch(&table, table.n_outputs, rows.longest, <real>0)
    cdef double* outputs = <double*>scratch
    cdef real* sums = <real*>(outputs + 2 * table.n_outputs)
    cdef double loss_sum = 0
    cdef unsigned int mode
    cdef bint has_own = False
    if real is float:             # doubles wait for their division and roots anyway
        has_own = group == NULL
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
        elif has_own and not steps.has_l1 and (steps.solver == ADAM or steps.solver == ADAMW):
            done = train_width(constant, <plain_adam*>NULL, rows, targets, weight, visits, n, table,
                               strength, steps, ahead, sums, outputs, &loss_sum)
        elif has_own and steps.solver == FTRL:
            done = train_width(constant, <plain_ftrl*>NULL, rows, targets, weight, visits, n, table,
                               strength, steps, ahead, sums, outputs, &loss_sum)
        else:
            done = train_width(constant, <general*>NULL, rows, targets, weight, visits, n, table,
                               strength, steps, ahead, sums, outputs, &loss_sum)
        fm_restore_denormals(mode)
        free(scratch)
    if done < 0:
        raise MemoryError(_NO_MEMORY)
    return loss_sum, done


def predict(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
            const real[:, ::1] intercept, const real[:, ::1] linear,
            const real[:, ::1] factors, Py_ssize_t n_factors, real[:, ::1] scores,
            Py_ssize_t first, Py_ssize_t last, Fields fields=None, Py_ssize_t n_vectors=1,
            Py_ssize_t degree=2):
    """Write the scores of rows first..last-1 into `scores`, shape (n_rows, n_outputs)."""
    cdef CSRView rows = rows_view(indptr, indices, data, fields, 0, linear)
    cdef TableView table = table_view(intercept, linear, factors, n_factors, n_vectors, degree, 0,
                                      fields)
    cdef real* out = &scores[0, 0]
    cdef Py_ssize_t ahead = prefetch_distance(indices.shape[0], indptr.shape[0] - 1)
    cdef Py_ssize_t constant = n_factors if table.n_outputs == 1 else -1
    cdef real* scratch = <real*>new_scratch(&table, 1, 0, <real>0)
    cdef unsigned int mode
    cdef bint done
    with nogil:
        mode = fm_flush_denormals()
        if constant == 4:
            done = predict_rows(<width_4*>NULL, rows, first, last, table, ahead, scratch, out)
        elif constant == 8:
            done = predict_rows(<width_8*>NULL, rows, first, last, table, ahead, scratch, out)
        elif constant == 16:
            done = predict_rows(<width_16*>NULL, rows, first, last, table, ahead, scratch, out)
        elif constant == 32:
            done = predict_rows(<width_32*>NULL, rows, first, last, table, ahead, scratch, out)
        elif constant == 64:
            done = predict_rows(<width_64*>NULL, rows, first, last, table, ahead, scratch, out)
        else:
            done = predict_rows(<any_width*>NULL, rows, first, last, table, ahead, scratch, out)
        fm_restore_denormals(mode)
        free(scratch)
    if not done:
        raise MemoryError(_NO_MEMORY)


cdef Py_ssize_t longest_row(const int64_t[::1] indptr, const int64_t[::1] order):
    """Non-zeros of the longest of the rows in `order`; 0 if the model need not know."""
    cdef Py_ssize_t longest = 0, i
    if NEEDS_LONGEST:
        for i in range(order.shape[0]):
            longest = max(longest, indptr[order[i] + 1] - indptr[order[i]])
    return longest


cdef void* new_scratch(const TableView* table, Py_ssize_t n_outputs, Py_ssize_t longest,
                       real tag) except NULL:
    """Room for the scores and gradients of so many outputs, their sums, and what is spare."""
    cdef size_t n_sums = n_outputs * sums_size(<any_width*>NULL, table)
    cdef size_t n_reals = n_sums + spare_size(table, longest)
    cdef size_t n_bytes = 2 * n_outputs * sizeof(double) + n_reals * sizeof(real)
    cdef void* scratch = malloc(n_bytes)
    if scratch == NULL:
        raise MemoryError(f"No memory for a scratch buffer of {n_bytes} bytes.")
    return scratch
