"""Writing a data set's folder: aside, array by array, and renamed when it is whole."""

import os
import shutil
import zlib

import numpy as np

from ...data.disk.folder import HEADER, NPY_HEADER, checksum, npy_header, write_header
from ...exceptions import FileFormatError
from ..files import aside_of

_SHIFTED = 1 << 20  # entries at a time


class FolderWriter:
    """A context in which rows are appended; the folder takes its name at the end of it.

    After an error nothing is left but what was there before.

    Parameters
    ----------
    folder : Path
    overwrite : bool
        Whether a data set may be there already.
    """

    def __init__(self, folder, overwrite):
        if folder.exists():
            if not overwrite:
                raise FileExistsError(f"{folder} exists; choose another, or overwrite=True.")
            if not (folder / HEADER).exists():
                raise FileExistsError(f"{folder} is no data set; only data sets are overwritten.")
        self.folder, self._aside = folder, aside_of(folder)
        self._files, self._types, self._lengths, self._checksums = {}, {}, {}, {}
        self.n_rows = self.n_entries = 0

    def __enter__(self):
        self._aside.mkdir()
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

    def finish(self, n_features, first_index=0, **others):
        """The last call: how many features there are, from which number they were counted, and
        what else the header should say."""
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
        shape = {"n_rows": self.n_rows, "n_features": n_features, "n_entries": self.n_entries}
        write_header(self._aside, {**shape, "arrays": arrays, **others})

    def _shift(self, first_index):
        file = self._files["indices"]
        file.flush()
        if not self.n_entries:
            return
        indices = np.memmap(file, "<i4", "r+", NPY_HEADER, (self.n_entries,))
        for start in range(0, self.n_entries, _SHIFTED):
            indices[start : start + _SHIFTED] -= first_index
        indices.flush()
        del indices
        self._checksums["indices"] = checksum(self._aside / "indices.npy")

    def __exit__(self, kind, error, traceback):
        for file in self._files.values():
            file.close()
        if kind is None:
            self._take_name()
        else:
            shutil.rmtree(self._aside, ignore_errors=True)

    def _take_name(self):
        if not self.folder.exists():
            os.rename(self._aside, self.folder)
            return
        before = aside_of(self.folder)
        os.rename(self.folder, before)
        os.rename(self._aside, self.folder)
        shutil.rmtree(before)
