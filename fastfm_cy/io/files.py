"""Opening what users name as a file, packed or not, and writing files whole or not at all."""

import bz2
import gzip
import io
import lzma
import os
import secrets
import shutil
import stat
import zlib
from contextlib import contextmanager
from pathlib import Path

from ..exceptions import FileFormatError
from .zstd import open_zstd

# The suffix of packed files, the bytes they begin with, and what opens them.
_PACKED = {
    ".gz": (b"\x1f\x8b", gzip.open),
    ".bz2": (b"BZh", bz2.open),
    ".xz": (b"\xfd7zXZ\x00", lzma.open),
    ".zst": (b"\x28\xb5\x2f\xfd", open_zstd),
}
_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


def listed(source):
    """A list of sources, from one or several."""
    sources = list(source) if isinstance(source, list | tuple) else [source]
    if not sources:
        raise ValueError("There is no file to read: the list of sources is empty.")
    return sources


def name_of(source):
    """For messages."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<file object>"


@contextmanager
def opened(source):
    """A source as (binary file, name), unpacked if its first bytes say that it is packed.

    Parameters
    ----------
    source : path, or binary file object
        A file object is left open.
    """
    if isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:
            yield _unpacked(file), name_of(source)
        return
    if not hasattr(source, "read"):
        raise TypeError(
            f"A source must be a path, a binary file object or a list of these; got {source!r}."
        )
    if isinstance(source, io.TextIOBase):
        raise TypeError("The file must be opened in binary mode: open(path, 'rb').")
    file = source if hasattr(source, "peek") else io.BufferedReader(_Raw(source))
    yield _unpacked(file), name_of(source)


class _Raw(io.RawIOBase):
    """What has only `read`, as io wants it."""

    def __init__(self, file):
        self._file = file

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self._file.read(len(buffer))
        if not isinstance(data, bytes | bytearray):
            raise TypeError(f"The file object must give bytes, not {type(data).__name__}.")
        buffer[: len(data)] = data
        return len(data)


def _unpacked(file):
    begin = file.peek(8)
    for magic, open_packed in _PACKED.values():
        if begin.startswith(magic):
            return open_packed(file, "rb")
    return file


@contextmanager
def damage_reported(name):
    """Tell of damaged packed files as of all other files with a wrong format."""
    try:
        yield
    except Exception as error:
        # bz2 raises an OSError that no system call made.
        is_of_bz2 = isinstance(error, OSError) and error.errno is None
        if isinstance(error, _DAMAGED) or is_of_bz2 or type(error).__name__ == "ZstdError":
            raise FileFormatError(
                f"{name}: the packed file is damaged or truncated ({error})."
            ) from error
        raise


@contextmanager
def written_aside(target):
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
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        with open(path, "wb") as file:
            yield file
        return
    aside = aside_of(path)
    try:
        with open(aside, "xb") as file:
            if path.suffix in _PACKED:
                with _PACKED[path.suffix][1](file, "wb") as packed:
                    yield packed
            else:
                yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, aside)
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


@contextmanager
def model_written_aside(path):
    """As `written_aside`, for models, which are never packed."""
    if Path(path).suffix in _PACKED:
        raise ValueError(f"Models are not packed; choose another suffix than that of {path}.")
    with written_aside(path) as file:
        yield file


def aside_of(path):
    """A name beside `path` that nothing has."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
