"""zstd files: Python's own module from 3.14 on, else the package zstandard."""

import io

_BLOCK = 1 << 17


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
    """Frames, one behind the other, unpacked; the package's own reader does not notice that a
    frame is cut."""

    def __init__(self, file, decompressor):
        self._file, self._decompressor = file, decompressor
        self._frame, self._unpacked = None, memoryview(b"")

    def readable(self):
        return True

    def readinto(self, buffer):
        while not self._unpacked:
            packed = b"" if self._frame is None else self._frame.unused_data
            packed = packed or self._file.read(_BLOCK)
            if self._frame is None or self._frame.eof:
                if not packed:
                    return 0
                self._frame = self._decompressor.decompressobj()
            elif not packed:
                raise EOFError("the last frame is not whole")
            self._unpacked = memoryview(self._frame.decompress(packed))
        size = min(len(buffer), len(self._unpacked))
        buffer[:size], self._unpacked = self._unpacked[:size], self._unpacked[size:]
        return size
