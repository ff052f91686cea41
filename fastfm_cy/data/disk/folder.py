"""The folder of a data set on disk: which files there are, and what its header says.

header.json     format, version, shape, and of each array its type, length and checksum
indptr.npy      int64, n_rows + 1: where each row's entries begin
indices.npy     int32, the entries' columns
data.npy        float32 or float64, the entries' values
target.npy      float64, a number a row; missing if there are no targets
weights.npy     float64, likewise
query.npy       int64, likewise
fields.npy      int32, the entries' fields; missing if they have none
encoder.npz     what made the rows of a table; missing if they were numbers
"""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ...exceptions import FileFormatError

FORMAT, VERSION = "fastfm_cy dataset", 1
HEADER = "header.json"
ENCODER = "encoder.npz"
# The NPY header has a fixed size, so that it can be rewritten when the length is known.
NPY_HEADER = 128
_LARGEST_HEADER = 1 << 26  # bytes; most is feature names
_BLOCK = 1 << 22
OF_ENTRIES = ("indices", "data", "fields")
ARRAYS = {
    "indptr": ("<i8",), "indices": ("<i4",), "data": ("<f4", "<f8"), "target": ("<f8",),
    "weights": ("<f8",), "query": ("<i8",), "fields": ("<i4",),
}  # fmt: skip
_NEEDED = ("indptr", "indices", "data")


def npy_header(dtype: str, length: int) -> bytes:
    """The 128 bytes before the numbers of a one-dimensional NPY file, version 1.0."""
    about = {"descr": dtype, "fortran_order": False, "shape": (length,)}
    prefix = b"\x93NUMPY\x01\x00" + (NPY_HEADER - 10).to_bytes(2, "little")
    return prefix + repr(about).encode().ljust(NPY_HEADER - 11) + b"\n"


def checksum(path: Path) -> int:
    """CRC-32 of an array's numbers, or of all of another file."""
    crc = 0
    with open(path, "rb") as file:
        file.seek(NPY_HEADER if path.suffix == ".npy" else 0)
        while block := file.read(_BLOCK):
            crc = zlib.crc32(block, crc)
    return crc


def write_header(folder: Path, header: dict[str, Any]) -> None:
    header = {"format": FORMAT, "version": VERSION, **header}
    header["checksum"] = _own_checksum(header)
    with open(folder / HEADER, "w", encoding="utf-8") as file:
        file.write(json.dumps(header, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _own_checksum(header: dict[str, Any]) -> int:
    rest = {name: value for name, value in header.items() if name != "checksum"}
    return zlib.crc32(json.dumps(rest, sort_keys=True).encode())


def read_header(folder: str | Path) -> dict[str, Any]:
    """The header of a folder whose files are as long as it says.

    Raises
    ------
    FileFormatError
        If anything contradicts.
    """
    path = Path(folder) / HEADER
    if not Path(folder).exists():
        raise FileNotFoundError(f"There is no folder {folder}.")
    if not path.exists():
        raise FileFormatError(f"{folder} is no data set of fastfm_cy: it has no {HEADER}.")
    if path.stat().st_size > _LARGEST_HEADER:
        raise FileFormatError(f"{path} is too large for a header.")
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{path} is no JSON: {error}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise FileFormatError(f"{path} is no header of a {FORMAT}.")
    if header.get("version") != VERSION:
        raise FileFormatError(
            f"{folder} has version {header.get('version')!r}; this fastfm_cy reads version "
            f"{VERSION}. Convert the data anew."
        )
    if header.get("checksum") != _own_checksum(header):
        raise FileFormatError(f"{path} was altered: its checksum is wrong.")
    try:
        _check_contents(Path(folder), header)
    except (KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(f"{path} is incomplete: {error!r}.") from error
    return header


def _check_contents(folder: Path, header: dict[str, Any]) -> None:
    n_rows, n_entries = header["n_rows"], header["n_entries"]
    for name in ("n_rows", "n_entries", "n_features"):
        if type(header[name]) is not int or header[name] < 0:
            raise FileFormatError(f"{folder}: {name} is {header[name]!r}.")
    if header["n_features"] >= 2**31:
        raise FileFormatError(f"{folder}: n_features is {header['n_features']}.")
    n_fields = header.get("n_fields", 0)
    if type(n_fields) is not int or not 0 <= n_fields < 2**31:
        raise FileFormatError(f"{folder}: n_fields is {n_fields!r}.")
    names = header.get("feature_names")
    if names is not None and (
        not isinstance(names, list)
        or len(names) != header["n_features"]
        or not all(isinstance(name, str) for name in names)
    ):
        raise FileFormatError(f"{folder}: feature_names are not one a feature.")
    arrays = header["arrays"]
    if set(_NEEDED) - set(arrays) or set(arrays) - set(ARRAYS):
        raise FileFormatError(f"{folder} has the arrays {sorted(arrays)}.")
    for name, about in arrays.items():
        length = n_entries if name in OF_ENTRIES else n_rows + (name == "indptr")
        right = about["dtype"] in ARRAYS[name] and about["length"] == length
        if not right or type(about["crc32"]) is not int:
            raise FileFormatError(f"{folder}: the header is wrong about {name}: {about}.")
        _check_array(folder / f"{name}.npy", about["dtype"], length)
    if "encoder" in header:
        _check_size(folder / ENCODER, header["encoder"]["length"])


def _check_array(path: Path, dtype: str, length: int) -> None:
    _check_size(path, NPY_HEADER + length * np.dtype(dtype).itemsize)
    with open(path, "rb") as file:
        if file.read(NPY_HEADER) != npy_header(dtype, length):
            raise FileFormatError(f"{path} was altered: its first bytes are wrong.")


def _check_size(path: Path, expected: int) -> None:
    size = path.stat().st_size if path.exists() else 0
    if size != expected:
        raise FileFormatError(
            f"{path} should have {expected} bytes, but has {size}: it was truncated or altered. "
            "Convert the data anew."
        )
