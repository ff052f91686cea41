"""The losses over whole arrays: for validation, the training loop's baseline, and tests."""

import numpy as np

from .settings cimport Settings


def values_and_gradients(Settings settings, const double[:, ::1] scores, const double[::1] y):
    """Loss of every sample, and its derivatives by the scores.

    Parameters
    ----------
    settings : Settings
    scores : float64 array of shape (n_samples, n_outputs)
    y : float64 array of shape (n_samples,)
        With several outputs the class of each sample, as a number from 0.

    Returns
    -------
    float64 arrays of shape (n_samples,) and (n_samples, n_outputs)
    """
    cdef Py_ssize_t n_rows = scores.shape[0], n_outputs = scores.shape[1], i
    if n_rows != y.shape[0]:
        raise ValueError(f"{n_rows} scores, but {y.shape[0]} targets.")
    if n_outputs > 1 and n_rows and not 0 <= np.min(y) <= np.max(y) < n_outputs:
        raise ValueError(f"Targets must be class numbers, 0 to {n_outputs - 1}.")
    values, gradients = np.empty(n_rows), np.empty((n_rows, n_outputs))
    cdef double[::1] value = values
    cdef double[:, ::1] gradient = gradients
    with nogil:
        for i in range(n_rows):
            value[i] = row_value_gradients(&settings.values, &scores[i, 0], n_outputs, y[i],
                                           &gradient[i, 0])
    return values, gradients
