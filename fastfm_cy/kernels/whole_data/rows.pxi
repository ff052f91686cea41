"""Rows that are features of their own and nothing else: each is independent of all others."""


cdef void step_row(const PairsView* view, Py_ssize_t row, Py_ssize_t place, real strength,
                   real* errors, real* H, real* r, real* move) noexcept nogil:
    """The exact step in eight coordinates."""
    cdef real* x = <real*>view.rows + row * view.width
    cdef Py_ssize_t f
    tile_sums(view, row, place, <const real*>errors, H, r, <real*>NULL)
    add_gram(view, place, <const real*>x, H, r)
    for f in range(TILE):
        H[f * TILE + f] += strength
        r[f] -= strength * x[place + f]
    if place == view.constant:  # seven of its eight are no parameters
        for f in range(1, TILE):
            r[f] = 0
    solve_tile(<const real*>H, <const real*>r, move)
    for f in range(TILE):
        x[place + f] += move[f]
    settle_pairs(view, row, place, <const real*>move, <real>0, errors)


def step_rows(half, const real[::1] strengths, const real[::1] constant_strengths,
              bint has_constant, Py_ssize_t n_factors, double[::1] losses, Py_ssize_t first,
              Py_ssize_t last):
    """Step on rows first..last-1, constants first if `has_constant`.

    Parameters
    ----------
    half : Half
    strengths, constant_strengths : arrays of shape (n_rows,)
        L2 strengths of factors and constants.
    has_constant : bool
    n_factors : int
        A multiple of 8.
    losses : array of shape (n_rows,)
        Gets what the observed pairs add to the loss before the step.
    """
    cdef PairsView view = pairs_view(half, <real>0)
    cdef const int64_t[::1] indptr = half.indptr
    cdef Py_ssize_t longest = int(np.diff(half.indptr[first : last + 1]).max(initial=0))
    cdef real[::1] room = np.empty(longest + TILE * (TILE + 2), dtype=half.vectors.dtype)
    cdef real* H = &room[0]
    cdef real* r = H + TILE * TILE
    cdef real* move = r + TILE
    cdef real* errors = move + TILE
    cdef Py_ssize_t row, place
    cdef unsigned int mode
    with nogil:
        mode = fm_flush_denormals()
        for row in range(first, last):
            losses[row] = pair_errors(&view, row, indptr[last], errors)
            if has_constant:
                step_row(&view, row, view.constant, constant_strengths[row], errors, H, r, move)
            place = 0
            while place < n_factors:
                step_row(&view, row, place, strengths[row], errors, H, r, move)
                place += TILE
        fm_restore_denormals(mode)
