"""``fastfm-cy convert``: data and models into other formats."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ... import io
from ...io.data_files.disk_writer import check_output_folder
from ...io.data_files.formats import DATA_FORMATS, format_by_name
from ...io.model_files.formats import MODEL_FORMATS
from .. import options as opt
from ..columns import Columns
from ..config import Config
from ..data import read_data, reader_options
from ..files import STANDARD, check_files, is_folder
from ..models import is_model, open_model
from ..tables import convert_table, encoded_with_fields, is_table

_FOLDER = "folder"


def convert(
    context: typer.Context,
    sources: opt.Sources,
    destination: Annotated[
        str, typer.Argument(metavar="DESTINATION", help="A file, a folder, or - (with --to).")
    ],
    to: Annotated[
        str,
        typer.Option(
            help=f"{', '.join(DATA_FORMATS)} or folder (for training from disk); of models: "
            f"{', '.join(MODEL_FORMATS)}. auto: what the name's suffix says."
        ),
    ] = "auto",
    format: opt.Format = "auto",
    target: opt.Target = None,
    drop: opt.Drop = None,
    n_hash: opt.NHash = None,
    categorical: opt.Categorical = None,
    multi: opt.Multi = None,
    missing: opt.Missing = None,
    min_frequency: opt.MinFrequency = None,
    n_features: Annotated[
        int | None,
        typer.Option(min=1, help="How many features there are, as in the data of a model."),
    ] = None,
    task: opt.ModelTask = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a folder that is there.")
    ] = False,
    config: Config = None,
):
    """Convert data or a model into another format."""
    check_files(sources)
    first = sources[0]
    if len(sources) == 1 and first != STANDARD and not is_folder(first) and is_model(first):
        _convert_model(first, destination, "model" if to == "auto" else to, task)
        return
    if to == "auto":
        to = _by_name(destination)
    columns = Columns.of(context)
    holds_more_than_numbers = is_table(context, sources, columns)
    if to == _FOLDER:
        check_output_folder(destination, overwrite)
        if holds_more_than_numbers:
            convert_table(context, sources, destination, columns, overwrite=overwrite)
        else:
            _convert_to_folder(context, sources, destination, format, overwrite)
        return
    if to not in DATA_FORMATS:
        raise ValueError(f"Data can be written as {', '.join(DATA_FORMATS)} or folder.")
    row = DATA_FORMATS[to]
    if destination == STANDARD and not row.is_text:
        raise ValueError(f"{to} is written to files only; name one.")
    if destination != STANDARD:
        check_files(outputs=row.outputs_of(destination))
    data = (
        encoded_with_fields(context, sources, columns)
        if holds_more_than_numbers
        else read_data(context, sources)
    )
    row.write(sys.stdout.buffer if destination == STANDARD else destination, data)


def _convert_model(source, destination, to, task):
    if to not in MODEL_FORMATS:
        raise ValueError(f"A model can be written as {', '.join(MODEL_FORMATS)}; got {to!r}.")
    check_files(models=[destination])
    MODEL_FORMATS[to].write(open_model(source, task), destination)


def _convert_to_folder(context, sources, folder, format, overwrite):
    if STANDARD in sources or is_folder(sources[0]):
        io.convert(read_data(context, sources), folder, overwrite=overwrite)
    else:
        options = reader_options(context)
        io.convert(sources, folder, format=format, overwrite=overwrite, **options)


def _by_name(destination):
    row = format_by_name(destination)
    if row is not None:
        return row.name
    if destination == STANDARD or Path(destination).suffix:
        raise ValueError(f"{destination}: its name does not tell the format; give --to.")
    return _FOLDER
