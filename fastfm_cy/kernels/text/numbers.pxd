"""Decimal numbers to doubles, correctly rounded: what Python's float() gives.

    [+-] digits [. digits] [e [+-] digits]     digits on one side of the point may be missing

`read_number` scans the text into mantissa * 10^exponent. If both are small enough to be exact
doubles, one operation, correctly rounded, is the answer (Clinger, PLDI 1990). All else is up to
`round_decimal` in numbers.pyx.

Texts must end in a byte that no number contains, such as a line feed, so that no loop here needs to
look for the end.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef extern from "numbers.h" nogil:
    const double* fm_exact_powers
    const uint8_t* fm_digits(const uint8_t* p, const uint8_t* end, uint64_t* value)
    const uint8_t* fm_short_number(const uint8_t* p, const uint8_t* end, double* value)

cdef double round_decimal(uint64_t mantissa, int64_t exponent, Py_ssize_t n_digits,
                          const uint8_t* start, const uint8_t* end) noexcept nogil

cdef inline bint is_digit(uint8_t byte) noexcept nogil:
    return <uint8_t>(byte - c"0") < 10

cdef inline const uint8_t* read_number(const uint8_t* start, const uint8_t* end_of_text,
                                       double* value) noexcept nogil:
    """Where the number that begins at `start` ends; NULL if none does. It may be infinite."""
    cdef const uint8_t* p = start
    cdef const uint8_t* first
    cdef const uint8_t* point
    cdef uint64_t mantissa = 0
    cdef int64_t exponent = 0, written = 0
    cdef Py_ssize_t n_digits
    cdef bint negative = p[0] == c"-", falls
    cdef double result
    if negative or p[0] == c"+":
        p += 1
    first = p
    if is_digit(p[0]):            # often the only one before the point
        mantissa = p[0] - c"0"
        p += 1
        if is_digit(p[0]):
            p = fm_digits(p, end_of_text, &mantissa)
    n_digits = p - first
    if p[0] == c".":
        p += 1
        point = p
        p = fm_digits(p, end_of_text, &mantissa)
        exponent = point - p
        n_digits += p - point
    if n_digits == 0:
        return NULL
    if p[0] | 32 == c"e":
        falls = p[1] == c"-"
        point = p + 1 + (falls or p[1] == c"+")
        if is_digit(point[0]):
            p = point
            while is_digit(p[0]):
                if written < 100_000_000:  # more makes no difference, and would overflow
                    written = 10 * written + (p[0] - c"0")
                p += 1
            exponent += -written if falls else written
    if n_digits <= 19 and mantissa <= <uint64_t>1 << 53 and -22 <= exponent <= 22:
        result = <double><int64_t>mantissa
        if exponent < 0:
            result = result / fm_exact_powers[-exponent]
        else:
            result = result * fm_exact_powers[exponent]
    else:
        result = round_decimal(mantissa, exponent, n_digits, first, p)
    value[0] = -result if negative else result
    return p
