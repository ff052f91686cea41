"""Hypothesis strategies: random rows whose entries have fields, and models for them."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from reference import ffm, fwfm

from fastfm_cy.data.csr import CSRRows
from fastfm_cy.model.families import FFM, FwFM
from fastfm_cy.model.table import ParameterTable


@dataclass
class FieldProblem:
    """Rows as lists of (field, feature, x) by rising field, a model an output, and a generator."""

    rows: list
    n_fields: int
    models: list
    rng: np.random.Generator

    def csr(self, dtype):
        entries = [entry for row in self.rows for entry in row]
        indptr = np.concatenate([[0], np.cumsum([len(row) for row in self.rows])])
        fields, columns, values = (
            np.array([entry[part] for entry in entries], kind)
            for part, kind in enumerate((np.int32, np.int32, dtype))
        )
        n_features = len(self.models[0].w)
        return CSRRows(indptr.astype(np.int64), columns, values, n_features, fields)

    def table(self, dtype, state_start=(), n_row_state=0):
        model = self.models[0]
        Machine = FFM if isinstance(model, ffm.Model) else FwFM
        machine = Machine(self.n_fields, model.same_field)
        shape = len(model.w), model.v.shape[-1]
        table = ParameterTable(
            *shape, dtype, len(self.models), state_start, n_row_state, family=machine
        )
        table.begin(np.arange(shape[0]))
        for output, model in enumerate(self.models):
            table.intercepts[output] = model.w0
            table.linear_blocks[:, output, 0] = model.w
            table.vector_blocks[:, output] = model.v.reshape(table.vector_blocks[:, output].shape)
            if Machine is FwFM:
                table.shared_blocks[output, 0] = model.r.ravel()
        return table


@st.composite
def field_problems(draw, Model, n_outputs=1):
    """Up to 6 rows, 9 features, 6 fields and 17 factors; fields may be absent from a row, or have
    several features; a feature may have another field in each row; rows may be empty or full."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows, n_features = draw(st.integers(1, 6)), draw(st.integers(1, 9))
    n_fields, same_field = draw(st.integers(1, 6)), draw(st.booleans())
    n_factors = draw(st.sampled_from([0, 1, 3, 4, 5, 8, 9, 16, 17]))
    is_full = draw(st.booleans())
    rows = []
    for _ in range(n_rows):
        n = rng.integers(0, n_features + 1)
        fields = rng.integers(0, n_fields, n)
        if is_full and n >= n_fields:
            fields[:n_fields] = np.arange(n_fields)
        values = _exact(rng.normal(size=n))
        row = zip(np.sort(fields), rng.permutation(n_features)[:n], values, strict=True)
        rows.append([(int(f), int(j), float(x)) for f, j, x in row])

    def model():
        shape = (n_features, n_fields, n_factors) if Model is ffm.Model else (n_features, n_factors)
        parts = [float(_exact(rng.normal())), _exact(rng.normal(size=n_features))]
        parts.append(_exact(rng.normal(scale=0.5, size=shape)))
        if Model is fwfm.Model:
            parts.append(_exact(rng.normal(size=(n_fields, n_fields))))
        return Model(*parts, same_field)

    return FieldProblem(rows, n_fields, [model() for _ in range(n_outputs)], rng)


def _exact(values):
    """Values that both dtypes hold exactly, so that only the arithmetic differs."""
    return np.float64(np.float32(values))
