"""Numerical kernels: Cython, ``nogil``, no Python objects inside their loops.

They trust their callers: index ranges, finiteness and shapes are checked once, where data come in
(``fastfm_cy/data/``), never row by row.
"""

try:
    from . import dispatch
except ImportError as error:
    raise ImportError(
        f"The compiled kernels are missing from {__path__[0]} ({error}). This is usually a source "
        "checkout that was imported from its own folder: install it in place with "
        "'python -m pip install -e .', or start Python (or pytest) from another folder."
    ) from error

__all__ = ["dispatch"]
