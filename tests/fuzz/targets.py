"""What is fuzzed: a function of bytes for each format, which fails if a reader does wrong.

A reader may return sound data or raise a ValueError (FileFormatError, ModelFileError) with a
message. Everything else is a finding: another exception, numbers that are none, a crash.
"""

import gzip
import hashlib
import io
import json
import os
import struct
import tempfile
import warnings
import zlib
from pathlib import Path

import numpy as np
from support.files import assert_sound

from fastfm_cy import DivergenceError
from fastfm_cy.cli import config
from fastfm_cy.data.disk.folder import NPY_HEADER
from fastfm_cy.io import (
    load_model,
    open_dataset,
    read,
    read_csv,
    read_groups,
    read_libffm,
    read_libffm_model,
    read_libfm_binary,
    read_libfm_model,
    read_libsvm,
    read_vector,
    read_xlearn_model,
)

MEMORY = Path("/dev/shm")
FOLDER = Path(tempfile.mkdtemp(dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
SMALL = 1 << 16  # features of a model that is asked for predictions


def check_refused(error):
    """An error is for people to read."""
    if not str(error).strip():
        raise AssertionError("an error without a message") from error


def text_target(reader):
    def target(content):
        on_error = "skip" if len(content) % 2 else "raise"
        try:
            dataset = reader(io.BytesIO(content), on_error=on_error)
        except ValueError as error:
            check_refused(error)
        else:
            assert_sound(dataset)

    return target


def written(content, name):
    path = FOLDER / name
    path.write_bytes(content)
    return path


def packed(content):
    """Text whose packing is sound, or which is said to be packed and is not."""
    if len(content) % 2:
        content = gzip.compress(content, 1)[: len(content) * 2]
    text_target(read)(b"\x1f\x8b" + content[2:])


def libfm_binary(content):
    path = written(content, "matrix.x" if len(content) % 2 else "matrix.xt")
    try:
        dataset = read_libfm_binary(path)
    except ValueError as error:
        check_refused(error)
    else:
        assert_sound(dataset)


def vector(content):
    path = written(content, "vector")
    for reader in (lambda: read_vector(path, "float32"), lambda: read_groups(path)):
        try:
            assert np.isfinite(reader()).all()
        except ValueError as error:
            check_refused(error)


def check_model(model, features=None):
    """A model that was read says numbers, or that they leave the range."""
    n_features = getattr(model, "n_features_in_", 1)
    if n_features > SMALL or not hasattr(model, "predict"):
        return
    try:
        if hasattr(model, "recommend"):
            said = model.recommend([], 1)[1]
        else:
            said = model.predict(np.ones((2, n_features)))
    except (ValueError, DivergenceError) as error:
        check_refused(error)
    else:
        assert said.dtype.kind in "SUOb" or np.isfinite(said).all()


def model_target(reader, **options):
    def target(content):
        try:
            model = reader(written(content, "model"), **options)
        except ValueError as error:
            check_refused(error)
        else:
            check_model(model)

    return target


def native_model(content):
    """Half of the files as they are, half with checksums that are made to fit."""
    if len(content) % 2 == 0:
        content = with_own_checksums(content)
    options = {"mmap": bool(len(content) & 2), "verify": not len(content) & 4}
    model_target(load_model, **options)(content)


def with_own_checksums(content):
    """A model file whose lengths and checksums are those of what is in it, where there are any."""
    if len(content) < 64:
        return content
    n_text = min(struct.unpack_from("<Q", content, 16)[0], len(content) - 64)
    text = content[64 : 64 + n_text]
    try:
        header, end = json.loads(text), 64 + n_text
        for entry in header["arrays"]:
            begin = -(-end // 64) * 64
            n_bytes = int(np.dtype(entry["dtype"]).itemsize * np.prod(entry["shape"], dtype=object))
            end = begin + max(0, n_bytes)
            digest = hashlib.sha256(content[begin:end]).hexdigest()
            text = text.replace(str(entry["sha256"]).encode(), digest.encode(), 1)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        pass
    content = content[:64] + text + content[64 + n_text :]
    start = content[:16] + struct.pack("<QQ", len(text), len(content))
    return start + hashlib.sha256(start + text).digest() + content[64:]


def disk_folder(content):
    """The files of a folder one behind the other, each with its length before it."""
    names = ("header.json", "indptr.npy", "indices.npy", "data.npy", "target.npy")
    folder = FOLDER / "data"
    folder.mkdir(exist_ok=True)
    fits = len(content) % 2 == 0
    for name in names:
        (n_bytes,) = struct.unpack("<H", content[:2].ljust(2, b"\0"))
        part, content = content[2 : 2 + n_bytes], content[2 + n_bytes :]
        (folder / name).write_bytes(with_own_crc(part) if fits and name == names[0] else part)
    try:
        dataset = open_dataset(folder, memory_budget=1000, verify=not fits)
        for first, last in zip(dataset.cuts(300), dataset.cuts(300)[1:], strict=False):
            chunk = dataset.chunk([(first, last)])
            assert np.isfinite(chunk.rows.data).all()
    except ValueError as error:
        check_refused(error)


def with_own_crc(text):
    try:
        header = json.loads(text)
        del header["checksum"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return text
    header["checksum"] = zlib.crc32(json.dumps(header, sort_keys=True).encode())
    return json.dumps(header).encode()


class _Context:
    """What the loader of options takes of typer."""

    class command:
        params = ()

    def __init__(self):
        self.meta = {}


def toml(content):
    context = _Context()
    try:
        config._load(context, written(content, "options.toml"))
    except ValueError as error:
        check_refused(error)
    else:
        config.configured_parameters(context)


def disk_content(folder):
    """The bytes of a folder as `disk_folder` takes them."""
    names = ("header.json", "indptr.npy", "indices.npy", "data.npy", "target.npy")
    parts = [(folder / name).read_bytes() for name in names]
    assert all(len(part) >= NPY_HEADER for part in parts[1:])
    return b"".join(struct.pack("<H", len(part)) + part for part in parts)


TARGETS = {
    "libsvm": text_target(read_libsvm),
    "libffm": text_target(read_libffm),
    "csv": text_target(read_csv),
    "any_text": text_target(read),
    "packed": packed,
    "libfm_binary": libfm_binary,
    "vector": vector,
    "model": native_model,
    "libfm_model": model_target(read_libfm_model),
    "libffm_model": model_target(read_libffm_model),
    "xlearn_model": model_target(read_xlearn_model),
    "disk_folder": disk_folder,
    "toml": toml,
}


def run(name, content):
    """One execution of a target."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of lines left out
        TARGETS[name](content)
