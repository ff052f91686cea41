"""Learning to rank items for users: the loop over interactions; included after sides.pxi.

An interaction is a user, an item and perhaps features of a context; the query is the sum of the
user's and the context's vectors. Numbers of random streams belong to (key, interaction), so that
what is drawn for one depends neither on the order nor on the thread.

Training waits for memory more than for arithmetic, so the loop runs ahead in three stages: the
numbers of users and items, then their parameters, then the first candidates for negatives.
"""

from libc.math cimport fabs, isfinite, log
from libc.stdint cimport uint64_t
from libc.stdlib cimport free, malloc

from ..ranking.known cimport (
    MOST_REJECTIONS, CandidatesView, Known, KnownView, candidate, counted_out, filter_word,
    is_positive, next_negative, random_below, random_bits, stream_of,
)
from ..ranking.losses cimport (
    LOGISTIC, RANK_HINGE, SAMPLED_SOFTMAX, WARP, LossSum, RankingLoss, hinge, logistic, sum_of,
)

cdef enum:
    POSITIONS_AHEAD = 4
    VECTORS = 8                   # of scratch, besides the lists'


ctypedef struct AdaptiveView:
    # Adaptive sampling (Rendle & Freudenthaler, WSDM 2014): for each factor, and for the constant
    # behind them, the items by falling value, and how much the values spread.
    const int32_t* ranking        # or NULL
    const double* spread
    Py_ssize_t n_items
    double mean_rank


ctypedef struct Task:
    # What one call holds fixed. Interactions from n_positives on are explicit negatives.
    SideView users
    SideView contexts
    SideView items
    KnownView known
    CandidatesView candidates
    AdaptiveView adaptive
    const int32_t* user_of
    const int32_t* item_of
    const void* weights           # or NULL
    Py_ssize_t n_positives
    const int32_t* part_of_item   # or NULL; the call touches items of one part only
    int32_t part
    RankingLoss loss
    Py_ssize_t most_draws
    const double* rank_weights    # by the number of draws less 1
    uint64_t key
    void* screen                  # vectors and constants of all items, of some time ago, or NULL
    void* screen_constants
    Py_ssize_t refresh            # interactions between two renewals of these


ctypedef struct Buffers:
    void* query
    void* squares
    void* better
    void* worse
    void* better_direction
    void* worse_direction
    void* difference
    void* both
    void* vectors                 # of lists of items
    void** vector_of
    void* constants
    double* scores
    int64_t* items


cdef inline const real* query_vector(const width* tag, const Task* task, Py_ssize_t user,
                                     Py_ssize_t position, const Buffers* buffers,
                                     real zero) noexcept nogil:
    cdef real* sums = <real*>buffers.query
    cdef Py_ssize_t k = n_factors_of(tag, &task.users.table)
    cdef real ignored = 0
    if task.contexts.rows.indptr == NULL:
        return row_vector(tag, &task.users, user, sums, <real*>buffers.squares, &ignored)
    clear(sums, <real*>buffers.squares, k)
    if task.users.rows.indptr == NULL:
        add_scaled(sums, <const real*>task.users.table.factors
                   + user * task.users.table.factor_stride, <real>1, k)
    else:
        add_row(tag, &task.users, user, sums, <real*>buffers.squares, &ignored)
    add_row(tag, &task.contexts, position, sums, <real*>buffers.squares, &ignored)
    return sums


cdef void step_query(const width* tag, const kind* how, const Task* task, Py_ssize_t user,
                     Py_ssize_t position, const StepSettings* settings,
                     const real* direction, real g) noexcept nogil:
    step_row(tag, how, &task.users, user, settings, direction, False, g)
    if task.contexts.rows.indptr != NULL:
        step_row(tag, how, &task.contexts, position, settings, direction, False, g)


cdef inline bint has_own(const SideView* items, Py_ssize_t item) noexcept nogil:
    return items.interacts and not is_single(items, item)


cdef inline const real* item_direction(const width* tag, const SideView* items, Py_ssize_t item,
                                       const real* query, const real* vector,
                                       real* buffer) noexcept nogil:
    """What an item's features move along: the query, plus the item's own vector if its features
    interact."""
    if not has_own(items, item):
        return query
    scale(buffer, query, <real>1, n_factors_of(tag, &items.table))
    add_scaled(buffer, vector, <real>1, n_factors_of(tag, &items.table))
    return buffer


cdef bint step_items_pair(const width* tag, const kind* how, const Task* task,
                          const StepSettings* settings, Py_ssize_t user,
                          Py_ssize_t position, Py_ssize_t better, Py_ssize_t worse,
                          const real* query, const real* better_vector,
                          const real* worse_vector, real constant, double weight,
                          const Buffers* buffers, LossSum* losses) noexcept nogil:
    """A step on a pair of items; False if the difference of their scores is not finite.
    `constant` is the difference of their constants."""
    cdef Py_ssize_t k = n_factors_of(tag, &task.users.table)
    cdef real* difference = <real*>buffers.difference
    cdef double margin, g
    scale(difference, better_vector, <real>1, k)
    add_scaled(difference, worse_vector, <real>-1, k)
    margin = dot(query, difference, k) + constant
    if not isfinite(margin):
        return False
    if task.loss == RANK_HINGE or task.loss == WARP:
        g = hinge(losses, margin, weight)
    else:
        g = logistic(losses, margin, weight)
    g *= weight
    if g == 0:
        return True
    if not task.items.is_frozen:
        step_pair(tag, how, &task.items, better, worse, settings,
                  item_direction(tag, &task.items, better, query, better_vector,
                                 <real*>buffers.better_direction), has_own(&task.items, better),
                  item_direction(tag, &task.items, worse, query, worse_vector,
                                 <real*>buffers.worse_direction), has_own(&task.items, worse),
                  <real>g, <real*>buffers.both)
    step_query(tag, how, task, user, position, settings, difference, <real>g)
    return True


cdef inline Py_ssize_t draw(const width* tag, const Task* task, Py_ssize_t user, const real* query,
                            uint64_t stream, Py_ssize_t* number) noexcept nogil:
    """An item that is no positive of the user, or -1."""
    cdef Py_ssize_t item, last
    if task.adaptive.ranking == NULL:
        return next_negative(&task.known, &task.candidates, user, stream, number)
    last = number[0] + MOST_REJECTIONS
    while number[0] < last:
        item = adaptive_candidate(tag, task, query, random_bits(stream, number[0]))
        number[0] += 1
        if not is_positive(&task.known, user, item):
            return item
    number[0] += 1
    return counted_out(&task.known, &task.candidates, user, stream, number[0] - 1)


cdef inline Py_ssize_t adaptive_candidate(const width* tag, const Task* task, const real* query,
                                          uint64_t bits) noexcept nogil:
    """An item high in the order by a factor that matters to the query."""
    cdef Py_ssize_t k = n_factors_of(tag, &task.users.table), f, n = task.adaptive.n_items, rank
    cdef const double* spread = task.adaptive.spread
    cdef double total = spread[k], left
    for f in range(k):
        total += fabs(query[f]) * spread[f]
    left = total * ((bits >> 32) * (1.0 / 4294967296.0))
    f = 0
    while f < k:
        left -= fabs(query[f]) * spread[f]
        if left < 0:
            break
        f += 1
    left = ((bits & <uint64_t>0xFFFFFFFF) + 0.5) * (1.0 / 4294967296.0)
    rank = <Py_ssize_t>(-task.adaptive.mean_rank * log(left)) % n
    if f < k and query[f] < 0:
        rank = n - 1 - rank
    return task.adaptive.ranking[f * n + rank]


cdef bint visit_warp(const width* tag, const kind* how, const Task* task,
                     const StepSettings* settings, Py_ssize_t user, Py_ssize_t position,
                     Py_ssize_t better, const real* query, double weight, uint64_t stream,
                     const Buffers* buffers, LossSum* losses,
                     Py_ssize_t* n_draws) noexcept nogil:
    """Draw until a negative comes within the margin, and weigh it by how soon that was."""
    cdef Py_ssize_t k = n_factors_of(tag, &task.users.table), draws, number = 0, worse
    cdef real constant, other = 0
    cdef const real* vector = row_vector(tag, &task.items, better, <real*>buffers.better,
                                         <real*>buffers.squares, &constant)
    cdef const real* rival
    cdef double least = dot(query, vector, k) + constant - 1.0
    if not isfinite(least):
        return False
    for draws in range(task.most_draws):
        worse = draw(tag, task, user, query, stream, &number)
        if worse < 0:
            return True
        if task.screen != NULL:
            rival = <const real*>task.screen + worse * k
            if dot(query, rival, k) + (<const real*>task.screen_constants)[worse] <= least:
                continue
        rival = row_vector(tag, &task.items, worse, <real*>buffers.worse, <real*>buffers.squares,
                           &other)
        if dot(query, rival, k) + other <= least:
            continue
        prefetch_state(&task.items, worse, other)
        n_draws[0] += draws + 1
        return step_items_pair(tag, how, task, settings, user, position, better, worse, query,
                               vector, rival, constant - other, weight * task.rank_weights[draws],
                               buffers, losses)
    n_draws[0] += task.most_draws
    return True


cdef bint visit_list(const width* tag, const kind* how, const Task* task,
                     const StepSettings* settings, Py_ssize_t user, Py_ssize_t position,
                     Py_ssize_t item, bint is_negative, const real* query, double weight,
                     uint64_t stream, const Buffers* buffers,
                     LossSum* losses) noexcept nogil:
    """A step on an item and several negatives at once: sampled softmax, or logistic losses."""
    cdef Py_ssize_t k = n_factors_of(tag, &task.users.table), number = 0, n = 0, t
    cdef real* direction = <real*>buffers.difference
    cdef real* constants = <real*>buffers.constants
    cdef double* scores = buffers.scores
    cdef const real* vector
    cdef double g
    while True:
        buffers.items[n] = item
        vector = row_vector(tag, &task.items, item, <real*>buffers.vectors + n * k,
                            <real*>buffers.squares, constants + n)
        buffers.vector_of[n] = <void*>vector
        scores[n] = dot(query, vector, k) + constants[n]
        if not isfinite(scores[n]):
            return False
        n += 1
        if is_negative or n > task.most_draws:
            break
        item = draw(tag, task, user, query, stream, &number)
        if item < 0:
            break
    if task.loss == LOGISTIC:
        for t in range(n):
            g = -1 if t > 0 or is_negative else 1
            scores[t] = weight * g * logistic(losses, g * scores[t], weight)
    else:
        losses.total += weight * softmax_gradients(scores, n)
        for t in range(n):
            scores[t] *= weight
    scale(direction, query, <real>0, k)
    for t in range(n):
        add_scaled(direction, <const real*>buffers.vector_of[t], <real>scores[t], k)
    for t in range(0 if task.items.is_frozen else n):
        vector = item_direction(tag, &task.items, buffers.items[t], query,
                                <const real*>buffers.vector_of[t],
                                <real*>buffers.better_direction)
        step_row(tag, how, &task.items, buffers.items[t], settings, vector,
                 has_own(&task.items, buffers.items[t]), <real>scores[t])
    step_query(tag, how, task, user, position, settings, direction, <real>1)
    return True


cdef inline double softmax_gradients(double* scores, Py_ssize_t n) noexcept nogil:
    """Turn scores into the derivatives of -log softmax(scores)[0], which is returned."""
    cdef double highest = scores[0], first = scores[0], total = 0
    cdef Py_ssize_t t
    for t in range(1, n):
        highest = max(highest, scores[t])
    for t in range(n):
        scores[t] = exp(scores[t] - highest)
        total += scores[t]
    for t in range(n):
        scores[t] /= total
    scores[0] -= 1
    return log(total) + highest - first


cdef inline Py_ssize_t positive_for(const Task* task, Py_ssize_t user,
                                    uint64_t stream) noexcept nogil:
    """A positive to set against an explicit negative of the user, or -1."""
    cdef Py_ssize_t first = task.known.indptr[user], n = task.known.indptr[user + 1] - first
    cdef Py_ssize_t number, item
    if n == 0:
        return -1
    for number in range(MOST_REJECTIONS):
        item = task.known.items[first + random_below(stream, number, n)]
        if task.part_of_item == NULL or task.part_of_item[item] == task.part:
            return item
    return -1


cdef inline bint visit(const width* tag, const kind* how, const Task* task,
                       const StepSettings* settings, Py_ssize_t position, const Buffers* buffers,
                       LossSum* losses, Py_ssize_t* n_draws, real zero) noexcept nogil:
    """Train on one interaction; False if a score was not finite, and nothing was changed."""
    cdef Py_ssize_t user = task.user_of[position], item = task.item_of[position], other, number = 0
    cdef bint is_negative = position >= task.n_positives
    cdef double weight = 1
    cdef uint64_t stream = stream_of(task.key, position)
    cdef const real* query = query_vector(tag, task, user, position, buffers, zero)
    cdef const real* vector
    cdef const real* rival
    cdef real constant = 0, other_constant = 0
    if task.weights != NULL:
        weight = (<const real*>task.weights)[position]
    if task.loss == LOGISTIC or (task.loss == SAMPLED_SOFTMAX and not is_negative):
        return visit_list(tag, how, task, settings, user, position, item, is_negative, query,
                          weight, stream, buffers, losses)
    if task.loss == WARP and not is_negative:
        return visit_warp(tag, how, task, settings, user, position, item, query, weight, stream,
                          buffers, losses, n_draws)
    if is_negative:
        other = item
        item = positive_for(task, user, stream)
    else:
        other = draw(tag, task, user, query, stream, &number)
    if item < 0 or other < 0:
        return True
    vector = row_vector(tag, &task.items, item, <real*>buffers.better, <real*>buffers.squares,
                        &constant)
    rival = row_vector(tag, &task.items, other, <real*>buffers.worse, <real*>buffers.squares,
                       &other_constant)
    return step_items_pair(tag, how, task, settings, user, position, item, other, query, vector,
                           rival, constant - other_constant, weight, buffers, losses)


cdef Py_ssize_t visit_all(const width* tag, const kind* how, Task task, const int64_t* order,
                          Py_ssize_t n, StepSettings settings, Buffers buffers, LossSum* losses,
                          Py_ssize_t* n_draws, real zero) noexcept nogil:
    """Visit interactions order[0..n); return how many were done before a score was not finite."""
    cdef Py_ssize_t t, c, position, user, n_candidates = 1, item
    cdef uint64_t stream
    if task.adaptive.ranking != NULL:
        n_candidates = 0
    elif task.loss == SAMPLED_SOFTMAX or task.loss == LOGISTIC:
        n_candidates = task.most_draws
    for t in range(n):
        if task.screen != NULL and t % task.refresh == 0:
            refresh_screen(&task, buffers.squares, zero)
        if t + 3 * POSITIONS_AHEAD < n:
            position = order[t + 3 * POSITIONS_AHEAD]
            FM_PREFETCH(task.user_of + position)
            FM_PREFETCH(task.item_of + position)
        if t + 2 * POSITIONS_AHEAD < n:
            position = order[t + 2 * POSITIONS_AHEAD]
            FM_PREFETCH(task.known.words_start + task.user_of[position])
            prefetch_row(&task.users, task.user_of[position], True, zero)
            prefetch_row(&task.items, task.item_of[position], True, zero)
            if task.contexts.rows.indptr != NULL:
                prefetch_row(&task.contexts, position, False, zero)
        if t + POSITIONS_AHEAD < n:
            position = order[t + POSITIONS_AHEAD]
            user = task.user_of[position]
            prefetch_entries(&task.users, user, zero)
            prefetch_entries(&task.items, task.item_of[position], zero)
            prefetch_entries(&task.contexts, position, zero)
            stream = stream_of(task.key, position)
            if task.loss == WARP and t > 0:
                n_candidates = min(1 + n_draws[0] // t, task.most_draws)
            for c in range(n_candidates):
                item = candidate(&task.candidates, stream, c)
                FM_PREFETCH(filter_word(&task.known, user, item))
                if task.screen != NULL:
                    FM_PREFETCH(<const real*>task.screen + item * task.items.table.n_factors)
                elif task.loss == WARP:
                    prefetch_vector(&task.items, item, zero)
                else:
                    prefetch_row(&task.items, item, n_candidates == 1, zero)
        if not visit(tag, how, &task, &settings, order[t], &buffers, losses, n_draws,
                     zero):
            return t
    return n


cdef void refresh_screen(const Task* task, void* squares, real zero) noexcept nogil:
    """Bring the vectors of all items that may be drawn up to date."""
    cdef Py_ssize_t place, item, k = task.items.table.n_factors
    if task.part_of_item == NULL:
        vectors_of_rows(task.items, 0, task.known.n_items, <real*>task.screen,
                        <real*>task.screen_constants, <real*>squares)
        return
    for item in range(task.known.n_items):
        if task.part_of_item[item] == task.part:
            vectors_of_rows(task.items, item, item + 1, <real*>task.screen,
                            <real*>task.screen_constants, <real*>squares)


cdef Py_ssize_t visit_width(Py_ssize_t n_factors, const kind* how, Task task,
                            const int64_t* order, Py_ssize_t n, StepSettings settings,
                            Buffers buffers, LossSum* losses, Py_ssize_t* n_draws,
                            real zero) noexcept nogil:
    """visit_all, specialised for the number of factors if it and the solver are common."""
    if kind is not general:
        if n_factors == 8:
            return visit_all(<width_8*>NULL, how, task, order, n, settings, buffers, losses,
                             n_draws, zero)
        if n_factors == 16:
            return visit_all(<width_16*>NULL, how, task, order, n, settings, buffers, losses,
                             n_draws, zero)
        if n_factors == 32:
            return visit_all(<width_32*>NULL, how, task, order, n, settings, buffers, losses,
                             n_draws, zero)
        if n_factors == 64:
            return visit_all(<width_64*>NULL, how, task, order, n, settings, buffers, losses,
                             n_draws, zero)
    return visit_all(<any_width*>NULL, how, task, order, n, settings, buffers, losses, n_draws,
                     zero)


cdef Buffers new_buffers(void* memory, Py_ssize_t k, Py_ssize_t n_items, real zero) noexcept nogil:
    cdef real* vectors = <real*>memory
    cdef real* constants = vectors + (VECTORS + n_items) * k
    cdef double* scores = <double*>(constants + n_items + n_items % 2)
    cdef int64_t* items = <int64_t*>(scores + n_items)
    return Buffers(vectors, vectors + k, vectors + 2 * k, vectors + 3 * k, vectors + 4 * k,
                   vectors + 5 * k, vectors + 6 * k, vectors + 7 * k, vectors + VECTORS * k,
                   <void**>(items + n_items), constants, scores, items)


cdef void* memory_for_buffers(Py_ssize_t k, Py_ssize_t n_items) except NULL:
    cdef size_t n_bytes = (VECTORS + n_items) * k * 8 + (n_items + 1) * 8 * 4
    cdef void* memory = malloc(n_bytes)
    if memory == NULL:
        raise MemoryError(f"No memory for a scratch buffer of {n_bytes} bytes.")
    return memory


cdef AdaptiveView adaptive_view(sampler, Py_ssize_t n_items):
    cdef const int32_t[:, ::1] ranking
    cdef const double[::1] spread
    if sampler.ranking is None:
        return AdaptiveView(NULL, NULL, 0, 0)
    ranking, spread = sampler.ranking, sampler.spread
    return AdaptiveView(&ranking[0, 0], &spread[0], ranking.shape[1], sampler.mean_rank)


def train_recommender(interactions, const int64_t[::1] order, users, contexts, items, sampler,
                      Settings settings, uint64_t key, real[:, ::1] item_factors,
                      int part=-1):
    """Visit the interactions that `order` lists, one step each, in place.

    Parameters
    ----------
    interactions : training.ranking.interactions.TrainingInteractions
    users, contexts, items : model.sides.Side
        Contexts have a row an interaction, or no rows.
    sampler : training.ranking.samplers.Sampler
    key : of the streams of random numbers; another one every epoch
    item_factors : the items' factors, whose type is that of all arrays
    part : of items, that the call may touch; -1 is all

    Returns
    -------
    (weighted sum of losses before each step, number of interactions done, negatives drawn by
    "warp"); fewer done than `order` has means that the next one's scores were not finite.
    """
    cdef Known known = interactions.known
    cdef const int32_t[::1] user_of = interactions.users, item_of = interactions.items
    cdef const real[::1] weights = interactions.weights
    cdef const int32_t[::1] listed = sampler.candidates, parts = sampler.part_of_item
    cdef const double[::1] rank_weights = sampler.rank_weights
    cdef real[:, ::1] screen = sampler.screen
    cdef real[::1] screen_constants = sampler.screen_constants
    cdef Py_ssize_t k = items.table.n_padded, n = order.shape[0], done, n_draws = 0
    cdef Py_ssize_t n_items = sampler.most_draws + 1
    cdef StepSettings steps = settings.values
    cdef bint is_plain = (users.strengths.groups is None and items.strengths.groups is None
                          and not steps.has_l1)
    cdef LossSum losses = LossSum(0, 1, 0)
    cdef Buffers buffers
    cdef Task task
    cdef const int64_t* visits
    cdef void* memory
    cdef unsigned int mode
    if n == 0:
        return 0.0, 0, 0
    visits = &order[0]
    task.users = side_view(users, False, <real>0)
    task.contexts = side_view(contexts, False, <real>0)
    task.items = side_view(items, steps.fit_linear, <real>0)
    task.known = known.view
    task.candidates = CandidatesView(NULL, known.n_items)
    if listed is not None:
        task.candidates = CandidatesView(&listed[0], listed.shape[0])
    task.adaptive = adaptive_view(sampler, known.n_items)
    task.user_of, task.item_of = &user_of[0], &item_of[0]
    task.weights, task.part_of_item, task.part = NULL, NULL, part
    if weights is not None:
        task.weights = <const void*>&weights[0]
    if parts is not None and part >= 0:
        task.part_of_item = &parts[0]
    task.n_positives = interactions.n_positives
    task.loss, task.most_draws = sampler.loss, sampler.most_draws
    task.rank_weights, task.key = &rank_weights[0], key
    task.screen, task.screen_constants, task.refresh = NULL, NULL, sampler.refresh
    if screen is not None:
        task.screen, task.screen_constants = &screen[0, 0], &screen_constants[0]
    memory = memory_for_buffers(k, n_items)
    with nogil:
        mode = fm_flush_denormals()
        buffers = new_buffers(memory, k, n_items, <real>0)
        if is_plain and steps.solver == SGD:
            done = visit_width(k, <plain_sgd*>NULL, task, visits, n, steps, buffers, &losses,
                               &n_draws, <real>0)
        elif is_plain and steps.solver == ADAGRAD:
            done = visit_width(k, <plain_adagrad*>NULL, task, visits, n, steps, buffers, &losses,
                               &n_draws, <real>0)
        else:
            done = visit_width(k, <general*>NULL, task, visits, n, steps, buffers, &losses,
                               &n_draws, <real>0)
        fm_restore_denormals(mode)
        free(memory)
    return sum_of(&losses), done, n_draws
