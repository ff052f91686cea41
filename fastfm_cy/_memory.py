"""How much memory there is, and limits that users set."""

import os
from pathlib import Path

_UNITS = {"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}


def check_memory(max_memory):
    """A number of bytes from a number, or from a string such as "500MB"."""
    if isinstance(max_memory, str):
        number, unit = max_memory[:-2].strip(), max_memory[-2:].upper()
        try:
            max_memory = float(number) * _UNITS[unit]
        except (KeyError, ValueError):
            raise ValueError(
                f"max_memory must be a number of bytes or like '500MB'; got {max_memory!r}."
            ) from None
    if isinstance(max_memory, bool) or not isinstance(max_memory, int | float):
        raise TypeError(
            f"max_memory must be a number of bytes or like '500MB', not {max_memory!r}."
        )
    if not max_memory > 0:
        raise ValueError(f"max_memory must be positive; got {max_memory}.")
    return float(max_memory)


def free_memory():
    """Bytes that this process may still use, as far as the system tells; else infinity."""
    return min(_free_in_system(), _free_in_cgroup())


def _free_in_system():
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


def _free_in_cgroup():
    """What a container's limit leaves."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = int((folder / "memory.max").read_text())
        return float(max(0, limit - int((folder / "memory.current").read_text())))
    except (OSError, ValueError):  # no limit, or no cgroup of version 2
        return float("inf")
