"""Names aside: what is not whole yet has one beside its own, and a lock on it while it is written.

What a process that was killed left there can so be told from what another one is writing.
"""

import os
import re
import secrets
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_LONGEST = 60  # characters of the own name in that aside, which must not become too long


def aside_of(path: Path) -> Path:
    """A name beside `path` that nothing has."""
    return path.with_name(f".{path.name[:_LONGEST]}.{secrets.token_hex(4)}.part")


def leftovers_of(path: Path) -> list[Path]:
    """What was written aside for `path` and is there, in use or not."""
    name = re.compile(rf"\.{re.escape(path.name[:_LONGEST])}\.[0-9a-f]{{8}}\.part")
    try:
        with os.scandir(path.parent) as entries:
            return [path.with_name(entry.name) for entry in entries if name.fullmatch(entry.name)]
    except OSError:
        return []


def hold_lock(descriptor: int) -> bool | None:
    """Lock an open file or folder until it is closed, or the process ends, however it does.

    Returns
    -------
    bool or None
        False if another open file holds the lock; None if there are no locks here.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
