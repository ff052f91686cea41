"""Mapped files that may be cut: what is missing is no number, rather than the end of the process."""

import threading

cdef extern from "mapped.h":
    ctypedef struct fm_mapping:
        int is_used
        int is_cut
    fm_mapping* fm_guard(void* begin, size_t n_bytes, int fill)

cdef int NOT_A_NUMBER = 0xFF  # of every floating type, if all its bytes are this
_lock = threading.Lock()


cdef class Guard:
    """Of the bytes of a mapping, from now until `release`.

    Pages that the file no longer has read as NaN, if they hold floating-point numbers (`floats`),
    else as 0.
    """

    cdef fm_mapping* mapping

    def __cinit__(self, const unsigned char[::1] content, bint floats):
        cdef int fill = NOT_A_NUMBER if floats else 0
        with _lock:
            self.mapping = fm_guard(<void*>&content[0], content.shape[0], fill)
        if self.mapping == NULL:
            raise MemoryError("No memory to guard a mapped file.")

    @property
    def is_cut(self):
        """Whether something was missing."""
        return bool(self.mapping.is_cut)

    def release(self):
        """The mapping goes; its addresses may be another's."""
        with _lock:
            self.mapping.is_used = 0
