"""Models that commands read, of any format."""

from ..io import load_model, read_libfm_model, read_xlearn_model
from ..io.model_files.container import MAGIC

_TASKS = ("regression", "classification")


def is_model(path):
    """Whether a file begins as models do."""
    try:
        with open(path, "rb") as file:
            return _kind(file.read(8)) is not None
    except IsADirectoryError:
        return False


def open_model(path, task="auto", *, mmap=True):
    """A fitted estimator from a model file, ours or another program's, which wants a task.

    Parameters
    ----------
    path : path
    task : {"auto", "regression", "classification"}, default="auto"
    mmap : bool, default=True
    """
    with open(path, "rb") as file:
        kind = _kind(file.read(8))
    if kind is None or kind == "fastfm-cy":
        return load_model(path, mmap=mmap)
    if task not in _TASKS:
        raise ValueError(
            f"{path} is a model of {kind}, which does not tell its task; give --task "
            f"{' or '.join(_TASKS)}."
        )
    read = read_libfm_model if kind == "libFM" else read_xlearn_model
    return read(path, task=task)


def _kind(beginning):
    for start, kind in ((MAGIC, "fastfm-cy"), (b"#global", "libFM"), (b"#unary", "libFM"),
                        (b"#pairwis", "libFM"), (b"bias: ", "xLearn")):  # fmt: skip
        if beginning.startswith(start):
            return kind
    return None
