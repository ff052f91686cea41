"""Input scorer: what ``compile()`` returns of a model whose entries have fields or are hashed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.csr import CSRRows
from .scoring import score_rows


class InputScorer:
    """A fitted model, ready to score single rows and small batches without an estimator's checks.

    Made by an estimator's ``compile()``, with the methods that the compiled scorer of a plain
    machine has. It keeps the model as it is now and may be used from several threads at once. It
    checks column numbers, offsets and fields, not the values.

    Parameters
    ----------
    table : ParameterTable
    model : FittedModel
    """

    def __init__(self, table: Any, model: Any) -> None:
        self._table, self._model = table, model

    def row(self, indices: Any, data: Any, fields: Any = None) -> float | np.ndarray:
        """Score one row.

        Parameters
        ----------
        indices : int array of shape (nnz,)
            The row's columns.
        data : array of shape (nnz,)
            Their values.
        fields : int array of shape (nnz,), default=None
            Their fields, if the model was fitted with fields beside the data.

        Returns
        -------
        float : the decision value of a classifier, the prediction of a regressor; with several
        classes, an ndarray of their decision values
        """
        score = self.rows([0, len(indices)], indices, data, fields)[0]
        return score if np.ndim(score) else float(score)

    def rows(self, indptr: Any, indices: Any, data: Any, fields: Any = None) -> np.ndarray:
        """Score the rows of a CSR matrix, given by its arrays.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_classes), of the model's dtype
        """
        model = self._model
        indptr = _integers(indptr, "indptr").astype(np.int64)
        indices = _integers(indices, "indices")
        data = np.asarray(data, dtype=self._table.dtype)
        if indices.shape != data.shape:
            raise ValueError(f"{len(indices)} indices, but {len(data)} values.")
        if not len(indptr) or indptr[0] != 0 or indptr[-1] != len(indices):
            raise ValueError("indptr must hold offsets into indices, from 0 to their number.")
        falls = np.flatnonzero(indptr[1:] < indptr[:-1])
        if falls.size:
            raise ValueError(f"indptr decreases at row {falls[0]}.")
        _check_range(indices, model.n_features, "column")
        rows = CSRRows(indptr, indices.astype(np.int32), data, model.n_features)
        if fields is not None:
            fields = _integers(fields, "fields")
            if fields.shape != indices.shape:
                raise ValueError(f"{len(indices)} indices, but {len(fields)} fields.")
            _check_range(fields, model.inputs.n_fields or 0, "field")
            fields = fields.astype(np.int32)
        scores = score_rows(self._table, model.inputs.of_entries(rows, fields))
        model.link.predict(scores)
        scores.clip(*model.target.score_range, out=scores)
        return scores if scores.shape[1] > 1 else scores[:, 0]


def _integers(numbers: Any, name: str) -> np.ndarray:
    """A copy, so that what was checked stays."""
    array = np.array(numbers)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise TypeError(
            f"{name} must be a 1-dimensional array of integers; got shape {array.shape}, "
            f"{array.dtype}."
        )
    return array


def _check_range(numbers: np.ndarray, n: int, what: str) -> None:
    outside = (numbers < 0) | (numbers >= n)
    if outside.any():
        entry = int(outside.argmax())
        raise IndexError(f"entry {entry}: {what} {numbers[entry]} is not in 0..{n - 1}.")
