"""Files that are there whole or not at all: written beside their place, then renamed."""

import os
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_aside(path, mode="wb", **options):
    """Open a file to write that takes the place of `path` at the end, if there was no error.

    Pipes and devices such as /dev/stdout are written to directly.

    Parameters
    ----------
    path : path
    mode : {"wb", "w"}
    **options
        As `open` has them.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        with open(path, mode, **options) as file:
            yield file
        return
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(aside, mode, **options) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
