"""libFM's files beside the data: groups of features, and relations (blocks of repeated columns)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse

from ...exceptions import FileFormatError
from .libfm_binary import read_libfm_binary, read_vector


class Relation(NamedTuple):
    """A block of features that many cases share.

    Attributes
    ----------
    X : csr_array of shape (n_block_rows, n_block_features)
    train, test : int32 array of shape (n_cases,)
        The row of X that belongs to each case of the training and of the test data. A file that
        is not there gives None.
    groups : int32 array of shape (n_block_features,), or None
    """

    X: sparse.csr_array
    train: np.ndarray | None
    test: np.ndarray | None
    groups: np.ndarray | None


def read_groups(path: str | Path, n_features: int | None = None) -> np.ndarray:
    """Read the groups of features: a number from 0 a line, in the order of the features.

    Parameters
    ----------
    path : path
        The file of libFM's -meta.
    n_features : int, default=None
        How many there should be, if known.

    Returns
    -------
    int32 array of shape (n_features,), for `feature_groups`
    """
    groups = _whole_numbers(path)
    if n_features is not None and len(groups) != n_features:
        raise FileFormatError(f"{path} has groups of {len(groups)} features, not of {n_features}.")
    if len(groups) and groups.max() >= len(groups):
        raise FileFormatError(
            f"{path}: group {groups.max()} of {len(groups)} features; groups are numbers from 0, "
            "fewer than features."
        )
    return groups


def read_relation(name: str | Path) -> Relation:
    """Read one of libFM's relations: NAME.x (or .xt), NAME.train, NAME.test, perhaps NAME.groups.

    Parameters
    ----------
    name : path
        What the files' names begin with.

    Returns
    -------
    Relation
    """
    X = read_libfm_binary(name).X
    train, test = (_rows(f"{name}.{part}", X.shape[0]) for part in ("train", "test"))
    groups = f"{name}.groups"
    groups = read_groups(groups, X.shape[1]) if Path(groups).exists() else None
    return Relation(X, train, test, groups)


def _rows(path, n_rows):
    if not Path(path).exists():
        return None
    rows = _whole_numbers(path)
    if len(rows) and rows.max() >= n_rows:
        case = int(np.argmax(rows >= n_rows))
        raise FileFormatError(
            f"{path}: case {case} belongs to row {rows[case]} of a block that has {n_rows}."
        )
    return rows


def _whole_numbers(path):
    numbers = read_vector(path, "uint32")
    if len(numbers) and numbers.max() > np.iinfo(np.int32).max:
        raise FileFormatError(f"{path}: {numbers.max()} is too large.")
    return numbers.astype(np.int32)
