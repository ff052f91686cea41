"""The observed pairs of one side's rows, and the vectors of both sides."""

ctypedef struct PairsView:
    # Of one side. Vectors are `width` numbers: the factors, in eights, and for an item's constant
    # another eight, of which only the first is used; it is 1 in the vectors of queries.
    void* rows                    # vectors of this side
    const void* others            # of the other
    const void* gram              # w0 times the sum of the others' y y', width x width
    const int64_t* indptr         # pairs of each row
    const int32_t* partners       # the other's row of each pair
    const void* weights           # of pairs, or NULL: all have `weight`
    const void* targets           # t of pairs, or NULL: all have `target`
    double weight
    double target
    Py_ssize_t width
    Py_ssize_t constant           # the place of the constant, or -1 if there is none


cdef PairsView pairs_view(half, real zero):
    """`half` is a training.whole_data.half.Half, which keeps all arrays alive."""
    cdef const real[:, ::1] rows = half.vectors, others = half.others, gram = half.gram
    cdef const int64_t[::1] indptr = half.indptr
    cdef const int32_t[::1] partners = half.partners
    cdef const real[::1] values
    cdef PairsView view
    view.rows, view.others, view.gram = <void*>&rows[0, 0], &others[0, 0], &gram[0, 0]
    view.indptr, view.partners = &indptr[0], &partners[0]
    view.weights = view.targets = NULL
    view.weight, view.target = half.weight, half.target
    if half.weights is not None:
        values = half.weights
        view.weights = &values[0]
    if half.targets is not None:
        values = half.targets
        view.targets = &values[0]
    view.width, view.constant = rows.shape[1], half.constant
    return view


cdef inline void prefetch_vector(const PairsView* view, Py_ssize_t row, real tag) noexcept nogil:
    cdef const real* y = <const real*>view.others + row * view.width
    cdef Py_ssize_t f = 0
    while f < view.width:
        FM_PREFETCH(y + f)
        f += CACHE_LINE // sizeof(real)


cdef double pair_errors(const PairsView* view, Py_ssize_t row, Py_ssize_t end,
                        real* errors) noexcept nogil:
    """Write the errors of a row's pairs; their part of the loss. `end` is that of all pairs."""
    cdef const real* x = <const real*>view.rows + row * view.width
    cdef const real* others = <const real*>view.others
    cdef const real* weights = <const real*>view.weights
    cdef const real* targets = <const real*>view.targets
    cdef Py_ssize_t first = view.indptr[row], n = view.indptr[row + 1] - first, p
    cdef real score, weight = <real>view.weight, target = <real>view.target
    cdef double loss = 0
    for p in range(n):
        if first + p + PAIRS_AHEAD < end:
            prefetch_vector(view, view.partners[first + p + PAIRS_AHEAD], <real>0)
        score = dot(x, others + view.partners[first + p] * view.width, view.width)
        if weights != NULL:
            weight = weights[first + p]
        if targets != NULL:
            target = targets[first + p]
        errors[p] = target - weight * score
        loss += score * (<double>weight * score - 2 * <double>target)
    return loss


cdef inline void tile_sums(const PairsView* view, Py_ssize_t row, Py_ssize_t place,
                           const real* errors, real* H, real* r, real* m) noexcept nogil:
    """H, r and, unless it is NULL, m of a row's observed pairs, for eight coordinates."""
    cdef const real* weights = <const real*>view.weights
    cdef Py_ssize_t first = view.indptr[row], n = view.indptr[row + 1] - first, f
    cdef real weight = <real>view.weight
    for f in range(TILE * TILE):
        H[f] = 0
    for f in range(TILE):
        r[f] = 0
    if m != NULL:
        for f in range(TILE):
            m[f] = 0
    pair_sums(<const real*>view.others + place, view.width, view.partners + first, n,
              NULL if weights == NULL else weights + first, errors, H, r, m)
    if weights == NULL and weight != 1:
        for f in range(TILE * TILE):
            H[f] = weight * H[f]
        if m != NULL:
            for f in range(TILE):
                m[f] = weight * m[f]


cdef inline void add_gram(const PairsView* view, Py_ssize_t place, const real* x, real* H,
                          real* r) noexcept nogil:
    """What all pairs add to H and r: G and - G x."""
    cdef const real* columns = <const real*>view.gram + place
    cdef Py_ssize_t a, b
    for a in range(TILE):
        for b in range(TILE):
            H[a * TILE + b] += columns[(place + a) * view.width + b]
    less_product(r, columns, view.width, x)


cdef inline void settle_pairs(const PairsView* view, Py_ssize_t row, Py_ssize_t place,
                              const real* move, real along, real* errors) noexcept nogil:
    """What a move of a row in eight coordinates, and of its constant, does to its errors."""
    cdef const real* weights = <const real*>view.weights
    cdef Py_ssize_t first = view.indptr[row], n = view.indptr[row + 1] - first
    move_pairs(<const real*>view.others + place, view.width, view.partners + first, n,
               NULL if weights == NULL else weights + first, <real>view.weight, move, along, errors)
