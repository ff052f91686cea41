"""A process that is killed before each of its system calls, and what must hold after each death.

    python killing.py CASE FOLDER [STRIDE]

forks, has the child do the work of a case under ptrace, and kills it (SIGKILL) before its first
system call, its second ... until one child comes to its end. After each death it looks at the
files. Needs Linux, whose kernel lets a process trace its child. Prints how many were killed, and
how often the files were those of before and those of after.
"""

import ctypes
import os
import shutil
import signal
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from fastfm_cy import FMRegressor
from fastfm_cy.cli import main as command_line
from fastfm_cy.io import convert, load_model, open_dataset, save_model

TRACE_ME, CONTINUE_TO_CALL, SET_OPTIONS = 0, 24, 0x4200
MARK_CALLS, FOLLOW_CLONES, DIE_WITH_TRACER = 1, 2 | 4 | 8, 0x100000
ALL_CHILDREN = 0x40000000  # threads, too
CANNOT_TRACE = 77  # how this program ends then
NEW_TASK_STOPS = (signal.SIGSTOP, signal.SIGTRAP)


def ptrace(request, process, data=0):
    """One request; OSError if the kernel refuses."""
    library = ctypes.CDLL(None, use_errno=True)
    library.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if library.ptrace(request, process, None, data) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def killed_before(n_calls, work):
    """Do `work` in a child that dies before its system call number `n_calls`, counted from 0.

    Returns whether it died of it; False if it came to its end before.
    """
    child = os.fork()
    if not child:
        code = 1
        try:
            ptrace(TRACE_ME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            work()
            code = 0
        finally:
            os._exit(code)
    if not os.WIFSTOPPED(os.waitpid(child, 0)[1]):
        sys.exit(CANNOT_TRACE)
    ptrace(SET_OPTIONS, child, MARK_CALLS | FOLLOW_CLONES | DIE_WITH_TRACER)
    ptrace(CONTINUE_TO_CALL, child)
    is_inside = defaultdict(bool)  # a call: they stop when they enter one and when they leave it
    while True:
        task, status = os.waitpid(-1, ALL_CHILDREN)
        if os.WIFSTOPPED(status):
            passed_on = os.WSTOPSIG(status)
            if passed_on == signal.SIGTRAP | 0x80:
                is_inside[task] = not is_inside[task]
                if is_inside[task]:
                    if not n_calls:
                        os.kill(child, signal.SIGKILL)
                    n_calls -= 1
                passed_on = 0
            elif passed_on in NEW_TASK_STOPS:
                passed_on = 0
            try:
                ptrace(CONTINUE_TO_CALL, task, passed_on)
            except ProcessLookupError:  # killed meanwhile
                continue
        elif task == child:
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
                return True
            assert status == 0, f"the child failed: {status}"
            return False


def fitted(value):
    """A machine that predicts about `value`."""
    rng = np.random.default_rng(0)
    return FMRegressor(2, max_iter=3, random_state=0).fit(rng.random((9, 4)), np.full(9, value))


def said_by(path):
    return round(float(load_model(path).predict(np.eye(4))[0]))


def is_data(folder):
    return float(open_dataset(folder, verify=True).X.data[0])


def save_case(folder):
    path, before, after = folder / "model.fm", fitted(1.0), fitted(9.0)
    expected = [round(float(model.predict(np.eye(4))[0])) for model in (before, after)]
    assert expected[0] != expected[1]
    return (
        lambda: save_model(before, path), lambda: save_model(after, path),
        lambda: expected.index(said_by(path)),
    )  # fmt: skip


def rows(value):
    return "".join(f"{i % 2} 1:{value} {2 + i % 3}:1\n" for i in range(30))


def convert_case(folder):
    """From text whose features count from one, which are all written a second time."""
    path, sources = folder / "data", [folder.parent / f"{name}.svm" for name in ("one", "two")]
    for source, value in zip(sources, (1, 2), strict=True):
        source.write_text(rows(value))
    before, after = (
        lambda source=source: convert(source, path, overwrite=True, n_jobs=1)
        for source in sources
    )  # fmt: skip
    return before, after, lambda: [1.0, 2.0].index(is_data(path))


def command_case(folder):
    path, source = folder / "model.fm", folder.parent / "rows.svm"
    source.write_text(rows(1))
    options = ["--task", "regression", "--max-iter", "1", "--seed", "0", "--json"]

    def fit(n_factors):
        sys.argv = ["fastfm-cy", "fit", str(source), "-m", str(path), "-k", n_factors, *options]
        code = 0
        with open(os.devnull, "w") as nowhere:
            sys.stdout = nowhere
            try:
                command_line()
            except SystemExit as end:
                code = end.code
            finally:
                sys.stdout = sys.__stdout__
        assert not code, code

    return lambda: fit("2"), lambda: fit("3"), lambda: [2, 3].index(load_model(path).n_factors)


CASES = {"save_model": save_case, "convert": convert_case, "fit": command_case}


def main(case, folder, stride=1):
    folder = Path(folder)
    folder.mkdir()
    write_before, write_after, found = CASES[case](folder)
    write_before()
    whole = set(os.listdir(folder))
    n_killed, outcomes = 0, [0, 0]
    while killed_before(n_killed * int(stride), write_after):
        n_killed += 1
        is_after = found()  # raises if there is neither
        outcomes[is_after] += 1
        if is_after:
            write_before()  # which removes what was left aside
            assert set(os.listdir(folder)) == whole, os.listdir(folder)
    assert found() == 1
    write_before()
    assert set(os.listdir(folder)) == whole, os.listdir(folder)
    shutil.rmtree(folder)
    print(n_killed, *outcomes)


if __name__ == "__main__":
    main(*sys.argv[1:])
