"""The losses over whole arrays, for the training loop's baseline and for tests."""

import numpy as np


def values_and_gradients(LossCode loss, const double[::1] scores, const double[::1] y):
    """Loss of every sample, and its derivative by the score: float64 arrays, shape (n_samples,)."""
    if scores.shape[0] != y.shape[0]:
        raise ValueError(f"{scores.shape[0]} scores, but {y.shape[0]} targets.")
    values, gradients = np.empty(scores.shape[0]), np.empty(scores.shape[0])
    cdef double[::1] value = values
    cdef double[::1] gradient = gradients
    cdef Py_ssize_t i
    with nogil:
        for i in range(scores.shape[0]):
            value[i] = loss_value_gradient(loss, scores[i], y[i], &gradient[i])
    return values, gradients
