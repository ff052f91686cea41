"""Tables of any columns: rows to train on or to predict, with the encoder that makes them."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import typer
from scipy import sparse

from ..estimators.tables import encoder_of_dataset
from ..io import Dataset, convert, detect_format
from ..io.data_files.convert_tables import check_every_value, column_name
from ..io.data_files.formats import DATA_FORMATS
from ..io.data_files.frames import holds_text, is_parquet, read_frame
from ..io.model_files.formats import model_format_of
from ..preprocessing import FieldEncoder
from ..preprocessing.from_dtype import contents_of
from .columns import Columns, described
from .data import column_key, read_data, standard_input, targets_of, with_features
from .estimators import EstimatorChoice
from .files import STANDARD, is_folder
from .report import Reporter

PARQUET = "parquet"


def is_table(context: typer.Context, sources: list[str], columns: Columns) -> bool:
    """Whether data have columns of more than numbers: options say so, or the first lines."""
    options = context.params
    if any(source == STANDARD or is_folder(source) for source in sources):
        if columns.are_given:
            raise ValueError(
                "Tables of text are read from files; --categorical, --multi, --missing, "
                "--min-frequency and [columns] are for them."
            )
        return False
    if options.get("format") == PARQUET or is_parquet(sources[0]):
        return True
    if options.get("n_hash") is not None or model_format_of(sources[0]) is not None:
        return False
    if options.get("format", "auto") == "auto" and not columns.are_given:
        name = detect_format(sources[0])
    else:
        name = "csv" if options["format"] == "auto" else options["format"]
    if name not in DATA_FORMATS or not DATA_FORMATS[name].is_table:
        if columns.are_given:
            raise ValueError(f"Columns have kinds in tables only; the data are {name}.")
        return False
    return columns.are_given or holds_text(sources[0], _dropped(context))


def _dropped(context: typer.Context) -> list[int | str]:
    return [column_key(column) for column in context.params.get("drop") or []]


class TrainingTable:
    """A table to train on: features, and a target.

    Parameters
    ----------
    context : typer.Context
    sources : list of str
        Files.
    columns : Columns
    """

    def __init__(self, context: typer.Context, sources: list[str], columns: Columns):
        self.columns = columns
        frame = read_frame(sources, missing=columns.missing, contents=columns.contents)
        dropped = [column_name(frame.columns, key, "--drop") for key in _dropped(context)]
        frame = frame.drop(dropped)
        target = context.params.get("target")
        if target == "none":
            raise ValueError("To train on, the data need a target; --target names its column.")
        self.target_name = column_name(
            frame.columns, 0 if target is None else column_key(target), "--target"
        )
        self.y = target_of(frame, self.target_name)
        self.frame = frame.drop(self.target_name)
        if not self.frame.columns:
            raise ValueError("There is no column but the target's.")

    def encoded(self, machine: Any) -> tuple[FieldEncoder, Dataset]:
        """The encoder for an estimator, and the rows that it makes."""
        encoder = self.columns.encoder(
            self.frame.columns, dtype=machine.dtype, n_jobs=machine.n_jobs
        )
        X = encoder.fit_transform(self.frame)
        return encoder, Dataset(X, self.y, target_name=self.target_name, format=None)


def training_data(
    context: typer.Context, sources: list[str], choice: EstimatorChoice, columns: Columns,
    reporter: Reporter,
) -> tuple[Any, Any, FieldEncoder | None]:  # fmt: skip
    """Data to train on, the estimator for them and, of a table, the encoder of its rows."""
    if not is_table(context, sources, columns):
        data = read_data(context, sources)
        return data, choice.of(targets_of(data, "The data")), encoder_of_dataset(data)
    table = TrainingTable(context, sources, columns)
    machine = choice.of(table.y)
    encoder, data = table.encoded(machine)
    reporter.facts("columns", described(encoder, table.frame))
    return data, machine, encoder


def data_for(
    context: typer.Context, sources: list[str], encoder: FieldEncoder | None, like: Any, what: str
) -> Any:
    """Further data, with targets, that an estimator trained on the data `like` takes."""
    if encoder is None or is_folder(sources[0]):
        return with_features(read_data(context, sources), like.X.shape[1], what)
    return encoded_table(context, sources, encoder, like.target_name, needs_target=True)


def data_for_model(
    context: typer.Context, sources: list[str], model: Any, *, needs_target: bool = False
) -> Any:
    """Data that a fitted estimator takes."""
    encoder = getattr(model, "encoder_", None)
    if encoder is None:
        return with_features(read_data(context, sources), model.n_features_in_, "The data")
    if is_folder(sources[0]):  # of rows that are encoded
        return read_data(context, sources)
    return encoded_table(context, sources, encoder, needs_target=needs_target)


def encoded_table(
    context: typer.Context, sources: list[str], encoder: FieldEncoder, target: str | None = None,
    *, needs_target: bool = False,
) -> Dataset:  # fmt: skip
    """Rows of files as an encoder makes them; columns that it does not know are left out.

    `target` is the target's column where no option names one; else it is the only column that the
    encoder does not know.
    """
    files = [standard_input() if source == STANDARD else source for source in sources]
    frame = read_frame(files, missing=Columns.of(context).missing, contents=contents_of(encoder))
    known = contents_of(encoder)
    if not hasattr(encoder, "feature_names_in_"):
        raise ValueError("The model knows columns by their places, and not by names.")
    others = [name for name in frame.columns if name not in known]
    option = context.params.get("target")
    if option is not None:
        target = (
            None if option == "none" else column_name(frame.columns, column_key(option), "--target")
        )
    elif target is None and len(others) == 1 and needs_target:
        target = others[0]
    if needs_target and target not in frame.columns:
        raise ValueError(
            "--target must name the column of the target; "
            + (f"the model does not know {', '.join(map(repr, others[:10]))}."
               if others else "all columns are features of the model.")
        )  # fmt: skip
    left_out = [name for name in others if name != target]
    if left_out:
        print(f"left out the columns {', '.join(left_out[:10])}, which the model does not know",
              file=sys.stderr)  # fmt: skip
    y = target_of(frame, target) if needs_target and target is not None else None
    X = encoder.transform(frame.select(name for name in frame.columns if name in known))
    return Dataset(X, y, target_name=target)


def target_of(frame: Any, name: str) -> np.ndarray:
    """The targets: numbers, bools or text."""
    values = frame[name]
    check_every_value(values)
    y = values.to_numpy() if not values.dtype.is_decimal() else values.to_numpy().astype(float)
    return y.astype(str) if y.dtype == object else y.astype(float) if y.dtype.kind in "iuf" else y


def convert_table(
    context: typer.Context, sources: list[str], folder: str, columns: Columns, *, overwrite: bool
) -> None:
    """Tables of any columns to a data set on disk, some rows at a time."""
    options: dict[str, Any] = {"drop": _dropped(context), "missing": columns.missing}
    target = context.params.get("target")
    if target is not None:
        options["target"] = None if target == "none" else column_key(target)
    encoder = FieldEncoder(columns.kinds, min_frequency=columns.min_frequency)
    convert(
        sources, folder, overwrite=overwrite, encoder=encoder, contents=columns.contents, **options
    )


def encoded_with_fields(context: typer.Context, sources: list[str], columns: Columns) -> Dataset:
    """The rows of tables of any columns, for files of other formats."""
    table = TrainingTable(context, sources, columns)
    encoder = columns.encoder(table.frame.columns)
    X = encoder.fit_transform(table.frame)
    fields = sparse.csr_array((encoder.fields_[X.indices], X.indices, X.indptr), X.shape)
    return Dataset(X, table.y, fields=fields, target_name=table.target_name)
