"""Model file formats: each a row of one registry, which the commands share.

docs/extending/format.md says how to add one.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .container import MAGIC
from .libffm import begins_libffm_model, read_libffm_model, write_libffm_model
from .libfm import read_libfm_model, write_libfm_model
from .native import load_model, save_model
from .xlearn import read_xlearn_model, write_xlearn_model

_LOOKED_AT = 1 << 10  # bytes


@dataclass(frozen=True)
class ModelFormat:
    """How files of one format are known, read and written."""

    name: str
    title: str
    """Whose models they are."""
    knows: Callable[[bytes, int], bool]
    """Whether a file is of this format, given its first bytes and its length."""
    read: Callable[..., Any]
    """(path, parameters) -> fitted estimator"""
    write: Callable[..., None]
    """(model, path)"""
    needs_task: bool = False
    """Whether files do not tell if the model is one of regression or of classification."""


def _begins_with(*beginnings):
    return lambda beginning, n_bytes: beginning.startswith(beginnings)


_ROWS = (
    ModelFormat("model", "fastfm_cy", _begins_with(MAGIC), load_model, save_model),
    ModelFormat(
        "libfm_model", "libFM", _begins_with(b"#global bias", b"#unary", b"#pairwise"),
        read_libfm_model, write_libfm_model, needs_task=True,
    ),
    ModelFormat(
        "xlearn_model", "xLearn", _begins_with(b"bias: "), read_xlearn_model, write_xlearn_model,
        needs_task=True,
    ),
    ModelFormat(
        "libffm_model", "libffm", begins_libffm_model, read_libffm_model, write_libffm_model
    ),
)  # fmt: skip
MODEL_FORMATS = {row.name: row for row in _ROWS}


def model_format_of(path: Any) -> ModelFormat | None:
    """The format of a model file; None if it is no model file.

    Parameters
    ----------
    path : path
    """
    if os.path.isdir(path):
        return None
    with open(path, "rb") as file:
        beginning, n_bytes = file.read(_LOOKED_AT), os.fstat(file.fileno()).st_size
    return next((row for row in MODEL_FORMATS.values() if row.knows(beginning, n_bytes)), None)
