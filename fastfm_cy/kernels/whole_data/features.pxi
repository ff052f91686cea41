"""Rows of features, some of which many rows share.

All that a step needs of a row are sums over its pairs, so that one pass over the pairs serves all
features of the row, however many they are. A feature with value x in a row moves the row's vector
by x d and, if the row's features interact, its constant by x <d, o>, where o is the vector less the
feature's own part. With A and g the matrix and the right side of a row in eight coordinates, m and
(n, c) what they have of the constant, the feature's own are

    H = sum_rows x^2 (A + o m' + m o' + n o o'),    r = sum_rows x (g + c o).

A line of a row holds [A | g | m | move | n, c, move of the constant].
"""

cdef enum:
    SUMS = 64
    ALONG = SUMS + 8
    MOVE = ALONG + 8
    COUNT = MOVE + 8
    REST = COUNT + 1
    RISE = COUNT + 2
    LINE = COUNT + 8

LINE_WIDTH = LINE


def start_rows(half, real[::1] errors, double[::1] losses, Py_ssize_t first, Py_ssize_t last):
    """Write the errors of the pairs of rows first..last-1, and what they add to the loss."""
    cdef PairsView view = pairs_view(half, <real>0)
    cdef const int64_t[::1] indptr = half.indptr
    cdef Py_ssize_t row
    cdef unsigned int mode
    with nogil:
        mode = fm_flush_denormals()
        for row in range(first, last):
            losses[row] = pair_errors(&view, row, indptr[last], &errors[0] + indptr[row])
        fm_restore_denormals(mode)


def collect(half, Py_ssize_t before, Py_ssize_t place, real[::1] errors, real[:, ::1] lines,
            Py_ssize_t first, Py_ssize_t last):
    """Sum up the pairs of rows first..last-1 in the eight coordinates from `place` on, after what
    was moved in those from `before` on; either may be -1 for none."""
    cdef PairsView view = pairs_view(half, <real>0)
    cdef const int64_t[::1] indptr = half.indptr
    cdef Py_ssize_t row
    cdef real* line
    cdef unsigned int mode
    with nogil:
        mode = fm_flush_denormals()
        for row in range(first, last):
            line = &lines[row, 0]
            if before >= 0:
                settle_pairs(&view, row, before, <const real*>line + MOVE, line[RISE],
                             &errors[0] + indptr[row])
            if place >= 0:
                collect_row(&view, row, place, <const real*>&errors[0] + indptr[row], line)
        fm_restore_denormals(mode)


cdef void collect_row(const PairsView* view, Py_ssize_t row, Py_ssize_t place, const real* errors,
                      real* line) noexcept nogil:
    cdef const real* x = <const real*>view.rows + row * view.width
    cdef const real* gram = <const real*>view.gram
    cdef const real* weights = <const real*>view.weights
    cdef Py_ssize_t constant = view.constant, f, p, first = view.indptr[row]
    cdef real count = 0, rest = 0
    for f in range(ALONG, LINE):
        line[f] = 0
    tile_sums(view, row, place, errors, line, line + SUMS, line + ALONG if constant >= 0 else NULL)
    add_gram(view, place, x, line, line + SUMS)
    if constant < 0:
        return
    for p in range(view.indptr[row + 1] - first):
        count = count + (<real>view.weight if weights == NULL else weights[first + p])
        rest = rest + errors[p]
    for f in range(TILE):
        line[ALONG + f] += gram[constant * view.width + place + f]
    line[COUNT] = count + gram[constant * view.width + constant]
    line[REST] = rest - dot(x, gram + constant * view.width, view.width)


cdef inline void move_line(real* line, const real* move, real rise) noexcept nogil:
    """Bring the right sides of a row up to date."""
    cdef Py_ssize_t a, b
    cdef real along = line[COUNT] * rise, total
    for a in range(TILE):
        total = line[ALONG + a] * rise
        for b in range(TILE):
            total = total + line[a * TILE + b] * move[b]
        line[SUMS + a] -= total
        line[MOVE + a] += move[a]
        along = along + line[ALONG + a] * move[a]
    line[REST] -= along
    line[RISE] += rise


cdef void add_row(const real* line, const real* x, const real* v, real value, bint interacts,
                  real* H, real* r) noexcept nogil:
    """What a row adds to H and r of a feature that has `value` in it."""
    cdef real[TILE] other
    cdef Py_ssize_t a, b
    cdef real square = value * value
    if not interacts:
        for a in range(TILE * TILE):
            H[a] += square * line[a]
        for a in range(TILE):
            r[a] += value * line[SUMS + a]
        return
    for a in range(TILE):
        other[a] = x[a] - value * v[a]
        r[a] += value * (line[SUMS + a] + line[REST] * other[a])
    for a in range(TILE):
        for b in range(TILE):
            H[a * TILE + b] += square * (
                line[a * TILE + b] + line[ALONG + a] * other[b]
                + other[a] * (line[ALONG + b] + line[COUNT] * other[b])
            )


cdef void move_row(real* line, real* x, real* constant, const real* v, real value,
                   const real* move, bint interacts) noexcept nogil:
    """Move a row as a feature moves that has `value` in it."""
    cdef real[TILE] scaled
    cdef real rise = 0
    cdef Py_ssize_t a
    for a in range(TILE):
        scaled[a] = value * move[a]
        if interacts:
            rise = rise + scaled[a] * (x[a] - value * v[a])
    for a in range(TILE):
        x[a] += scaled[a]
    if interacts:
        constant[0] = constant[0] + rise
    move_line(line, <const real*>scaled, rise)


def step_features(half, Py_ssize_t place, real[:, ::1] lines, const int64_t[::1] starts,
                  const int32_t[::1] rows, const real[::1] values, real[:, ::1] factors,
                  real[::1] linear, const real[::1] strengths, const real[::1] linear_strengths,
                  bint interacts, bint has_linear, Py_ssize_t first, Py_ssize_t last):
    """Steps on eight factors, and then on the linear weight, of features first..last-1, one after
    the other; `rows` from starts[l] on have feature l, with `values`.

    Different threads may step on features that share no row.
    """
    cdef PairsView view = pairs_view(half, <real>0)
    cdef real[TILE * TILE] H
    cdef real[TILE] r, move
    cdef Py_ssize_t feature, entry, f, width = view.width
    cdef real* vectors = <real*>view.rows + place
    cdef real* constants = <real*>view.rows + (view.constant if view.constant >= 0 else 0)
    cdef real* v
    cdef unsigned int mode
    with nogil:
        mode = fm_flush_denormals()
        for feature in range(first, last):
            if starts[feature] == starts[feature + 1]:
                continue
            v = &factors[feature, place]
            for f in range(TILE * TILE):
                H[f] = 0
            for f in range(TILE):
                H[f * TILE + f] = strengths[feature]
                r[f] = -strengths[feature] * v[f]
            for entry in range(starts[feature], starts[feature + 1]):
                add_row(<const real*>&lines[rows[entry], 0],
                        <const real*>vectors + rows[entry] * width, <const real*>v, values[entry],
                        interacts, <real*>H, <real*>r)
            solve_tile(<const real*>H, <const real*>r, <real*>move)
            for entry in range(starts[feature], starts[feature + 1]):
                move_row(&lines[rows[entry], 0], vectors + rows[entry] * width,
                         constants + rows[entry] * width, <const real*>v, values[entry],
                         <const real*>move, interacts)
            for f in range(TILE):
                v[f] += move[f]
            if has_linear:
                step_linear(&lines[0, 0], constants, width, &rows[starts[feature]],
                            &values[starts[feature]], starts[feature + 1] - starts[feature],
                            &linear[feature], linear_strengths[feature])
        fm_restore_denormals(mode)


cdef void step_linear(real* lines, real* constants, Py_ssize_t width, const int32_t* rows,
                      const real* values, Py_ssize_t n, real* weight,
                      real strength) noexcept nogil:
    cdef double h = strength, r = -<double>strength * weight[0]
    cdef real[TILE] still
    cdef Py_ssize_t i
    cdef real move
    for i in range(TILE):
        still[i] = 0
    for i in range(n):
        h += <double>values[i] * values[i] * lines[rows[i] * LINE + COUNT]
        r += <double>values[i] * lines[rows[i] * LINE + REST]
    if h <= 0:
        return
    move = <real>(r / h)
    weight[0] = weight[0] + move
    for i in range(n):
        constants[rows[i] * width] += values[i] * move
        move_line(lines + rows[i] * LINE, <const real*>still, values[i] * move)
