"""Vocabulary of texts: a hash table from texts to the numbers 0, 1, 2, ... in order of arrival."""

from cpython.object cimport PyObject
from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

import numpy as np

from ..common.vector cimport FM_PREFETCH

cdef extern from "Python.h":
    bint PyUnicode_Check(PyObject* value)
    bint PyUnicode_IS_COMPACT_ASCII(PyObject* value)
    const char* PyUnicode_DATA(PyObject* value)
    Py_ssize_t PyUnicode_GET_LENGTH(PyObject* value)

cdef enum:
    N_RECENT = 4096             # objects whose numbers are remembered by address
    N_AHEAD = 12                # rows that objects are fetched ahead

# Numbers of rows that have no text, and of texts that are not in the vocabulary.
NUMBER_OF_MISSING = MISSING
NUMBER_OF_UNKNOWN = UNKNOWN

cdef const char* NOTHING = b""

cdef struct Recent:
    PyObject* value
    int32_t number


cdef class TextVocabulary:
    """Texts and their numbers.

    It is safe to look up from several threads at once, not to add.
    """

    def __cinit__(self):
        self.offset_capacity, self.text_capacity, self.slot_mask = 16, 256, 31
        self.offsets = <int64_t*>malloc(self.offset_capacity * sizeof(int64_t))
        self.text = <char*>malloc(self.text_capacity)
        self.slots = <Slot*>malloc((self.slot_mask + 1) * sizeof(Slot))
        if self.offsets == NULL or self.text == NULL or self.slots == NULL:
            raise MemoryError
        self.offsets[0] = 0
        memset(self.slots, 0xFF, (self.slot_mask + 1) * sizeof(Slot))

    def __dealloc__(self):
        free(self.offsets)
        free(self.text)
        free(self.slots)

    def __len__(self):
        return self.n_texts

    def __reduce__(self):
        return TextVocabulary.from_arrays, self.to_arrays()

    def __deepcopy__(self, memo):
        """A copy of the memory, which takes a tenth of the time of hashing all texts again."""
        cdef TextVocabulary copy = TextVocabulary()
        cdef size_t n_slots = self.slot_mask + 1
        free(copy.offsets)
        free(copy.text)
        free(copy.slots)
        copy.offsets = <int64_t*>malloc(self.offset_capacity * sizeof(int64_t))
        copy.text = <char*>malloc(self.text_capacity)
        copy.slots = <Slot*>malloc(n_slots * sizeof(Slot))
        if copy.offsets == NULL or copy.text == NULL or copy.slots == NULL:
            raise MemoryError
        copy.offset_capacity, copy.text_capacity = self.offset_capacity, self.text_capacity
        copy.slot_mask, copy.n_texts = self.slot_mask, self.n_texts
        memcpy(copy.offsets, self.offsets, (self.n_texts + 1) * sizeof(int64_t))
        memcpy(copy.text, self.text, self.offsets[self.n_texts])
        memcpy(copy.slots, self.slots, n_slots * sizeof(Slot))
        return copy

    def to_arrays(self):
        """(uint8 array of all texts in UTF-8, int64 array of where each begins and ends)."""
        text = np.empty(self.offsets[self.n_texts], dtype=np.uint8)
        offsets = np.empty(self.n_texts + 1, dtype=np.int64)
        cdef uint8_t[::1] text_view = text
        cdef int64_t[::1] offset_view = offsets
        if text.size:
            memcpy(&text_view[0], self.text, text.nbytes)
        memcpy(&offset_view[0], self.offsets, offsets.nbytes)
        return text, offsets

    @staticmethod
    def from_arrays(const uint8_t[::1] text, const int64_t[::1] offsets):
        """The vocabulary whose arrays these are; ValueError if they are no vocabulary's."""
        cdef TextVocabulary vocabulary = TextVocabulary()
        cdef Py_ssize_t number
        cdef const char* start
        cdef int64_t length
        number = offsets.shape[0] - 1
        if number < 0 or offsets[0] != 0 or offsets[number] != text.shape[0]:
            raise ValueError("the offsets of the texts do not fit the texts")
        for number in range(offsets.shape[0] - 1):
            length = offsets[number + 1] - offsets[number]
            if length < 0 or offsets[number + 1] > text.shape[0]:
                raise ValueError("the offsets of the texts do not rise")
            start = <const char*>&text[offsets[number]] if length else NOTHING
            if vocabulary.find_or_add(start, length, hash_of(start, length)) != number:
                raise ValueError(f"text {number} is there twice")
        return vocabulary

    def texts(self, numbers=None):
        """The texts, or those of some numbers, as a list of str."""
        cdef int64_t number
        numbers = range(self.n_texts) if numbers is None else numbers
        texts = []
        for number in numbers:
            if not 0 <= number < self.n_texts:
                raise IndexError(number)
            piece = self.text[self.offsets[number]:self.offsets[number + 1]]
            texts.append(piece.decode("utf-8", "surrogatepass"))
        return texts

    def words(self, const int64_t[::1] numbers, Py_ssize_t place):
        """Bytes 8 * place, ... of some texts as uint64, which compare as the bytes do.

        Behind a text's end are zeros.
        """
        words = np.zeros(numbers.shape[0], dtype=np.uint64)
        cdef uint64_t[::1] view = words
        cdef Py_ssize_t i
        cdef int64_t j, start, end
        with nogil:
            for i in range(numbers.shape[0]):
                start = self.offsets[numbers[i]] + 8 * place
                end = self.offsets[numbers[i] + 1]
                for j in range(start, start + 8):
                    view[i] = view[i] << 8 | (<uint8_t>self.text[j] if j < end else 0)
        return words

    def hashes(self):
        """The hash of each text, uint64: the same on every machine and in every version."""
        hashes = np.empty(self.n_texts, dtype=np.uint64)
        cdef uint64_t[::1] view = hashes
        cdef int64_t number
        with nogil:
            for number in range(self.n_texts):
                view[number] = hash_of(self.text + self.offsets[number],
                                       self.offsets[number + 1] - self.offsets[number])
        return hashes

    def encode_objects(self, values, int32_t[::1] numbers, bint add):
        """Put the number of each text in an array of objects into `numbers`.

        Parameters
        ----------
        values : contiguous object array
            Of str and missing values: None, NaN, NaT and pandas.NA.
        numbers : int32 array of the same length
        add : bool
            Texts that are not in the vocabulary are added to it; else they are UNKNOWN.

        Returns
        -------
        int : the first row that holds something else, where it stopped; or -1
        """
        if values.dtype != object or not values.flags.c_contiguous or values.ndim != 1:
            raise TypeError("values must be a contiguous array of objects")
        if len(values) != numbers.shape[0]:
            raise ValueError("values and numbers differ in length")
        cdef PyObject** objects = <PyObject**><uintptr_t>values.ctypes.data
        cdef Py_ssize_t row, n_rows = numbers.shape[0]
        cdef Recent* recent = <Recent*>calloc(N_RECENT, sizeof(Recent))
        cdef Recent* place
        if recent == NULL:
            raise MemoryError
        try:
            # Columns that come from a file or from categories repeat objects: their address says
            # which text it is.
            for row in range(n_rows):
                if row + N_AHEAD < n_rows:
                    FM_PREFETCH(objects[row + N_AHEAD])
                place = recent + (
                    (<uint64_t><uintptr_t>objects[row] * <uint64_t>0x9E3779B97F4A7C15ULL) >> 52
                )
                if place.value != objects[row] or objects[row] == NULL:
                    if objects[row] == NULL:  # as NumPy may have None
                        place.number = MISSING
                    elif PyUnicode_Check(objects[row]):
                        place.number = self.number_of_object(objects[row], add)
                    elif is_missing(<object>objects[row]):
                        place.number = MISSING
                    else:
                        return row
                    place.value = objects[row]
                numbers[row] = place.number
        finally:
            free(recent)
        return -1

    cdef int32_t number_of_object(self, PyObject* value, bint add) except -3:
        cdef const char* start
        cdef int64_t length
        if PyUnicode_IS_COMPACT_ASCII(value):
            start, length = PyUnicode_DATA(value), PyUnicode_GET_LENGTH(value)
            if add:
                return self.find_or_add(start, length, hash_of(start, length))
            return self.find(start, length, hash_of(start, length))
        cdef bytes encoded = (<object>value).encode("utf-8", "surrogatepass")
        start, length = encoded, len(encoded)
        if add:
            return self.find_or_add(start, length, hash_of(start, length))
        return self.find(start, length, hash_of(start, length))

    cdef int32_t find(self, const char* text, int64_t length, uint64_t hash) noexcept nogil:
        cdef uint64_t place = hash & <uint64_t>self.slot_mask
        cdef uint32_t tag = <uint32_t>(hash >> 32)
        cdef int64_t start
        cdef int32_t number
        while self.slots[place].number >= 0:
            if self.slots[place].tag == tag:
                number = self.slots[place].number
                start = self.offsets[number]
                if (
                    self.offsets[number + 1] - start == length
                    and memcmp(self.text + start, text, length) == 0
                ):
                    return number
            place = (place + 1) & <uint64_t>self.slot_mask
        return UNKNOWN

    cdef int32_t find_or_add(self, const char* text, int64_t length, uint64_t hash) except -3 nogil:
        cdef int32_t number = self.find(text, length, hash)
        if number != UNKNOWN:
            return number
        self.make_room(length)
        number = <int32_t>self.n_texts
        memcpy(self.text + self.offsets[number], text, length)
        self.n_texts += 1
        self.offsets[self.n_texts] = self.offsets[number] + length
        put(self.slots, self.slot_mask, hash, number)
        return number

    cdef int make_room(self, int64_t n_bytes) except -1 nogil:
        """For one more text."""
        cdef int64_t capacity, number, size = self.offsets[self.n_texts] + n_bytes
        cdef void* larger
        cdef Slot* slots
        if self.n_texts == INT32_MAX - 1:
            with gil:
                raise OverflowError(f"more than {self.n_texts} different texts")
        if size > self.text_capacity:
            larger = realloc(self.text, 2 * size)
            if larger == NULL:
                with gil:
                    raise MemoryError
            self.text, self.text_capacity = <char*>larger, 2 * size
        if self.n_texts + 2 > self.offset_capacity:
            larger = realloc(self.offsets, 2 * self.offset_capacity * sizeof(int64_t))
            if larger == NULL:
                with gil:
                    raise MemoryError
            self.offsets, self.offset_capacity = <int64_t*>larger, 2 * self.offset_capacity
        if 2 * self.n_texts > self.slot_mask:
            capacity = 4 * (self.slot_mask + 1)
            slots = <Slot*>malloc(capacity * sizeof(Slot))
            if slots == NULL:
                with gil:
                    raise MemoryError
            memset(slots, 0xFF, capacity * sizeof(Slot))
            for number in range(self.n_texts):
                put(slots, capacity - 1, hash_of(self.text + self.offsets[number],
                                                 self.offsets[number + 1] - self.offsets[number]),
                    <int32_t>number)
            free(self.slots)
            self.slots, self.slot_mask = slots, capacity - 1
        return 0


cdef void put(Slot* slots, int64_t mask, uint64_t hash, int32_t number) noexcept nogil:
    """Into the next free slot."""
    cdef uint64_t place = hash & <uint64_t>mask
    while slots[place].number >= 0:
        place = (place + 1) & <uint64_t>mask
    slots[place].tag = <uint32_t>(hash >> 32)
    slots[place].number = number


cdef uint64_t hash_of(const char* text, int64_t length) noexcept nogil:
    """Eight bytes at a time, little end first; part of the format of model files (hashing)."""
    cdef const uint8_t* p = <const uint8_t*>text
    cdef uint64_t hash = <uint64_t>length * <uint64_t>0x9E3779B97F4A7C15ULL
    cdef uint64_t word
    cdef int i
    while length >= 8:
        word = (
            <uint64_t>p[0] | <uint64_t>p[1] << 8 | <uint64_t>p[2] << 16 | <uint64_t>p[3] << 24
            | <uint64_t>p[4] << 32 | <uint64_t>p[5] << 40 | <uint64_t>p[6] << 48
            | <uint64_t>p[7] << 56
        )
        hash = mixed(hash ^ word)
        p += 8
        length -= 8
    word = 0
    for i in range(<int>length):
        word |= <uint64_t>p[i] << (8 * i)
    return mixed(hash ^ word)


cdef inline uint64_t mixed(uint64_t hash) noexcept nogil:
    hash = (hash ^ hash >> 32) * <uint64_t>0xD6E8FEB86659FD93ULL
    hash = (hash ^ hash >> 32) * <uint64_t>0x9E3779B97F4A7C15ULL
    return hash ^ hash >> 32


def is_missing(value):
    """Whether a value is None, NaN, NaT or pandas.NA."""
    if value is None:
        return True
    if isinstance(value, (float, np.floating, np.datetime64, np.timedelta64)):
        return value != value
    return type(value).__name__ in ("NAType", "NaTType")
