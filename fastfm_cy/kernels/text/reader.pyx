"""Lines of text to the rows of a sparse matrix.

Two kinds of lines are read: `[target] [qid:n] entry entry ...` with entries `index[:value]` or
`field:index:value`, and tables of numbers between separators. Instead of numbers, features may have
any names, which are hashed. A Rows object holds what came out of one piece of a file. On a line that
it cannot read it stops, and says where and why; it can go on behind that line.
"""

import numpy as np

from libc.math cimport isfinite
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from .numbers cimport fm_digits, fm_short_number, read_number
from .scanning cimport (
    FM_FNV_BASIS, FM_LARGEST_INTEGER, after_blanks, after_line, after_name, after_padding,
    begins_with_entry, hash_below, hash_more, is_blank, is_end, read_cell, read_integer,
)

cpdef enum Problem:
    NONE
    TARGET                        # no number where the target should be
    NO_TARGET                     # a row without a target, when the first had one
    LABEL                         # a row with a target, when the first had none
    BLANK                         # an empty line where rows have no target: a row, or none?
    ENTRY                         # no entry
    BELOW_ONE                     # index 0 where they start from 1
    TOO_MANY_FEATURES             # an index beyond the last
    FIELD                         # a field without an index, or one too large
    PAIR                          # an entry of two numbers where three belong
    TRIPLE                        # an entry of three numbers where two belong
    VALUE                         # no number behind the colon
    TOO_LARGE                     # a number too large for its type
    END                           # something stuck to the end of an entry
    QUERY                         # a row without qid, or one that is no number
    NO_QUERY                      # a row with qid, when the first had none
    CELL                          # no number in a table's cell
    COLUMNS                       # more or fewer cells than columns
    QUOTE                         # a quoted cell without an end
    WEIGHT                        # a negative weight

cpdef enum Role:                  # of a table's column
    FEATURE_COLUMN                # numbers
    TARGET_COLUMN                 # likewise
    WEIGHT_COLUMN                 # likewise
    NAME_COLUMN                   # names of features, which are hashed
    DROPPED_COLUMN                # any text

cdef enum:
    LAST_OF_NUMBERS = WEIGHT_COLUMN
    # A feature more, and the number of features would not be an int32.
    LARGEST_INDEX = 2147483646

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
    has_target, has_fields, has_query, has_weights : bool
        What there is besides.
    n_hash : int
        If positive, features have names, which are hashed to numbers below it.
    bytes_an_entry : int
        The fewest that an entry takes in the text.
    spare : Rows or None
        Of a piece that nobody needs any more: its arrays are written to, where they are large
        enough. New memory would have to be cleared by the system.
    """

    cdef readonly bytes text
    cdef readonly Py_ssize_t n_rows, n_entries
    cdef readonly int largest_index, least_index, largest_field
    cdef readonly Problem problem
    cdef readonly Py_ssize_t place
    cdef readonly Py_ssize_t blank    # the first of the empty lines that end the text, or -1
    cdef readonly int n_lines
    cdef object arrays
    cdef Buffers to
    cdef const uint8_t* begin     # of the text
    cdef const uint8_t* end
    cdef bint is_double, has_target, has_fields, has_query, has_weights
    cdef uint32_t n_hash

    def __init__(self, bytes text, dtype, *, bint has_target=True, bint has_fields=False,
                 bint has_query=False, bint has_weights=False, uint32_t n_hash=0,
                 Py_ssize_t bytes_an_entry=2, Rows spare=None):
        if not text.endswith(b"\n"):
            raise ValueError("The text must end in a line feed.")
        self.text = text
        self.begin = text
        self.end = self.begin + len(text)
        with nogil:
            self.n_lines = count_lines(self.begin, self.end)
        self.is_double = np.dtype(dtype) == np.float64
        self.has_target, self.has_fields, self.n_hash = has_target, has_fields, n_hash
        self.has_query, self.has_weights = has_query, has_weights
        self.least_index, self.largest_index, self.largest_field = LARGEST_INDEX, -1, -1
        self.blank = -1
        n_lines, most = self.n_lines, len(text) // bytes_an_entry + 1
        old = {} if spare is None else spare.arrays
        if spare is not None:
            spare.arrays, spare.n_rows, spare.n_entries = {}, 0, 0
        self.arrays = {
            name: _room(old.get(name), size, of)
            for name, size, of in (
                ("target", n_lines if has_target else 0, np.float64),
                ("weights", n_lines if has_weights else 0, np.float64),
                ("query", n_lines if has_query else 0, np.int64),
                ("ends", n_lines, np.int64),
                ("indices", most, np.int32),
                ("fields", most if has_fields else 0, np.int32),
                ("data", most, dtype),
            )
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
        self.problem, self.blank = NONE, -1
        while p < end:
            p = after_blanks(p)
            if p[0] == c"\n":
                if not self.has_target and self.blank < 0:
                    self.blank = p - self.begin
                p += 1
                continue
            if p[0] == c"#":
                p = after_line(p, end)
                continue
            if self.blank >= 0:
                self.problem, self.place = BLANK, self.blank
                return
            n_entries = self.n_entries
            p = self._head(p)
            while self.problem == NONE:
                p = after_blanks(p)
                if not self.n_hash:
                    p = short_entries(self, p, first, largest)
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
        if self.has_target:
            after = self._number(p, TARGET, &self.to.target[self.n_rows])
            if self.problem != NONE:
                if begins_with_entry(p):
                    self.problem = NO_TARGET
                    return p
                return after
            p = after
        elif not begins_with_entry(p):
            self.problem = LABEL
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
        p = read_integer(after + 4, self.end, &self.to.query[self.n_rows])
        if p == NULL or not is_end(p[0]) or self.to.query[self.n_rows] > FM_LARGEST_INTEGER:
            self.problem = QUERY
            return after + 4
        return p

    cdef inline const uint8_t* _number(self, const uint8_t* p, Problem if_none,
                                       double* value) noexcept nogil:
        """A number up to a blank or the end of the line; where it ends, or what is wrong."""
        cdef const uint8_t* after = read_number(p, self.end, value)
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
            after = read_integer(p, self.end, &field)
            if after == NULL or field > LARGEST_INDEX or after[0] != c":":
                self.problem = FIELD
                return p
            self.to.fields[self.n_entries] = <int32_t>field
            self.largest_field = max(self.largest_field, <int>field)
            p = after + 1
        if self.n_hash:
            after = after_name(p)
            index = hash_below(hash_more(FM_FNV_BASIS, p, after), self.n_hash)
            if after == p:
                after = NULL
        else:
            after = read_integer(p, self.end, &index)
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
                if self.problem == END and p[0] == c":" and not self.has_fields:
                    self.problem = TRIPLE
                return p
        elif not is_end(p[0]):
            self.problem = END
            return p
        elif self.has_fields:
            self.problem = PAIR
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

    def read_table(self, Py_ssize_t start=0, *, const uint8_t[::1] roles, uint8_t separator,
                   const uint64_t[::1] seeds=None):
        """Read lines of a table from byte `start` on, up to the first that is wrong.

        Parameters
        ----------
        roles : array of Role
            Of the columns. Zeros of features are left out.
        separator : int
            The byte between two cells; a blank stands for any number of blanks.
        seeds : array of int
            Of each column of names, the hash of what comes before them.

        Returns
        -------
        bool
            As `read_sparse`.
        """
        cdef Py_ssize_t column
        self.largest_index = -1
        for column in range(roles.shape[0]):
            self.largest_index += roles[column] == FEATURE_COLUMN
        with nogil:
            read_table_lines(self, start, roles, separator, seeds)
        return self.problem == NONE


def hash_of(bytes name):
    """The hash of a name, not yet made smaller: a seed for what follows it."""
    cdef const uint8_t* start = name
    return hash_more(FM_FNV_BASIS, start, start + len(name))


def index_of(bytes name, uint32_t n_hash):
    """The number below n_hash that a name is hashed to."""
    cdef const uint8_t* start = name
    return hash_below(hash_more(FM_FNV_BASIS, start, start + len(name)), n_hash)


include "short_numbers.pxi"
include "table_lines.pxi"


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


def has_lone_returns(bytes text):
    """Whether a carriage return stands before anything but a line feed."""
    cdef const uint8_t* p = text
    cdef const uint8_t* end = p + len(text)
    cdef Py_ssize_t i, size
    cdef uint8_t found = 0
    while p < end and not found:  # what is behind the last byte is a zero of Python's
        size = min(end - p, <Py_ssize_t>4096)
        for i in range(size):
            found |= (p[i] == c"\r") & (p[i + 1] != c"\n")
        p += size
    return found != 0


def _room(old, Py_ssize_t size, dtype):
    """An array of at least this size, the old one if it will do."""
    if old is not None and size and len(old) >= size and old.dtype == dtype:
        return old
    return np.empty(size, dtype)


cdef void* _address(array) except? NULL:
    cdef Py_ssize_t address = array.ctypes.data
    return <void*>address
