"""Coordinate solvers on the blocks of a relational design (Rendle, PVLDB 6(5), 2013).

The rows of the data that point to row b of a block share its features, so all that a column of the
block needs of them are sums. With q_b = sum_j v_j x_bj over the block's features alone and o_i =
q_i - q_b, what row i's other features add, the slopes of feature j are x (o_i + c), c = q_b - x v_j,
and with rows weighted by s_i the sums over the rows i of b are

    n = sum s_i,  u = sum s_i o_i,  G = sum s_i o_i o_i',  E = sum s_i e_i,  t = sum s_i e_i o_i,

    sum s_i h_i h_i' = x^2 (G + c u' + u c' + n c c'),
    sum s_i e_i h_i  = x (t + E c).

Steps d of the factors of j move q_b by x d, the errors of its rows by x d'(o_i + c), and so E and t
by x d'(u + n c) and x (G d + (d'c) u). Once all columns are done, the rows are brought up to date
from the move of q_b and the sum of the x d'c. A line of a block row holds [q | G | u | t | q before
| E | n | sum of x d'c].
"""

cdef enum:
    GRAM = EIGHT
    SUMS = GRAM + EIGHT * EIGHT
    ALONG = SUMS + EIGHT
    BEFORE = ALONG + EIGHT
    ERRORS = BEFORE + EIGHT
    COUNT = ERRORS + 1
    OWN = ERRORS + 2
    BLOCK_LINE = ERRORS + EIGHT

BLOCK_WIDTH = BLOCK_LINE


def add_block_sums(const int32_t[::1] row_of, const real[:, ::1] block_lines,
                   real[:, ::1] lines, Py_ssize_t first, Py_ssize_t last):
    """Add q of each row's block row to the row's own."""
    cdef Py_ssize_t row
    with nogil:
        for row in range(first, last):
            if row + AHEAD < last:
                FM_PREFETCH(&block_lines[row_of[row + AHEAD], 0])
            add_eight(&lines[row, 0], 1, &block_lines[row_of[row], 0])


def gather(const int64_t[::1] starts, const int32_t[::1] members, const real[:, ::1] lines,
           bint is_weighted, real[:, ::1] block_lines, Py_ssize_t first, Py_ssize_t last):
    """Sum up the rows of block rows first..last-1: members[starts[b]:starts[b + 1]] are b's."""
    cdef Py_ssize_t b, i, f
    cdef const real* line
    cdef real* block
    cdef real root = 1
    cdef real[EIGHT] other
    with nogil:
        for b in range(first, last):
            block = &block_lines[b, 0]
            for f in range(GRAM, BLOCK_LINE):
                block[f] = 0
            for f in range(EIGHT):
                block[BEFORE + f] = block[f]
            for i in range(starts[b], starts[b + 1]):
                if i + AHEAD < starts[last]:
                    fm_prefetch_line(&lines[members[i + AHEAD], 0], sizeof(real))
                line = &lines[members[i], 0]
                if is_weighted:
                    root = line[ROOT]
                for f in range(EIGHT):
                    other[f] = root * (line[f] - block[f])
                gram(block + GRAM, block + ALONG, other, root * line[ERROR])
                add_eight(block + SUMS, root, other)
                block[ERRORS] += root * root * line[ERROR]
                block[COUNT] += root * root


def spread(const int64_t[::1] starts, const int32_t[::1] members, const real[:, ::1] block_lines,
           real[:, ::1] lines, Py_ssize_t first, Py_ssize_t last):
    """Bring the lines of the rows of block rows first..last-1 up to date."""
    cdef Py_ssize_t b, i, f
    cdef real* line
    cdef const real* block
    cdef real[EIGHT] move
    cdef real own
    with nogil:
        for b in range(first, last):
            block = &block_lines[b, 0]
            for f in range(EIGHT):
                move[f] = block[f] - block[BEFORE + f]
            own = block[OWN] - dot_eight(block + BEFORE, move)
            for i in range(starts[b], starts[b + 1]):
                if i + AHEAD < starts[last]:
                    fm_prefetch_line(&lines[members[i + AHEAD], 0], sizeof(real))
                line = &lines[members[i], 0]
                line[ERROR] += dot_eight(line, move) + own
                add_eight(line, 1, move)


def sweep_block_linear(const int64_t[::1] indptr, const int32_t[::1] indices,
                       const real[::1] data, real[:, ::1] linear, double[::1] errors,
                       const double[::1] counts, double[::1] moves, double alpha,
                       const int32_t[::1] groups, const double[:, ::1] prior,
                       const double[::1] normals, Py_ssize_t first, Py_ssize_t last):
    """As sweep_linear for columns of a block, given the sums of its rows' errors and weights.

    Adds to `moves` what each block row adds to the errors of its rows.
    """
    cdef Py_ssize_t column, entry, b, group
    cdef double square, along, theta, change, x
    with nogil:
        for column in range(first, last):
            square, along = 0, 0
            for entry in range(indptr[column], indptr[column + 1]):
                b = indices[entry]
                x = data[entry]
                square += x * x * counts[b]
                along += x * errors[b]
            theta = linear[column, 0]
            group = groups[column]
            change = drawn(theta, square, along, alpha, prior[group, 0], prior[group, 1],
                           normals[column])
            linear[column, 0] = <real>change
            change = linear[column, 0] - theta
            for entry in range(indptr[column], indptr[column + 1]):
                b = indices[entry]
                errors[b] += data[entry] * change * counts[b]
                moves[b] += data[entry] * change


cdef inline void add_block_gram(real* H, real* r, const real* block, const real* c,
                                real x) noexcept nogil:
    """H += x^2 (G + c u' + u c' + n c c'), r += x (t + E c)."""
    cdef Py_ssize_t a
    cdef real[EIGHT] u
    cdef real square = x * x
    for a in range(EIGHT):
        u[a] = block[SUMS + a] + block[COUNT] * c[a]
    add_eight(r, x, block + ALONG)
    add_eight(r, x * block[ERRORS], c)
    for a in range(EIGHT):
        add_eight(H + a * EIGHT, square, block + GRAM + a * EIGHT)
        add_eight(H + a * EIGHT, square * c[a], u)
        add_eight(H + a * EIGHT, square * block[SUMS + a], c)


cdef inline void move_block(real* block, const real* c, const real* steps,
                            real x) noexcept nogil:
    """The sums of a block row after steps of the factors of one of its features."""
    cdef Py_ssize_t a
    cdef real own = x * dot_eight(steps, c)
    block[ERRORS] += x * dot_eight(steps, block + SUMS) + block[COUNT] * own
    for a in range(EIGHT):
        add_eight(block + ALONG, x * steps[a], block + GRAM + a * EIGHT)
    add_eight(block + ALONG, own, block + SUMS)
    block[OWN] += own
    add_eight(block, x, steps)


def sweep_block_factors(const int64_t[::1] indptr, const int32_t[::1] indices,
                        const real[::1] data, real[:, ::1] factors, Py_ssize_t first_factor,
                        Py_ssize_t n_active, real[:, ::1] block_lines, double alpha,
                        const int32_t[::1] groups, const double[:, ::1] precisions,
                        const double[:, ::1] means, const double[:, ::1] normals,
                        Py_ssize_t first, Py_ssize_t last):
    """As sweep_factors for columns of a block, on the lines of its rows."""
    cdef Py_ssize_t column, entry, start, end, f
    cdef real[EIGHT * EIGHT] H
    cdef real[EIGHT] r
    cdef real[EIGHT] c
    cdef real[EIGHT] steps
    cdef real* v
    cdef real* block
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
                block = &block_lines[indices[entry], 0]
                for f in range(EIGHT):
                    c[f] = block[f] - data[entry] * v[f]
                add_block_gram(H, r, block, c, data[entry])
            draw_eight(v, steps, H, r, alpha, &precisions[groups[column], 0],
                       &means[groups[column], 0], &normals[column, 0], n_active)
            for entry in range(start, end):
                block = &block_lines[indices[entry], 0]
                for f in range(EIGHT):
                    c[f] = block[f] - data[entry] * v[f]
                move_block(block, c, steps, data[entry])
            for f in range(EIGHT):
                v[f] = v[f] + steps[f]
        fm_restore_denormals(mode)
