"""The container of model files: a JSON header and plain arrays, all with checksums.

    bytes     what, numbers little endian
    0         magic
    8         version of the format, uint32; uint32 zero
    16        length of the JSON header, uint64; length of the file, uint64
    32        SHA-256 of bytes 0 to 31 and of the JSON header
    64        JSON header, UTF-8: {"arrays": [{"dtype", "shape", "sha256"}, ...], ...}
    ...       the arrays in C order, each from the next multiple of 64 bytes on; zeros between

There is nothing in it that a reader executes. A reader allocates no more than the file's length.
"""

import hashlib
import json
import math
import struct

import numpy as np

from ...data.mapped import mapped
from ...exceptions import ModelFileError
from ...utils.memory import CACHE_LINE, aligned_zeros
from ..outputs import model_written_aside

MAGIC = b"\x89fastFM\n"  # neither text nor anything else
VERSION = 1
_PREAMBLE = struct.Struct("<8sIIQQ")
_START = CACHE_LINE  # where the JSON header begins
_DTYPES = {np.dtype(name).str for name in (
    "<f2", "<f4", "<f8", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "|b1",
)}  # fmt: skip
_MOST_AXES, _MOST_ELEMENTS = 8, 2**58
_PART = 1 << 24  # bytes that are hashed at a time


def write_container(path, header, arrays):
    """Write a file, aside and then renamed.

    Parameters
    ----------
    path : path
    header : dict
        For JSON; without the key "arrays".
    arrays : list of ndarray
        Of real numbers or bools.
    """
    arrays = [_plain(array) for array in arrays]
    entries = [
        {"dtype": array.dtype.str, "shape": list(array.shape), "sha256": _digest(array)}
        for array in arrays
    ]
    text = json.dumps({**header, "arrays": entries}, allow_nan=False).encode()
    offsets, length = _offsets(len(text), entries)
    preamble = _PREAMBLE.pack(MAGIC, VERSION, 0, len(text), length)
    with model_written_aside(path) as file:
        file.write(preamble + hashlib.sha256(preamble + text).digest() + text)
        for offset, array in zip(offsets, arrays, strict=True):
            file.write(bytes(offset - file.tell()))
            file.write(_bytes(array))


def read_container(path, *, mmap=False, verify=True):
    """Read a file.

    Parameters
    ----------
    path : path
    mmap : bool, default=False
        Map the arrays into memory: read when used, copied where written to (the file stays).
    verify : bool, default=True
        Whether to compare the arrays with their checksums; the header's is always compared.

    Returns
    -------
    (header, arrays)

    Raises
    ------
    ModelFileError
    """
    with open(path, "rb") as file:
        header, n_text = _read_header(file, path)
        entries = header.pop("arrays")
        arrays = []
        for offset, entry in zip(_offsets(n_text, entries)[0], entries, strict=True):
            gap = file.read(offset - file.tell())
            array = _read_array(file, offset, entry, mmap)
            if any(gap) or (verify and _digest(array) != entry["sha256"]):
                raise ModelFileError(
                    f"{path} was altered or damaged: the checksum of array {len(arrays)} does not "
                    "fit. Take another copy of it."
                )
            arrays.append(array)
            file.seek(offset + array.nbytes)
    return header, arrays


def _read_header(file, path):
    """The checked JSON header, and its length."""
    preamble = file.read(_PREAMBLE.size)
    if preamble[: len(MAGIC)] != MAGIC:
        raise ModelFileError(f"{path} is no model file of fastfm_cy.")
    digest = file.read(_START - _PREAMBLE.size)
    n_bytes = file.seek(0, 2)
    if n_bytes < _START:
        raise ModelFileError(f"{path} is truncated: it ends after {n_bytes} bytes.")
    _, version, _, n_text, length = _PREAMBLE.unpack(preamble)
    if version > VERSION:
        raise ModelFileError(
            f"{path} has version {version} of the format; this fastfm_cy reads versions up to "
            f"{VERSION}. A newer fastfm_cy can read it (or the file was altered)."
        )
    if n_bytes != length or n_text > n_bytes - _START:
        what = "truncated" if n_bytes < length else "altered or damaged"
        raise ModelFileError(
            f"{path} is {what}: it has {n_bytes} bytes, and {length} are said to be there."
        )
    file.seek(_START)
    text = file.read(n_text)
    if hashlib.sha256(preamble + text).digest() != digest:
        raise ModelFileError(f"{path} was altered or damaged: its header's checksum does not fit.")
    try:
        header = json.loads(text)
        _check_entries(header["arrays"], n_text, length)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} has a header that makes no sense ({error!r}).") from error
    return header, n_text


def _check_entries(entries, n_text, length):
    for entry in entries:
        if entry["dtype"] not in _DTYPES:
            raise ValueError(f"an array of {entry['dtype']!r}")
        if not isinstance(entry["sha256"], str):
            raise TypeError("a checksum that is no text")
        shape = entry["shape"]
        is_shape = isinstance(shape, list) and len(shape) <= _MOST_AXES
        if not is_shape or not all(type(size) is int and 0 <= size < 2**62 for size in shape):
            raise ValueError(f"an array of shape {shape!r}")
        if math.prod(max(1, size) for size in shape) > _MOST_ELEMENTS:
            raise ValueError(f"an array of shape {shape!r}")
    if _offsets(n_text, entries)[1] != length:
        raise ValueError("arrays of another total length than the file")


def _read_array(file, offset, entry, mmap):
    dtype, shape = np.dtype(entry["dtype"]), tuple(entry["shape"])
    # Whole numbers are few, and trusted once they are checked: a file that is cut later must not
    # change them.
    if mmap and dtype.kind == "f" and math.prod(shape):
        return mapped(file, dtype, "c", offset, shape).view(np.ndarray)
    array = aligned_zeros(shape, dtype)
    file.seek(offset)
    if file.readinto(_bytes(array)) != array.nbytes:
        raise ModelFileError(f"{file.name} is truncated: it was cut while it was read.")
    return array


def _offsets(n_text, entries):
    """Where each array starts, and where the last one ends."""
    offsets, end = [], _START + n_text
    for entry in entries:
        offsets.append(-(-end // CACHE_LINE) * CACHE_LINE)
        end = offsets[-1] + math.prod(entry["shape"]) * np.dtype(entry["dtype"]).itemsize
    return offsets, end


def _plain(array):
    """In C order and little endian."""
    array = np.asarray(array, order="C")
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _bytes(array):
    return memoryview(array.reshape(-1).view(np.uint8))


def _digest(array):
    digest, content = hashlib.sha256(), _bytes(array)
    for start in range(0, len(content), _PART):
        digest.update(content[start : start + _PART])
    return digest.hexdigest()
