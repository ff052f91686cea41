"""From the pieces of a text to one data set in memory."""

from contextlib import suppress

import numpy as np

from ...data.csr import matrix_of
from ...data.dataset import Dataset

_GROWTH = 1.25
_MARGIN = 1.02  # of the guess from the first piece


class _Growing:
    """An array that grows at its end."""

    def __init__(self, dtype):
        self._array, self._n = np.empty(1 << 10, dtype), 0

    def reserve(self, n):
        """Room for n numbers, of which there are none yet; what is not used costs nothing."""
        if n > len(self._array):
            with suppress(MemoryError):  # it was a guess
                self._array = np.empty(n, self._array.dtype)

    def extend(self, values):
        n = self._n + len(values)
        if n > len(self._array):
            self._array.resize(max(n, int(_GROWTH * len(self._array))), refcheck=False)
        self._array[self._n : n] = values
        self._n = n

    def finish(self):
        self._array.resize(self._n, refcheck=False)
        return self._array


def collected(reader, format=None):
    """The Dataset of all rows that a LineReader reads; `format` is its format's name."""
    arrays, n_entries = {"indptr": _Growing(np.int64)}, 0
    arrays["indptr"].extend([0])
    for rows in reader:
        # New memory is best had at once: growing clears it, and may copy what is there.
        scale = 0 if n_entries else _MARGIN * reader.n_bytes / len(rows.text)
        for name in ("target", "weights", "query", "indices", "fields", "data"):
            values = rows.array(name)
            if values is not None:
                array = arrays.setdefault(name, _Growing(values.dtype))
                if scale > 1:
                    array.reserve(int(scale * len(values)))
                array.extend(values)
        arrays["indptr"].extend(rows.array("ends") + n_entries)
        n_entries += rows.n_entries
        reader.take_back(rows)
    arrays = {name: array.finish() for name, array in arrays.items()}
    form = reader.form
    first_index, n_features = form.extent(reader.least_index, reader.largest_index)
    if first_index:
        arrays["indices"] -= first_index
    shape = len(arrays["indptr"]) - 1, n_features
    X = matrix_of(arrays["data"], arrays["indices"], arrays["indptr"], shape)
    fields = arrays.get("fields")
    if fields is not None:
        # Columns of its own: sorting X in place must not disturb it.
        fields = matrix_of(fields, X.indices.copy(), arrays["indptr"], shape)
    return Dataset(
        X,
        arrays.get("target"),
        weights=arrays.get("weights"),
        fields=fields,
        query=arrays.get("query"),
        feature_names=form.feature_names,
        skipped=reader.skipped,
        n_skipped=reader.n_skipped,
        target_name=form.target_name,
        format=format,
    )
