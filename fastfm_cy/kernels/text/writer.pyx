"""Rows of numbers to lines of text, each number as short as it can be to be read back the same."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free
from libc.math cimport fabs, floor, log10, signbit
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, strlen

from .numbers cimport fm_exact_powers, read_number
from ..common.structs cimport real

cdef extern from "Python.h":
    char* PyOS_double_to_string(double value, char format, int precision, int flags,
                                int* type) except NULL

cdef enum:
    LONGEST = 64                  # bytes of a number, and its surroundings

cdef class Lines:
    """A text that grows at its end."""

    cdef char* text
    cdef Py_ssize_t size, capacity

    def __dealloc__(self):
        free(self.text)

    cdef bytes taken(self):
        return PyBytes_FromStringAndSize(self.text, self.size)

    cdef int make_room(self) except -1:
        """For one more number and what is around it."""
        cdef char* text
        if self.capacity - self.size < LONGEST:
            text = <char*>realloc(self.text, 2 * self.capacity + (1 << 16))
            if text == NULL:
                raise MemoryError
            self.text = text
            self.capacity = 2 * self.capacity + (1 << 16)
        return 0

    cdef inline void put(self, char byte) noexcept:
        self.text[self.size] = byte
        self.size += 1

    cdef void put_digits(self, uint64_t value, int n_behind_point) noexcept:
        """value / 10^n_behind_point."""
        cdef char[LONGEST] digits
        cdef int n = 0
        while value or n <= n_behind_point:
            if n == n_behind_point and n:
                digits[LONGEST - 1 - n] = c"."
            digits[LONGEST - 1 - n - (n_behind_point != 0 and n >= n_behind_point)] = (
                c"0" + <char>(value % 10)
            )
            value //= 10
            n += 1
        n += n_behind_point != 0
        memcpy(self.text + self.size, &digits[LONGEST - n], n)
        self.size += n

    cdef int put_number(self, double value, bint is_single) except -1:
        """A finite number, after make_room."""
        cdef double size = fabs(value)
        cdef uint64_t digits
        cdef int n_digits, behind
        if signbit(value):
            self.put(c"-")
        if size < 1e15 and size == floor(size):
            self.put_digits(<uint64_t>size, 0)
            return 0
        if 1e-4 <= size < 1e15:
            # Fifteen digits of a double, six of a float, name any number that has no more.
            for n_digits in range(6 if is_single else 15, 10 if is_single else 16):
                behind = n_digits - 1 - <int>floor(log10(size))
                if behind < 0:
                    break
                digits = <uint64_t>(size * fm_exact_powers[behind] + 0.5)
                if same(<double>digits / fm_exact_powers[behind], size, is_single):
                    while digits % 10 == 0 and behind:
                        digits //= 10
                        behind -= 1
                    self.put_digits(digits, behind)
                    return 0
        return self.put_general(size, is_single)

    cdef int put_general(self, double size, bint is_single) except -1:
        """Python's way; the shortest of a float is found by trying."""
        cdef int precision
        cdef char* text
        cdef double read = 0.0
        for precision in range(6 if is_single else 10, 10):
            text = PyOS_double_to_string(size, c"g", precision, 0, NULL)
            read_number(<const uint8_t*>text, <const uint8_t*>text + strlen(text), &read)
            if same(read, size, True):
                return self.put_text(text)
            PyMem_Free(text)
        return self.put_text(PyOS_double_to_string(size, c"r", 0, 0, NULL))

    cdef int put_text(self, char* text) except -1:
        cdef Py_ssize_t length = strlen(text)
        memcpy(self.text + self.size, text, length)
        self.size += length
        PyMem_Free(text)
        return 0


cdef inline bint same(double a, double b, bint is_single) noexcept:
    return <float>a == <float>b if is_single else a == b


def sparse_lines(const double[::1] target, const int64_t[::1] indptr, const int32_t[::1] indices,
                 const real[::1] data, const int32_t[::1] fields, const int64_t[::1] query,
                 Py_ssize_t first, Py_ssize_t last, int first_index):
    """Rows first..last-1 as `[target] [qid:n] [field:]index:value ...`; target, fields and query may
    be None."""
    cdef Lines lines = Lines()
    cdef Py_ssize_t row, entry
    cdef bint is_first            # word of the line
    for row in range(first, last):
        lines.make_room()
        is_first = target is None
        if not is_first:
            lines.put_number(target[row], False)
        if query is not None:
            if not is_first:
                lines.put(c" ")
            memcpy(lines.text + lines.size, b"qid:", 4)
            lines.size += 4
            lines.put_digits(<uint64_t>query[row], 0)
            is_first = False
        for entry in range(indptr[row], indptr[row + 1]):
            lines.make_room()
            if not is_first:
                lines.put(c" ")
            is_first = False
            if fields is not None:
                lines.put_digits(<uint64_t>fields[entry], 0)
                lines.put(c":")
            lines.put_digits(<uint64_t>(indices[entry] + first_index), 0)
            lines.put(c":")
            lines.put_number(data[entry], real is float)
        lines.make_room()
        lines.put(c"\n")
    return lines.taken()


def table_lines(const double[:, ::1] before, const real[:, ::1] cells, char separator):
    """A line a row: the numbers in `before`, then those in `cells`."""
    cdef Lines lines = Lines()
    cdef Py_ssize_t row, column
    for row in range(cells.shape[0]):
        for column in range(before.shape[1]):
            lines.make_room()
            lines.put_number(before[row, column], False)
            lines.put(separator)
        for column in range(cells.shape[1]):
            lines.make_room()
            lines.put_number(cells[row, column], real is float)
            lines.put(separator)
        lines.text[lines.size - 1] = c"\n"
    return lines.taken()
