"""Predictions by blocks: lazily, where the rows are."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from .libraries import dask


def by_blocks(estimator: Any, method: str, X: Any) -> Any:
    """What a method of a fitted local estimator gives of each block of X.

    Returns
    -------
    Dask array, or a list of delayed arrays for a list
    """
    model = dask.delayed(estimator, pure=True)  # goes to each worker once
    predict = dask.delayed(_predicted)
    if isinstance(X, list | tuple):
        return [predict(model, method, part) for part in X]
    da = importlib.import_module("dask.array")

    sizes: Any = None
    if hasattr(X, "chunks"):
        if X.numblocks[1] > 1:
            X = X.rechunk({1: -1})
        sizes = X.chunks[0]
    blocks = np.ravel(np.asarray(X.to_delayed(), dtype=object))
    sizes = [np.nan] * len(blocks) if sizes is None else sizes
    width, dtype = _kind(estimator, method)
    arrays = [
        da.from_delayed(predict(model, method, block), (size, *width), dtype=dtype)
        for block, size in zip(blocks, sizes, strict=True)
    ]
    return da.concatenate(arrays, allow_unknown_chunksizes=True)


def _kind(estimator: Any, method: str) -> tuple[tuple[int, ...], Any]:
    """Shape of a row's prediction, and type."""
    model = estimator._fitted
    if method == "predict" and hasattr(estimator, "classes_"):
        return (), estimator.classes_.dtype
    if method == "predict_proba":
        return (len(estimator.classes_),), model.table.dtype
    n_outputs = model.table.n_outputs
    return (
        (n_outputs,) if method == "decision_function" and n_outputs > 2 else ()
    ), model.table.dtype


def _predicted(model: Any, method: str, X: Any) -> Any:
    if isinstance(X, tuple):
        X = X[0]
    if not (X.shape[0] if hasattr(X, "shape") else len(X)):
        width, dtype = _kind(model, method)
        return np.empty((0, *width), dtype)
    return getattr(model, method)(X)
