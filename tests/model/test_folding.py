"""Folding against the definition: scores of scaled rows equal the folded model's of plain ones."""

import numpy as np
import pytest
from scipy import sparse

from fastfm_cy.data.column_scaling import ColumnScaling, learn_scaling
from fastfm_cy.data.csr import CSRRows
from fastfm_cy.data.fields import sorted_by_field
from fastfm_cy.data.targets import TargetScale, learn_target_scale
from fastfm_cy.model.families import FFM, FM, FwFM, HigherOrderFM
from fastfm_cy.model.folding import folded
from fastfm_cy.model.scoring import score_rows
from fastfm_cy.model.table import ParameterTable

N_ROWS, N_FEATURES = 60, 11
FIELDS = np.array([0, 0, 1, 1, 1, 2, 2, 3, 3, 0, 2])
FAMILIES = [
    FM(), FFM(4), FFM(4, same_field=False), FwFM(4), FwFM(4, same_field=False),
    HigherOrderFM(3), HigherOrderFM(4),
]  # fmt: skip


def rows_of(X, with_fields=False):
    X = sparse.csr_array(X)
    rows = CSRRows(X.indptr.astype(np.int64), X.indices.astype(np.int32), X.data, X.shape[1])
    if with_fields:
        rows = sorted_by_field(rows.with_fields(FIELDS[rows.indices].astype(np.int32)))
    return rows


def table_of(family, n_outputs, rng):
    table = ParameterTable(N_FEATURES, 3, "float64", n_outputs, family=family)
    if table.has_started is not None:
        table.begin(np.arange(N_FEATURES))
        table.vector_blocks[...] = rng.normal(size=table.vector_blocks.shape)
    else:
        table.vector_blocks[...] = rng.normal(size=table.vector_blocks.shape)
    table.linear_blocks[:, :, 0] = rng.normal(size=(N_FEATURES, n_outputs))
    table.intercepts[...] = rng.normal(size=n_outputs)
    table.shared_blocks[:, 0] = rng.normal(size=table.shared_blocks[:, 0].shape)
    return table


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_folded_scores_are_those_of_scaled_rows(family, n_outputs):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, N_FEATURES)) * rng.uniform(0.1, 50, N_FEATURES)
    X[rng.random(X.shape) < 0.3] = 0
    X[:, :4] += rng.normal(0, 100, 4)  # in every row
    centre = np.zeros(N_FEATURES)
    if family.folds_centres:
        centre[:4] = X[:, :4].mean(axis=0)
    columns = ColumnScaling(centre, rng.uniform(0.5, 20, N_FEATURES))
    target = TargetScale(7.0, 3.0) if n_outputs == 1 else None
    table = table_of(family, n_outputs, rng)
    knows_fields = hasattr(family, "n_fields")
    scaled = columns.apply(rows_of(X))
    if knows_fields:
        fields = FIELDS[scaled.indices].astype(np.int32)
        scaled = sorted_by_field(scaled.with_fields(fields))
    expected = score_rows(table, scaled)
    if target:
        expected = target.location + target.spread * expected
    found = score_rows(folded(table, columns, target, FIELDS), rows_of(X, knows_fields))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def test_scaled_columns_are_standardised():
    rng = np.random.default_rng(0)
    X = np.column_stack([
        rng.normal(7, 1, 400), rng.normal(4e4, 1e4, 400), rng.normal(size=400),
        (rng.random(400) < 0.1) * rng.normal(0, 1e-4, 400), rng.random(400) < 0.1,
        np.full(400, 5.0),
    ])  # fmt: skip
    scaling = learn_scaling(rows_of(X), centres=True)
    scaled = scaling.apply(rows_of(X)).as_matrix().toarray()
    np.testing.assert_allclose(scaled[:, :2].mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(scaled[:, :2].std(axis=0), 1)
    assert np.array_equal(scaled[:, 2], X[:, 2])
    assert np.array_equal(scaled[:, 4], X[:, 4])
    assert 0.9 < np.sqrt(np.mean(scaled[X[:, 3] != 0, 3] ** 2)) < 1.1
    np.testing.assert_allclose(scaled[:, 5], 1)  # a constant has no spread to bring to one


def test_columns_of_unit_size_are_left_alone():
    rng = np.random.default_rng(0)
    for X in (
        np.eye(50), rng.normal(size=(200, 5)), rng.poisson(0.3, (300, 20)).astype(float),
        np.abs(rng.normal(size=(100, 30))) * 0.2 * (rng.random((100, 30)) < 0.2),
    ):  # fmt: skip
        assert learn_scaling(rows_of(X), centres=True) is None


def test_targets_of_unit_scale_are_left_alone():
    rng = np.random.default_rng(0)
    stars = rng.integers(1, 6, 500).astype(float)
    assert learn_target_scale(stars, None, centres=True) is None
    large = 1e4 + 300 * rng.normal(size=500)
    scale = learn_target_scale(large, None, centres=True)
    assert scale.apply(large).mean() == pytest.approx(0, abs=1e-9)
    assert scale.apply(large).std() == pytest.approx(1)
    assert learn_target_scale(large, None, centres=False).location == 0
    assert learn_target_scale(np.full(9, 5.0), None, centres=True) is None
