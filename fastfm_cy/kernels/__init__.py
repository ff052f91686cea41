"""The numerical kernels: Cython, ``nogil``, no Python objects inside their loops.

They trust their callers: index ranges, finiteness and shapes are checked once by the
estimators (``fastfm_cy/_matrix.py``), never row by row.
"""

try:
    from . import checks, fields, loss, replicas, settings
except ImportError as error:
    raise ImportError(
        f"The compiled kernels are missing from {__path__[0]} ({error}). This is usually a source "
        "checkout that was imported from its own folder: install it in place with "
        "'python -m pip install -e .', or start Python (or pytest) from another folder."
    ) from error

from .dispatch import anova, coordinate, ffm, fm, fwfm

__all__ = [
    "anova",
    "checks",
    "coordinate",
    "ffm",
    "fields",
    "fm",
    "fwfm",
    "loss",
    "replicas",
    "settings",
]
