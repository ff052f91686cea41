"""Lines of tables: functions of Rows, included in reader.pyx."""


cdef void read_table_lines(Rows rows, Py_ssize_t start, const uint8_t[::1] roles,
                           uint8_t separator, const uint64_t[::1] seeds) noexcept nogil:
    cdef const uint8_t* p = rows.begin + start
    cdef const uint8_t* end = rows.end
    cdef Py_ssize_t n_entries
    rows.problem = NONE
    while p < end:
        p = after_padding(p, separator)
        if p[0] == c"\n":
            p += 1
            continue
        if p[0] == c"#":
            p = after_line(p, end)
            continue
        n_entries = rows.n_entries
        p = read_cells(rows, p, roles, separator, seeds)
        if rows.problem != NONE:
            rows.n_entries = n_entries
            rows.place = p - rows.begin
            return
        rows.to.ends[rows.n_rows] = rows.n_entries
        rows.n_rows += 1
        p += 1


cdef const uint8_t* read_cells(Rows rows, const uint8_t* p, const uint8_t[::1] roles,
                               uint8_t separator, const uint64_t[::1] seeds) noexcept nogil:
    """One line of a table; where its line feed is, or what is wrong."""
    cdef Py_ssize_t column, n_columns = roles.shape[0]
    cdef int32_t index = 0
    cdef double value = 0.0
    cdef uint8_t role
    cdef const uint8_t* after
    column = -1
    while True:
        column += 1
        if roles[column] == FEATURE_COLUMN:
            p = short_cells(rows, p, roles, separator, &column, &index)
        role = roles[column]
        if role <= LAST_OF_NUMBERS:
            after = read_number_cell(rows, p, separator, &value)
        else:
            after = read_text_cell(rows, p, separator, role, seeds, column, index)
        if rows.problem != NONE:
            return after
        if role == FEATURE_COLUMN:
            if value != 0:
                after = rows._keep(p, after, index, value)
                if rows.problem != NONE:
                    return after
            index += 1
        elif role == TARGET_COLUMN:
            rows.to.target[rows.n_rows] = value
        elif role == WEIGHT_COLUMN:
            if value < 0:
                rows.problem = WEIGHT
                return p
            rows.to.weights[rows.n_rows] = value
        elif role == NAME_COLUMN:
            index += 1
        p = after
        if column == n_columns - 1:
            break
        if separator != c" ":
            if p[0] != separator:
                rows.problem = COLUMNS
                return p
            p = after_padding(p + 1, separator)
        elif p[0] == c"\n":
            rows.problem = COLUMNS
            return p
    if p[0] != c"\n":
        rows.problem = COLUMNS
    return p


cdef inline const uint8_t* read_number_cell(Rows rows, const uint8_t* p, uint8_t separator,
                                            double* value) noexcept nogil:
    """One number, perhaps quoted, and the blanks behind it; where it ends, or what is wrong."""
    cdef bint quoted = p[0] == c'"'
    cdef const uint8_t* after = read_number(p + quoted, rows.end, value)
    if after == NULL or (quoted and after[0] != c'"'):
        rows.problem = CELL
        return p
    if not isfinite(value[0]):
        rows.problem = TOO_LARGE
        return p
    after = after + quoted
    if not (after[0] == separator or is_blank(after[0]) or after[0] == c"\n"):
        rows.problem = CELL
        return p
    return after_padding(after, separator)


cdef const uint8_t* read_text_cell(Rows rows, const uint8_t* p, uint8_t separator, uint8_t role,
                                   const uint64_t[::1] seeds, Py_ssize_t column,
                                   int32_t field) noexcept nogil:
    """One cell of any text, in a column of names an entry of the feature of this name unless it is
    empty; where it ends, or what is wrong."""
    cdef const uint8_t* first
    cdef const uint8_t* last
    cdef uint64_t state
    cdef const uint8_t* after = read_cell(p, separator, &first, &last)
    if after == NULL:
        rows.problem = QUOTE
        return p
    if role == NAME_COLUMN and first < last:
        rows.to.fields[rows.n_entries] = field
        rows.largest_field = max(rows.largest_field, field)
        state = hash_more(seeds[column], first, last)
        rows._keep(p, p, hash_below(state, rows.n_hash), 1.0)
    return after
