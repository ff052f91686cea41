"""Outputs are tried before the work for them, and what a killed process left aside is removed."""

import gzip
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from support.programs import ELSEWHERE, python

from fastfm_cy.io import read_libfm_binary, read_libsvm, write_libfm_binary, write_libsvm
from fastfm_cy.io.outputs import check_model_output, check_output, written_aside
from fastfm_cy.utils.asides import aside_of


@pytest.mark.parametrize("name", ["new", "old", "old.gz", "link", "dangling"])
def test_what_can_be_written_is_left_as_it_is(tmp_path, name):
    for old in ("old", "old.gz"):
        (tmp_path / old).write_bytes(b"before")
    (tmp_path / "link").symlink_to(tmp_path / "old")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.iterdir()}
    check_output(tmp_path / name)
    assert {path: path.is_file() and path.read_bytes() for path in tmp_path.iterdir()} == before


def _write(path):
    with written_aside(path) as file:
        file.write(b"all")


def test_special_files():
    check_output(os.devnull)
    with written_aside(os.devnull) as file:
        file.write(b"nothing")


def test_what_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    for name, error in (
        (".", IsADirectoryError), ("no/file", FileNotFoundError), ("file/x", FileNotFoundError),
    ):  # fmt: skip
        for attempt in (check_output, check_model_output, _write):
            with pytest.raises(error, match=str(tmp_path)):
                attempt(tmp_path / name)
    with pytest.raises(ValueError, match="not packed"):
        check_model_output(tmp_path / "model.gz")
    if not (find_spec("zstandard") or sys.version_info >= (3, 14)):
        with pytest.raises(ImportError, match="zstandard"):
            check_output(tmp_path / "rows.zst")
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do all")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="rows cannot be written"):
        check_output(tmp_path / "rows")
    tmp_path.chmod(0o700)


def test_long_names(tmp_path):
    name = tmp_path / ("x" * 250)
    write_libsvm(name, np.ones((1, 1)))
    assert read_libsvm(name).X.shape == (1, 1)


@pytest.mark.skipif(os.name == "nt", reason="there are no locks to tell leftovers by")
def test_leftovers_of_a_killed_process(tmp_path):
    path, other = tmp_path / "rows.gz", aside_of(tmp_path / "rows")
    other.touch()  # of another name
    code = f"""
        import os, signal
        from fastfm_cy.io.outputs import written_aside
        with written_aside({str(path)!r}) as file:
            file.write(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run(python(code), cwd=ELSEWHERE)
    assert len(os.listdir(tmp_path)) == 2
    with written_aside(path) as first, written_aside(path) as second:  # neither takes the other's
        first.write(b"1")
        second.write(b"2")
    assert set(os.listdir(tmp_path)) == {"rows.gz", other.name}
    assert gzip.decompress(path.read_bytes()) == b"1"


def test_files_that_belong_together_are_all_there_or_none(tmp_path):
    X = np.eye(2, dtype=np.float32)
    for wrong, y in ((X, [1, np.nan]), (X + np.inf, [1, 2]), (X, [1])):
        with pytest.raises(ValueError, match=r"finite|NaN|infinity|targets"):
            write_libfm_binary(tmp_path / "m", wrong, y, by_columns=True)
        assert os.listdir(tmp_path) == []
    write_libfm_binary(tmp_path / "m", X, [1, 2], by_columns=True)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="not finite in float32"):
        write_libfm_binary(tmp_path / "m", 2 * X, [1, np.inf], by_columns=True)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert read_libfm_binary(tmp_path / "m").y.tolist() == [1, 2]
