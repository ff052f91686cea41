"""From files of any format to a data set on disk, in bounded memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from ...data.csr import matrix_of
from ...data.disk.dataset import DiskDataset, open_dataset
from ...data.matrix_checks import _canonical as canonical
from ...data.matrix_checks import check_structure
from ...data.sample_checks import check_weights
from ...exceptions import FileFormatError
from ...kernels.matrix.scan import HAS_ZEROS, UNSORTED, scan
from ...utils.memory import check_memory
from .dataset import Dataset
from .disk_writer import FolderWriter
from .formats import is_binary, only_path, text_reader
from .libfm_binary import is_by_columns, matrix_path, matrix_pieces, read_libfm_binary, read_targets
from .writing import blocks, checked_fields, checked_query, checked_rows, checked_target


def convert(
    source: Any, folder: str | Path, *, format: str = "auto", overwrite: bool = False,
    memory_budget: int | str = "256MB", on_error: str = "raise", n_jobs: int | None = None,
    **options: Any,
) -> DiskDataset:  # fmt: skip
    """Write files as a data set on disk, which estimators train on without holding it in memory.

    Rows of a matrix without fields are brought into canonical form: columns sorted, equal ones
    summed, zeros left out.

    Parameters
    ----------
    source : path, binary file object, list of these, or Dataset
        As the readers take it; all but libFM's .xt files are read piece by piece.
    folder : path
        Where to write. It has its name only once it is whole, so what can be opened is complete.
    format : {"auto", "libsvm", "libffm", "csv", "libfm_binary"}, default="auto"
        Of the source; "auto" looks at its first line.
    overwrite : bool, default=False
        Whether `folder` may be a data set already, which is replaced.
    memory_budget : int or str, default="256MB"
        Of the DiskDataset that is returned.
    on_error : {"raise", "skip"}, default="raise"
    n_jobs : int, default=None
    **options
        Further parameters of the format's reader, such as n_features or target.

    Returns
    -------
    DiskDataset
    """
    budget = check_memory(memory_budget, "memory_budget")
    with FolderWriter(Path(folder), overwrite) as writer:
        if isinstance(source, Dataset):
            _write_dataset(writer, source)
        elif is_binary(source, format):
            _write_binary(writer, only_path(source), **options)
        else:
            reader = text_reader(source, format, options, on_error=on_error, n_jobs=n_jobs)
            _write_text(writer, reader)
    return open_dataset(folder, memory_budget=budget)


def _write_text(writer, reader):
    form = reader.form
    for rows in reader:
        matrix = {name: rows.array(name) for name in ("ends", "indices", "data", "fields")}
        of_rows = {name: rows.array(name) for name in ("weights", "query")}
        target = rows.array("target") if form.has_target else None
        if matrix["fields"] is None:
            matrix = _canonical_rows(matrix, rows.largest_index + 1)
        writer.append(**matrix, **of_rows, target=target)
    first_index, n_features = form.extent(reader.least_index, reader.largest_index)
    about = _about(form.feature_names, reader.largest_field + 1)
    writer.finish(n_features, first_index, **about)


def _write_binary(writer, name, target=None):
    path = matrix_path(name)
    if is_by_columns(path):
        _write_dataset(writer, read_libfm_binary(path, target))
        return
    n_columns = 0
    for data, indices, indptr, n_columns in matrix_pieces(path):
        matrix = {"ends": indptr[1:], "indices": indices, "data": data, "fields": None}
        writer.append(**_canonical_rows(matrix, n_columns))
    writer.append_targets(read_targets(path, target, writer.n_rows))
    writer.finish(n_columns)


def _write_dataset(writer, dataset):
    X = sparse.csr_array(check_structure(dataset.X))
    rows = checked_rows(X)
    y = None if dataset.y is None else checked_target(dataset.y, rows.n_rows)
    weights, query = check_weights(dataset.weights, rows.n_rows), dataset.query
    query = checked_query(query, rows.n_rows)
    fields = checked_fields(dataset.fields, rows)
    for first, last in blocks(rows.indptr):
        begin, end = rows.indptr[first], rows.indptr[last]
        matrix = {
            "ends": rows.indptr[first + 1 : last + 1] - begin,
            "indices": rows.indices[begin:end],
            "data": rows.data[begin:end],
            "fields": None if fields is None else fields[begin:end],
        }
        if fields is None:
            matrix = _canonical_rows(matrix, rows.n_features)
        of_rows = {"target": y, "weights": weights, "query": query}
        of_rows = {n: None if a is None else a[first:last] for n, a in of_rows.items()}
        writer.append(**matrix, **of_rows)
    n_fields = 0 if fields is None else int(fields.max(initial=-1)) + 1
    writer.finish(rows.n_features, **_about(dataset.feature_names, n_fields))


def _canonical_rows(matrix, n_columns):
    """Columns sorted and none twice, no zeros."""
    indptr = np.concatenate([[0], matrix["ends"]])
    indices, data, n_rows = matrix["indices"], matrix["data"], len(indptr) - 1
    flags, _ = scan(indptr, indices, data, n_columns, 0, n_rows)
    if not flags & (UNSORTED | HAS_ZEROS):
        return matrix
    X = canonical(matrix_of(data, indices, indptr, (n_rows, n_columns)))
    finite = np.isfinite(X.data)
    if not finite.all():
        raise FileFormatError(
            f"The values of feature {X.indices[finite.argmin()]} that are in one row add up to "
            f"more than {data.dtype} can hold."
        )
    return {"ends": X.indptr[1:].astype(np.int64), "indices": X.indices, "data": X.data}


def _about(feature_names, n_fields):
    """What the header says of names and fields, if there are any."""
    about = {} if feature_names is None else {"feature_names": list(feature_names)}
    return about | ({"n_fields": n_fields} if n_fields else {})
