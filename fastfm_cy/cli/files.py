"""Files that commands name: looked at before any work, so that no work is lost for them."""

import os
from collections.abc import Iterable

from ..data.disk.replacing import recover_if_missing
from ..io.outputs import check_model_output, check_output

STANDARD = "-"  # input or output


def check_files(
    inputs: Iterable[str | None] = (),
    outputs: Iterable[str | None] = (),
    models: Iterable[str | None] = (),
) -> None:
    """Raise what opening the files would raise later.

    Parameters
    ----------
    inputs : names of files or folders to read
    outputs : names of files to write
    models : names of model files to write
    """
    sources = _named(inputs)
    for name in sources:
        if not is_folder(name):
            open(name, "rb").close()
    for name in _named(outputs):
        check_output(name)
    for name in _named(models):
        check_model_output(name)
    _check_different(sources, [*_named(outputs), *_named(models)])


def is_folder(name: str) -> bool:
    """Whether a data set on disk, or some other folder, has this name."""
    recover_if_missing(name)
    return os.path.isdir(name)


def _named(names: Iterable[str | None]) -> list[str]:
    return [str(name) for name in names if name is not None and name != STANDARD]


def _check_different(inputs, outputs):
    taken = {os.path.realpath(name): "is read from" for name in inputs}
    for name in outputs:
        path = os.path.realpath(name)
        # What is no ordinary file, such as /dev/null, may be named twice.
        if path in taken and (os.path.isfile(path) or not os.path.exists(path)):
            raise ValueError(f"{name} {taken[path]} as well; name another file to write to.")
        taken[path] = "is written to"
