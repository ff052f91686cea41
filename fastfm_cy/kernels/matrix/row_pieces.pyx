"""Pieces of the rows of one matrix, copied to rows of another, from and to places of their own."""

from libc.string cimport memcpy

from ..common.structs cimport int32_t, real
from ..common.vector cimport FM_PREFETCH

cdef enum:
    AHEAD = 16  # rows between prefetching a piece and copying it


def copy(const real[:, ::1] source, real[:, ::1] target, source_rows, target_rows,
         Py_ssize_t n_pieces, Py_ssize_t source_step, Py_ssize_t source_start,
         Py_ssize_t target_step, Py_ssize_t target_start, Py_ssize_t width,
         Py_ssize_t first, Py_ssize_t last):
    """Copy the pieces of places first..last-1.

    Parameters
    ----------
    source_rows, target_rows : int32 array or None
        The rows of each place; None: its own number.
    n_pieces, width : int
        Pieces of a row, and numbers in a piece.
    source_step, source_start, target_step, target_start : int
        From a piece to the next, and where the first begins.
    """
    cdef const int32_t[::1] from_view = source_rows
    cdef const int32_t[::1] to_view = target_rows
    cdef bint has_from = source_rows is not None, has_to = target_rows is not None
    cdef Py_ssize_t place, piece, row
    cdef const real* origin
    cdef real* goal
    if not width or first >= last:
        return
    with nogil:
        for place in range(first, last):
            if has_from:
                row = from_view[min(place + AHEAD, last - 1)]
                FM_PREFETCH(&source[row, source_start])
                row = from_view[place]
            else:
                row = place
            origin = &source[row, source_start]
            row = to_view[place] if has_to else place
            goal = &target[row, target_start]
            for piece in range(n_pieces):
                if width == 1:
                    goal[piece * target_step] = origin[piece * source_step]
                else:
                    memcpy(goal + piece * target_step, origin + piece * source_step,
                           width * sizeof(real))
