"""The real data sets, read from one folder that is never part of the project.

The folder is named by the environment variable FASTFM_CY_DATA, else it is ``shared/data``
beside the checkout. Without the files the tests that need them are skipped, but in CI (the
environment variable CI) they fail.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

FOLDER = Path(
    os.environ.get(
        "FASTFM_CY_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"
    )
)


def data_file(name):
    path = FOLDER / name
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"The data file {path} is missing; set FASTFM_CY_DATA to its folder.")
        pytest.skip(f"needs the data file {path}; set FASTFM_CY_DATA to its folder")
    return path


def one_hot_pairs(users, items, n_users, n_items):
    """CSR with two ones a row: the user's column and, after all users, the item's."""
    columns = np.column_stack([users, n_users + items]).ravel()
    offsets = np.arange(0, len(columns) + 1, 2)
    values = np.ones(len(columns), np.float32)
    return sparse.csr_array((values, columns, offsets), shape=(len(users), n_users + n_items))


def movielens_fold(fold):
    """(X, y, X_test, y_test) of ml-100k's official split: "u1" .. "u5", "ua" or "ub"; ids only."""
    parts = []
    for part in ("base", "test"):
        table = np.loadtxt(data_file(f"ml-100k/{fold}.{part}"), dtype=np.int64)
        parts += [one_hot_pairs(table[:, 0] - 1, table[:, 1] - 1, 943, 1682), table[:, 2] * 1.0]
    return parts


def sms_messages():
    """(messages, labels) of the SMS Spam Collection; a label is "ham" or "spam"."""
    with data_file("sms.tsv").open(encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t", 1) for line in file]
    labels, messages = zip(*rows[1:], strict=True)
    return list(messages), np.array(labels)
