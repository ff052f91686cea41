"""From the pieces of a text to one data set in memory."""

import numpy as np

from ...data.csr import matrix_of
from ...data.dataset import Dataset

_GROWTH = 1.25


class _Growing:
    """An array that grows at its end."""

    def __init__(self, dtype):
        self._array, self._n = np.empty(1 << 10, dtype), 0

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
        for name in ("target", "weights", "query", "indices", "fields", "data"):
            values = rows.array(name)
            if values is not None:
                arrays.setdefault(name, _Growing(values.dtype)).extend(values)
        arrays["indptr"].extend(rows.array("ends") + n_entries)
        n_entries += rows.n_entries
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
