"""What held-out rows say of the L2 strengths (Rendle, WSDM 2012); included after a model.

A training step with strength l shrinks the parameters by rate * l * theta. So, to first order, a
strength moves a held-out row's score by -rate times

    sum_i w_i x_i                                 linear weights of a group,
    sum_i <v_i x_i, s - v_i x_i>                  factors of a group, s = sum_j v_j x_j,

and its loss by g times that. The sums over rows go to the caller, who knows how far to step.
"""


cdef bint strength_slopes_of_rows(CSRView rows, Py_ssize_t n, const real* y, const real* weights,
                                  TableView table, const int32_t* group, StepSettings settings,
                                  real* sums, double* outputs, double* slopes) noexcept nogil:
    cdef Py_ssize_t n_sums = sums_size(<any_width*>NULL, &table), row, entry, column, output
    cdef const real* data = <const real*>rows.data
    cdef real* spare = sums + table.n_outputs * n_sums
    cdef double weight = 1, g
    cdef TableView view
    cdef int32_t[NEAR] near
    cdef Room room = room_of(near)
    cdef bint has_memory = True
    for row in range(n):
        rows.columns = columns_of(rows.indptr, rows.indices, rows.last_column, &room, row, row + 1)
        has_memory = rows.columns != NULL
        if not has_memory:
            break
        for output in range(table.n_outputs):
            output_of(<any_width*>NULL, &table, output, &view, <real>0)
            outputs[output] = score_row_apart(<any_width*>NULL, &rows, row, &view,
                                              sums + output * n_sums, spare)
        row_value_gradients(&settings, outputs, table.n_outputs, y[row],
                            outputs + table.n_outputs)
        if weights != NULL:
            weight = weights[row]
        for output in range(table.n_outputs):
            output_of(<any_width*>NULL, &table, output, &view, <real>0)
            g = weight * outputs[table.n_outputs + output]
            for entry in range(rows.indptr[row], rows.indptr[row + 1]):
                column = rows.columns[entry]
                slopes[2 * group[column] if group != NULL else 0] -= (
                    g * data[entry] * (<const real*>view.linear)[column * table.linear_stride])
            add_factor_slopes(&rows, row, &view, group, sums + output * n_sums, spare, g, slopes)
    leave(&room)
    return has_memory


def strength_slopes(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
                    const real[::1] y, const real[::1] weights, const real[:, ::1] intercept,
                    const real[:, ::1] linear, const real[:, ::1] factors, Py_ssize_t n_factors,
                    const int32_t[::1] groups, double[:, ::1] slopes, Settings settings,
                    Fields fields=None, Py_ssize_t n_vectors=1, Py_ssize_t degree=2):
    """Add to `slopes`, shape (n_groups, 2), how the weighted loss of all rows changes with the L2
    strengths of the linear weights and of the factors, for a rate of 1.
    """
    cdef const int64_t[::1] order = np.arange(y.shape[0])
    cdef CSRView rows = rows_view(indptr, indices, data, fields, longest_row(indptr, order),
                                  linear)
    cdef TableView table = table_view(intercept, linear, factors, n_factors, n_vectors, degree, 0,
                                      fields)
    cdef Py_ssize_t n_outputs = table.n_outputs
    cdef double* outputs = <double*>new_scratch(&table, n_outputs, rows.longest, <real>0)
    cdef const int32_t* group = NULL if groups is None else &groups[0]
    cdef const real* weight = NULL if weights is None else &weights[0]
    cdef bint done
    with nogil:
        done = strength_slopes_of_rows(rows, y.shape[0], &y[0], weight, table, group,
                                       settings.values, <real*>(outputs + 2 * n_outputs), outputs,
                                       &slopes[0, 0])
        free(outputs)
    if not done:
        raise MemoryError(_NO_MEMORY)
