"""Second-order factorization machine (Rendle 2010): scores, and per-sample training.

    score(x) = w0 + sum_i w_i x_i + 1/2 sum_f (s_f^2 - q_f),
    s_f = sum_i v_if x_i,    q_f = sum_i (v_if x_i)^2,

which equals the sum over all pairs i < j of <v_i, v_j> x_i x_j in O(nnz * n_factors).
"""

from libc.math cimport isfinite
from libc.stdlib cimport free, malloc

from .loss cimport loss_gradient, loss_value
from .settings cimport Settings, StepSettings
from .structs cimport CSRView, TableView, int32_t, int64_t, real
from .update cimport step


cdef inline real score_row(const CSRView* rows, Py_ssize_t row, const TableView* table,
                           real* sums, real* squares) noexcept nogil:
    """The score of one row; leaves s_f in `sums` for the update."""
    cdef const real* linear = <const real*>table.linear
    cdef const real* factors = <const real*>table.factors
    cdef const real* data = <const real*>rows.data
    cdef const real* v
    cdef Py_ssize_t entry, column, f
    cdef real x, vx
    cdef real score = (<const real*>table.intercept)[0]
    cdef real interactions = 0
    for f in range(table.n_factors):
        sums[f] = 0
        squares[f] = 0
    for entry in range(rows.indptr[row], rows.indptr[row + 1]):
        column = rows.indices[entry]
        x = data[entry]
        v = factors + column * table.factor_stride
        score = score + linear[column * table.linear_stride] * x
        for f in range(table.n_factors):
            vx = v[f] * x
            sums[f] = sums[f] + vx
            squares[f] = squares[f] + vx * vx
    for f in range(table.n_factors):
        interactions = interactions + (sums[f] * sums[f] - squares[f])
    return score + <real>0.5 * interactions


cdef void update_row(const CSRView* rows, Py_ssize_t row, const TableView* table,
                     const StepSettings* settings, const real* sums, real g) noexcept nogil:
    """One solver step on every parameter that the row touches; g = d loss / d score."""
    cdef real* intercept = <real*>table.intercept
    cdef const real* data = <const real*>rows.data
    cdef real* w
    cdef real* v
    cdef real x
    cdef real one = 1
    cdef real rate = <real>settings.learning_rate
    cdef real l2_linear = <real>settings.l2_linear
    cdef real l2_factors = <real>settings.l2_factors
    cdef Py_ssize_t entry, column, k = table.n_factors
    if settings.fit_intercept:
        step(settings.solver, intercept, intercept + 1, &one, g, <real>0, rate, 1)
    for entry in range(rows.indptr[row], rows.indptr[row + 1]):
        column = rows.indices[entry]
        x = data[entry]
        if settings.fit_linear:
            w = <real*>table.linear + column * table.linear_stride
            step(settings.solver, w, w + 1, &one, g * x, l2_linear, rate, 1)
        v = <real*>table.factors + column * table.factor_stride
        step(settings.solver, v, v + k, sums, g * x, l2_factors - g * x * x, rate, k)


cdef Py_ssize_t train_rows(const CSRView* rows, const real* y, const real* weights,
                           const int64_t* order, Py_ssize_t n, const TableView* table,
                           const StepSettings* settings, real* scratch,
                           double* loss_sum) noexcept nogil:
    """Visit rows order[0..n); return how many were done before a score was not finite."""
    cdef Py_ssize_t i, row
    cdef double weight = 1
    cdef real score
    cdef real* sums = scratch
    for i in range(n):
        row = order[i]
        score = score_row(rows, row, table, sums, scratch + table.n_factors)
        if not isfinite(score):
            return i
        if weights != NULL:
            weight = weights[row]
        loss_sum[0] += weight * loss_value(settings.loss, score, y[row])
        update_row(rows, row, table, settings, sums,
                   <real>(weight * loss_gradient(settings.loss, score, y[row])))
    return n


cdef void predict_rows(const CSRView* rows, Py_ssize_t n, const TableView* table, real* scratch,
                       real* scores) noexcept nogil:
    cdef Py_ssize_t row
    for row in range(n):
        scores[row] = score_row(rows, row, table, scratch, scratch + table.n_factors)


def train(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
          const real[::1] y, const real[::1] weights, const int64_t[::1] order,
          real[::1] intercept, real[:, ::1] linear, real[:, ::1] factors,
          Py_ssize_t n_factors, Settings settings):
    """Train in place on the rows that `order` lists, one update a row.

    Parameters
    ----------
    indptr, indices, data
        The CSR matrix. Columns must lie in the table, and no row may hold a column twice.
    y, weights : shape (n_rows,)
        Targets, and sample weights or None.
    order : rows to visit, in this order
    intercept, linear, factors, n_factors
        The parameter table's arrays, and its padded number of factors.

    Returns
    -------
    (weighted sum of losses before each update, number of rows done); fewer rows than `order`
    has means that the next row's score was not finite, and nothing was updated from it.
    """
    cdef CSRView rows = CSRView(&indptr[0], &indices[0], &data[0])
    cdef TableView table = TableView(&intercept[0], &linear[0, 0], &factors[0, 0],
                                     linear.shape[1], factors.shape[1], n_factors)
    cdef const real* weight = NULL if weights is None else &weights[0]
    cdef real* scratch = <real*>new_scratch(2 * n_factors * sizeof(real))
    cdef double loss_sum = 0
    cdef Py_ssize_t done
    try:
        with nogil:
            done = train_rows(&rows, &y[0], weight, &order[0], order.shape[0], &table,
                              &settings.values, scratch, &loss_sum)
    finally:
        free(scratch)
    return loss_sum, done


def predict(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
            const real[::1] intercept, const real[:, ::1] linear, const real[:, ::1] factors,
            Py_ssize_t n_factors, real[::1] scores):
    """Write the score of every row of the CSR matrix into `scores`, shape (n_rows,)."""
    cdef CSRView rows = CSRView(&indptr[0], &indices[0], &data[0])
    cdef TableView table = TableView(<void*>&intercept[0], <void*>&linear[0, 0],
                                     <void*>&factors[0, 0], linear.shape[1], factors.shape[1],
                                     n_factors)
    cdef real* scratch = <real*>new_scratch(2 * n_factors * sizeof(real))
    try:
        with nogil:
            predict_rows(&rows, scores.shape[0], &table, scratch, &scores[0])
    finally:
        free(scratch)


cdef void* new_scratch(size_t n_bytes) except NULL:
    """Room for s_f and q_f of one row."""
    cdef void* scratch = malloc(n_bytes + 1)                # malloc(0) may return NULL
    if scratch == NULL:
        raise MemoryError(f"No memory for a scratch buffer of {n_bytes} bytes.")
    return scratch
