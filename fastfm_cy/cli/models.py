"""Models that commands read, of any format."""

from typing import Any

from ..exceptions import ModelFileError
from ..io import load_model
from ..io.model_files.formats import MODEL_FORMATS, model_format_of

_TASKS = ("regression", "classification")


def is_model(path: str) -> bool:
    """Whether a file is of a format of models."""
    return model_format_of(path) is not None


def open_model(path: str, task: str = "auto") -> Any:
    """A fitted estimator from a model file, ours or another program's, which may want a task.

    Parameters
    ----------
    path : path
    task : {"auto", "regression", "classification"}, default="auto"
    """
    row = model_format_of(path)
    if row is None:
        titles = ", ".join(row.title for row in MODEL_FORMATS.values())
        raise ModelFileError(f"{path} is no model file of any known kind ({titles}).")
    if not row.needs_task:
        # Pages of our own files are read when they are used, by all processes together.
        return row.read(path, mmap=True) if row.read is load_model else row.read(path)
    if task not in _TASKS:
        raise ValueError(
            f"{path} is a model of {row.title}, which does not tell its task; give --task "
            f"{' or '.join(_TASKS)}."
        )
    return row.read(path, task=task)
