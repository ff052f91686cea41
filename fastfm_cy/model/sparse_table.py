"""Models most of whose weights are zero, as L1 leaves them."""

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from .table import ParameterTable


class SparsityMixin:
    """``sparsify``, ``densify`` and ``sparsity_``, over the estimator's table.

    A sparse model's table holds the features with a weight that is not zero, and last one row of
    zeros that stands for all others; `_kept` holds the numbers of the former.
    """

    @property
    def sparsity_(self):
        """dict : shares of the linear weights ("linear") and of the factors ("factors") that are
        zero, and of the features all of whose weights are ("features")."""
        table = self._fitted("sparsity_")
        linear, factors = table.coef.T, table.factor_vectors
        n_outputs, n_features = table.n_outputs, self._n_features()
        n_linear = n_outputs * n_features
        n_factors = n_linear * table.machine.n_vectors * table.n_factors
        return {
            "linear": 1 - np.count_nonzero(linear) / n_linear,
            "factors": 1 - np.count_nonzero(factors) / n_factors if n_factors else 1.0,
            "features": 1 - np.count_nonzero(_used(table)) / n_features,
        }

    def sparsify(self):
        """Keep only features with a weight that is not zero: less memory, smaller files.

        ``coef_`` and ``factors_`` become scipy.sparse arrays (``factors_`` of several classes: one
        below the other; of several vectors a feature: side by side), predictions stay the same. To
        train on, call ``densify`` first; the state of the optimiser starts anew.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        if not self._is_sparse():
            kept = np.flatnonzero(_used(self._table)).astype(np.int32)
            table = self._table
            self._state = table.state_start, table.n_row_state, table.in_eights
            self._n_dense_features = self._table.n_features
            self._kept, self._table = kept, self._table.weights_of(kept)
        return self

    def densify(self):
        """Undo ``sparsify``.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        if self._is_sparse():
            self._table = self._dense_table(self._state)
            self._state_fits = None
            self._forget_sparsity()
        return self

    def _forget_sparsity(self):
        for name in ("_kept", "_state", "_n_dense_features"):
            vars(self).pop(name, None)

    def _is_sparse(self):
        return "_kept" in vars(self)

    def _n_features(self):
        """Of the fitted model, whatever n_features_in_ says."""
        return self._n_dense_features if self._is_sparse() else self._table.n_features

    def _dense_table(self, state=()):
        """A table with a row a feature; a sparse model's optimiser state is at its start."""
        sparse_table = self._table
        if not self._is_sparse():
            return sparse_table
        table = ParameterTable(
            self._n_features(), sparse_table.n_factors, sparse_table.dtype,
            sparse_table.n_outputs, *(state or ((), 0, sparse_table.in_eights)),
            sparse_table.machine,
        )  # fmt: skip
        table.intercepts[...] = sparse_table.intercepts
        table.shared_blocks[:, 0] = sparse_table.shared_blocks[:, 0]
        if table.begun is not None:
            table.begin(self._kept, np.zeros)
        table.linear_blocks[self._kept, :, 0] = sparse_table.linear_blocks[:-1, :, 0]
        table.factor_blocks[self._kept, :, 0] = sparse_table.factor_blocks[:-1, :, 0]
        return table

    def _weights_of(self, table, name):
        weights = getattr(table, name)
        if not self._is_sparse():
            return weights
        if name == "coef":
            return self._rows_of_all(np.atleast_2d(weights)[:, :-1].T).T.tocsr()
        blocks = table.vector_blocks[:-1].reshape(table.n_features - 1, table.n_outputs, -1)
        return sparse.vstack(
            [self._rows_of_all(block) for block in blocks.swapaxes(0, 1)], format="csr"
        )

    def _rows_of_all(self, kept_rows):
        """A sparse array with a row a feature, given those of the kept features."""
        present = sparse.csr_array(kept_rows)
        indptr = np.zeros(self._n_features() + 1, dtype=np.int64)
        indptr[self._kept + 1] = np.diff(present.indptr)
        shape = self._n_features(), kept_rows.shape[1]
        return sparse.csr_array((present.data, present.indices, indptr.cumsum()), shape)

    def _renumbered(self, rows):
        """The rows with the table's numbers of their features."""
        if not self._is_sparse():
            return rows
        place = np.full(self._n_features(), len(self._kept), dtype=np.int32)
        place[self._kept] = np.arange(len(self._kept), dtype=np.int32)
        return rows.renumbered(place, len(self._kept) + 1)


def _used(table):
    """Which rows of the table hold a weight that is not zero."""
    linear = table.linear_blocks[:, :, 0].any(axis=1)
    return linear | table.factor_blocks[:, :, 0].any(axis=(1, 2))
