"""Coordinate solvers: one parameter at a time, all others fixed (Rendle, TIST 2012).

The score is linear in each single parameter theta, with slopes h_i over the rows i: x_i for a linear
weight, x_i (q_i - x_i v) for a factor, where q_i = sum_j v_j x_ij. With errors e_i = score_i - y_i, the
noise's precision alpha and a prior N(mu, 1 / lambda), theta given all others is normal with

    precision  P = alpha sum h_i^2 + lambda,
    mean       (alpha (theta sum h_i^2 - sum e_i h_i) + lambda mu) / P.

A Gibbs sampler draws from it: mean + z / sqrt(P), z standard normal. z = 0 gives its maximum, and with
alpha = 1 and mu = 0 the step of alternating least squares.

Factors go eight at a time: in one pass over a column, their 8 x 8 Gram matrix sum h h' and the vector
sum e h. What a step d_a of factor a does to the others is then known without the rows, r_b += H_ab d_a, as
the slopes of a feature's factors do not depend on one another. A second pass brings the rows up to date.
A row keeps [q_1 .. q_8 | e | root of its weight] in a line of its own, which both passes prefetch.

Columns that share no row do not see each other, so threads may take them at once.
"""

from libc.math cimport sqrt

from ..coordinate.gram cimport add_eight, dot_eight, fm_prefetch_line, gram, gram_column, interact, slopes
from ..common.structs cimport int32_t, int64_t, real
from ..common.vector cimport FM_PREFETCH, FM_PREFETCH_OWN, fm_flush_denormals, fm_restore_denormals

cdef enum:
    EIGHT = 8
    ERROR = 8                     # places in a line
    ROOT = 9
    AHEAD = 16                    # non-zeros between prefetching a row and using it


cdef inline double drawn(double theta, double square, double along, double alpha, double precision,
                         double mean, double z) noexcept nogil:
    """The new value of a parameter; its old one where nothing is known of it."""
    cdef double whole = alpha * square + precision
    if not whole > 0:
        return theta
    return (alpha * (theta * square - along) + precision * mean) / whole + z / sqrt(whole)


def sum_factors(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
                const real[:, ::1] factors, Py_ssize_t first_factor, bint begins,
                real[:, ::1] lines, Py_ssize_t first, Py_ssize_t last):
    """Write q of eight factors to the lines of rows first..last-1 of a CSR matrix; or, unless it
    `begins`, add it to what they hold."""
    cdef Py_ssize_t row, entry, f
    cdef real* line
    with nogil:
        for row in range(first, last):
            line = &lines[row, 0]
            if begins:
                for f in range(EIGHT):
                    line[f] = 0
            for entry in range(indptr[row], indptr[row + 1]):
                if entry + AHEAD < indptr[last]:
                    FM_PREFETCH(&factors[indices[entry + AHEAD], first_factor])
                add_eight(line, data[entry], &factors[indices[entry], first_factor])


def score_eight(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
                const real[:, ::1] linear, const real[:, ::1] factors, Py_ssize_t first_factor,
                real intercept, bint begins, real[:, ::1] lines, real[::1] scores,
                Py_ssize_t first, Py_ssize_t last):
    """sum_factors, which adds the interactions of these eight factors to the rows' scores; or, if
    it `begins`, sets them to those with the intercept and the linear weights."""
    cdef Py_ssize_t row, entry, start, end
    cdef real score
    cdef unsigned int mode
    with nogil:
        mode = fm_flush_denormals()
        for row in range(first, last):
            start, end = indptr[row], indptr[row + 1]
            for entry in range(start + AHEAD, min(end + AHEAD, indptr[last])):
                FM_PREFETCH(&factors[indices[entry], first_factor])
            score = intercept if begins else scores[row]
            if begins:
                for entry in range(start, end):
                    score = score + linear[indices[entry], 0] * data[entry]
            scores[row] = score + interact(&indices[0] + start, &data[0] + start, end - start,
                                           &factors[0, first_factor], factors.shape[1],
                                           &lines[row, 0])
        fm_restore_denormals(mode)


def sweep_linear(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
                 real[:, ::1] linear, real[::1] errors, const real[::1] weights, double alpha,
                 const int32_t[::1] groups, const double[:, ::1] prior,
                 const double[::1] normals, Py_ssize_t first, Py_ssize_t last):
    """Draw the linear weights of columns first..last-1 of a CSC matrix, and update the errors.

    `weights` are those of the rows, or None; `prior` holds precision and mean a group, shape
    (n_groups, 2); `normals` a z a column.
    """
    cdef Py_ssize_t column, entry, end, group
    cdef double square, along, theta, change, x
    cdef bint is_weighted = weights is not None
    with nogil:
        for column in range(first, last):
            square, along = 0, 0
            end = indptr[column + 1]
            for entry in range(indptr[column], end):
                if entry + AHEAD < indptr[last]:
                    FM_PREFETCH_OWN(&errors[indices[entry + AHEAD]])
                x = data[entry]
                if is_weighted:
                    x = x * weights[indices[entry]]
                square += x * data[entry]
                along += x * errors[indices[entry]]
            theta = linear[column, 0]
            group = groups[column]
            change = drawn(theta, square, along, alpha, prior[group, 0], prior[group, 1],
                           normals[column])
            linear[column, 0] = <real>change
            change = linear[column, 0] - theta
            for entry in range(indptr[column], end):
                errors[indices[entry]] += <real>(data[entry] * change)


cdef void draw_eight(real* v, real* steps, const real* H, const real* r, double alpha,
                     const double* precisions, const double* means, const double* normals,
                     Py_ssize_t n) noexcept nogil:
    """Sequentially, each given those before it; their changes to `steps`."""
    cdef Py_ssize_t a, b
    cdef double along
    for a in range(EIGHT):
        steps[a] = 0
    for a in range(n):
        along = r[a]
        for b in range(a):
            along += <double>H[a * EIGHT + b] * steps[b]
        steps[a] = <real>drawn(v[a], H[a * EIGHT + a], along, alpha, precisions[a], means[a],
                               normals[a]) - v[a]


def sweep_factors(const int64_t[::1] indptr, const int32_t[::1] indices, const real[::1] data,
                  real[:, ::1] factors, Py_ssize_t first_factor, Py_ssize_t n_active,
                  real[:, ::1] lines, bint is_weighted, double alpha,
                  const int32_t[::1] groups, const double[:, ::1] precisions,
                  const double[:, ::1] means, const double[:, ::1] normals, Py_ssize_t first,
                  Py_ssize_t last):
    """Draw eight factors, of which `n_active` exist, of columns first..last-1 of a CSC matrix, and
    update the rows' lines.

    If not `is_weighted`, the weights in the lines are not looked at. `precisions` and `means` have a
    row a group, `normals` one a column, all eight columns wide.
    """
    cdef Py_ssize_t column, entry, start, end, f, ahead
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
            gram_column(&lines[0, 0], lines.shape[1], &indices[0] + start, &data[0] + start,
                        end - start, indptr[last] - start, v, is_weighted, H, r)
            draw_eight(v, steps, H, r, alpha, &precisions[groups[column], 0],
                       &means[groups[column], 0], &normals[column, 0], n_active)
            for entry in range(start, end):
                # A short column's lines are still in the cache.
                ahead = entry + AHEAD
                if end - start > 256 and ahead < end:
                    fm_prefetch_line(&lines[indices[ahead], 0], sizeof(real))
                line = &lines[indices[entry], 0]
                slopes(h, line, data[entry], v)
                line[ERROR] = line[ERROR] + dot_eight(h, steps)
                add_eight(line, data[entry], steps)
            for f in range(EIGHT):
                v[f] = v[f] + steps[f]
        fm_restore_denormals(mode)


def group_moments(const real[:, :] weights, const int32_t[::1] groups, const double[:, ::1] centres,
                  double[:, ::1] sums, double[:, ::1] squares):
    """For each group of features and column of `weights`, their sum, and the sum of squared
    distances from the group's centre; added to `sums` and `squares`, shape (n_groups, n_columns)."""
    cdef Py_ssize_t row, column, group
    cdef double distance
    with nogil:
        for row in range(weights.shape[0]):
            group = groups[row]
            for column in range(weights.shape[1]):
                distance = weights[row, column] - centres[group, column]
                sums[group, column] += weights[row, column]
                squares[group, column] += distance * distance


def independent_runs(const int64_t[::1] indptr, const int32_t[::1] indices, int32_t[::1] seen):
    """Where runs of neighbouring columns of a CSC matrix start that share no row.

    `seen`, shape (n_rows,), is scratch and must hold -1. Returns the list of first columns.
    """
    cdef Py_ssize_t column, entry
    cdef int32_t run = 0
    cdef bint meets
    starts = [0]
    for column in range(indptr.shape[0] - 1):
        meets = False
        for entry in range(indptr[column], indptr[column + 1]):
            meets = meets or seen[indices[entry]] == run
        if meets:
            run += 1
            starts.append(column)
        for entry in range(indptr[column], indptr[column + 1]):
            seen[indices[entry]] = run
    return starts
