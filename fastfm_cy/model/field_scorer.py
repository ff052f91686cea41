"""Field scorer: what ``compile()`` of a model with fields returns."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.csr import CSRRows
from .interfaces import Model, Table
from .scoring import score_rows


class FieldScorer:
    """A fitted model, ready to score single rows and small batches without an estimator's checks.

    Made by an estimator's ``compile()``. It keeps the model as it is now and may be used from
    several threads at once. It checks column numbers, offsets and fields, not the values.

    Parameters
    ----------
    table : ParameterTable
    model : FittedModel
    """

    def __init__(self, table: Table, model: Model) -> None:
        self._table, self._model, self._inputs = table, model, model.inputs
        self._of_feature = np.empty(0, dtype=np.int32)
        if not self._inputs.beside:
            self._of_feature = self._inputs.of_features(model.n_features)

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
        indptr = np.asarray(indptr, dtype=np.int64)
        indices = np.asarray(indices)
        data = np.asarray(data, dtype=self._table.dtype)
        if indices.shape != data.shape or indices.ndim != 1:
            raise ValueError(f"{indices.shape} indices, but {data.shape} values.")
        if indptr.ndim != 1 or not (
            len(indptr) and indptr[0] == 0 and indptr[-1] == len(indices)
            and (indptr[1:] >= indptr[:-1]).all()
        ):  # fmt: skip
            raise ValueError("indptr must rise from 0 to the number of indices.")
        _check_range(indices, self._model.n_features, "column")
        indices = indices.astype(np.int32, copy=False)
        if self._inputs.beside:
            if fields is None or np.shape(fields) != indices.shape:
                raise ValueError("The model knows no fields of features; give a field an entry.")
            fields = np.asarray(fields)
            _check_range(fields, self._inputs.n_fields, "field")
        elif fields is not None:
            raise ValueError("The model was fitted with a field a feature; leave out fields.")
        else:
            fields = self._of_feature[indices]
        fields = fields.astype(np.int32, copy=False)
        rows = CSRRows(indptr, indices, data, self._model.n_features, fields)
        scores = score_rows(self._table, self._inputs.as_kernels_want(self._inputs.scaled(rows)))
        self._model.link.predict(scores)
        scores.clip(*self._model.target.score_range, out=scores)
        return scores if scores.shape[1] > 1 else scores[:, 0]


def _check_range(numbers: np.ndarray, n: int, what: str) -> None:
    if numbers.size and not (
        numbers.dtype.kind in "iu" and 0 <= numbers.min() <= numbers.max() < n
    ):
        raise IndexError(f"{what}s must be integers in 0..{n - 1}.")
