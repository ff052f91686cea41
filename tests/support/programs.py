"""Python code that a test runs in a process of its own."""

import sys
import textwrap
from pathlib import Path

# Where such a process starts: not in a source checkout, whose `fastfm_cy` has no kernels when the
# installed package is what is tested, but `python -c` would find it first.
ELSEWHERE = Path(__file__).resolve().parent


def python(code, *arguments):
    """The command that runs `code`."""
    return [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
