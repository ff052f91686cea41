"""Memory: how much there is, limits that users set, arrays that start on a cache line."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from .checks import shown

CACHE_LINE = 64  # bytes
_RELEASED = 1 << 20  # fewer bytes are not worth the call
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None

_UNITS = {
    "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40,
}  # fmt: skip


def aligned_zeros(shape: tuple[int, ...], dtype: Any, *, has_gaps: bool = False) -> np.ndarray:
    """Zeros whose first element lies on a cache line.

    If the array `has_gaps`, places here and there are written to, and only these take memory.
    """
    dtype = np.dtype(dtype)
    n_bytes = int(np.prod(shape, dtype=object)) * dtype.itemsize
    buffer = (_small_pages if has_gaps else _zeros)(n_bytes + CACHE_LINE)
    offset = -buffer.ctypes.data % CACHE_LINE
    return buffer[offset : offset + n_bytes].view(dtype).reshape(shape)


def _zeros(n_bytes: int) -> np.ndarray:
    return np.zeros(n_bytes, dtype=np.uint8)


def _small_pages(n_bytes: int) -> np.ndarray:
    """Memory in the smallest pages there are; NumPy asks for huge ones."""
    if not hasattr(mmap, "MAP_PRIVATE"):
        return _zeros(n_bytes)
    try:
        pages = mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError(f"No address space for {n_bytes / 1e9:,.1f} GB.") from error
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        with contextlib.suppress(OSError):  # of a kernel without huge pages
            pages.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(pages, dtype=np.uint8)


def release(array: np.ndarray) -> None:
    """Give back the memory of part of an array, all of whose numbers are of no more use.

    Of whole pages, where the system can; they read as zeros then.
    """
    if _libc is None or not array.flags.c_contiguous:
        return
    start = -(-array.ctypes.data // mmap.PAGESIZE) * mmap.PAGESIZE
    end = (array.ctypes.data + array.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE
    n_bytes = end - start  # the system would round up
    if n_bytes >= _RELEASED:
        _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(n_bytes), mmap.MADV_DONTNEED)


def check_memory(value: Any, name: str = "max_memory") -> int:
    """A number of bytes of at least 1 from a number, or a string such as "500MB" or "1.5 GiB"."""
    number, unit = value, 1
    if isinstance(value, str):
        text = value.strip().upper()
        suffix = next((suffix for suffix in _UNITS if text.endswith(suffix)), "")
        number, unit = text.removesuffix(suffix), _UNITS.get(suffix, 1)
    try:
        if isinstance(value, bool):
            raise TypeError
        n_bytes = int(float(number) * unit)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"{name} must be a number of bytes or like '500MB'; got {shown(value)}."
        ) from None
    if n_bytes < 1:
        raise ValueError(f"{name} must be positive, a byte at least; got {shown(value)}.")
    return n_bytes


def free_memory() -> float:
    """Bytes that this process may still use, as far as the system tells; else infinity."""
    return min(_free_in_system(), _free_in_cgroup())


def _free_in_system() -> float:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    except (OSError, ValueError, IndexError):
        pass
    for name in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"):
        try:
            return float(os.sysconf(name) * os.sysconf("SC_PAGE_SIZE"))
        except (AttributeError, ValueError, OSError):
            continue
    return float("inf")


def _free_in_cgroup() -> float:
    """What a container's limit leaves."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = int((folder / "memory.max").read_text())
        return float(max(0, limit - int((folder / "memory.current").read_text())))
    except (OSError, ValueError):  # no limit, or no cgroup of version 2
        return float("inf")
