"""Lines of text to the rows of a sparse matrix.

Two kinds of lines are read: `target [qid:n] entry entry ...` with entries `index[:value]` or
`field:index[:value]`, and tables of numbers between separators. A Rows object holds what came out
of one piece of a file. On a line that it cannot read it stops, and says where and why; it can go on
behind that line.
"""

import numpy as np

from libc.math cimport isfinite
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memchr

from .numbers cimport is_digit, read_number

cpdef enum Problem:
    NONE
    TARGET                        # no number where the target should be
    ENTRY                         # no entry
    BELOW_ONE                     # index 0 where they start from 1
    TOO_MANY_FEATURES             # an index beyond the last
    FIELD                         # a field without an index, or one too large
    VALUE                         # no number behind the colon
    TOO_LARGE                     # a number too large for its type
    END                           # something stuck to the end of an entry
    QUERY                         # a row without qid, or one that is no number
    NO_QUERY                      # a row with qid, when the first had none
    CELL                          # no number in a table's cell
    COLUMNS                       # more or fewer cells than columns
    WEIGHT                        # a negative weight

cdef enum:
    # A feature more, and the number of features would not be an int32.
    LARGEST_INDEX = 2147483646

cdef int64_t LARGEST_INTEGER = 900_000_000_000_000_000

ctypedef struct Buffers:
    double* target
    double* weights
    int64_t* query
    int64_t* ends                 # of each row, the entries before its end
    int32_t* indices
    int32_t* fields
    void* data


cdef class Rows:
    """Rows read from one piece of text.

    Parameters
    ----------
    text : bytes
        Whole lines; the last byte is a line feed.
    dtype : "float32" or "float64"
        Of the values.
    has_fields, has_query, has_weights : bool
        What there is besides.
    """

    cdef readonly bytes text
    cdef readonly Py_ssize_t n_rows, n_entries
    cdef readonly int largest_index, least_index, largest_field
    cdef readonly Problem problem
    cdef readonly Py_ssize_t place
    cdef readonly int n_lines
    cdef object arrays
    cdef Buffers to
    cdef const uint8_t* begin     # of the text
    cdef const uint8_t* end
    cdef bint is_double, has_fields, has_query, has_weights

    def __init__(self, bytes text, dtype, *, bint has_fields=False, bint has_query=False,
                 bint has_weights=False):
        if not text.endswith(b"\n"):
            raise ValueError("The text must end in a line feed.")
        self.text = text
        self.begin = text
        self.end = self.begin + len(text)
        with nogil:
            self.n_lines = count_lines(self.begin, self.end)
        self.is_double = np.dtype(dtype) == np.float64
        self.has_fields, self.has_query, self.has_weights = has_fields, has_query, has_weights
        self.least_index, self.largest_index, self.largest_field = LARGEST_INDEX, -1, -1
        # An entry takes two bytes at least, one with a field four.
        n_lines, most = self.n_lines, len(text) // (4 if has_fields else 2) + 1
        self.arrays = {
            "target": np.empty(n_lines),
            "weights": np.empty(n_lines if has_weights else 0),
            "query": np.empty(n_lines if has_query else 0, dtype=np.int64),
            "ends": np.empty(n_lines, dtype=np.int64),
            "indices": np.empty(most, dtype=np.int32),
            "fields": np.empty(most if has_fields else 0, dtype=np.int32),
            "data": np.empty(most, dtype=dtype),
        }
        self.to = Buffers(
            <double*>_address(self.arrays["target"]), <double*>_address(self.arrays["weights"]),
            <int64_t*>_address(self.arrays["query"]), <int64_t*>_address(self.arrays["ends"]),
            <int32_t*>_address(self.arrays["indices"]), <int32_t*>_address(self.arrays["fields"]),
            _address(self.arrays["data"]),
        )

    def array(self, name):
        """A view of what was read: target, weights, query and ends of the rows; indices, fields
        and data of the entries. None if there is none."""
        array = self.arrays[name]
        of_entries = name in ("indices", "fields", "data")
        if not len(array):
            return None
        return array[: self.n_entries if of_entries else self.n_rows]

    def read_sparse(self, Py_ssize_t start=0, *, int first_index=0,
                    int largest_index=LARGEST_INDEX):
        """Read lines from byte `start` on, which begins one, up to the first that is wrong.

        Parameters
        ----------
        first_index : 0 or 1
            Where indices start in the text; here they start from 0.
        largest_index : int
            The last that there may be, as the text counts them.

        Returns
        -------
        bool
            Whether all could be read. If not, `problem` says what is wrong at byte `place`.
        """
        with nogil:
            self._read_sparse(start, first_index, largest_index)
        return self.problem == NONE

    cdef void _read_sparse(self, Py_ssize_t start, int first, int largest) noexcept nogil:
        cdef const uint8_t* p = self.begin + start
        cdef const uint8_t* end = self.end
        cdef Py_ssize_t n_entries = self.n_entries
        self.problem = NONE
        while p < end:
            p = after_blanks(p)
            if p[0] == c"\n":
                p += 1
                continue
            if p[0] == c"#":
                p = after_line(p, end)
                continue
            n_entries = self.n_entries
            p = self._head(p)
            while self.problem == NONE:
                p = after_blanks(p)
                if p[0] == c"\n" or p[0] == c"#":
                    break
                p = self._entry(p, first, largest)
            if self.problem != NONE:
                self.n_entries = n_entries
                self.place = p - self.begin
                return
            self.to.ends[self.n_rows] = self.n_entries
            self.n_rows += 1
            p = after_line(p, end)

    cdef const uint8_t* _head(self, const uint8_t* p) noexcept nogil:
        """The target and qid of a line."""
        cdef const uint8_t* after
        p = self._number(p, TARGET, &self.to.target[self.n_rows])
        if self.problem != NONE:
            return p
        after = after_blanks(p)
        if not (after[0] == c"q" and after[1] == c"i" and after[2] == c"d" and after[3] == c":"):
            if self.has_query:
                self.problem = QUERY
                return after
            return p
        if not self.has_query:
            self.problem = NO_QUERY
            return after
        p = read_integer(after + 4, &self.to.query[self.n_rows])
        if p == NULL or not is_end(p[0]) or self.to.query[self.n_rows] > LARGEST_INTEGER:
            self.problem = QUERY
            return after + 4
        return p

    cdef inline const uint8_t* _number(self, const uint8_t* p, Problem if_none,
                                       double* value) noexcept nogil:
        """A number up to a blank or the end of the line; where it ends, or what is wrong."""
        cdef const uint8_t* after = read_number(p, value)
        if after == NULL:
            self.problem = if_none
            return p
        if not isfinite(value[0]):
            self.problem = TOO_LARGE
            return p
        if not is_end(after[0]):
            self.problem = END
        return after

    cdef inline const uint8_t* _entry(self, const uint8_t* p, int first,
                                      int largest) noexcept nogil:
        cdef int64_t index, field
        cdef double value = 1.0
        cdef const uint8_t* after = p
        if self.has_fields:
            after = read_integer(p, &field)
            if after == NULL or field > LARGEST_INDEX or after[0] != c":":
                self.problem = FIELD
                return p
            self.to.fields[self.n_entries] = <int32_t>field
            self.largest_field = max(self.largest_field, <int>field)
            p = after + 1
        after = read_integer(p, &index)
        if after == NULL:
            self.problem = ENTRY
            return p
        if not first <= index <= largest:
            self.problem = BELOW_ONE if index < first else TOO_MANY_FEATURES
            return p
        p = after
        if p[0] == c":":
            p = self._number(p + 1, VALUE, &value)
            if self.problem != NONE:
                return p
        elif not is_end(p[0]):
            self.problem = END
            return p
        index -= first
        self.least_index = min(self.least_index, <int>index)
        self.largest_index = max(self.largest_index, <int>index)
        return self._keep(after + 1, p, <int32_t>index, value)

    cdef inline const uint8_t* _keep(self, const uint8_t* start, const uint8_t* end,
                                     int32_t index, double value) noexcept nogil:
        """Write one entry, whose value's text is from `start` to `end`."""
        if self.is_double:
            (<double*>self.to.data)[self.n_entries] = value
        else:
            if not isfinite(<float>value):
                self.problem = TOO_LARGE
                return start
            (<float*>self.to.data)[self.n_entries] = <float>value
        self.to.indices[self.n_entries] = index
        self.n_entries += 1
        return end

    def read_table(self, Py_ssize_t start=0, *, int n_columns, uint8_t separator,
                   int target=-1, int weight=-1):
        """Read lines of numbers from byte `start` on, up to the first that is wrong.

        Parameters
        ----------
        n_columns : int
        separator : int
            The byte between two cells; a blank stands for any number of blanks.
        target, weight : int
            Their columns, or -1. All others are features, in order; zeros are left out.

        Returns
        -------
        bool
            As `read_sparse`.
        """
        with nogil:
            self._read_table(start, n_columns, separator, target, weight)
        return self.problem == NONE

    cdef void _read_table(self, Py_ssize_t start, int n_columns, uint8_t separator, int target,
                          int weight) noexcept nogil:
        cdef const uint8_t* p = self.begin + start
        cdef const uint8_t* end = self.end
        cdef Py_ssize_t n_entries
        self.problem = NONE
        self.largest_index = n_columns - 1 - (target >= 0) - (weight >= 0)
        while p < end:
            p = after_padding(p, separator)
            if p[0] == c"\n":
                p += 1
                continue
            if p[0] == c"#":
                p = after_line(p, end)
                continue
            n_entries = self.n_entries
            self.to.target[self.n_rows] = 0.0
            p = self._cells(p, n_columns, separator, target, weight)
            if self.problem != NONE:
                self.n_entries = n_entries
                self.place = p - self.begin
                return
            self.to.ends[self.n_rows] = self.n_entries
            self.n_rows += 1
            p += 1

    cdef const uint8_t* _cells(self, const uint8_t* p, int n_columns, uint8_t separator,
                               int target, int weight) noexcept nogil:
        """One line of a table; where its line feed is, or what is wrong."""
        cdef int column
        cdef int32_t index = 0
        cdef double value = 0.0
        cdef const uint8_t* after
        for column in range(n_columns):
            after = self._cell(p, separator, &value)
            if self.problem != NONE:
                return after
            if column == target:
                self.to.target[self.n_rows] = value
            elif column == weight:
                if value < 0:
                    self.problem = WEIGHT
                    return p
                self.to.weights[self.n_rows] = value
            else:
                if value != 0:
                    after = self._keep(p, after, index, value)
                    if self.problem != NONE:
                        return after
                index += 1
            p = after
            if column == n_columns - 1:
                break
            if separator != c" ":
                if p[0] != separator:
                    self.problem = COLUMNS
                    return p
                p = after_padding(p + 1, separator)
            elif p[0] == c"\n":
                self.problem = COLUMNS
                return p
        if p[0] != c"\n":
            self.problem = COLUMNS
        return p

    cdef inline const uint8_t* _cell(self, const uint8_t* p, uint8_t separator,
                                     double* value) noexcept nogil:
        """One cell, perhaps quoted, and the blanks behind it; where it ends, or what is wrong."""
        cdef bint quoted = p[0] == c'"'
        cdef const uint8_t* after = read_number(p + quoted, value)
        if after == NULL or (quoted and after[0] != c'"'):
            self.problem = CELL
            return p
        if not isfinite(value[0]):
            self.problem = TOO_LARGE
            return p
        after = after + quoted
        if not (after[0] == separator or is_blank(after[0]) or after[0] == c"\n"):
            self.problem = CELL
            return p
        return after_padding(after, separator)


cdef Py_ssize_t count_lines(const uint8_t* p, const uint8_t* end) noexcept nogil:
    """In blocks whose counts fit in a byte, so that vectors hold many of them."""
    cdef Py_ssize_t total = 0, i, size
    cdef uint8_t n
    while p < end:
        size = min(end - p, <Py_ssize_t>255)
        n = 0
        for i in range(size):
            n += p[i] == c"\n"
        total += n
        p += size
    return total


cdef void* _address(array) except? NULL:
    cdef Py_ssize_t address = array.ctypes.data
    return <void*>address


cdef inline bint is_blank(uint8_t byte) noexcept nogil:
    """A carriage return counts: it stands before the line feed."""
    return byte == c" " or byte == c"\t" or byte == c"\r" or byte == 11 or byte == 12


cdef inline bint is_end(uint8_t byte) noexcept nogil:
    """Of a word."""
    return is_blank(byte) or byte == c"\n" or byte == c"#"


cdef inline const uint8_t* after_blanks(const uint8_t* p) noexcept nogil:
    while is_blank(p[0]):
        p += 1
    return p


cdef inline const uint8_t* after_padding(const uint8_t* p, uint8_t separator) noexcept nogil:
    """After blanks that are not the separator; but all are if it is a blank."""
    while is_blank(p[0]) and (p[0] != separator or separator == c" "):
        p += 1
    return p


cdef inline const uint8_t* after_line(const uint8_t* p, const uint8_t* end) noexcept nogil:
    return <const uint8_t*>memchr(p, c"\n", end - p) + 1


cdef inline const uint8_t* read_integer(const uint8_t* p, int64_t* value) noexcept nogil:
    """Where the digits that begin at p end; NULL if none do. Of too many, the value is one above
    LARGEST_INTEGER."""
    cdef const uint8_t* start = p
    cdef int64_t total = 0
    while is_digit(p[0]):
        total = 10 * total + (p[0] - c"0")
        p += 1
        if total > LARGEST_INTEGER:
            while is_digit(p[0]):
                p += 1
            break
    value[0] = total
    return NULL if p == start else p
