"""Options from a TOML file (``--config``)."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..io.files import check_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PARAMETERS = "parameters"  # the table with parameters of the estimator
COLUMNS = "columns"  # that with the kinds of a table's columns


def _load(context: typer.Context, path: Path | None):
    """Make the file's values the defaults of the command's options."""
    if path is None:
        return
    content = path.read_bytes()
    check_text(content, str(path))
    try:
        values = tomllib.loads(content.decode())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    context.meta[COLUMNS] = values.pop(COLUMNS, {})
    values = {name.replace("-", "_"): value for name, value in values.items()}
    context.meta[_PARAMETERS] = values.pop(_PARAMETERS, {})
    known = {parameter.name for parameter in context.command.params} - {"config", "settings"}
    unknown = values.keys() - known
    if unknown:
        raise ValueError(
            f"{path} has an unknown option {min(unknown)!r}; known are {', '.join(sorted(known))}, "
            f"and the tables [{_PARAMETERS}] with parameters of the estimator and [{COLUMNS}] with "
            "kinds of columns."
        )
    context.default_map = values


Config = Annotated[
    Path | None,
    typer.Option(
        "--config", callback=_load, is_eager=True, dir_okay=False,
        help="TOML file: options as keys, the estimator's in the table 'parameters', kinds of "
        "columns in 'columns'.",
    ),
]  # fmt: skip


def configured_parameters(context):
    """The table of parameters in the file."""
    return {
        name.replace("-", "_"): value for name, value in context.meta.get(_PARAMETERS, {}).items()
    }


def value_of(text):
    """A value as in TOML; a bare word is a string, none is None."""
    if text.lower() == "none":
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        return text
