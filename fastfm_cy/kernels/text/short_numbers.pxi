"""Runs of entries and of cells of the usual kind, numbers that fm_short_number reads: functions of
Rows, included in reader.pyx. All else, and all that is wrong, is left to the loops around them.

What they change is in local variables, since C compilers must expect that writing an index changes
the object, too.
"""


cdef const uint8_t* short_entries(Rows rows, const uint8_t* p, int first,
                                  int largest) noexcept nogil:
    """As many entries as are of the usual kind, a blank between two; where the next is. What they
    change stays in registers."""
    cdef const uint8_t* end = rows.end
    cdef const uint8_t* after = p
    cdef const uint8_t* start
    cdef float* singles = <float*>rows.to.data
    cdef double* doubles = <double*>rows.to.data
    cdef int32_t* indices = rows.to.indices
    cdef int32_t* fields = rows.to.fields
    cdef bint is_double = rows.is_double, has_fields = rows.has_fields
    cdef int least = rows.least_index, most = rows.largest_index, field = rows.largest_field
    cdef Py_ssize_t n = rows.n_entries
    cdef uint64_t index, number
    cdef double value = 0.0
    while True:
        after = p
        if has_fields:
            number = 0
            after = fm_digits(p, end, &number)
            if after == p or after - p > 9 or after[0] != c":":
                break
            fields[n] = <int32_t>number
            after += 1
        index = 0
        start = after
        after = fm_digits(start, end, &index)
        if after == start or after - start > 9 or after[0] != c":":
            break
        if not first <= <int64_t>index <= largest:
            break
        after = fm_short_number(after + 1, end, &value)
        if after == NULL or not (after[0] == c" " or after[0] == c"\n"):
            break
        if is_double:
            doubles[n] = value
        else:
            singles[n] = <float>value
        index -= first
        indices[n] = <int32_t>index
        n += 1
        least = min(least, <int>index)
        most = max(most, <int>index)
        if has_fields:
            field = max(field, <int>number)
        p = after
        if p[0] == c"\n":
            break
        p += 1
    rows.n_entries, rows.least_index, rows.largest_index = n, least, most
    rows.largest_field = field
    return p


cdef inline const uint8_t* short_cells(Rows rows, const uint8_t* p, const uint8_t[::1] roles,
                                       uint8_t separator, Py_ssize_t* column,
                                       int32_t* index) noexcept nogil:
    """As many cells of features from `column` on, but for the last of the line, as are of the usual
    kind; where the next is. What they change stays in registers."""
    cdef const uint8_t* end = rows.end
    cdef const uint8_t* after
    cdef float* singles = <float*>rows.to.data
    cdef double* doubles = <double*>rows.to.data
    cdef int32_t* indices = rows.to.indices
    cdef bint is_double = rows.is_double
    cdef Py_ssize_t n = rows.n_entries, i = column[0], last = roles.shape[0] - 1
    cdef int32_t feature = index[0]
    cdef double value = 0.0
    while i < last and roles[i] == FEATURE_COLUMN:
        after = fm_short_number(p, end, &value)
        if after == NULL or after[0] != separator or separator == c" ":
            break
        if is_double:
            doubles[n] = value
        else:
            singles[n] = <float>value
        indices[n] = feature
        n += value != 0           # else the next overwrites it
        feature += 1
        i += 1
        p = after + 1
    rows.n_entries, column[0], index[0] = n, i, feature
    return after_padding(p, separator)
