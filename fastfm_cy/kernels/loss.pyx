"""The losses over whole arrays, for the training loop's baseline and for tests."""

import numpy as np


def values(LossCode loss, const double[::1] scores, const double[::1] y):
    """Loss of every sample: float64 array of shape (n_samples,)."""
    result = np.empty(scores.shape[0])
    cdef double[::1] out = result
    cdef Py_ssize_t i
    _check_lengths(scores, y)
    with nogil:
        for i in range(scores.shape[0]):
            out[i] = loss_value(loss, scores[i], y[i])
    return result


def gradients(LossCode loss, const double[::1] scores, const double[::1] y):
    """Derivative of every sample's loss by its score: float64 array of shape (n_samples,)."""
    result = np.empty(scores.shape[0])
    cdef double[::1] out = result
    cdef Py_ssize_t i
    _check_lengths(scores, y)
    with nogil:
        for i in range(scores.shape[0]):
            out[i] = loss_gradient(loss, scores[i], y[i])
    return result


cdef _check_lengths(const double[::1] scores, const double[::1] y):
    if scores.shape[0] != y.shape[0]:
        raise ValueError(f"{scores.shape[0]} scores, but {y.shape[0]} targets.")
