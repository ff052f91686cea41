"""The rows of libFM's binary matrices, which have their lengths among them."""

from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.string cimport memcpy


def split_rows(const uint32_t[::1] words, Py_ssize_t n_columns, int64_t[::1] indptr,
               int32_t[::1] indices, float[::1] data):
    """Copy rows, each `length, (column, value) ...`, to the arrays of a CSR matrix.

    Returns
    -------
    int
        The first row that does not fit in the words, or has a column beyond the last; -1 if all
        is well and no word is left.
    """
    cdef Py_ssize_t row
    with nogil:
        row = _split_rows(words, n_columns, indptr, indices, data)
    return row


cdef Py_ssize_t _split_rows(const uint32_t[::1] words, Py_ssize_t n_columns, int64_t[::1] indptr,
                            int32_t[::1] indices, float[::1] data) noexcept nogil:
    cdef Py_ssize_t row, length, stop, entry = 0, word = 0
    cdef Py_ssize_t n_rows = indptr.shape[0] - 1, n_words = words.shape[0]
    indptr[0] = 0
    for row in range(n_rows):
        if word >= n_words:
            return row
        length = words[word]
        word += 1
        if length > (n_words - word) // 2 or length > indices.shape[0] - entry:
            return row
        stop = entry + length
        while entry < stop:
            if words[word] >= n_columns:
                return row
            indices[entry] = <int32_t>words[word]
            memcpy(&data[entry], &words[word + 1], 4)
            entry += 1
            word += 2
        indptr[row + 1] = entry
    return -1 if word == n_words and entry == indices.shape[0] else n_rows


def whole_rows(const uint32_t[::1] words, Py_ssize_t n_rows):
    """How many of the next n_rows rows are whole in the words: (rows, their words, the words of
    the row behind them, its length included)."""
    cdef Py_ssize_t row = 0, word = 0, n_words = words.shape[0], size = 0
    with nogil:
        while row < n_rows and word < n_words:
            size = 1 + 2 * <Py_ssize_t>words[word]
            if size > n_words - word:
                break
            row += 1
            word += size
            size = 0
    return row, word, size


def join_rows(const int64_t[::1] indptr, const int32_t[::1] indices, const float[::1] data,
              uint32_t[::1] words):
    """The inverse of split_rows."""
    cdef Py_ssize_t row, entry, word = 0
    with nogil:
        for row in range(indptr.shape[0] - 1):
            words[word] = <uint32_t>(indptr[row + 1] - indptr[row])
            word += 1
            for entry in range(indptr[row], indptr[row + 1]):
                words[word] = <uint32_t>indices[entry]
                memcpy(&words[word + 1], &data[entry], 4)
                word += 2
