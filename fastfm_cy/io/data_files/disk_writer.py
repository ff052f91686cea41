"""Writing a data set's folder: aside, array by array, and renamed when it is whole."""

import os
import shutil
import zlib
from contextlib import nullcontext, suppress
from pathlib import Path

import numpy as np

from ...data.disk.folder import (
    ARRAYS,
    ENCODER,
    HEADER,
    NPY_HEADER,
    npy_header,
    write_header,
)
from ...data.disk.replacing import put_in_place, recover
from ...exceptions import FileFormatError
from ...utils.asides import aside_of, hold_lock, leftovers_of

_SHIFTED = 1 << 20  # entries at a time
_OWN_FILES = {HEADER, ENCODER, *(f"{name}.npy" for name in ARRAYS)}


class FolderWriter:
    """A context in which rows are appended; the folder takes its name at the end of it.

    After an error nothing is left but what was there before. What a process that was killed left of
    its writing to the same name is removed.

    Parameters
    ----------
    folder : Path
        Links are followed.
    overwrite : bool
        Whether a data set may be there already.
    """

    def __init__(self, folder, overwrite):
        self.folder, self.overwrite = Path(os.path.realpath(folder)), overwrite
        recover(self.folder)
        check_folder(self.folder, overwrite)
        self._aside, self._lock = None, None
        self._files, self._types, self._lengths, self._checksums = {}, {}, {}, {}
        self.n_rows = self.n_entries = 0

    def __enter__(self):
        _remove_leftovers(self.folder)
        self._aside, self._lock = _new_folder(self.folder)
        self._append("indptr", np.zeros(1, np.int64))
        return self

    def append(self, ends, **arrays):
        """Rows whose entries, among those of the same call, end at `ends`; the other arrays may be
        None."""
        self._append("indptr", ends + self.n_entries)
        for name, values in arrays.items():
            if values is not None:
                self._append(name, values)
        self.n_rows += len(ends)
        self.n_entries += len(arrays["indices"])

    def append_targets(self, y):
        """Of all rows at once; None for no targets."""
        if y is not None:
            self._append("target", y)

    def _append(self, name, values):
        if name not in self._files:
            self._files[name] = open(self._aside / f"{name}.npy", "w+b")  # noqa: SIM115
            self._files[name].write(bytes(NPY_HEADER))
            self._lengths[name], self._checksums[name] = 0, 0
        values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        self._files[name].write(values.data)
        self._lengths[name] += len(values)
        self._checksums[name] = zlib.crc32(values.data, self._checksums[name])
        self._types[name] = values.dtype.str

    def finish(self, n_features, first_index=0, encoder=None, **others):
        """The last call: how many features there are, from which number they were counted, the
        file of what made the rows of a table, and what else the header should say."""
        if not self.n_rows:
            raise FileFormatError("There are no rows to write.")
        if first_index:
            self._shift(first_index)
        arrays = {}
        for name, file in self._files.items():
            file.seek(0)
            file.write(npy_header(self._types[name], self._lengths[name]))
            file.flush()
            os.fsync(file.fileno())
            arrays[name] = {
                "dtype": self._types[name],
                "length": self._lengths[name],
                "crc32": self._checksums[name],
            }
        if encoder is not None:
            with open(self._aside / ENCODER, "wb") as file:
                file.write(encoder)
                file.flush()
                os.fsync(file.fileno())
            others["encoder"] = {"length": len(encoder), "crc32": zlib.crc32(encoder)}
        shape = {"n_rows": self.n_rows, "n_features": n_features, "n_entries": self.n_entries}
        write_header(self._aside, {**shape, "arrays": arrays, **others})

    def _shift(self, first_index):
        file = self._files["indices"]
        file.flush()
        if not self.n_entries:
            return
        crc = 0
        for start in range(0, self.n_entries, _SHIFTED):
            file.seek(NPY_HEADER + 4 * start)
            indices = np.frombuffer(file.read(4 * min(_SHIFTED, self.n_entries - start)), "<i4")
            indices = indices - np.int32(first_index)
            file.seek(NPY_HEADER + 4 * start)
            file.write(indices.data)
            crc = zlib.crc32(indices.data, crc)
        self._checksums["indices"] = crc

    def __exit__(self, kind, error, traceback):
        try:
            self._close_files(is_whole=kind is None)
            if kind is None:
                check_folder(self.folder, self.overwrite)
                put_in_place(self._aside, self.folder)
        finally:
            shutil.rmtree(self._aside, ignore_errors=True)
            if self._lock is not None:
                os.close(self._lock)

    def _close_files(self, *, is_whole):
        """After an error, each whatever happens to the others: closing writes what is left, for
        which there may be no room."""
        for file in self._files.values():
            with nullcontext() if is_whole else suppress(OSError):
                file.close()


def check_folder(folder, overwrite):
    """Raise if a data set must not be written there."""
    if folder.exists():
        if not overwrite:
            raise FileExistsError(f"{folder} exists; choose another, or overwrite=True.")
        if not (folder / HEADER).exists():
            raise FileExistsError(f"{folder} is no data set; only data sets are overwritten.")
    if not folder.parent.is_dir():
        raise FileNotFoundError(f"{folder} cannot be written: there is no folder {folder.parent}.")


def check_output_folder(folder, overwrite):
    """Raise what a FolderWriter would raise at its end; nothing is changed."""
    folder = Path(os.path.realpath(folder))
    check_folder(folder, overwrite)
    aside, lock = _new_folder(folder)
    aside.rmdir()
    if lock is not None:
        os.close(lock)


def _new_folder(folder):
    """A folder aside, and the lock on it (None where folders have none)."""
    while True:
        aside = aside_of(folder)
        try:
            aside.mkdir()
        except OSError as error:
            raise type(error)(
                error.errno, f"{folder} cannot be written: {error.strerror}"
            ) from None
        is_held, descriptor = _locked(aside)
        if is_held is not False and aside.exists():
            return aside, descriptor
        if descriptor is not None:  # somebody took it for a leftover
            os.close(descriptor)


def _locked(aside):
    """Whether a folder could be locked, and the descriptor to close; None where none has locks."""
    try:
        descriptor = os.open(aside, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return None, None
    return hold_lock(descriptor), descriptor


def _remove_leftovers(folder):
    for left in leftovers_of(folder):
        if not left.is_dir() or left.is_symlink():
            continue
        is_held, descriptor = _locked(left)
        with suppress(OSError):
            if is_held and _OWN_FILES.issuperset(os.listdir(left)):
                shutil.rmtree(left, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)
