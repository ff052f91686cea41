"""From files of any format to a data set on disk, in bounded memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...data.csr import matrix_of
from ...data.dataset import Dataset
from ...data.disk.dataset import DiskDataset, open_dataset
from ...data.matrix_checks import _canonical as canonical
from ...data.sample_checks import check_weights
from ...exceptions import FileFormatError
from ...kernels.matrix.scan import HAS_ZEROS, UNSORTED, scan
from ...preprocessing import FieldEncoder
from ...utils.memory import check_memory
from .convert_tables import write_table
from .disk_writer import FolderWriter
from .reading import format_of, only_path, tell_target, text_reader
from .writing import blocks, checked_fields, checked_query, checked_target, scanned_rows


def convert(
    source: Any, folder: str | Path, *, format: str = "auto", overwrite: bool = False,
    memory_budget: int | str = "256MB", on_error: str = "raise", n_jobs: int | None = None,
    encoder: FieldEncoder | None = None, **options: Any,
) -> DiskDataset:  # fmt: skip
    """Write files as a data set on disk, which estimators train on without holding it in memory.

    Rows of a matrix without fields are brought into canonical form: columns sorted, equal ones
    summed, zeros left out.

    Parameters
    ----------
    source : path, binary file object, list of these, Dataset or DiskDataset
        As the readers take it; all but libFM's .xt files are read piece by piece. With an
        `encoder`, paths of tables of any columns: text with separators, or Parquet.
    folder : path
        Where to write. It has its name only once it is whole, so what can be opened is complete.
    format : {"auto", "libsvm", "libffm", "csv", "libfm_binary"}, default="auto"
        Of the source; "auto" looks at it, as `read` does.
    overwrite : bool, default=False
        Whether `folder` may be a data set already, which is replaced, at once if the system can
        exchange two folders; else one of them is there after an interruption.
    memory_budget : int or str, default="256MB"
        Of the DiskDataset that is returned.
    on_error : {"raise", "skip"}, default="raise"
    n_jobs : int, default=None
    encoder : FieldEncoder, default=None
        What makes rows of tables. One that is not fitted learns all of them first, some at a time,
        by `partial_fit`. It is kept beside the rows: what is trained on them takes such tables.
        Needs polars (the extra ``frame``).
    **options
        Further parameters of the format's reader, such as n_features or target; with an `encoder`,
        `target` (a column's name or number, 0 by default; None for rows without one), `drop`
        (columns to leave out), `missing` (texts that are missing values, beside empty cells) and
        `contents` (for columns that are not what they look like: "text", "numbers" or "bools").

    Returns
    -------
    DiskDataset
    """
    budget = check_memory(memory_budget, "memory_budget")
    with FolderWriter(Path(folder), overwrite) as writer:
        if encoder is not None:
            write_table(writer, source, encoder, **options)
        elif isinstance(source, Dataset | DiskDataset):
            _write_datasets(writer, [source])
        else:
            row = format_of(source, format)
            if row is None or row.is_text:
                reader = text_reader(source, row, options, on_error=on_error, n_jobs=n_jobs)
                _write_text(writer, reader)
                tell_target(reader, format, options)
            else:
                row.check_options(options)
                _write_datasets(writer, row.in_pieces(only_path(source, row), options))
    return open_dataset(folder, memory_budget=budget)


def _write_text(writer, reader):
    form = reader.form
    for rows in reader:
        matrix = {name: rows.array(name) for name in ("ends", "indices", "data", "fields")}
        of_rows = {name: rows.array(name) for name in ("target", "weights", "query")}
        if matrix["fields"] is None:
            matrix = _canonical_rows(matrix, rows.largest_index + 1)
        writer.append(**matrix, **of_rows)
    first_index, n_features = form.extent(reader.least_index, reader.largest_index)
    about = _about(form.feature_names, reader.largest_field + 1)
    writer.finish(n_features, first_index, **about)


def _write_datasets(writer, datasets):
    """All rows of data sets that follow each other."""
    n_features, n_fields, names = 0, 0, None
    for dataset in datasets:
        for block in _blocks_of(dataset):
            if block["fields"] is not None:
                n_fields = max(n_fields, int(block["fields"].max(initial=-1)) + 1)
            writer.append(**block)
        n_features, names = max(n_features, dataset.X.shape[1]), dataset.feature_names
    writer.finish(n_features, **_about(names, n_fields))


def _blocks_of(dataset):
    """Some rows after the other, checked, as FolderWriter.append takes them."""
    if not dataset.X.shape[0]:
        return
    rows, flags = scanned_rows(dataset.X)
    fields = checked_fields(dataset.fields, rows)
    of_rows = {
        "target": None if dataset.y is None else checked_target(dataset.y, rows.n_rows),
        "weights": check_weights(dataset.weights, rows.n_rows),
        "query": checked_query(dataset.query, rows.n_rows),
    }
    for first, last in blocks(rows.indptr):
        begin, end = rows.indptr[first], rows.indptr[last]
        matrix = {
            "ends": rows.indptr[first + 1 : last + 1] - begin,
            "indices": rows.indices[begin:end],
            "data": rows.data[begin:end],
            "fields": None if fields is None else fields[begin:end],
        }
        if fields is None and flags & (UNSORTED | HAS_ZEROS):
            matrix = _canonical_rows(matrix, rows.n_features)
        yield matrix | {n: None if a is None else a[first:last] for n, a in of_rows.items()}


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
    ends = X.indptr[1:].astype(np.int64)
    return {"ends": ends, "indices": X.indices, "data": X.data, "fields": None}


def _about(feature_names, n_fields):
    """What the header says of names and fields, if there are any."""
    about = {} if feature_names is None else {"feature_names": list(feature_names)}
    return about | ({"n_fields": n_fields} if n_fields else {})
