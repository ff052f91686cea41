"""Output files: written aside and renamed when they are whole, tried before the work for them.

What a process that was killed left aside is removed by the next one that writes to that name. So
that no file in use is taken for such, whoever writes holds a lock on it.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ..utils.asides import aside_of, hold_lock, leftovers_of
from .files import PACKED


@contextmanager
def written_aside(target: Any) -> Iterator[BinaryIO]:
    """A binary file to write to, which takes its name only once it is whole.

    Its suffix (.gz, .bz2, .xz, .zst) says whether to pack it. After an error there is no file, or
    still the one before.

    Parameters
    ----------
    target : path, or binary file object
        A file object, and what is no ordinary file, is written to directly.
    """
    if hasattr(target, "write"):
        yield target
        return
    path = Path(os.path.realpath(target))
    if _is_special(path):
        with open(path, "wb") as file:
            yield file
        return
    _remove_leftovers(path)
    with _aside(path, target) as (file, aside):
        with _packed(file, path) as content:
            yield content
        file.flush()
        os.fsync(file.fileno())
        if os.name == "nt":  # no open file is renamed there; elsewhere the lock lasts until it is
            file.close()
        if path.exists():
            shutil.copymode(path, aside)
        os.replace(aside, path)


@contextmanager
def model_written_aside(path: Any) -> Iterator[BinaryIO]:
    """As `written_aside`, for models, which are never packed."""
    _refuse_packing(path)
    with written_aside(path) as file:
        yield file


def check_output(target: Any) -> None:
    """Raise what `written_aside` would raise when all the work is done; nothing is changed."""
    path = Path(os.path.realpath(target))
    if _is_special(path):
        if not os.access(path, os.W_OK):
            raise PermissionError(f"{target} cannot be written to.")
        return
    with _aside(path, target) as (file, _), _packed(file, path):
        pass


def check_model_output(path: Any) -> None:
    """As `check_output`, for `model_written_aside`."""
    _refuse_packing(path)
    check_output(path)


def _refuse_packing(path):
    if Path(path).suffix in PACKED:
        raise ValueError(f"Models are not packed; choose another suffix than that of {path}.")


def _is_special(path):
    """Whether it is there and neither a file nor a folder, which cannot be written to."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file.")
    return path.exists() and not stat.S_ISREG(path.stat().st_mode)


@contextmanager
def _aside(path, target):
    """A new file beside `path`, and its name; afterwards it is gone, unless it was renamed."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{target} cannot be written: there is no folder {path.parent}.")
    file, aside = _created(path, target)
    try:
        with file:
            yield file, aside
    finally:
        aside.unlink(missing_ok=True)


def _created(path, target):
    """A new file aside, and its name; locked, and still there, as nobody took it for a leftover."""
    while True:
        aside = aside_of(path)
        try:
            file = open(aside, "xb")  # noqa: SIM115
        except OSError as error:
            raise type(error)(
                error.errno, f"{target} cannot be written: {error.strerror}"
            ) from None
        if hold_lock(file.fileno()) is not False and aside.exists():
            return file, aside
        file.close()


@contextmanager
def _packed(file, path):
    if path.suffix not in PACKED:
        yield file
        return
    with PACKED[path.suffix][1](file, "wb") as packed:
        yield packed


def _remove_leftovers(path):
    for left in leftovers_of(path):
        try:
            with open(left, "rb") as file:
                if hold_lock(file.fileno()):
                    left.unlink()
        except OSError:  # a folder, another's, or gone already
            continue
