"""Scanning of text: blanks, words, integers, the cells of tables, and hashes of names.

Texts end in a line feed, so no loop here needs to look for their end.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr

from .numbers cimport fm_digits, is_digit

cdef extern from *:
    """
    /* FNV-1a (Fowler, Noll & Vo), and the last steps of MurmurHash3 (Appleby), which spread its
       bits. */
    #define FM_FNV_BASIS 0xCBF29CE484222325ULL
    #define FM_FNV_PRIME 0x100000001B3ULL
    #define FM_MIX_1 0xFF51AFD7ED558CCDULL
    #define FM_MIX_2 0xC4CEB9FE1A85EC53ULL
    #define FM_LARGEST_INTEGER 900000000000000000LL
    """
    const uint64_t FM_FNV_BASIS, FM_FNV_PRIME, FM_MIX_1, FM_MIX_2
    const int64_t FM_LARGEST_INTEGER


cdef inline bint is_blank(uint8_t byte) noexcept nogil:
    """A carriage return counts: it stands before the line feed."""
    return byte <= c" " and (byte == c" " or byte == c"\t" or byte == c"\r" or byte == 11
                             or byte == 12)


cdef inline bint is_end(uint8_t byte) noexcept nogil:
    """Of a word."""
    return is_blank(byte) or byte == c"\n" or byte == c"#"


cdef inline const uint8_t* after_blanks(const uint8_t* p) noexcept nogil:
    while is_blank(p[0]):
        p += 1
    return p


cdef inline const uint8_t* after_line(const uint8_t* p, const uint8_t* end) noexcept nogil:
    return <const uint8_t*>memchr(p, c"\n", end - p) + 1


cdef inline const uint8_t* after_name(const uint8_t* p) noexcept nogil:
    """After a word or, if it has one, where its first colon is."""
    while not is_end(p[0]) and p[0] != c":":
        p += 1
    return p


cdef inline bint begins_with_entry(const uint8_t* p) noexcept nogil:
    """Whether the word that begins at p has a colon."""
    return after_name(p)[0] == c":"


cdef inline const uint8_t* read_integer(const uint8_t* p, const uint8_t* end,
                                        int64_t* value) noexcept nogil:
    """Where the digits that begin at p end; NULL if none do. Of too many, the value is above
    FM_LARGEST_INTEGER."""
    cdef uint64_t total = 0
    cdef const uint8_t* after = fm_digits(p, end, &total)
    if after - p > 18:            # only zeros in front keep it small enough
        while p[0] == c"0":
            p += 1
        if after - p > 18:
            total = FM_LARGEST_INTEGER + 1
    elif after == p:
        return NULL
    value[0] = <int64_t>total
    return after


# Tables -------------------------------------------------------------------------------------------

cdef inline const uint8_t* after_padding(const uint8_t* p, uint8_t separator) noexcept nogil:
    """After blanks that are not the separator; but all are if it is a blank."""
    while is_blank(p[0]) and (p[0] != separator or separator == c" "):
        p += 1
    return p


cdef inline bint ends_cell(uint8_t byte, uint8_t separator) noexcept nogil:
    return byte == separator or byte == c"\n" or (separator == c" " and is_blank(byte))


cdef inline const uint8_t* read_cell(const uint8_t* p, uint8_t separator, const uint8_t** first,
                                     const uint8_t** last) noexcept nogil:
    """Where a cell of any text that begins at p ends, blanks behind it included; NULL if it is
    quoted and not closed. The text is from `first` to `last`."""
    if p[0] == c'"':
        p += 1
        first[0] = p
        while p[0] != c'"' or p[1] == c'"':
            if p[0] == c"\n":
                return NULL
            p += 1 + (p[0] == c'"')
        last[0] = p
        return after_padding(p + 1, separator)
    first[0] = last[0] = p
    while not ends_cell(p[0], separator):
        if not is_blank(p[0]):
            last[0] = p + 1
        p += 1
    return after_padding(p, separator)


# Hashes -------------------------------------------------------------------------------------------

cdef inline uint64_t hash_more(uint64_t state, const uint8_t* p, const uint8_t* end) noexcept nogil:
    while p < end:
        state = (state ^ p[0]) * FM_FNV_PRIME
        p += 1
    return state


cdef inline uint32_t hash_below(uint64_t state, uint32_t n) noexcept nogil:
    """From the state behind the last byte to a number below n."""
    state ^= state >> 33
    state *= FM_MIX_1
    state ^= state >> 33
    state *= FM_MIX_2
    state ^= state >> 33
    return state % n
