"""Data that commands read, of any format."""

import io
import sys
from pathlib import Path

import numpy as np

from ..data.fields import joined
from ..io import (
    Dataset,
    DiskDataset,
    detect_format,
    open_dataset,
    read_csv,
    read_libffm,
    read_libfm_binary,
    read_libsvm,
)
from ..io.files import _unpacked as unpacked
from ..training.solvers import SOLVERS

READERS = {
    "libsvm": read_libsvm,
    "libffm": read_libffm,
    "csv": read_csv,
    "libfm_binary": read_libfm_binary,
}


def read_data(sources, format="auto", *, target=None):
    """A Dataset, or a DiskDataset, from what a user names.

    Parameters
    ----------
    sources : list of str
        Files, "-" for standard input, or one folder of a data set on disk.
    format : str, default="auto"
        One of READERS; "auto" looks at the first line.
    target : int, str or None, default=None
        Of csv: the column of the target, by its number or name; None is the first.
    """
    if len(sources) == 1 and Path(sources[0]).is_dir():
        return open_dataset(sources[0])
    files = [_standard_input() if source == "-" else source for source in sources]
    if format == "auto":
        format = detect_format(files[0])
    if format not in READERS:
        raise ValueError(f"The format must be one of {', '.join(READERS)}; got {format!r}.")
    options = {}
    if target is not None:
        if format != "csv":
            raise ValueError(f"A target column is for csv; the data are {format}.")
        options["target"] = int(target) if target.lstrip("-").isdigit() else target
    if format == "libfm_binary":
        if len(files) > 1:
            raise ValueError("Of libFM's binary format, one file can be read at a time.")
        return read_libfm_binary(files[0])
    return READERS[format](files, **options)


def _standard_input():
    if sys.stdin.isatty():
        raise ValueError("- reads standard input, but nothing is piped into it.")
    raw = sys.stdin.buffer
    return unpacked(raw if hasattr(raw, "peek") else io.BufferedReader(raw))


def with_features(data, n_features, what):
    """The data with the features of a model; says on standard error what was left out."""
    if isinstance(data, DiskDataset) or data.X.shape[1] == n_features:
        return data
    X, fields = data.X.copy(), None if data.fields is None else data.fields.copy()
    X.resize(X.shape[0], n_features)
    if fields is not None:
        fields.resize(X.shape)
    n_left_out = data.X.nnz - X.nnz
    if n_left_out:
        print(
            f"{what}: left out {n_left_out} values of features that the model does not know",
            file=sys.stderr,
        )
    return Dataset(X, data.y, data.weights, fields, data.query)


def stays_on_disk(data, model):
    """Whether the model trains on, and predicts from, these data without reading all of them."""
    return isinstance(data, DiskDataset) and getattr(model, "solver", None) in SOLVERS


def rows_of(data, model):
    """X as the model takes it: a data set on disk itself, if it can stay there."""
    return data if stays_on_disk(data, model) else matrix_of(data, model)


def matrix_of(data, model):
    """X in memory, with the fields of the entries if the model wants them."""
    if getattr(model, "fields", ...) is None and data.fields is not None:
        return joined(data.X, data.fields)
    return data.X


def targets_of(data, what):
    """The targets; an error if there are none."""
    if data.y is None:
        raise ValueError(f"{what} has no targets.")
    return np.asarray(data.y)


def describe(data):
    """Facts about data, by their names."""
    X = data.X
    facts = {"rows": X.shape[0], "features": X.shape[1], "values": int(X.indptr[-1])}
    if data.y is not None and X.shape[0]:
        y = np.asarray(data.y)
        facts |= {
            "target_min": float(y.min()), "target_mean": float(y.mean()),
            "target_max": float(y.max()),
        }  # fmt: skip
    if data.fields is not None:
        facts["fields"] = int(data.fields.data.max(initial=-1)) + 1
    return facts
