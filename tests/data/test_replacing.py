"""A data set that is replaced is there at any moment, whenever who replaces it is killed."""

import os
import subprocess

import numpy as np
import pytest
from support.programs import ELSEWHERE, python

from fastfm_cy.data.disk import replacing
from fastfm_cy.io import Dataset, convert, open_dataset
from fastfm_cy.utils.asides import aside_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows knows neither locks nor SIGKILL")

# Replaces a folder again and again, in a process of its own each time, which is killed before its
# first step, before its second ...; after each, what is there must be whole.
_KILLED = """
    import os, shutil, signal, sys
    import numpy as np
    from fastfm_cy.data.disk import replacing
    from fastfm_cy.io import Dataset, convert, open_dataset

    folder, can_exchange = sys.argv[1], int(sys.argv[2])
    done = last = 0

    def counted(step):
        def count(*arguments, **options):
            global done
            done += 1
            if done == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(*arguments, **options)
        return count

    def remove(folder, **options):
        for name in sorted(os.listdir(folder)) if os.path.exists(folder) else ():
            unlink(os.path.join(folder, name))
        if os.path.exists(folder):
            os.rmdir(folder)

    def write(value):
        convert(Dataset(np.full((3, 2), value), np.zeros(3)), folder, overwrite=True)

    unlink = counted(os.unlink)
    replacing.os.rename = counted(os.rename)
    replacing.shutil.rmtree = remove
    replacing._exchange = counted(replacing._exchange) if can_exchange else lambda *_: False
    for step in range(1, 100):
        last = 0
        write(1.0)
        done, last = 0, step
        child = os.fork()
        if not child:
            write(2.0)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        found = open_dataset(folder, verify=True).X.data
        assert set(found) in ({1.0}, {2.0}), found
        if status == 0:
            break
        assert os.WTERMSIG(status) == signal.SIGKILL, status
    last = 0
    write(3.0)
    print(step)
"""


def _data(value, n_rows=3):
    return Dataset(np.full((n_rows, 2), value), np.zeros(n_rows))


@pytest.mark.parametrize("can_exchange", [True, False])
def test_killed_at_any_step(tmp_path, can_exchange):
    folder = tmp_path / "data"
    command = python(_KILLED, folder, int(can_exchange))
    result = subprocess.run(command, cwd=ELSEWHERE, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 5
    assert set(open_dataset(folder).X.data) == {3.0}
    assert os.listdir(tmp_path) == ["data"]


def test_two_names_are_exchanged_at_once_where_the_system_can(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not replacing._exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system, or system, cannot")
    assert os.listdir(tmp_path / "a") == ["b"]
    assert not replacing._exchange(tmp_path / "a", tmp_path / "missing")


def test_what_others_write_stays(tmp_path):
    """Leftovers are removed if they are ours, of this name, and nobody writes them."""
    folder = tmp_path / "data"
    convert(_data(1.0), folder)
    stale, others, of_other_name = (aside_of(tmp_path / name) for name in ("data", "data", "dat"))
    for path in (stale, others, of_other_name):
        path.mkdir()
    (stale / "indptr.npy").touch()
    (others / "notes.txt").touch()
    code = f"""
        import numpy as np, sys
        from fastfm_cy.io.data_files.disk_writer import FolderWriter
        from pathlib import Path
        with FolderWriter(Path({str(folder)!r}), True) as writer:
            print("ready", flush=True)
            sys.stdin.read()
    """
    writer = subprocess.Popen(
        python(code), cwd=ELSEWHERE, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert writer.stdout.readline() == "ready\n"
        before = set(os.listdir(tmp_path))
        assert stale.name not in before
        convert(_data(2.0), folder, overwrite=True)
        assert set(os.listdir(tmp_path)) == before
    finally:
        writer.kill()
        writer.communicate()
    convert(_data(2.0), folder, overwrite=True)
    assert set(os.listdir(tmp_path)) == {"data", others.name, of_other_name.name}


def test_a_link_to_a_folder(tmp_path):
    (tmp_path / "disk").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "disk" / "data")
    convert(_data(1.0), link)  # where it points to there is nothing yet
    convert(_data(2.0), link, overwrite=True)
    assert link.is_symlink()
    assert set(open_dataset(link).X.data) == {2.0}
    assert os.listdir(tmp_path / "disk") == ["data"]
    with pytest.raises(FileExistsError, match="overwrite=True"):
        convert(_data(3.0), link)


def test_a_folder_that_appears_meanwhile_is_not_replaced(tmp_path):
    def rows():
        convert(_data(1.0), tmp_path / "data")
        yield b"1 0:1\n"

    class Slow:
        parts = rows()

        def read(self, size):
            return next(self.parts, b"")

    with pytest.raises(FileExistsError, match="overwrite=True"):
        convert(Slow(), tmp_path / "data", format="libsvm")
    assert set(open_dataset(tmp_path / "data").X.data) == {1.0}
    assert os.listdir(tmp_path) == ["data"]


def test_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").touch()
    for folder, error in ((tmp_path / "no" / "data", FileNotFoundError),
                          (tmp_path / "file", FileExistsError),
                          (tmp_path / "file" / "data", FileNotFoundError)):  # fmt: skip
        with pytest.raises(error, match=str(folder)):
            convert(_data(1.0), folder, overwrite=True)
    assert os.listdir(tmp_path) == ["file"]
