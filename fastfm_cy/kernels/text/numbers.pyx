"""The harder decimal numbers: more digits, larger exponents.

A product with a power of five in 128 bits, truncated, brackets the number; if both ends round to
the same double, that is it. The idea of using a table of truncated powers is that of Lemire,
"Number parsing at a gigabyte per second", Software: Practice and Experience 51 (2021). What stays
undecided (ties, subnormal numbers, more than 19 digits) is left to Python's float().
"""

from .numbers cimport read_number

cdef extern from "numbers.h" nogil:
    uint64_t fm_product(uint64_t a, uint64_t b, uint64_t* high)
    int fm_leading_zeros(uint64_t a)
    double fm_double_of_bits(uint64_t bits)

cdef enum:
    LEAST = -342                  # 10^19 times 10 to less is nearer to zero than any double
    MOST = 308

# 5^q = (high 2^64 + low + less than 1) 2^exponent, the top bit of high set.
ctypedef struct PowerOfFive:
    uint64_t high
    uint64_t low
    int64_t exponent

cdef PowerOfFive[MOST - LEAST + 1] POWERS


def _fill():
    for q in range(LEAST, MOST + 1):
        if q >= 0:
            power = 5**q
            exponent = power.bit_length() - 128
            top = power >> exponent if exponent > 0 else power << -exponent
        else:
            exponent = -(5**-q).bit_length() - 127
            top = (1 << -exponent) // 5**-q
        POWERS[q - LEAST].high = top >> 64
        POWERS[q - LEAST].low = top & 0xFFFF_FFFF_FFFF_FFFF
        POWERS[q - LEAST].exponent = exponent


_fill()


cdef double _by_python(const uint8_t* start, const uint8_t* end) noexcept with gil:
    return float((<const char*>start)[: end - start])


cdef double round_decimal(uint64_t mantissa, int64_t exponent, Py_ssize_t n_digits,
                          const uint8_t* start, const uint8_t* end) noexcept nogil:
    """mantissa * 10^exponent; `start` to `end` is its text, without a sign."""
    cdef PowerOfFive power
    cdef uint64_t high, low, more, rest, half, significand
    cdef int64_t biased
    cdef int zeros, shift
    cdef const uint8_t* p = start
    while n_digits > 19 and (p[0] == c"0" or p[0] == c"."):  # zeros in front do not count
        n_digits -= p[0] == c"0"
        p += 1
    if n_digits > 19:
        return _by_python(start, end)
    if mantissa == 0:
        return 0.0
    if not LEAST <= exponent <= MOST:
        return _by_python(start, end)
    power = POWERS[exponent - LEAST]
    zeros = fm_leading_zeros(mantissa)
    mantissa <<= zeros
    # The product lies in [high 2^64 + low, high 2^64 + low + 2) 2^64.
    low = fm_product(mantissa, power.high, &high)
    fm_product(mantissa, power.low, &more)
    low += more
    high += low < more
    shift = 10 + <int>(high >> 63)
    significand = high >> shift
    rest = high & ((<uint64_t>1 << shift) - 1)
    half = <uint64_t>1 << (shift - 1)
    if (rest == half and low == 0) or (rest == half - 1 and low >= <uint64_t>(-2)):
        return _by_python(start, end)
    significand += rest >= half
    # Of the double: 52 bits of the fraction, the bias of 1023.
    biased = shift + 128 + power.exponent + exponent - zeros + 52 + 1023
    if significand == <uint64_t>1 << 53:
        significand >>= 1
        biased += 1
    if not 1 <= biased <= 2046:
        return _by_python(start, end)
    return fm_double_of_bits(significand & ((<uint64_t>1 << 52) - 1) | <uint64_t>biased << 52)


def parse(bytes text):
    """The number that `text` is, or None if it is none."""
    cdef double value = 0.0
    cdef bytes ended = text + b"\n"
    cdef const uint8_t* start = ended
    cdef const uint8_t* end = read_number(start, start + len(ended), &value)
    return value if end == start + len(text) else None
