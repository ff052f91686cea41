"""Rows of features and their vectors: what queries, items and whole rows have in common.

A row x has the vector q = sum_l x_l v_l and the constant

    b = sum_l w_l x_l  +  1/2 (|q|^2 - sum_l |x_l v_l|^2),

the second part only if the row's features interact among themselves. A query c and an item i score
<q_c, q_i> + b_i, all else being the same for all items of a query; a whole row of a factorization
machine scores b.

So the derivative of a row's score by v_l is x_l d with d = q_c (an item's, without interactions),
d = q_c + q_i - x_l v_l (with them) or d = q - x_l v_l (a whole row).
"""

from ..common.prefetch cimport prefetch_parameters
from ..common.settings cimport Settings, StepSettings
from ..common.structs cimport CSRView, Strengths, TableView, int32_t, int64_t, real
from ..common.vector cimport (
    CACHE_LINE, FM_PREFETCH, FM_PREFETCH_OWN, accumulate, accumulate_two, add_scaled, clear, dot,
    fm_flush_denormals, fm_restore_denormals, interactions, scale,
)
from ..common.widths cimport any_width, n_factors_of, width
from ..gradient.solver_steps cimport few_kinds as kind, general, grow_older, n_state, step

cdef enum:
    NOWHERE = 0x7FFFFFFF          # behind all features


ctypedef struct SideView:
    # Rows, and the table of their features. Without CSR arrays row r is feature r, with value 1.
    CSRView rows
    TableView table
    Strengths strengths
    bint starts_with_own          # whether each row's first feature is its own number
    bint interacts                # whether the features of a row interact among themselves
    bint has_linear
    bint is_frozen                # whether training leaves the table as it is


cdef inline bint is_single(const SideView* side, Py_ssize_t row) noexcept nogil:
    """Whether the row is one feature, of which nothing interacts."""
    return side.rows.indptr == NULL or side.rows.indptr[row + 1] - side.rows.indptr[row] == 1


cdef void add_row(const width* tag, const SideView* side, Py_ssize_t row, real* sums,
                  real* squares, real* linear) noexcept nogil:
    """Add a CSR row to the sums of x v, of (x v)^2 and of w x."""
    cdef const real* weights = <const real*>side.table.linear
    cdef const real* factors = <const real*>side.table.factors
    cdef const real* data = <const real*>side.rows.data
    cdef Py_ssize_t k = n_factors_of(tag, &side.table), stride = side.table.factor_stride
    cdef Py_ssize_t entry = side.rows.indptr[row], end = side.rows.indptr[row + 1], column, other
    cdef real total = 0
    while entry + 1 < end:
        column = side.rows.indices[entry]
        other = side.rows.indices[entry + 1]
        total = total + (weights[column * side.table.linear_stride] * data[entry]
                         + weights[other * side.table.linear_stride] * data[entry + 1])
        accumulate_two(sums, squares, factors + column * stride, data[entry],
                       factors + other * stride, data[entry + 1], k)
        entry += 2
    if entry < end:
        column = side.rows.indices[entry]
        total = total + weights[column * side.table.linear_stride] * data[entry]
        accumulate(sums, squares, factors + column * stride, data[entry], k)
    linear[0] = linear[0] + total


cdef inline const real* row_vector(const width* tag, const SideView* side, Py_ssize_t row,
                                   real* sums, real* squares, real* constant) noexcept nogil:
    """q of a row, in `sums` or where it lies in the table, and its b."""
    cdef Py_ssize_t k = n_factors_of(tag, &side.table)
    if side.rows.indptr == NULL:
        constant[0] = (<const real*>side.table.linear)[row * side.table.linear_stride]
        return <const real*>side.table.factors + row * side.table.factor_stride
    clear(sums, squares, k)
    constant[0] = 0
    add_row(tag, side, row, sums, squares, constant)
    if side.interacts and not is_single(side, row):
        constant[0] = constant[0] + interactions(sums, squares, k)
    return sums


cdef inline void step_feature(const width* tag, const kind* how, const SideView* side,
                              Py_ssize_t column, const StepSettings* settings,
                              const real* direction, real along, real own,
                              real slope) noexcept nogil:
    """One solver step on a feature; `slope` is the derivative by its linear weight."""
    cdef const real* strength = <const real*>side.strengths.values
    cdef Py_ssize_t k = n_factors_of(tag, &side.table)
    cdef real* w = <real*>side.table.linear + column * side.table.linear_stride
    cdef real* v = <real*>side.table.factors + column * side.table.factor_stride
    cdef real one = 1
    cdef real[2] pace
    grow_older(how, settings, w, pace)
    if kind is general:
        if side.strengths.group != NULL:
            strength = strength + 4 * side.strengths.group[column]
    if side.has_linear:
        step(how, settings, w, 1, pace, &one, slope, <real>0, strength[0], strength[1], 1)
    step(how, settings, v, k, pace, direction, along, own, strength[2], strength[3], k)


cdef void step_row(const width* tag, const kind* how, const SideView* side, Py_ssize_t row,
                   const StepSettings* settings, const real* direction, bint has_own,
                   real g) noexcept nogil:
    """One solver step on the features of a row; g times `direction` (less x v, if `has_own`) is the
    derivative by its vector, and g that by its constant."""
    cdef const real* data = <const real*>side.rows.data
    cdef Py_ssize_t entry
    cdef real x
    if side.rows.indptr == NULL:
        step_feature(tag, how, side, row, settings, direction, g, <real>0, g)
        return
    for entry in range(side.rows.indptr[row], side.rows.indptr[row + 1]):
        x = data[entry]
        step_feature(tag, how, side, side.rows.indices[entry], settings, direction, g * x,
                     -g * x * x if has_own else <real>0, g * x)


cdef inline void step_pair(const width* tag, const kind* how, const SideView* side,
                           Py_ssize_t better, Py_ssize_t worse, const StepSettings* settings,
                           const real* better_direction, bint better_has_own,
                           const real* worse_direction, bint worse_has_own, real g,
                           real* both) noexcept nogil:
    """One solver step on the features of two rows, g being the derivative of the loss by the
    difference of their scores."""
    if side.rows.indptr == NULL:
        step_feature(tag, how, side, better, settings, better_direction, g, <real>0, g)
        step_feature(tag, how, side, worse, settings, worse_direction, -g, <real>0, -g)
    else:
        step_merged(tag, how, side, better, worse, settings, better_direction, better_has_own,
                    worse_direction, worse_has_own, g, both)


cdef void step_merged(const width* tag, const kind* how, const SideView* side, Py_ssize_t better,
                      Py_ssize_t worse, const StepSettings* settings,
                      const real* better_direction, bint better_has_own,
                      const real* worse_direction, bint worse_has_own, real g,
                      real* both) noexcept nogil:
    """The same for CSR rows: a feature of both makes one step, along its net gradient."""
    cdef const int32_t* indices = side.rows.indices
    cdef const real* data = <const real*>side.rows.data
    cdef const real* direction
    cdef Py_ssize_t k = n_factors_of(tag, &side.table), column, other
    cdef Py_ssize_t i = side.rows.indptr[better], i_end = side.rows.indptr[better + 1]
    cdef Py_ssize_t j = side.rows.indptr[worse], j_end = side.rows.indptr[worse + 1]
    cdef real along, own, slope, x, y
    while i < i_end or j < j_end:
        column = indices[i] if i < i_end else NOWHERE
        other = indices[j] if j < j_end else NOWHERE
        x = data[i] if column <= other else <real>0
        y = data[j] if other <= column else <real>0
        own = (y * y if worse_has_own else <real>0) - (x * x if better_has_own else <real>0)
        slope = g * (x - y)
        if column < other:
            direction, along = better_direction, g * x
        elif other < column:
            direction, along = worse_direction, -g * y
        else:
            scale(both, better_direction, x, k)
            add_scaled(both, worse_direction, -y, k)
            direction, along = both, g
        step_feature(tag, how, side, min(column, other), settings, direction, along, g * own, slope)
        i += column <= other
        j += other <= column


cdef inline void prefetch_row(const SideView* side, Py_ssize_t row, bint to_write,
                              real tag) noexcept nogil:
    """The parameters of a row's own feature, and where its features are listed."""
    if side.rows.indptr == NULL or side.starts_with_own:
        prefetch_parameters(&side.table, row, to_write, tag)
    if side.rows.indptr != NULL:
        FM_PREFETCH(side.rows.indptr + row)


cdef inline void prefetch_vector(const SideView* side, Py_ssize_t row, real tag) noexcept nogil:
    """What a score needs of a row's own feature: no state, if it is one of many."""
    cdef const real* v = <const real*>side.table.factors + row * side.table.factor_stride
    cdef Py_ssize_t f = 0
    if side.rows.indptr == NULL or side.starts_with_own:
        while f < side.table.n_factors:
            FM_PREFETCH(v + f)
            f += CACHE_LINE // sizeof(real)
        FM_PREFETCH(<const real*>side.table.linear + row * side.table.linear_stride)
    if side.rows.indptr != NULL:
        FM_PREFETCH(side.rows.indptr + row)


cdef inline void prefetch_state(const SideView* side, Py_ssize_t row, real tag) noexcept nogil:
    """The rest of what a step on it needs."""
    cdef const real* v = <const real*>side.table.factors + row * side.table.factor_stride
    cdef Py_ssize_t f = side.table.n_factors
    if side.rows.indptr == NULL or side.starts_with_own:
        while f < side.table.factor_stride:
            FM_PREFETCH_OWN(v + f)
            f += CACHE_LINE // sizeof(real)


cdef inline void prefetch_entries(const SideView* side, Py_ssize_t row, real tag) noexcept nogil:
    if side.rows.indptr != NULL:
        FM_PREFETCH(side.rows.indices + side.rows.indptr[row])
        FM_PREFETCH(<const real*>side.rows.data + side.rows.indptr[row])


cdef SideView side_view(side, bint has_linear, real zero):
    """`side` is a model.sides.Side, which keeps all arrays alive."""
    cdef const real[:, ::1] linear = side.table.linear, factors = side.table.factors
    cdef Py_ssize_t n_factors = side.table.n_padded
    cdef const int64_t[::1] indptr
    cdef const int32_t[::1] indices
    cdef const real[::1] data
    cdef const int32_t[::1] groups
    cdef const real[:, ::1] strengths
    cdef SideView view
    view.rows = CSRView(NULL, NULL, NULL, NULL, 0, NULL, 0)
    if side.rows is not None and side.rows.n_rows:
        indptr, indices, data = side.rows.indptr, side.rows.indices, side.rows.data
        view.rows.indptr = &indptr[0]
        if indices.shape[0]:
            view.rows.indices = &indices[0]
            view.rows.data = <const void*>&data[0]
    view.table = TableView(
        NULL, <void*>&linear[0, 0], NULL,
        linear.shape[1], factors.shape[1], n_factors, n_factors, 1, 2, 1, 0, linear.shape[1],
        factors.shape[1], 0, False,
    )
    if factors.shape[1]:
        view.table.factors = <void*>&factors[0, 0]
    view.strengths = Strengths(NULL, NULL)
    if side.strengths is not None:
        groups, strengths = side.strengths.groups, side.strengths.values
        view.strengths.values = <void*>&strengths[0, 0]
        if groups is not None:
            view.strengths.group = &groups[0]
    view.starts_with_own, view.interacts = side.starts_with_own, side.interacts
    view.has_linear, view.is_frozen = has_linear, side.is_frozen
    return view


cdef void vectors_of_rows(SideView side, Py_ssize_t first, Py_ssize_t last, real* vectors,
                          real* constants, real* squares) noexcept nogil:
    cdef Py_ssize_t k = side.table.n_factors, row, f
    cdef const real* vector
    cdef real* to
    for row in range(first, last):
        to = vectors + row * k
        vector = row_vector(<any_width*>NULL, &side, row, to, squares, constants + row)
        if vector != to:
            for f in range(k):
                to[f] = vector[f]


def row_vectors(side, real[:, ::1] vectors, real[::1] constants, Py_ssize_t first,
                Py_ssize_t last):
    """Write q and b of rows first..last-1; `vectors` is as wide as the table pads its factors."""
    cdef SideView view = side_view(side, True, <real>0)
    cdef real[::1] squares = np.empty(max(1, vectors.shape[1]), dtype=np.asarray(vectors).dtype)
    cdef real* to = NULL
    cdef unsigned int mode
    if first >= last:
        return
    if vectors.shape[1]:
        to = &vectors[0, 0]
    with nogil:
        mode = fm_flush_denormals()
        vectors_of_rows(view, first, last, to, &constants[0], &squares[0])
        fm_restore_denormals(mode)
