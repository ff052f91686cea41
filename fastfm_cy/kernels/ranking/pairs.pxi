"""Learning to rank rows: a better row against one of several worse; included after sides.pxi.

Row `better[p]` is set against rows of pool[low[p]] .. pool[high[p] - 1]: pairs that were given have
one such row each, and those of a query all that are less relevant.
"""


ctypedef struct PairTask:
    SideView rows
    const int64_t* better
    const int64_t* low
    const int64_t* high
    const int64_t* pool
    const void* weights           # or NULL
    RankingLoss loss
    Py_ssize_t most_draws
    const double* rank_weights
    uint64_t key


cdef bint visit_pair(const width* tag, const kind* how, const PairTask* task,
                     const StepSettings* settings, Py_ssize_t place,
                     const Buffers* buffers, LossSum* losses, real zero) noexcept nogil:
    """Train on one better row; False if a score was not finite, and nothing was changed."""
    cdef Py_ssize_t better = task.better[place], worse, draws, n_draws = 1
    cdef Py_ssize_t n = task.high[place] - task.low[place]
    cdef uint64_t stream = stream_of(task.key, place)
    cdef const SideView* rows = &task.rows
    cdef real score = 0, other = 0
    cdef double weight = 1, margin, g
    cdef const real* vector = row_vector(tag, rows, better, <real*>buffers.better,
                                         <real*>buffers.squares, &score)
    cdef const real* rival
    if task.loss == WARP:
        n_draws = min(task.most_draws, n)
    if task.weights != NULL:
        weight = (<const real*>task.weights)[place]
    for draws in range(n_draws):
        worse = task.pool[task.low[place] + random_below(stream, draws, n)]
        rival = row_vector(tag, rows, worse, <real*>buffers.worse, <real*>buffers.squares, &other)
        margin = <double>score - other
        if not isfinite(margin):
            return False
        if task.loss == WARP and margin >= 1:
            continue
        if task.loss == WARP:
            weight *= task.rank_weights[draws]
        if task.loss == WARP or task.loss == RANK_HINGE:
            g = weight * hinge(losses, margin, weight)
        else:
            g = weight * logistic(losses, margin, weight)
        if g != 0:
            step_pair(tag, how, rows, better, worse, settings, vector, True, rival, True, <real>g,
                      <real*>buffers.both)
        break
    return True


cdef Py_ssize_t visit_pairs(const width* tag, const kind* how, PairTask task,
                            const int64_t* order, Py_ssize_t n, StepSettings settings,
                            Buffers buffers, LossSum* losses, real zero) noexcept nogil:
    """Visit better rows order[0..n); return how many were done before a score was not finite."""
    cdef Py_ssize_t t, place, worse, entry
    for t in range(n):
        if t + 3 * POSITIONS_AHEAD < n:
            place = order[t + 3 * POSITIONS_AHEAD]
            FM_PREFETCH(task.better + place)
            FM_PREFETCH(task.low + place)
            FM_PREFETCH(task.high + place)
        if t + 2 * POSITIONS_AHEAD < n:
            place = order[t + 2 * POSITIONS_AHEAD]
            prefetch_entries(&task.rows, task.better[place], zero)
            worse = first_worse(&task, place)
            prefetch_entries(&task.rows, worse, zero)
        if t + POSITIONS_AHEAD < n:
            place = order[t + POSITIONS_AHEAD]
            prefetch_features(&task.rows, task.better[place], zero)
            prefetch_features(&task.rows, first_worse(&task, place), zero)
        if not visit_pair(tag, how, &task, &settings, order[t], &buffers, losses, zero):
            return t
    return n


cdef inline Py_ssize_t first_worse(const PairTask* task, Py_ssize_t place) noexcept nogil:
    return task.pool[task.low[place] + random_below(stream_of(task.key, place), 0,
                                                    task.high[place] - task.low[place])]


cdef inline void prefetch_features(const SideView* side, Py_ssize_t row, real tag) noexcept nogil:
    cdef Py_ssize_t entry
    for entry in range(side.rows.indptr[row], side.rows.indptr[row + 1]):
        prefetch_parameters(&side.table, side.rows.indices[entry], True, tag)


cdef Py_ssize_t visit_pairs_width(Py_ssize_t n_factors, const kind* how, PairTask task,
                                  const int64_t* order, Py_ssize_t n, StepSettings settings,
                                  Buffers buffers, LossSum* losses, real zero) noexcept nogil:
    if kind is not general:
        if n_factors == 8:
            return visit_pairs(<width_8*>NULL, how, task, order, n, settings, buffers, losses, zero)
        if n_factors == 16:
            return visit_pairs(<width_16*>NULL, how, task, order, n, settings, buffers, losses,
                               zero)
        if n_factors == 32:
            return visit_pairs(<width_32*>NULL, how, task, order, n, settings, buffers, losses,
                               zero)
        if n_factors == 64:
            return visit_pairs(<width_64*>NULL, how, task, order, n, settings, buffers, losses,
                               zero)
    return visit_pairs(<any_width*>NULL, how, task, order, n, settings, buffers, losses, zero)


def train_pairs(side, pairs, const int64_t[::1] order, sampler, Settings settings, uint64_t key,
                real[:, ::1] factors):
    """Visit the better rows that `order` lists, one step each, in place.

    Parameters
    ----------
    side : model.sides.Side
    pairs : training.ranking.pairs.Pairs
    sampler : training.ranking.samplers.Sampler
    key : of the streams of random numbers; another one every epoch
    factors : the table's, whose type is that of all arrays

    Returns
    -------
    (weighted sum of losses before each step, number of better rows done)
    """
    cdef const int64_t[::1] better = pairs.better, low = pairs.low, high = pairs.high
    cdef const int64_t[::1] pool = pairs.pool
    cdef const real[::1] weights = pairs.weights
    cdef const double[::1] rank_weights = sampler.rank_weights
    cdef Py_ssize_t k = side.table.n_padded, n = order.shape[0], done
    cdef StepSettings steps = settings.values
    cdef bint is_plain = side.strengths.groups is None and not steps.has_l1
    cdef LossSum losses = LossSum(0, 1, 0)
    cdef PairTask task
    cdef Buffers buffers
    cdef const int64_t* visits
    cdef void* memory
    cdef unsigned int mode
    if n == 0:
        return 0.0, 0
    visits = &order[0]
    task.rows = side_view(side, steps.fit_linear, <real>0)
    task.better, task.low, task.high, task.pool = &better[0], &low[0], &high[0], &pool[0]
    task.weights = NULL
    if weights is not None:
        task.weights = <const void*>&weights[0]
    task.loss, task.most_draws = sampler.loss, sampler.most_draws
    task.rank_weights, task.key = &rank_weights[0], key
    memory = memory_for_buffers(k, 1)
    with nogil:
        mode = fm_flush_denormals()
        buffers = new_buffers(memory, k, 1, <real>0)
        if is_plain and steps.solver == SGD:
            done = visit_pairs_width(k, <plain_sgd*>NULL, task, visits, n, steps, buffers, &losses,
                                     <real>0)
        elif is_plain and steps.solver == ADAGRAD:
            done = visit_pairs_width(k, <plain_adagrad*>NULL, task, visits, n, steps, buffers,
                                     &losses, <real>0)
        else:
            done = visit_pairs_width(k, <general*>NULL, task, visits, n, steps, buffers, &losses,
                                     <real>0)
        fm_restore_denormals(mode)
        free(memory)
    return sum_of(&losses), done
