"""zstd files: Python's own module from 3.14 on, else the package zstandard."""

import io

_FRAME, _SKIPPABLE = 0xFD2FB528, 0x184D2A50  # magic numbers; of the latter, the last four bits vary
_READ = 1 << 16  # bytes of a frame that is skipped, at a time


def open_zstd(file, mode):
    """As gzip.open, of a binary file."""
    try:
        from compression import zstd
    except ImportError:
        return _open_by_package(file, mode)
    return zstd.open(file, mode)


def _open_by_package(file, mode):
    try:
        import zstandard
    except ImportError:
        raise ImportError(
            "zstd files need Python 3.14 or the package zstandard: python -m pip install zstandard"
        ) from None
    if mode == "rb":
        return io.BufferedReader(_Frames(file, zstandard.ZstdDecompressor()))
    return zstandard.ZstdCompressor().stream_writer(file, closefd=False)


class _Frames(io.RawIOBase):
    """Frames, one behind the other, unpacked block by block (RFC 8878).

    No block gives more than 128 KB, so what is held does not depend on what the file unpacks to;
    the package's decompressor knows no such limit, and its reader does not notice that a frame is
    cut.
    """

    def __init__(self, file, decompressor):
        self._file, self._decompressor = file, decompressor
        self._frame, self._has_checksum, self._unpacked = None, False, memoryview(b"")

    def readable(self):
        return True

    def readinto(self, buffer):
        while not self._unpacked:
            if self._frame is None and not self._begin_frame():
                return 0
            if self._frame is not None:
                self._unpacked = memoryview(self._block())
        size = min(len(buffer), len(self._unpacked))
        buffer[:size], self._unpacked = self._unpacked[:size], self._unpacked[size:]
        return size

    def _begin_frame(self):
        """Read a frame's header, or skip one that holds no data; False at the end of the file."""
        magic = self._file.read(4)
        if not magic:
            return False
        magic += self._read(4 - len(magic))
        number = int.from_bytes(magic, "little")
        if number & ~15 == _SKIPPABLE:
            self._skip(int.from_bytes(self._read(4), "little"))
            return True
        if number != _FRAME:
            raise EOFError("what follows a frame is none")
        descriptor = self._read(1)
        flags = descriptor[0]
        is_one_segment, self._has_checksum = flags >> 5 & 1, bool(flags >> 2 & 1)
        size_of_content = (is_one_segment, 2, 4, 8)[flags >> 6]
        rest = self._read((not is_one_segment) + (0, 1, 2, 4)[flags & 3] + size_of_content)
        self._frame = self._decompressor.decompressobj()
        self._frame.decompress(magic + descriptor + rest)
        return True

    def _block(self):
        """The next block of the frame, unpacked."""
        header = self._read(3)
        number = int.from_bytes(header, "little")
        is_last, kind, size = number & 1, number >> 1 & 3, number >> 3
        packed = header + self._read(1 if kind == 1 else size)
        if is_last and self._has_checksum:
            packed += self._read(4)
        unpacked = self._frame.decompress(packed)
        if is_last:
            self._frame = None
        return unpacked

    def _read(self, size):
        parts = []
        while size:
            parts.append(self._file.read(size))
            size -= len(parts[-1])
            if not parts[-1]:
                raise EOFError("the last frame is not whole")
        return b"".join(parts)

    def _skip(self, size):
        while size:
            size -= len(self._read(min(size, _READ)))
