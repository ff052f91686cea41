"""Writing where there is too little room, or none: what must be left as it was.

    python scarcity.py sizes FOLDER   files may not grow beyond a limit, from nothing on
    python scarcity.py disk FOLDER    a disk of its own that is ever less full, then read-only

"disk" is to be started by `unshare --map-root-user --mount`. Prints how many attempts failed and
how many had room enough.
"""

import contextlib
import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

from fastfm_cy import FMRegressor
from fastfm_cy.cli import main as command_line
from fastfm_cy.io import (
    Dataset,
    convert,
    load_model,
    open_dataset,
    read_libfm_binary,
    read_libsvm,
    save_model,
    write_libfm_binary,
    write_libsvm,
)

EXPECTED = {errno.ENOSPC, errno.EFBIG, errno.EROFS}
MOST = 40_000  # bytes; all files are smaller
RNG = np.random.default_rng(0)
X, Y = RNG.random((60, 20)).astype(np.float32), RNG.random(60)


def fit_command(folder):
    """The program, which makes sentences and an exit code of errors."""
    source = folder.parent / f"{folder.name}.svm"
    sys.argv = ["fastfm-cy", "fit", str(source), "-m", str(folder / "fit.fm"), "--task",
                "regression", "--max-iter", "1", "-k", "5", "--json"]  # fmt: skip
    code = 0
    with open(os.devnull, "w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        try:
            command_line()
        except SystemExit as end:
            code = end.code
        finally:
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    if code:
        raise OSError(errno.ENOSPC, f"the program ended with {code}")


WRITERS = {
    "save_model": lambda folder, model: save_model(model, folder / "m.fm"),
    "convert": lambda folder, model: convert(Dataset(X * 2, Y), folder / "d", overwrite=True),
    "text": lambda folder, model: write_libsvm(folder / "x.svm", X * 2, Y),
    "packed": lambda folder, model: write_libsvm(folder / "x.svm.gz", X * 2, Y),
    "libFM's": lambda folder, model: write_libfm_binary(folder / "x", X * 2, Y, by_columns=True),
    "fit": lambda folder, model: fit_command(folder),
}


def begin(folder):
    """What is there before, and a model to save."""
    model = FMRegressor(4, max_iter=1, random_state=0).fit(X, Y)
    write_libsvm(folder.parent / f"{folder.name}.svm", X, Y)
    for name in ("m.fm", "fit.fm"):
        save_model(model, folder / name)
    convert(Dataset(X, Y), folder / "d")
    write_libsvm(folder / "x.svm", X, Y)
    write_libsvm(folder / "x.svm.gz", X, Y)
    write_libfm_binary(folder / "x", X, Y, by_columns=True)
    return FMRegressor(6, max_iter=1, random_state=0).fit(X, Y)


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def check_readable(folder):
    for name in ("m.fm", "fit.fm"):
        assert np.isfinite(load_model(folder / name).predict(X)).all()
    assert open_dataset(folder / "d", verify=True).shape == X.shape
    for name in ("x.svm", "x.svm.gz"):
        assert read_libsvm(folder / name).X.shape == X.shape
    assert read_libfm_binary(folder / "x").y.shape == Y.shape


def attempt(folder, model, name):
    """Whether there was room; if there was none, all is as before."""
    before = contents(folder)
    try:
        WRITERS[name](folder, model)
    except OSError as error:
        check_failure(error, folder, before)
        return False
    return True


def check_failure(error, folder, before):
    assert error.errno in EXPECTED, error
    assert str(error)
    assert contents(folder) == before


def with_limited_sizes(folder):
    model, results = begin(folder), [0, 0]
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    for name in WRITERS:
        limits = [*range(0, 2000, 97), *range(2000, MOST, 1501), MOST]
        for limit in limits:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, unlimited[1]))
            try:
                had_room = attempt(folder, model, name)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
            results[had_room] += 1
            check_readable(folder)
            if had_room:
                break
        assert had_room, name
    print(*results)


def on_a_full_disk(folder):
    def mount(*options):
        subprocess.run(["mount", *options, "-t", "tmpfs", "none", folder], check=True)

    mount("-o", "size=400k")
    model, results = begin(folder), [0, 0]
    filler = folder / "filler"
    for name in WRITERS:
        for n_pages in range(0, 40, 3):
            with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(4096))
            os.truncate(filler, filler.stat().st_size - 4096 * n_pages)
            had_room = attempt(folder, model, name)
            results[had_room] += 1
            check_readable(folder)
            if had_room:
                break
        assert had_room, name
    mount("-o", "remount,ro")
    for name in WRITERS:
        assert not attempt(folder, model, name)
        results[0] += 1
        check_readable(folder)
    print(*results)


if __name__ == "__main__":
    {"sizes": with_limited_sizes, "disk": on_a_full_disk}[sys.argv[1]](Path(sys.argv[2]))
