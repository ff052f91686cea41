"""Scores of few rows with as little overhead as Python allows; included after epoch.pxi."""

import numpy as np

from cython cimport final
from libc.math cimport exp


@final
cdef class Scorer:
    """A fitted model, ready to score rows that come one at a time or in small batches.

    Made by an estimator's ``compile()``. It keeps the model's parameters as they are now, may be
    used from several threads at once, and checks of each call only what keeps memory safe: array
    types, offsets and column numbers. Columns must not repeat within a row. Arrays of int32 columns
    and of values in the model's dtype, without gaps, are taken as they are; lists and all other
    arrays of numbers are converted first.
    """

    cdef object _arrays                     # keeps the table's memory alive
    cdef TableView _table
    cdef Py_ssize_t _n_features
    cdef bint _is_float64
    cdef bint _exponential
    cdef double _low, _high

    def __init__(self, arrays, Py_ssize_t n_factors, bint exponential, double low, double high,
                 Py_ssize_t n_vectors=1, Py_ssize_t degree=2):
        intercept, linear, factors = self._arrays = arrays
        cdef size_t w0 = intercept.ctypes.data, w = linear.ctypes.data, v = factors.ctypes.data
        cdef Py_ssize_t n_outputs = len(intercept)
        self._table = TableView(<void*>w0, <void*>w, <void*>v, linear.shape[1], factors.shape[1],
                                n_factors, factors.shape[1] // n_outputs, n_vectors, degree,
                                n_outputs, intercept.shape[1], linear.shape[1] // n_outputs,
                                factors.shape[1] // n_outputs, 0, False)
        self._n_features = linear.shape[0]
        self._is_float64 = linear.dtype == np.float64
        self._exponential, self._low, self._high = exponential, low, high

    def row(self, indices, data, fields=None):
        """Score one row.

        Parameters
        ----------
        indices : int array of shape (nnz,)
            The row's columns; fastest as int32.
        data : array of shape (nnz,)
            Their values; fastest in the model's dtype.
        fields : None
            For the scorers of models whose entries have fields.

        Returns
        -------
        float : the decision value of a classifier, the prediction of a regressor; with several
        classes, an ndarray of their decision values
        """
        cdef const int32_t[::1] columns
        cdef const float[::1] narrow
        cdef const double[::1] wide
        cdef int64_t[2] ends
        cdef float narrow_score
        cdef double score
        if fields is not None or self._table.n_outputs > 1:
            return self.rows((0, len(indices)), indices, data, fields)[0]
        try:
            columns = indices
        except (TypeError, ValueError):
            columns = self._converted_columns(indices)
        self._check_columns(columns)
        ends[0], ends[1] = 0, columns.shape[0]
        if self._is_float64:
            try:
                wide = data
            except (TypeError, ValueError):
                wide = _converted_values(data, np.float64)
            self._check_length(columns, wide.shape[0])
            score_few(self._view(&ends[0], &columns[0], &wide[0]), 1,
                      &self._table, &score)
        else:
            try:
                narrow = data
            except (TypeError, ValueError):
                narrow = _converted_values(data, np.float32)
            self._check_length(columns, narrow.shape[0])
            score_few(self._view(&ends[0], &columns[0], &narrow[0]), 1,
                      &self._table, &narrow_score)
            score = narrow_score
        if not isfinite(score):
            raise FloatingPointError("The score is not finite: a value is not, or far too large.")
        return self._said(score)

    def rows(self, indptr, indices, data, fields=None):
        """Score the rows of a CSR matrix, given by its arrays.

        Parameters
        ----------
        indptr : int array of shape (n_rows + 1,)
        indices : int array of shape (nnz,)
            Fastest as int32.
        data : array of shape (nnz,)
            Fastest in the model's dtype.
        fields : None
            For the scorers of models whose entries have fields.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes), of the model's dtype
        """
        cdef const int64_t[::1] ends
        cdef const int32_t[::1] columns
        cdef const float[::1] narrow
        cdef const double[::1] wide
        cdef float[:, ::1] narrow_scores
        cdef double[:, ::1] wide_scores
        cdef Py_ssize_t n_rows
        if fields is not None:
            raise ValueError("The model knows no fields; leave out fields.")
        ends = _own_offsets(indptr)
        try:
            columns = indices
        except (TypeError, ValueError):
            columns = self._converted_columns(indices)
        check_offsets(ends, columns.shape[0])
        self._check_columns(columns)
        n_rows = ends.shape[0] - 1
        shape = n_rows, self._table.n_outputs
        if self._is_float64:
            try:
                wide = data
            except (TypeError, ValueError):
                wide = _converted_values(data, np.float64)
            self._check_length(columns, wide.shape[0])
            scores = np.empty(shape, np.float64)
            wide_scores = scores
            score_few(self._view(&ends[0], &columns[0], &wide[0]), n_rows,
                      &self._table, &wide_scores[0, 0])
            self._finish(wide_scores)
        else:
            try:
                narrow = data
            except (TypeError, ValueError):
                narrow = _converted_values(data, np.float32)
            self._check_length(columns, narrow.shape[0])
            scores = np.empty(shape, np.float32)
            narrow_scores = scores
            score_few(self._view(&ends[0], &columns[0], &narrow[0]),
                      n_rows, &self._table, &narrow_scores[0, 0])
            self._finish(narrow_scores)
        return scores if self._table.n_outputs > 1 else scores[:, 0]

    cdef inline CSRView _view(self, const int64_t* ends, const int32_t* columns,
                              const void* data) noexcept:
        return CSRView(ends, columns, data, NULL, 0, NULL, <uint32_t>(self._n_features - 1))

    def _converted_columns(self, indices):
        """Columns of another type or order in memory, as int32."""
        array = _integers(indices, "indices")
        outside = (array < 0) | (array >= self._n_features)
        if outside.any():
            entry = outside.argmax()
            raise IndexError(
                f"entry {entry}: column {array[entry]} is not in 0..{self._n_features - 1}."
            )
        return np.ascontiguousarray(array, dtype=np.int32)

    cdef inline int _check_columns(self, const int32_t[::1] columns) except -1:
        cdef Py_ssize_t entry
        for entry in range(columns.shape[0]):
            if not 0 <= columns[entry] < self._n_features:
                raise IndexError(
                    f"entry {entry}: column {columns[entry]} is not in 0..{self._n_features - 1}."
                )
        return 0

    cdef inline int _check_length(self, const int32_t[::1] columns, Py_ssize_t n_values) except -1:
        if columns.shape[0] != n_values:
            raise ValueError(f"{columns.shape[0]} indices, but {n_values} values.")
        return 0

    cdef inline double _said(self, double score) noexcept:
        """What the model says, given a score that is finite."""
        if self._exponential:
            score = exp(score)
        return min(max(score, self._low), self._high)

    cdef int _finish(self, real[:, ::1] scores) except -1:
        """What the model says, in place of scores."""
        cdef Py_ssize_t row, output
        for row in range(scores.shape[0]):
            for output in range(scores.shape[1]):
                if not isfinite(scores[row, output]):
                    raise FloatingPointError(
                        f"The score of row {row} is not finite: a value is not, or far too large."
                    )
                scores[row, output] = <real>self._said(scores[row, output])
        return 0


def _integers(numbers, name):
    """A 1-dimensional array of integers."""
    array = np.asarray(numbers)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise TypeError(
            f"{name} must be a 1-dimensional array of integers; got shape {array.shape}, "
            f"{array.dtype}."
        )
    return array


def _own_offsets(indptr):
    """int64, and a copy, so that what is checked is what is used."""
    return np.array(_integers(indptr, "indptr"), dtype=np.int64)


def _converted_values(data, dtype):
    """Values of another type or order in memory."""
    array = np.asarray(data)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "biuf"):
        raise TypeError(
            f"data must be a 1-dimensional array of numbers; got shape {array.shape}, "
            f"{array.dtype}."
        )
    with np.errstate(over="ignore"):  # the score is not finite then
        return np.ascontiguousarray(array, dtype=dtype)


cdef int check_offsets(const int64_t[::1] indptr, Py_ssize_t n_entries) except -1:
    cdef Py_ssize_t row, n_rows = indptr.shape[0] - 1
    if n_rows < 0 or indptr[0] < 0 or indptr[n_rows] > n_entries:
        raise ValueError("indptr must hold offsets into indices.")
    for row in range(n_rows):
        if indptr[row] > indptr[row + 1]:
            raise ValueError(f"indptr decreases at row {row}.")
    return 0


cdef int score_few(CSRView rows, Py_ssize_t n_rows, const TableView* table,
                   real* scores) except -1:
    """Like predict, without its preparations and in one width for all."""
    cdef real* scratch = <real*>new_scratch(table, 1, 0, <real>0)
    cdef bint done
    with nogil:
        done = predict_rows(<any_width*>NULL, rows, 0, n_rows, table[0], n_rows, scratch, scores)
        free(scratch)
    if not done:
        raise MemoryError(_NO_MEMORY)
    return 0
