from cpython.object cimport PyObject
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

cdef enum:
    MISSING = -1
    UNKNOWN = -2

cdef struct Slot:
    uint32_t tag                # the upper half of the hash
    int32_t number              # of the text; negative if the slot is free

cdef class TextVocabulary:
    cdef char* text             # all texts in UTF-8, one behind the other
    cdef int64_t* offsets       # n_texts + 1: where each begins, and the last one ends
    cdef Slot* slots
    cdef int64_t n_texts, text_capacity, offset_capacity, slot_mask

    cdef int32_t number_of_object(self, PyObject* value, bint add) except -3
    cdef int32_t find(self, const char* text, int64_t length, uint64_t hash) noexcept nogil
    cdef int32_t find_or_add(self, const char* text, int64_t length, uint64_t hash) except -3 nogil
    cdef int make_room(self, int64_t n_bytes) except -1 nogil

cdef uint64_t hash_of(const char* text, int64_t length) noexcept nogil
