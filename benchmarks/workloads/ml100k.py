"""MovieLens 100K, official split u1: user and item ids, rating as target."""

import os
import sys
from pathlib import Path

import numpy as np
from scipy import sparse

from .base import Workload

_FOLDER = Path(os.environ.get("FASTFM_CY_DATA", "../shared/data"))


def load(options):
    parts = []
    for part in ("base", "test"):
        path = _FOLDER / "ml-100k" / f"u1.{part}"
        if not path.exists():
            sys.exit(f"{path} is missing: set FASTFM_CY_DATA to the folder that holds ml-100k.")
        table = np.loadtxt(path, dtype=np.int64)
        columns = np.column_stack([table[:, 0] - 1, 943 + table[:, 1] - 1]).ravel()
        offsets = np.arange(0, len(columns) + 1, 2)
        values = np.ones(len(columns), np.float32)
        parts += [sparse.csr_array((values, columns, offsets), shape=(len(table), 2625))]
        parts += [table[:, 2].astype(float)]
    X, y, X_test, y_test = parts
    return Workload(f"ml-100k u1: {X.shape[0]:,} rows of 2", "regression", X, y, X_test, y_test, 0.05)
