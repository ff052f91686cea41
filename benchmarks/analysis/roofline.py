"""Training against the memory bound: ``python -m benchmarks.analysis.roofline``.

Needs a C compiler. The bound is roofline.c: a read-modify-write of the same rows in the same order.
"""

import argparse
import ctypes
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from ..measure import min_median, paired, print_table, ratios
from ..speed.kernel import Epoch
from ..workloads import WORKLOADS

_SOURCE = Path(__file__).with_name("roofline.c")
_POINTER = {
    np.dtype(np.int64): ctypes.POINTER(ctypes.c_int64),
    np.dtype(np.int32): ctypes.POINTER(ctypes.c_int32),
    np.dtype(np.float32): ctypes.POINTER(ctypes.c_float),
}


def compiled(folder):
    """The function of roofline.c, compiled into `folder`."""
    library = Path(folder) / "roofline.so"
    flags = ["-O3", "-mavx2", "-fno-loop-unroll-and-jam", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, str(_SOURCE), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library)).touch_rows


class Bound:
    """Callable: touches what one epoch touches."""

    def __init__(self, touch_rows, epoch):
        rows, table = epoch.rows, epoch.table
        arrays = [rows.indptr, rows.indices, rows.data, epoch.order]
        pointers = [array.ctypes.data_as(_POINTER[array.dtype]) for array in arrays]
        a_row = max(1, len(rows.indices) // rows.n_rows)
        numbers = [
            ctypes.c_int64(len(epoch.order)),
            table.linear.ctypes.data_as(_POINTER[table.dtype]),
            ctypes.c_int64(table.linear.shape[1]),
            table.factors.ctypes.data_as(_POINTER[table.dtype]),
            ctypes.c_int64(table.factors.shape[1]),
            ctypes.c_int64(min(16, max(1, -(-64 // a_row)))),
            ctypes.c_float(1.0),
        ]
        self.touch_rows, self.arguments, self.keep = touch_rows, pointers + numbers, epoch

    def __call__(self):
        self.touch_rows(*self.arguments)


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=["A", "B", "C"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, help="training rows, if not the workload's own")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        touch_rows = compiled(folder)
        results = []
        for name in options.workloads:
            workload = WORKLOADS[name](options)
            for solver in ("sgd", "adagrad"):
                for shuffle in (True, "block"):
                    epoch = Epoch(workload, solver, shuffle=shuffle, relabel=False)
                    functions = {"training": epoch, "bound": Bound(touch_rows, epoch)}
                    seconds = paired(functions, options.runs)
                    n_rows = len(workload.y)
                    results.append(
                        (
                            f"{name}, {solver}, {'full' if shuffle is True else shuffle} shuffle",
                            min_median([s / n_rows * 1e9 for s in seconds["training"]], 0),
                            min_median([s / n_rows * 1e9 for s in seconds["bound"]], 0),
                            min_median(ratios(seconds, "training", "bound"), 2),
                        )
                    )
    head = ["", "ns a row: min", "median", "bound: min", "median", "times bound: min", "median"]
    print_table(head, results)


if __name__ == "__main__":
    main()
