"""Hypothesis strategies: random sparse problems with all their corners."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from reference.fm import Model

from fastfm_cy.data.csr import CSRRows
from fastfm_cy.model.table import ParameterTable

DTYPES = ("float32", "float64")


@dataclass
class Problem:
    """Dense rows, their CSR, the weights of a model an output, and a generator for the rest."""

    X: np.ndarray
    models: list
    rng: np.random.Generator

    @property
    def model(self):
        return self.models[0]

    def rows(self, dtype):
        present = self.X != 0
        indptr = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int64)
        row, column = np.nonzero(present)
        data = self.X[row, column].astype(dtype)
        return CSRRows(indptr, column.astype(np.int32), data, self.X.shape[1])

    def table(self, dtype, state_start=(), n_row_state=0, *, is_tiled=False):
        shape = self.model.v.shape
        table = ParameterTable(*shape, dtype, len(self.models), state_start, n_row_state, is_tiled)
        for output, model in enumerate(self.models):
            table.intercepts[output] = model.w0
            table.linear_blocks[:, output, 0] = model.w
            table.factor_blocks[:, output, 0, : shape[1]] = model.v
        return table


@st.composite
def problems(draw, n_outputs=1):
    """Up to 8 rows and 7 features, 0 to 70 factors; rows and columns may be empty."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows, n_features = draw(st.integers(1, 8)), draw(st.integers(1, 7))
    n_factors = draw(st.sampled_from([0, 1, 3, 4, 5, 8, 9, 16, 17, 32, 40, 64, 70]))
    density = draw(st.sampled_from([0.0, 0.3, 0.7, 1.0]))
    X = rng.normal(size=(n_rows, n_features)) * (rng.random((n_rows, n_features)) < density)
    # Values that both dtypes hold exactly, so that only the arithmetic differs.
    X = X.astype(np.float32).astype(np.float64)
    return Problem(X, [_model(rng, n_features, n_factors) for _ in range(n_outputs)], rng)


def _model(rng, n_features, n_factors):
    v = rng.normal(scale=0.5, size=(n_features, n_factors)).astype(np.float32).astype(np.float64)
    w = rng.normal(size=n_features).astype(np.float32).astype(np.float64)
    return Model(float(np.float32(rng.normal())), w, v)
