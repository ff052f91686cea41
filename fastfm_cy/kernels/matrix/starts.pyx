"""Start values of factors: each depends on a key and on its own place in the table, on nothing else.

The four words of a counter are the number of the feature, that of four neighbouring factors, the
vector and the output; starts.h says what becomes of them.
"""

from ..common.structs cimport int64_t, real, uint32_t
from libc.stdint cimport uint64_t

cdef extern from "starts.h" nogil:
    enum: FM_LANES
    ctypedef struct FMStarts:
        uint32_t counters[4][FM_LANES]
        float numbers[4 * FM_LANES]
    void fm_normals(FMStarts* starts, uint64_t key)
    void fm_uniforms(FMStarts* starts, uint64_t key)


cdef inline void place_numbers(const FMStarts* starts, real** places, const int* counts,
                               const float* scales, int n) noexcept nogil:
    cdef int lane, factor
    for lane in range(n):
        for factor in range(counts[lane]):
            places[lane][factor] = <real>(scales[lane] * starts.numbers[4 * lane + factor])


def write(real[:, ::1] factors, uint64_t key, bint is_uniform, const float[::1] scales,
          Py_ssize_t n_outputs, Py_ssize_t output_stride, Py_ssize_t vector_stride,
          Py_ssize_t n_factors, rows, numbers, Py_ssize_t first, Py_ssize_t last):
    """Write the start values of places first..last-1.

    Parameters
    ----------
    factors : shape (n_rows, at least n_outputs * output_stride)
        Only what holds factors is written to.
    scales : shape (n_vectors,)
        What standard normal values, or uniform ones of [0, 1), are multiplied by.
    output_stride, vector_stride : int
        From the vectors of an output to those of the next, and from a vector to the next.
    rows : int64 array or None
        The table's row of each place; None: its own number.
    numbers : uint32 array or None
        The feature's number of each place; None: the row's.
    """
    cdef FMStarts starts
    cdef real* places[FM_LANES]
    cdef int counts[FM_LANES]
    cdef float lane_scales[FM_LANES]
    cdef const int64_t[::1] rows_view = rows
    cdef const uint32_t[::1] numbers_view = numbers
    cdef bint has_rows = rows is not None, has_numbers = numbers is not None
    cdef Py_ssize_t place, row, output, vector, factor, n_vectors = scales.shape[0]
    cdef uint32_t number
    cdef real* vectors
    cdef int n = 0
    if not n_factors or first >= last:
        return
    with nogil:
        for place in range(first, last):
            row = rows_view[place] if has_rows else place
            number = numbers_view[place] if has_numbers else <uint32_t>row
            for output in range(n_outputs):
                for vector in range(n_vectors):
                    vectors = &factors[row, output * output_stride + vector * vector_stride]
                    for factor in range(0, n_factors, 4):
                        starts.counters[0][n] = number
                        starts.counters[1][n] = <uint32_t>(factor // 4)
                        starts.counters[2][n] = <uint32_t>vector
                        starts.counters[3][n] = <uint32_t>output
                        places[n] = vectors + factor
                        counts[n] = <int>min(4, n_factors - factor)
                        lane_scales[n] = scales[vector]
                        n += 1
                        if n == FM_LANES:
                            (fm_uniforms if is_uniform else fm_normals)(&starts, key)
                            place_numbers(&starts, places, counts, lane_scales, n)
                            n = 0
        if n:
            for place in range(n, FM_LANES):  # no one reads what comes of these
                for factor in range(4):
                    starts.counters[factor][place] = 0
            (fm_uniforms if is_uniform else fm_normals)(&starts, key)
            place_numbers(&starts, places, counts, lane_scales, n)
