"""The commands and their options; what they do is in the module of the same name."""

from pathlib import Path
from typing import Annotated

import typer

from .. import __version__
from . import demo as _demo

app = typer.Typer(
    help="Factorization machines from the command line.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool):
    if wanted:
        typer.echo(f"fastfm-cy {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
):
    """Options that come before any command."""


@app.command()
def demo(
    ratings: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help="Your own ratings: user, item, rating[, timestamp] a line; csv, tsv or '::'.",
        ),
    ] = None,
    rows: Annotated[int, typer.Option(min=100, help="Rows to generate.")] = 200_000,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Decides every number.")] = 0,
    plot: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where the loss curves are drawn.")
    ] = Path("fastfm-cy-demo.png"),
    no_plot: Annotated[bool, typer.Option("--no-plot", help="Draw nothing.")] = False,
):
    """Train factorization machines and hold them against simple baselines.

    Without --ratings the data are generated, and the noise floor is known: the error of the
    model that generated them.
    """
    try:
        _demo.run(ratings, rows=rows, seed=seed, plot=None if no_plot else plot)
    except (OSError, ValueError, FloatingPointError) as error:
        typer.secho(f"error: {error}", err=True, fg="red")
        raise typer.Exit(1) from error
