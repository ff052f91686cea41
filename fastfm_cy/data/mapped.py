"""Arrays in mapped files, which may be cut while they are in use: no signal ends the process."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from ..kernels.common.mapped import Guard

_guards: dict[Guard, str] = {}


def mapped(file: Any, dtype: Any, mode: Any, offset: int, shape: tuple[int, ...]) -> np.memmap:
    """np.memmap of an array that is not empty.

    What a cut file no longer has reads as NaN, which whoever uses numbers finds. Of whole numbers,
    and of what stood in the page that has the file's end now, it reads as 0.
    """
    array = np.memmap(file, dtype, mode, offset, shape)
    content = array.view(np.ndarray).reshape(-1).view(np.uint8)
    guard = Guard(content, array.dtype.kind == "f")
    _guards[guard] = str(array.filename)
    weakref.finalize(array._mmap, _release, guard)  # type: ignore[attr-defined]
    return array


def _release(guard: Guard) -> None:
    guard.release()
    del _guards[guard]


def cut_files() -> list[str]:
    """The names of mapped files that turned out to be cut."""
    return sorted({name for guard, name in _guards.copy().items() if guard.is_cut})
