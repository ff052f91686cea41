"""Input files: what users name as one, packed or not, and what is no text that we read."""

import bz2
import gzip
import io
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from ..exceptions import FileFormatError
from ..utils.encodings import is_binary, other_encoding
from .zstd import open_zstd

# The suffix of packed files, the bytes they begin with, and what opens them.
PACKED: dict[str, tuple[bytes, Callable[..., Any]]] = {
    ".gz": (b"\x1f\x8b", gzip.open),
    ".bz2": (b"BZh", bz2.open),
    ".xz": (b"\xfd7zXZ\x00", lzma.open),
    ".zst": (b"\x28\xb5\x2f\xfd", open_zstd),
}
_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


def listed(source: Any) -> list:
    """A list of sources, from one or several."""
    sources = list(source) if isinstance(source, list | tuple) else [source]
    if not sources:
        raise ValueError("There is no file to read: the list of sources is empty.")
    return sources


def is_path(source: Any) -> bool:
    return isinstance(source, str | os.PathLike)


def name_of(source: Any) -> str:
    """For messages."""
    if is_path(source):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<file object>"


@contextmanager
def opened(source: Any) -> Iterator[tuple[BinaryIO, str]]:
    """A source as (binary file, name), unpacked if its first bytes say that it is packed.

    Parameters
    ----------
    source : path, or binary file object
        A file object is left open.
    """
    if is_path(source):
        with open(source, "rb") as file:
            yield unpacked(file), name_of(source)
        return
    if not hasattr(source, "read"):
        raise TypeError(
            f"A source must be a path, a binary file object or a list of these; got {source!r}."
        )
    if isinstance(source, io.TextIOBase):
        raise TypeError("The file must be opened in binary mode: open(path, 'rb').")
    file = source if hasattr(source, "peek") else io.BufferedReader(_Raw(source))
    yield unpacked(file), name_of(source)


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


def unpacked(file: Any) -> Any:
    """A file that has `peek`, unpacked if it is packed."""
    begin = file.peek(8)
    for magic, open_packed in PACKED.values():
        if begin.startswith(magic):
            return open_packed(file, "rb")  # type: ignore[operator]
    return file


@contextmanager
def damage_reported(name: str) -> Iterator[None]:
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


def check_text(beginning: bytes, name: str) -> None:
    """Refuse a file that does not begin as text in UTF-8 does, and say what it is.

    Parameters
    ----------
    beginning : bytes
        Some of the first, unpacked.
    name : str
        Of the file.
    """
    message = other_encoding(beginning, name)
    if message is not None:
        raise FileFormatError(message)
    if is_binary(beginning):
        raise FileFormatError(
            f"{name} is a binary file, not text: byte {beginning.index(0)} is zero. If it is of a "
            "format that can be read, name it (format=)."
        )
