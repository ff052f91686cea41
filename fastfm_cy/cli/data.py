"""Data that commands read, of any format."""

import io
import sys

import numpy as np
import typer

from ..data.fields import joined
from ..io import Dataset, DiskDataset, open_dataset, read
from ..io.data_files.formats import DATA_FORMATS
from ..io.model_files.formats import model_format_of
from ..training.solvers import SOLVERS
from .files import STANDARD, is_folder

# Options of commands that are those of the formats' readers, too.
_OPTIONS = ("target", "drop", "n_hash", "n_features")
_NUMBERED = 10_000_000  # features whose numbers may be held


def read_data(context: typer.Context, sources: list[str]):
    """A Dataset, or a DiskDataset, from what a user names; further options are the command's.

    Parameters
    ----------
    context : typer.Context
    sources : list of str
        Files, "-" for standard input, or one folder of a data set on disk.
    """
    options = reader_options(context)
    if len(sources) == 1 and is_folder(sources[0]):
        for name in options:
            raise ValueError(
                f"{_flag(name)} is for files; {sources[0]} was converted, with its own."
            )
        return open_dataset(sources[0])
    for source in sources:
        _refuse_model(source)
    files = [standard_input() if source == STANDARD else source for source in sources]
    return read(files, format=context.params.get("format", "auto"), **options)


def reader_options(context: typer.Context) -> dict:
    """What the command line says of how files are to be read."""
    given = {name: context.params.get(name) for name in _OPTIONS}
    options = {name: value for name, value in given.items() if value not in (None, [], ())}
    if "target" in options:
        options["target"] = None if options["target"] == "none" else column_key(options["target"])
    if "drop" in options:
        options["drop"] = [column_key(column) for column in options["drop"]]
    return options


def column_key(text: str) -> int | str:
    """A column's number or name."""
    digits = text.removeprefix("-")
    return int(text) if digits.isdecimal() and len(digits) < 10 else text


def _flag(option):
    return "--" + option.replace("_", "-")


def _refuse_model(source):
    row = None if source == STANDARD else model_format_of(source)
    if row is not None:
        raise ValueError(f"{source} is a model of {row.title}, not data.")


def standard_input():
    if sys.stdin.isatty():
        raise ValueError("- reads standard input, but nothing is piped into it.")
    raw = sys.stdin.buffer
    return raw if hasattr(raw, "peek") else io.BufferedReader(raw)


def with_features(data, n_features: int, what: str):
    """The data with the features of a model; says on standard error what was left out."""
    if isinstance(data, DiskDataset) or data.X.shape[1] == n_features:
        return data
    if data.format is not None and DATA_FORMATS[data.format].is_table:
        raise ValueError(
            f"{what}: of each row {data.X.shape[1]} features are read, but the model knows "
            f"{n_features}. If there is no target, say --target none; --drop leaves out columns."
        )
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


def stays_on_disk(data, model) -> bool:
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


def names_of_features(path: str | None, data, model):
    """Names for people: those of a file with one a line, or of the data, if the model has none;
    else numbers, as files have them."""
    if path is not None:
        with open(path, encoding="utf-8") as file:
            return [line.rstrip("\r\n") for line in file]
    if hasattr(model, "feature_names_in_") or hasattr(model, "encoder_"):
        return None
    names, n_features = getattr(data, "feature_names", None), model.n_features_in_
    if names is not None and len(names) == n_features:
        return names
    return np.arange(n_features) if n_features <= _NUMBERED else None


def targets_of(data, what: str):
    """The targets; an error if there are none."""
    if data.y is None:
        raise ValueError(f"{what}: there is no label in any row; only predictions need none.")
    return np.asarray(data.y)


def describe(data) -> dict:
    """Facts about data, by their names."""
    X = data.X
    facts = {"rows": X.shape[0], "features": X.shape[1], "values": int(X.indptr[-1])}
    if getattr(data, "target_name", None) is not None:
        facts["target"] = data.target_name
    if data.y is not None and X.shape[0]:
        facts |= _facts_of_target(np.asarray(data.y))
    if data.fields is not None:
        facts["fields"] = int(data.fields.data.max(initial=-1)) + 1
    return facts


def _facts_of_target(y):
    if y.dtype.kind not in "biuf":
        labels, counts = np.unique(y, return_counts=True)
        return {"labels": len(labels), "most_frequent": str(labels[counts.argmax()])}
    return {"target_min": float(y.min()), "target_mean": float(y.mean()),
            "target_max": float(y.max())}  # fmt: skip
