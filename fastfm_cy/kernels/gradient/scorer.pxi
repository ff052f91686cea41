"""Scores of few rows with as little overhead as Python allows; included after epoch.pxi."""

import numpy as np

from libc.math cimport exp


cdef class Scorer:
    """A fitted model, ready to score rows that come one at a time or in small batches.

    Made by an estimator's ``compile()``. It keeps the model's parameters as they are now, may be
    used from several threads at once, and checks of each call only what keeps memory safe: array
    types, offsets and column numbers. Columns must not repeat within a row.
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

    def row(self, const int32_t[::1] indices, data):
        """Score one row.

        Parameters
        ----------
        indices : int32 array of shape (nnz,)
            The row's columns.
        data : array of shape (nnz,), of the model's dtype
            Their values.

        Returns
        -------
        float : the decision value of a classifier, the prediction of a regressor; with several
        classes, an ndarray of their decision values
        """
        cdef int64_t[2] indptr = [0, indices.shape[0]]
        if self._table.n_outputs > 1:
            return self.rows(np.array([0, len(indices)]), indices, data)[0]
        cdef const float[::1] narrow
        cdef const double[::1] wide
        cdef float narrow_score
        cdef double score
        self._check_columns(indices)
        if self._is_float64:
            wide = data
            self._check_length(indices, wide.shape[0])
            score_few(CSRView(&indptr[0], &indices[0], &wide[0], NULL, 0), 1, &self._table, &score)
        else:
            narrow = data
            self._check_length(indices, narrow.shape[0])
            score_few(CSRView(&indptr[0], &indices[0], &narrow[0], NULL, 0), 1, &self._table, &narrow_score)
            score = narrow_score
        return self._clipped(score)

    def rows(self, const int64_t[::1] indptr, const int32_t[::1] indices, data):
        """Score the rows of a CSR matrix.

        Parameters
        ----------
        indptr : int64 array of shape (n_rows + 1,)
        indices : int32 array of shape (nnz,)
        data : array of shape (nnz,), of the model's dtype

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes), of the model's dtype
        """
        cdef Py_ssize_t n_rows = indptr.shape[0] - 1, row
        cdef const float[::1] narrow
        cdef const double[::1] wide
        cdef float[:, ::1] narrow_scores
        cdef double[:, ::1] wide_scores
        if n_rows < 0 or indptr[0] < 0 or indptr[n_rows] > indices.shape[0]:
            raise ValueError("indptr must hold offsets into indices.")
        for row in range(n_rows):
            if indptr[row] > indptr[row + 1]:
                raise ValueError(f"indptr decreases at row {row}.")
        self._check_columns(indices)
        shape = n_rows, self._table.n_outputs
        scores = np.empty(shape, np.float64 if self._is_float64 else np.float32)
        if self._is_float64:
            wide, wide_scores = data, scores
            self._check_length(indices, wide.shape[0])
            score_few(CSRView(&indptr[0], &indices[0], &wide[0], NULL, 0), n_rows, &self._table,
                      &wide_scores[0, 0])
        else:
            narrow, narrow_scores = data, scores
            self._check_length(indices, narrow.shape[0])
            score_few(CSRView(&indptr[0], &indices[0], &narrow[0], NULL, 0), n_rows, &self._table,
                      &narrow_scores[0, 0])
        if not np.isfinite(scores).all():
            raise FloatingPointError("A score is not finite: a value is not, or is far too large.")
        if self._exponential:
            np.exp(scores, out=scores)
        scores.clip(self._low, self._high, out=scores)
        return scores if shape[1] > 1 else scores[:, 0]

    cdef _check_columns(self, const int32_t[::1] indices):
        cdef Py_ssize_t entry
        for entry in range(indices.shape[0]):
            if not 0 <= indices[entry] < self._n_features:
                raise IndexError(
                    f"entry {entry}: column {indices[entry]} is not in 0..{self._n_features - 1}."
                )

    cdef _check_length(self, const int32_t[::1] indices, Py_ssize_t n_values):
        if indices.shape[0] != n_values:
            raise ValueError(f"{indices.shape[0]} indices, but {n_values} values.")

    cdef _clipped(self, double score):
        if not isfinite(score):
            raise FloatingPointError("The score is not finite: a value is not, or far too large.")
        if self._exponential:
            score = exp(score)
        return min(max(score, self._low), self._high)


cdef int score_few(CSRView rows, Py_ssize_t n_rows, const TableView* table,
                   real* scores) except -1:
    """Like predict, without its preparations and in one width for all."""
    cdef real* scratch = <real*>new_scratch(table, 1, 0, <real>0)
    with nogil:
        predict_rows(<any_width*>NULL, rows, 0, n_rows, table[0], n_rows, scratch, scores)
        free(scratch)
    return 0
