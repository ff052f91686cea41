"""Faults on purpose: killed before any system call, no room left, nowhere to write, no memory.

What each program of tests/support does at length, when it is started by hand, is done here in part.
"""

import shutil
import subprocess
import sys

import pytest
from support import hunger, killing, scarcity
from support.programs import ELSEWHERE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's ptrace and unshare")


def output_of(*command, cannot=None):
    """What a program prints; the test is skipped if it ends with the code `cannot`."""
    command = list(map(str, command))
    result = subprocess.run(command, cwd=ELSEWHERE, capture_output=True, text=True, timeout=300)
    if result.returncode == cannot:
        pytest.skip("this system does not let us: " + result.stderr)
    assert result.returncode == 0, result.stderr
    return [int(number) for number in result.stdout.split()]


@pytest.mark.parametrize(("case", "stride"), [("save_model", 1), ("convert", 3), ("fit", 5)])
def test_killed_before_a_system_call(tmp_path, case, stride):
    """What was there before is there, or what is to take its place, whole; nothing is left over."""
    program = sys.executable, killing.__file__
    n_killed, n_before, n_after = output_of(
        *program, case, tmp_path / "out", stride, cannot=killing.CANNOT_TRACE
    )
    assert n_killed == n_before + n_after
    assert n_before > 20


def test_files_that_may_not_grow(tmp_path):
    n_failed, n_written = output_of(sys.executable, scarcity.__file__, "sizes", tmp_path)
    assert n_failed > 50
    assert n_written == len(scarcity.WRITERS)


def test_a_full_disk_and_one_that_is_read_only(tmp_path):
    own_mounts = ["unshare", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*own_mounts, "true"]).returncode:
        pytest.skip("a process may not have mounts of its own here")
    n_failed, n_written = output_of(
        *own_mounts, sys.executable, scarcity.__file__, "disk", tmp_path
    )
    assert n_failed > 2 * len(scarcity.WRITERS)
    assert n_written == len(scarcity.WRITERS)


def test_memory_that_runs_out(tmp_path):
    cases = "adagrad", "als", "ffm", "bayes", "recommender: partial_fit", "files"
    found = output_of(sys.executable, hunger.__file__, tmp_path, *cases)
    assert len(found) == len(cases)
    assert min(found) > 2
