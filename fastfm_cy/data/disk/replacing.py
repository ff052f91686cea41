"""Replacing a data set's folder by another, so that at any moment there is one of that name.

Where the system can exchange two names at once, it does. Elsewhere the folder before is renamed to
a name that its own decides, and `recover` brings it back if the process ended before the new one
had taken its place.
"""

import ctypes
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from ...utils.asides import aside_of
from .folder import HEADER

_AT_CURRENT_FOLDER = -100
_RENAME_EXCHANGE = 2  # renameat2's flag; renamex_np's RENAME_SWAP is the same number
_ATTEMPTS = 5


def put_in_place(aside: Path, folder: Path) -> None:
    """Give the folder `aside` the name `folder`; a data set that has it is removed.

    Parameters
    ----------
    aside : Path
        A whole data set, beside `folder`.
    folder : Path
        What is there is a data set, or nothing.
    """
    for _ in range(_ATTEMPTS):
        recover(folder)
        if not folder.exists():
            try:
                os.rename(aside, folder)
            except FileExistsError:  # somebody else was faster
                continue
            return
        if _exchange(aside, folder):
            shutil.rmtree(aside, ignore_errors=True)
            return
        before = _before(folder)
        os.rename(folder, before)
        try:
            os.rename(aside, folder)
        except OSError:  # somebody opened it meanwhile, and so brought it back
            recover(folder)
            continue
        _remove_before(folder)
        return
    raise FileExistsError(f"{folder} is being written by others; try again, or another name.")


def recover(folder: Path) -> None:
    """Finish what a process that replaced `folder` did not, if it ended in between."""
    before = _before(folder)
    if not (before / HEADER).exists():
        return
    if folder.exists():
        _remove_before(folder)
        return
    try:
        os.rename(before, folder)
    except OSError as error:
        if not folder.exists():
            raise type(error)(
                error.errno,
                f"{folder} is not there, as writing it was interrupted; the data set before is "
                f"{before}, rename it",
            ) from None


def recover_if_missing(folder: Any) -> None:
    """`recover`, of what a user names; links are followed."""
    if not os.path.exists(folder):
        recover(Path(os.path.realpath(folder)))


def _remove_before(folder: Path) -> None:
    """First to a name of leftovers, lest a part of it stays where a whole is looked for."""
    aside = aside_of(folder)
    os.rename(_before(folder), aside)
    shutil.rmtree(aside, ignore_errors=True)


def _before(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.before")


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names; False if the system, or the file system, cannot."""
    names = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            return library.renamex_np(*names, _RENAME_EXCHANGE) == 0
        here = _AT_CURRENT_FOLDER
        return library.renameat2(here, names[0], here, names[1], _RENAME_EXCHANGE) == 0
    except (AttributeError, OSError, TypeError):  # there is no such function, or no library
        return False
