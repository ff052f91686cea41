"""From files of any format to a data set on disk, in bounded memory."""

from pathlib import Path

import numpy as np
from scipy import sparse

from .._matrix import _canonical as canonical
from .._matrix import check_structure
from .._validation import check_choice, check_weights
from ..exceptions import FileFormatError
from ..kernels import checks
from ._files import listed, name_of, opened
from ._folder_writer import FolderWriter
from ._lines import LineReader, first_line
from ._sparse_form import SparseForm
from ._writing import blocks, checked_fields, checked_query, checked_rows, checked_target
from .csv import TableForm
from .dataset import Dataset
from .disk import in_bytes, open_dataset
from .libfm_binary import read_libfm_binary

_SNIFFED = 1 << 16  # bytes


def _libffm_form(**options):
    return SparseForm(has_fields=True, **options)


FORMS = {"libsvm": SparseForm, "libffm": _libffm_form, "csv": TableForm}
FORMATS = (*FORMS, "libfm_binary")


def detect_format(source):
    """The format of a file, by its suffix or its first line with data.

    Parameters
    ----------
    source : path, or binary file object with ``peek``

    Returns
    -------
    str
        "libsvm", "libffm", "csv" or "libfm_binary".
    """
    if Path(name_of(source)).suffix in (".x", ".xt", ".data", ".datat"):
        return "libfm_binary"
    with opened(source) as (file, name):
        line = first_line(file.peek(_SNIFFED) + b"\n")
    if line is None:
        raise FileFormatError(f"{name}: no line with data near its beginning tells the format.")
    words = line[1].split()[1:]
    entries = [word for word in words if not word.startswith(b"qid:")]
    n_colons = max((entry.split(b"#")[0].count(b":") for entry in entries[:1]), default=0)
    return {0: "csv", 1: "libsvm", 2: "libffm"}.get(n_colons, "csv")


def convert(
    source, folder, *, format="auto", overwrite=False, memory_budget="256MB", on_error="raise",
    n_jobs=None, **options,
):  # fmt: skip
    """Write files as a data set on disk, which estimators train on without holding it in memory.

    Rows of a matrix without fields are brought into canonical form: columns sorted, equal ones
    summed, zeros left out.

    Parameters
    ----------
    source : path, binary file object, list of these, or Dataset
        As the readers take it; text is read piece by piece.
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
    budget = in_bytes(memory_budget)
    with FolderWriter(Path(folder), overwrite) as writer:
        if isinstance(source, Dataset):
            _write_dataset(writer, source)
        else:
            if format == "auto":
                format = detect_format(listed(source)[0])
            check_choice(format, "format", dict.fromkeys(FORMATS))
            if format == "libfm_binary":
                _write_dataset(writer, _read_binary(source, options))
            else:
                form = FORMS[format](**options)
                _write_text(writer, LineReader(source, form, on_error=on_error, n_jobs=n_jobs))
    return open_dataset(folder, memory_budget=budget)


def _read_binary(source, options):
    sources = listed(source)
    if len(sources) > 1 or hasattr(sources[0], "read"):
        raise ValueError("Of libFM's binary format, one file by its path can be converted.")
    return read_libfm_binary(sources[0], **options)


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
    writer.finish(n_features, first_index, **_names(form.feature_names))


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
    writer.finish(rows.n_features, **_names(dataset.feature_names))


def _canonical_rows(matrix, n_columns):
    """Columns sorted and none twice, no zeros."""
    indptr = np.concatenate([[0], matrix["ends"]])
    indices, data, n_rows = matrix["indices"], matrix["data"], len(indptr) - 1
    flags, _ = checks.scan(indptr, indices, data, n_columns, 0, n_rows)
    if not flags & (checks.UNSORTED | checks.HAS_ZEROS):
        return matrix
    X = canonical(sparse.csr_array((data, indices, indptr), (n_rows, n_columns)))
    finite = np.isfinite(X.data)
    if not finite.all():
        raise FileFormatError(
            f"The values of feature {X.indices[finite.argmin()]} that are in one row add up to "
            f"more than {data.dtype} can hold."
        )
    return {"ends": X.indptr[1:].astype(np.int64), "indices": X.indices, "data": X.data}


def _names(feature_names):
    return {} if feature_names is None else {"feature_names": list(feature_names)}
