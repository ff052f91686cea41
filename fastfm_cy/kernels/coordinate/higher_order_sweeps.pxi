"""Coordinate steps of higher-order machines (Blondel, Ishihata, Fujino, Ueda, ICML 2016); included
after sweeps.pxi.

The score is linear in each single factor v of a feature for any order d, with slope x A_(d-1) of the
row without the feature. With e_m the row's elementary symmetric polynomials of p = v x, those without the
feature are

    r_0 = 1,    r_m = e_m - p r_(m-1),

and a step of v that changes p by c moves e_m by c r_(m-1). The eight factors of a feature that are
visited together do not depend on one another, so their Gram matrix is all that sweeps.pxi needs.
A row keeps [what it does there, but for q | e_1 of the eight | .. | e_(d-1)].
"""

from ..common.symmetric cimport move_levels, row_levels, slopes_of_order

cdef enum:
    LEVELS = 2 * EIGHT            # where they start in a row's line


def line_width(Py_ssize_t order):
    """Numbers in a row's line."""
    return LEVELS + (order - 1) * EIGHT


cdef inline void prefetch_line(const real* line, Py_ssize_t width) noexcept nogil:
    cdef Py_ssize_t f = 0
    while f < width:
        FM_PREFETCH_OWN(line + f)
        f += 64 // sizeof(real)


def sum_levels(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
               const real[:, ::1] factors, Py_ssize_t first_factor, Py_ssize_t order,
               real[:, ::1] lines, Py_ssize_t first, Py_ssize_t last):
    """Write the levels of eight factors to the lines of rows first..last-1 of a CSR matrix."""
    cdef Py_ssize_t row, start, f
    cdef real* levels
    cdef real[EIGHT] top
    with nogil:
        for row in range(first, last):
            levels = &lines[row, LEVELS]
            start = indptr[row]
            for f in range(EIGHT):
                top[f] = 0
            for f in range((order - 1) * EIGHT):
                levels[f] = 0
            for f in range(start + AHEAD, min(indptr[row + 1] + AHEAD, indptr[last])):
                FM_PREFETCH(&factors[indices[f], first_factor])
            row_levels(levels, 0, top, &factors[0, first_factor], factors.shape[1],
                       &indices[0] + start, &data[0] + start, indptr[row + 1] - start, order,
                       EIGHT)


def sweep_levels(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
                 real[:, ::1] factors, Py_ssize_t first_factor, Py_ssize_t n_active,
                 Py_ssize_t order, bint shared, real[:, ::1] lines, bint is_weighted,
                 double alpha, const int32_t[::1] groups, const double[:, ::1] precisions,
                 const double[:, ::1] means, const double[:, ::1] normals, Py_ssize_t first,
                 Py_ssize_t last):
    """As sweep_factors, for factors of the interactions of one order, or if `shared` of all orders
    from 2 to this one."""
    cdef Py_ssize_t column, entry, start, end, f, width = LEVELS + (order - 1) * EIGHT
    cdef real[EIGHT * EIGHT] H
    cdef real[EIGHT] r
    cdef real[EIGHT] h
    cdef real[EIGHT] steps
    cdef real* v
    cdef real* line
    cdef unsigned int mode
    with nogil:
        mode = fm_flush_denormals()
        for column in range(first, last):
            v = &factors[column, first_factor]
            start, end = indptr[column], indptr[column + 1]
            for f in range(EIGHT * EIGHT):
                H[f] = 0
            for f in range(EIGHT):
                r[f] = 0
            for entry in range(start, end):
                if entry + AHEAD < indptr[last]:
                    prefetch_line(&lines[indices[entry + AHEAD], 0], width)
                line = &lines[indices[entry], 0]
                slopes_of_order(h, line + LEVELS, data[entry], v, order, shared)
                if is_weighted:
                    for f in range(EIGHT):
                        h[f] = h[f] * line[ROOT]
                    gram(H, r, h, line[ERROR] * line[ROOT])
                else:
                    gram(H, r, h, line[ERROR])
            draw_eight(v, steps, H, r, alpha, &precisions[groups[column], 0],
                       &means[groups[column], 0], &normals[column, 0], n_active)
            for entry in range(start, end):
                if entry + AHEAD < end:
                    prefetch_line(&lines[indices[entry + AHEAD], 0], width)
                line = &lines[indices[entry], 0]
                slopes_of_order(h, line + LEVELS, data[entry], v, order, shared)
                line[ERROR] = line[ERROR] + dot_eight(h, steps)
                move_levels(line + LEVELS, data[entry], v, steps, order)
            for f in range(EIGHT):
                v[f] = v[f] + steps[f]
        fm_restore_denormals(mode)
