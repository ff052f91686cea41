"""Merging the copies of parameters that were trained apart, on different rows.

If a copy made few updates, its move is one of many independent steps, and the moves of all copies
add up. If it made many, it settled where its rows want it, and the mean of the copies is right. How
far a copy settled is 1 - e^-u, with u the part of its distance to the optimum that its updates
covered. All copies' updates together would have covered u', so the parameter moves by

    (1 - e^-u') / sum_i (1 - e^-u_i)

of the sum of the moves, and at most by that sum: all of it for small u, 1/W of it for large. What
covers how much, the solver's own state says, where it has some (tests/reference/merging.py).

A copy holds some of the table's rows, by rising places. Rows are merged one by one, so ranges of
them can be merged in threads, and the result does not depend on which.
"""

from libc.math cimport sqrt, sqrtf
from libc.stdint cimport int32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from ..common.settings cimport ADAGRAD, ADAMW, FTRL, SGD, Settings, StepSettings
from ..common.structs cimport real
from .solver_steps cimport ADAM_STATE, n_state

cdef enum:
    CHUNK = 64                    # parameters that are worked on at a time


cdef struct Shape:
    Py_ssize_t n_outputs
    Py_ssize_t n_state
    Py_ssize_t n_row_state
    Py_ssize_t n_weights          # of an output of a feature
    Py_ssize_t linear_block       # from an output to the next
    Py_ssize_t factor_block


cdef struct Copies:
    # Those of one row that is being merged, and behind them all that there are.
    Py_ssize_t n
    double total                  # visits of all
    double* visits
    void** linear
    void** factors
    void** runs                   # where in them the parameters at hand begin
    Py_ssize_t block              # where in the linear ones the output at hand begins
    # All copies
    Py_ssize_t n_all
    const int32_t** places
    Py_ssize_t* sizes
    Py_ssize_t* cursors
    const int32_t** counts
    void** all_linear
    void** all_factors


cdef inline real root(real x) noexcept nogil:
    if real is float:
        return sqrtf(x)
    else:
        return sqrt(x)


cdef inline real settled(real u) noexcept nogil:
    """1 - e^-u, with (1 + u/16)^-16 for e^-u: that far from it never more than .02, without a
    rounding error at zero, and the same on every machine. What is no number has settled."""
    cdef real power = (u if u < 64 else <real>64) * <real>0.0625
    power = power * (2 + power)
    power = power * (2 + power)
    power = power * (2 + power)
    power = power * (2 + power)
    return power / (1 + power)


cdef inline void move(real* theta, const real* moves, const real* parts, const real* together,
                      Py_ssize_t n) noexcept nogil:
    """By the rule: `parts` are how far the copies settled, in sum; `together` the u of all."""
    cdef Py_ssize_t f
    cdef real whole, share
    for f in range(n):
        whole = settled(together[f])
        share = whole / parts[f] if whole < parts[f] else <real>1
        theta[f] = theta[f] + share * moves[f]


cdef void merge_sums(const StepSettings* s, double omega, real* theta, Py_ssize_t apart,
                     const Copies* copies, Py_ssize_t n, real l2) noexcept nogil:
    """Of AdaGrad's and FTRL's kind: the squares of the gradients, which add up, tell how far."""
    cdef real[CHUNK] moves, parts, together, grown
    cdef Py_ssize_t c, f
    cdef Py_ssize_t slot = 2 * apart if s.solver == FTRL else apart
    cdef real beta2 = <real>(2 * s.ftrl_beta) if s.solver == FTRL else <real>0
    cdef real curving = <real>(2 * s.learning_rate * omega), pulling
    cdef const real* before = theta + slot
    cdef const real* copy
    cdef const real* squares
    # Its L2 is no part of a step.
    l2 = 0 if s.solver == FTRL else <real>(2 * s.learning_rate) * l2
    for f in range(n):
        moves[f] = parts[f] = grown[f] = 0
    for c in range(copies.n):
        copy = <const real*>copies.runs[c]
        squares = copy + slot
        pulling = l2 * <real>copies.visits[c]
        for f in range(n):
            moves[f] = moves[f] + (copy[f] - theta[f])
            grown[f] = grown[f] + (squares[f] - before[f])
            parts[f] = parts[f] + settled(
                (curving * (squares[f] - before[f]) + pulling)
                / (root(squares[f]) + root(before[f]) + beta2)
            )
    pulling = l2 * <real>copies.total
    for f in range(n):
        together[f] = (curving * grown[f] + pulling) / (
            root(before[f] + grown[f]) + root(before[f]) + beta2
        )
    move(theta, moves, parts, together, n)
    for f in range(n):
        theta[slot + f] = theta[slot + f] + grown[f]


cdef void match_ftrl(const StepSettings* s, real* theta, Py_ssize_t apart, Py_ssize_t n, real l1,
                     real l2, real centre) noexcept nogil:
    """FTRL's z of given weights, as training/gradient/ftrl.py has it."""
    cdef Py_ssize_t f
    cdef double weight, stiffness
    for f in range(n):
        weight = theta[f] - centre
        if weight == 0:
            theta[apart + f] = min(max(theta[apart + f], -l1), l1)
            continue
        stiffness = (s.ftrl_beta + sqrt(theta[2 * apart + f])) / s.learning_rate + l2
        theta[apart + f] = <real>(-weight * stiffness - (l1 if weight > 0 else -l1))


cdef void merge_means(const StepSettings* s, double omega, real* theta, Py_ssize_t apart,
                      const Copies* copies, Py_ssize_t n, real l2, real age) noexcept nogil:
    """Of Adam's kind: moments of the gradient, whose means are by visits. `age` is what the mean
    square, merged, is to be divided by, and each copy's own stands behind its linear weight."""
    cdef real[CHUNK] moves, parts, together, means, squares
    cdef Py_ssize_t c, f
    cdef real rate = <real>s.learning_rate, curving = <real>omega, share, scale, visits, size
    cdef const real* copy
    cdef const real* linear
    cdef bint apart_from_gradient = s.solver == ADAMW
    for f in range(n):
        moves[f] = parts[f] = means[f] = squares[f] = 0
    for c in range(copies.n):
        copy = <const real*>copies.runs[c]
        linear = <const real*>copies.linear[c] + copies.block
        share = <real>(copies.visits[c] / copies.total)
        visits = rate * <real>copies.visits[c]
        scale = age_of(linear)
        for f in range(n):
            moves[f] = moves[f] + (copy[f] - theta[f])
            means[f] = means[f] + share * (copy[apart + f] - theta[apart + f])
            squares[f] = squares[f] + share * (copy[2 * apart + f] - theta[2 * apart + f])
            size = root(scale * copy[2 * apart + f]) + <real>1e-6
            parts[f] = parts[f] + settled(
                visits * (curving * size + (l2 if apart_from_gradient else l2 / size))
            )
    visits = rate * <real>copies.total
    for f in range(n):
        theta[apart + f] = theta[apart + f] + means[f]
        theta[2 * apart + f] = theta[2 * apart + f] + squares[f]
        size = root(age * theta[2 * apart + f]) + <real>1e-6
        together[f] = visits * (curving * size + (l2 if apart_from_gradient else l2 / size))
    move(theta, moves, parts, together, n)


cdef inline real age_of(const real* linear) noexcept nogil:
    """What makes Adam's mean square an unbiased one."""
    cdef real age = linear[2 + ADAM_STATE]
    return 1 / age if age > 0 else <real>0


cdef void merge_steps(const StepSettings* s, double omega, real* theta, const real* curvatures,
                      const Copies* copies, Py_ssize_t n, real l2) noexcept nogil:
    """Of SGD: a step covers the rate times the curvature, which is told."""
    cdef real[CHUNK] moves, parts, together
    cdef Py_ssize_t c, f
    cdef real visits, curving = <real>omega
    cdef const real* copy
    for f in range(n):
        moves[f] = parts[f] = 0
    for c in range(copies.n):
        copy = <const real*>copies.runs[c]
        visits = <real>(s.learning_rate * copies.visits[c])
        for f in range(n):
            moves[f] = moves[f] + (copy[f] - theta[f])
            parts[f] = parts[f] + settled(visits * (curving * curvatures[f] + l2))
    visits = <real>(s.learning_rate * copies.total)
    for f in range(n):
        together[f] = visits * (curving * curvatures[f] + l2)
    move(theta, moves, parts, together, n)


cdef void merge_run(const StepSettings* s, double omega, real* theta, Py_ssize_t apart,
                    void** starts, Py_ssize_t start, Copies* copies, Py_ssize_t n,
                    const real* curvatures, const real* linear, real l1, real l2,
                    real centre) noexcept nogil:
    """n parameters theta, which begin `start` numbers behind the copies' `starts`, as theta does
    behind its own."""
    cdef Py_ssize_t first = 0, c, size
    while first < n:
        size = min(<Py_ssize_t>CHUNK, n - first)
        for c in range(copies.n):
            copies.runs[c] = <real*>starts[c] + start + first
        if s.solver == SGD:
            merge_steps(s, omega, theta + first, curvatures + first, copies, size, l2)
        elif s.solver == ADAGRAD or s.solver == FTRL:
            merge_sums(s, omega, theta + first, apart, copies, size, l2)
            if s.solver == FTRL:
                match_ftrl(s, theta + first, apart, size, l1, l2, centre)
        else:
            merge_means(s, omega, theta + first, apart, copies, size, l2, age_of(linear))
        first += size


cdef void merge_row(const StepSettings* s, double omega, real* linear, real* factors,
                    Copies* copies, const Shape* shape, const real* curvatures,
                    const real* strengths, real centre) noexcept nogil:
    """A row of the table, `linear` and `factors`, from its copies."""
    cdef Py_ssize_t output, c, f, at
    cdef real* block
    cdef real share
    if copies.n == 1:
        memcpy(linear, copies.linear[0], shape.n_outputs * shape.linear_block * sizeof(real))
        memcpy(factors, copies.factors[0], shape.n_outputs * shape.factor_block * sizeof(real))
        return
    for output in range(shape.n_outputs):
        at = copies.block = output * shape.linear_block
        block = linear + at
        # Adam's ages come first: they are means by visits, too.
        for f in range(1 + shape.n_state, shape.linear_block):
            share = 0
            for c in range(copies.n):
                share = share + <real>(copies.visits[c] / copies.total) * (
                    (<real*>copies.linear[c])[at + f] - block[f]
                )
            block[f] = block[f] + share
        merge_run(s, omega, block, 1, copies.linear, at, copies, 1, curvatures, block,
                  strengths[0], strengths[1], <real>0)
        at = output * shape.factor_block
        merge_run(s, omega, factors + at, shape.n_weights, copies.factors, at, copies,
                  shape.n_weights, curvatures + 1, block, strengths[2], strengths[3], centre)


cdef bint gather(Py_ssize_t row, Copies* copies, const double* fractions, const Shape* shape,
                 real tag) noexcept nogil:
    """Collect the copies of a row that were visited; cursors move on. Whether there are any."""
    cdef Py_ssize_t c, at, n = 0
    copies.total = 0
    for c in range(copies.n_all):
        at = row if copies.places[c] == NULL else copies.cursors[c]
        if copies.places[c] != NULL:
            if at == copies.sizes[c] or copies.places[c][at] != row:
                continue
            copies.cursors[c] = at + 1
        copies.visits[n] = copies.counts[c][at] * fractions[c]
        if copies.visits[n] <= 0:
            continue
        copies.total += copies.visits[n]
        copies.linear[n] = <real*>copies.all_linear[c] + at * shape.n_outputs * shape.linear_block
        copies.factors[n] = (<real*>copies.all_factors[c]
                             + at * shape.n_outputs * shape.factor_block)
        n += 1
    copies.n = n
    return n > 0


cdef Py_ssize_t next_row(const Copies* copies, Py_ssize_t row, Py_ssize_t last) noexcept nogil:
    """The first row from `row` on that a copy has, or `last`."""
    cdef Py_ssize_t c, found = last
    for c in range(copies.n_all):
        if copies.places[c] == NULL:
            return row
        if copies.cursors[c] < copies.sizes[c]:
            found = min(found, <Py_ssize_t>copies.places[c][copies.cursors[c]])
    return found


cdef void give_back(const real* linear, const real* factors, Py_ssize_t row, Copies* copies,
                    const Shape* shape) noexcept nogil:
    cdef Py_ssize_t c, n_linear = shape.n_outputs * shape.linear_block
    cdef Py_ssize_t n_factors = shape.n_outputs * shape.factor_block
    for c in range(copies.n_all):
        memcpy(<real*>copies.all_linear[c] + row * n_linear, linear, n_linear * sizeof(real))
        memcpy(<real*>copies.all_factors[c] + row * n_factors, factors, n_factors * sizeof(real))


def merge(real[:, ::1] linear, real[:, ::1] factors, copies, const double[::1] fractions,
          Settings settings, double omega, const real[::1] curvatures, groups,
          const real[:, ::1] strengths, Py_ssize_t n_outputs, Py_ssize_t first, Py_ssize_t last,
          bint back=False, double centre=0.0):
    """Merge the copies of rows first..last-1 into a table, in place.

    Parameters
    ----------
    linear, factors : shape (n_rows, ...)
        The table's arrays as they were when the copies began.
    copies : list of (places, counts, linear, factors)
        Rising int32 numbers of the rows that the copy has, or None for all; how often its rows of
        data have each, int32 (those with none are not merged); and its parameters.
    fractions : shape (n_copies,)
        By which the counts are multiplied to be visits since the last merge.
    settings : Settings
    omega : float
        How much faster than alone parameters settle that move together.
    curvatures : shape (1 + number of weights a feature and output,)
        Mean second derivatives of a row's loss by the linear weight and by each factor; for SGD.
    groups, strengths
        As the epoch kernels take them.
    first, last : int
    back : bool, default=False
        Whether the copies, which must have all rows, get what was merged.
    centre : float, default=0
        Where FTRL's L2 pulls the factors.
    """
    cdef Py_ssize_t n = len(copies), c, row = first
    cdef const int32_t[::1] group_view, numbers
    cdef real[:, ::1] array
    cdef Shape shape
    cdef Copies all
    cdef const StepSettings* s = &settings.values
    cdef const double* fraction = &fractions[0] if n else NULL
    cdef const real* strength = &strengths[0, 0]
    cdef bint has_groups = groups is not None
    shape.n_outputs, shape.n_state = n_outputs, n_state(s.solver)
    shape.linear_block = linear.shape[1] // n_outputs
    shape.factor_block = factors.shape[1] // n_outputs
    shape.n_weights = shape.factor_block // (1 + shape.n_state)
    shape.n_row_state = shape.linear_block - 1 - shape.n_state
    if has_groups:
        group_view = groups
    cdef void** room = <void**>calloc(10 * (n + 1), sizeof(void*))
    if room == NULL:
        raise MemoryError("No memory for a list of copies.")
    all.n_all, all.n = n, 0
    all.visits = <double*>room
    all.linear, all.factors, all.runs = room + n, room + 2 * n, room + 3 * n
    all.places, all.counts = <const int32_t**>(room + 4 * n), <const int32_t**>(room + 5 * n)
    all.sizes, all.cursors = <Py_ssize_t*>(room + 6 * n), <Py_ssize_t*>(room + 7 * n)
    all.all_linear, all.all_factors = room + 8 * n, room + 9 * n
    try:
        for c, (places, counts, of_linear, of_factors) in enumerate(copies):
            numbers = counts
            all.sizes[c] = numbers.shape[0]
            all.counts[c] = &numbers[0] if numbers.shape[0] else NULL
            if places is not None:
                numbers = places
                # What is no number of a place is never looked at.
                all.places[c] = &numbers[0] if numbers.shape[0] else <const int32_t*>room
                all.cursors[c] = first_at_least(numbers, first)
            array = of_linear
            all.all_linear[c] = &array[0, 0] if array.shape[0] else NULL
            array = of_factors
            all.all_factors[c] = &array[0, 0] if array.shape[0] and array.shape[1] else NULL
        with nogil:
            while True:
                row = next_row(&all, row, last)
                if row >= last:
                    break
                if gather(row, &all, fraction, &shape, <real>0):
                    if has_groups:
                        strength = &strengths[group_view[row], 0]
                    merge_row(s, omega, &linear[row, 0], &factors[row, 0], &all, &shape,
                              &curvatures[0], strength, <real>centre)
                    if back:
                        give_back(&linear[row, 0], &factors[row, 0], row, &all, &shape)
                row += 1
    finally:
        free(room)


cdef Py_ssize_t first_at_least(const int32_t[::1] rising, Py_ssize_t value) noexcept nogil:
    cdef Py_ssize_t low = 0, high = rising.shape[0], middle
    while low < high:
        middle = (low + high) // 2
        if rising[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low
