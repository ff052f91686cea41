"""``fastfm-cy convert``: data and models into other formats."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ... import io
from .. import options as opt
from ..data import read_data
from ..models import is_model, open_model

_DATA = {
    "libsvm": io.write_libsvm,
    "libffm": io.write_libffm,
    "csv": io.write_csv,
}
_MODELS = {
    "model": io.save_model,
    "libfm_model": io.write_libfm_model,
    "xlearn_model": io.write_xlearn_model,
    "libffm_model": io.write_libffm_model,
}
_BY_SUFFIX = {
    ".libsvm": "libsvm", ".svm": "libsvm", ".libfm": "libsvm", ".libffm": "libffm",
    ".ffm": "libffm", ".csv": "csv", ".x": "libfm_binary", "": "folder",
}  # fmt: skip
_PACKED = (".gz", ".bz2", ".xz", ".zst")


def convert(
    sources: opt.Sources,
    destination: Annotated[
        str, typer.Argument(metavar="DESTINATION", help="A file, a folder, or - (with --to).")
    ],
    to: Annotated[
        str,
        typer.Option(
            help="libsvm, libffm, csv, libfm_binary, folder (for training from disk); of models: "
            "model, libfm_model, xlearn_model, libffm_model. auto: what the name's suffix says."
        ),
    ] = "auto",
    format: opt.Format = "auto",
    target: opt.Target = None,
    task: opt.ModelTask = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a folder that is there.")
    ] = False,
):
    """Convert data or a model into another format."""
    if len(sources) == 1 and sources[0] != "-" and is_model(sources[0]):
        _convert_model(sources[0], destination, "model" if to == "auto" else to, task)
        return
    if to == "auto":
        to = _by_name(destination)
    if to == "folder":
        _convert_to_folder(sources, destination, format, target, overwrite)
        return
    data = read_data(sources, format, target=target)
    if to == "libfm_binary":
        io.write_libfm_binary(destination.removesuffix(".x"), data.X, data.y, by_columns=True)
        return
    if to not in _DATA:
        raise ValueError(f"Data can be written as {', '.join(_DATA)}, libfm_binary or folder.")
    file = sys.stdout.buffer if destination == "-" else destination
    more = {"fields": data.fields} if to == "libffm" else {}
    _DATA[to](file, data.X, data.y, **more)


def _convert_model(source, destination, to, task):
    if to not in _MODELS:
        raise ValueError(f"A model can be written as {', '.join(_MODELS)}; got {to!r}.")
    _MODELS[to](open_model(source, task), destination)


def _convert_to_folder(sources, folder, format, target, overwrite):
    if "-" in sources or target is not None:
        io.convert(read_data(sources, format, target=target), folder, overwrite=overwrite)
    else:
        io.convert(sources, folder, format=format, overwrite=overwrite)


def _by_name(destination):
    path = Path(destination)
    suffix = Path(path.stem).suffix if path.suffix in _PACKED else path.suffix
    if destination == "-" or suffix not in _BY_SUFFIX:
        raise ValueError(f"{destination}: its name does not tell the format; give --to.")
    return _BY_SUFFIX[suffix]
