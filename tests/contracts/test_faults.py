"""Faults on purpose: killed before any system call, no room left, nowhere to write, no memory.

What each program of tests/support does at length, when it is started by hand, is done here in part.
"""

import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from support import hunger, killing, scarcity
from support.programs import ELSEWHERE, python

from fastfm_cy import DivergenceError, FMRegressor
from fastfm_cy.data.mapped import cut_files
from fastfm_cy.io import Dataset, convert, load_model, save_model

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


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("left", [0, 70, 5000, 20_000])
def test_a_model_file_that_is_cut_while_it_is_mapped(tmp_path, left, verify):
    """No signal ends the process; what is gone is no number, and predictions say so."""
    X = np.eye(3000, dtype=np.float32)
    fitted = FMRegressor(8, max_iter=1, random_state=0).fit(X, np.arange(3000) % 7)
    save_model(fitted, tmp_path / "m.fm")
    model = load_model(tmp_path / "m.fm", mmap=True, verify=verify)
    other = load_model(shutil.copy(tmp_path / "m.fm", tmp_path / "n.fm"), mmap=True)
    os.truncate(tmp_path / "m.fm", left)
    with pytest.raises(DivergenceError, match=r"m\.fm was cut while in use: load it again"):
        model.predict(X)
    np.testing.assert_array_equal(other.predict(X), fitted.predict(X))
    assert np.isfinite(model.fit(X, np.arange(3000) % 7).predict(X)).all()
    del model
    assert cut_files() == []


def test_a_data_set_that_is_cut_while_it_is_mapped(tmp_path):
    n_rows = 3000
    X = np.tile(np.arange(1.0, 9.0), (n_rows, 1))
    data = convert(Dataset(X, np.ones(n_rows), weights=np.ones(n_rows)), tmp_path / "data")
    mapped, y, weights = data.X, data.y, data.weights
    expected = mapped.data[:10].copy()
    for path in data.folder.glob("*.npy"):
        os.truncate(path, 1000)
    np.testing.assert_array_equal(mapped.data[:10], expected)
    assert np.isnan(mapped.data[-1])
    assert np.isnan(y[-1])
    assert np.isnan(weights[-1])
    assert mapped.indices[-1] == 0
    for use in (lambda: FMRegressor(2).fit(mapped, y), lambda: FMRegressor(2).fit(data)):
        with pytest.raises(ValueError, match=r"finite|NaN|truncated|offsets|X"):
            use()


def test_a_signal_that_is_not_of_a_mapped_file_ends_the_process(tmp_path):
    """And a handler that was there before is called."""
    code = """
        import os, signal, sys
        import numpy as np
        from fastfm_cy import FMRegressor
        from fastfm_cy.io import load_model, save_model
        save_model(FMRegressor(8, max_iter=1).fit(np.eye(3), [1, 2, 3]), sys.argv[1])
        if sys.argv[2] == "handled":
            signal.signal(signal.SIGBUS, lambda *_: os._exit(3))
        model = load_model(sys.argv[1], mmap=True)
        os.kill(os.getpid(), signal.SIGBUS)
    """
    for kind, expected in (("handled", 3), ("not", -signal.SIGBUS)):
        command = python(code, tmp_path / "m", kind)
        assert subprocess.run(command, cwd=ELSEWHERE).returncode == expected
