"""The command line, ``fastfm-cy``; needs the extra ``cli``."""

import sys


def main():
    """Entry point of the ``fastfm-cy`` command."""
    try:
        from .app import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich", "tomli"):
            raise
        sys.exit(
            f"fastfm-cy needs {error.name}, which is not installed: "
            "python -m pip install 'fastfm_cy[cli]'"
        )
    app(prog_name="fastfm-cy")
