"""Partitions: pieces of X, y and weights that lie together, not computed yet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from ..data.dataset import Dataset
from ..data.disk.dataset import open_dataset
from ..data.fields import joined
from ..io.data_files.reading import read
from .libraries import dask

_ROWS_A_PARTITION = 1 << 18  # of data sets on disk


@dataclass(frozen=True)
class Piece:
    """What a partition is once it is computed."""

    X: Any
    y: Any
    weights: Any
    widens: bool = False
    """Whether X is as wide as the columns that it happens to have, as files of text are."""


@dataclass(frozen=True)
class Partition:
    """A partition that is not computed yet."""

    piece: Any
    """Delayed, of a Piece."""
    sources: tuple = ()
    """What it is made of: the data that a worker may hold."""


def partitions_of(
    X: Any, y: Any = None, sample_weight: Any = None, name: str = "X"
) -> list[Partition]:
    """The partitions, in order.

    Parameters
    ----------
    X
        A Dask array or data frame; a list of Delayed or futures, each of a matrix, a table, a
        tuple (X, y) or (X, y, weights) or a Dataset; or a path of a data set on disk, of a file or
        of a folder of Parquet files, or a list of them.
    y, sample_weight
        Alike; of a data frame and of Parquet files, also the names of columns.
    """
    if isinstance(X, str | os.PathLike) or (_is_list(X) and isinstance(X[0], str | os.PathLike)):
        return _of_files(X, y, sample_weight)
    if isinstance(y, str) or isinstance(sample_weight, str):
        return [
            Partition(dask.delayed(_of_table)(part, y, sample_weight), (part,))
            for part in _parts(X, name)
        ]
    parts = _parts(X, name)
    others = []
    for what, values in (("y", y), ("sample_weight", sample_weight)):
        if values is None:
            others.append([None] * len(parts))
            continue
        if hasattr(X, "chunks") and hasattr(values, "rechunk") and _known(X) and _known(values):
            if values.shape[0] != X.shape[0]:
                raise ValueError(f"{what} has {values.shape[0]} rows, {name} has {X.shape[0]}.")
            values = values.rechunk({0: X.chunks[0]})
        found = _parts(values, what)
        if len(found) != len(parts):
            raise ValueError(
                f"{what} has {len(found)} partitions, {name} has {len(parts)}: they must be cut "
                "at the same rows."
            )
        others.append(found)
    return [
        Partition(dask.delayed(_piece)(*part), part) for part in zip(parts, *others, strict=True)
    ]


def is_distributed(X: Any) -> bool:
    """Whether X is something that `partitions_of` takes, but for paths."""
    return hasattr(X, "__dask_graph__") or (
        _is_list(X) and (hasattr(X[0], "__dask_graph__") or hasattr(X[0], "key"))
    )


def _is_list(X: Any) -> bool:
    return isinstance(X, Sequence) and not isinstance(X, str | bytes) and len(X) > 0


def _known(values: Any) -> bool:
    return not any(np.isnan(size) for size in values.chunks[0])


def _parts(values: Any, name: str) -> list[Any]:
    if _is_list(values):
        return list(values)
    if hasattr(values, "chunks") and getattr(values, "ndim", 1) == 2 and values.numblocks[1] > 1:
        values = values.rechunk({1: -1})
    if not hasattr(values, "to_delayed"):
        raise TypeError(
            f"{name} must be a Dask array or data frame, a list of delayed objects or futures, or "
            f"paths; got {type(values).__name__}. For data of this process, fit the local "
            "estimator."
        )
    return list(np.ravel(np.asarray(values.to_delayed(), dtype=object)))


# Made on the workers ------------------------------------------------------------------------------


def _piece(X: Any, y: Any, weights: Any) -> Piece:
    if isinstance(X, Dataset):
        return Piece(joined(X.X, X.fields), X.y, X.weights)
    if y is None and isinstance(X, tuple):
        X, y, *rest = X
        weights = rest[0] if rest else None
    return Piece(X, y, weights)


def _of_table(table: Any, y: str, weights: str | None) -> Piece:
    names = [name for name in (y, weights) if name is not None]
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise ValueError(f"there is no column {missing[0]!r}.")
    others = None if weights is None else np.asarray(table[weights])
    return Piece(table.drop(columns=names), np.asarray(table[y]), others)


def _of_files(X: Any, y: Any, sample_weight: Any) -> list[Partition]:
    paths = [Path(path) for path in (X if _is_list(X) else [X])]
    found = []
    for path in paths:
        if path.is_dir() and (path / "indptr.npy").exists():
            if y is not None or sample_weight is not None:
                raise ValueError(f"{path} has its own targets and weights: fit(X), without y.")
            n_rows, step = open_dataset(path).shape[0], _ROWS_A_PARTITION
            cuts = [*range(0, n_rows, step), n_rows]
            for first, last in pairwise(cuts):
                piece = dask.delayed(_of_disk)(str(path), first, last)
                found.append(Partition(piece))
            continue
        files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        if not files:
            raise FileNotFoundError(f"{path} holds no data set on disk and no Parquet files.")
        for file in files:
            is_table = file.suffix in (".parquet", ".pq")
            made = dask.delayed(_of_parquet if is_table else _of_text)
            found.append(Partition(made(str(file), y, sample_weight)))
    return found


def _of_disk(folder: str, first: int, last: int) -> Piece:
    chunk = open_dataset(folder).chunk([(first, last)])
    X = chunk.rows.as_matrix()
    if chunk.rows.fields is not None:
        shape = X.shape
        X = joined(X, sparse.csr_array((chunk.rows.fields, X.indices, X.indptr), shape))
    return Piece(X, chunk.y, chunk.weights)


def _of_parquet(path: str, y: str, weights: str | None) -> Piece:
    import pandas as pd

    if y is None:
        raise ValueError(f"{path}: y must be the name of the column with the targets.")
    return _of_table(pd.read_parquet(path), y, weights)


def _of_text(path: str, y: Any, weights: Any) -> Piece:
    if y is not None or weights is not None:
        raise ValueError(f"{path} has its own targets: fit(X), without y.")
    data = read(path)
    return Piece(data.X, data.y, data.weights, widens=True)
