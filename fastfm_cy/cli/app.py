"""The commands of ``fastfm-cy``; each is in the module of its name."""

import sys
import warnings
from typing import Annotated

import typer
from typer.core import TyperGroup

from .. import __version__
from .commands.convert import convert
from .commands.cv import cv
from .commands.demo import demo
from .commands.evaluate import evaluate
from .commands.explain import explain
from .commands.fit import fit
from .commands.inspect import inspect
from .commands.predict import predict
from .commands.recommend import recommend
from .compat.libffm import ffm_predict, ffm_train
from .compat.libfm import libfm

# What a user can do something about; anything else is a fault of ours and shows its traceback.
_ERRORS = (OSError, ValueError, TypeError, FloatingPointError, MemoryError, ImportError)


class Commands(TyperGroup):
    """Says errors and warnings in one line on standard error; an error exits with status 1."""

    def invoke(self, ctx):
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except BrokenPipeError:
            sys.stderr.close()  # whoever reads our output has seen enough
            sys.exit(0)
        except _ERRORS as error:
            if ctx.params.get("debug"):
                raise
            typer.secho(f"error: {error or type(error).__name__}", err=True, fg="red")
            raise typer.Exit(1) from None


def _show_warning(message, category, filename, lineno, file=None, line=None):
    typer.secho(f"warning: {message}", err=True, fg="yellow")


app = typer.Typer(
    cls=Commands,
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
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
):
    """Options that come before any command."""


for command in (fit, predict, recommend, evaluate, cv, convert, inspect, explain, demo):
    app.command()(command)
# Commands with flags of other programs parse them themselves.
_FOREIGN = {
    "add_help_option": False,
    "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True},
}
for name, command in {"libfm": libfm, "ffm-train": ffm_train, "ffm-predict": ffm_predict}.items():
    app.command(name, **_FOREIGN)(command)
