"""Interactions of fields, by their definition over all pairs and over all rows."""

from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest
from reference.inspection import pair_weight, products
from scipy import sparse
from support.machines import BAYESIAN, FIELDS, MACHINES, N_FEATURES, dense, machine, rows_for

from fastfm_cy import FFMClassifier, FMRegressor
from fastfm_cy.inspection import contributions, field_interactions
from fastfm_cy.preprocessing import FieldEncoder


def strengths_by_definition(model, fields, output, rows=None):
    """(f, g) -> root mean square, of weights or of what rows get from the pair of fields."""
    found = {}
    for f, g in combinations_with_replacement(range(3), 2):
        pairs = [(i, j) for i, j in combinations(range(N_FEATURES), 2)
                 if {FIELDS[i], FIELDS[j]} == {f, g}]  # fmt: skip
        if rows is None:
            numbers = [pair_weight(model, i, j, fields, output) for i, j in pairs]
            numbers = [number for number in numbers if number] or [0.0]
        else:
            of_rows = [products(model, x, 2, fields, output) for x in rows]
            numbers = [sum(row.get(pair, 0.0) for pair in pairs) for row in of_rows]
        found[f, g] = np.sqrt(np.mean(np.square(numbers)))
    return found


@pytest.mark.parametrize("with_rows", [False, True])
@pytest.mark.parametrize("kind", MACHINES)
def test_they_are_those_of_the_definition(kind, with_rows, monkeypatch):
    monkeypatch.setattr(contributions, "NUMBERS_AT_ONCE", 30)  # rows are cut into parts
    model, fields = machine(kind)
    X = rows_for(1, 12)
    given = {} if fields is not None else {"fields": FIELDS}
    table = field_interactions(model, X=X if with_rows else None, **given)
    model = dense(model)
    if getattr(model, "normalize", None):
        X = X / np.linalg.norm(X, axis=1, keepdims=True)
    assert (np.diff(table["strength"]) <= 0).all()
    outputs = range(len(model.classes_)) if "class" in table else [0]
    for output in outputs:
        expected = strengths_by_definition(model, fields, output, X if with_rows else None)
        rows = [row for row in table.rows() if "class" not in row or row["class"] == output]
        found = {(int(row["first"]), int(row["second"])): row["strength"] for row in rows}
        for pair, strength in expected.items():
            assert found.get(pair, 0.0) == pytest.approx(strength, rel=1e-5, abs=1e-9), pair


@pytest.mark.parametrize("kind", BAYESIAN)
def test_bayesian_machines_have_intervals(kind):
    model, _ = machine(kind)
    for X in (None, rows_for(1, 12)):
        table = field_interactions(model, fields=FIELDS, X=X, level=0.8)
        assert (table["low"] <= table["strength"]).all()
        assert (table["strength"] <= table["high"]).all()
    samples = model._samples
    draws = [np.sqrt(np.mean(np.square(v[FIELDS == 0] @ v[FIELDS == 1].T)))
             for v in samples.factors.astype(float)]  # fmt: skip
    row = next(
        row for row in field_interactions(model, fields=FIELDS).rows()
        if (row["first"], row["second"]) == ("0", "1")
    )  # fmt: skip
    assert row["strength"] == pytest.approx(np.mean(draws))


def test_names_of_fields():
    model, _ = machine("fwfm")
    names = ["site", "ad", "user"]
    table = field_interactions(model, field_names=names)
    assert {*table["first"], *table["second"]} == set(names)
    plain, _ = machine("regressor")
    by_name = field_interactions(plain, fields=np.array(names)[FIELDS])
    assert {*by_name["first"], *by_name["second"]} == set(names)
    with pytest.raises(ValueError, match="must have 3 names"):
        field_interactions(model, field_names=["site"])
    with pytest.raises(ValueError, match="plain machine knows no fields"):
        field_interactions(plain)
    encoder = FieldEncoder().fit({"a": ["x", "y"] * 2, "b": ["u", "v", "w", "t"]})
    X = encoder.transform({"a": ["x", "y"] * 2, "b": ["u", "v", "w", "t"]})
    table = field_interactions(FMRegressor(2, max_iter=1).fit(X, np.arange(4.0)), names=encoder)
    assert {*table["first"], *table["second"]} == {"a", "b"}


def test_fields_beside_the_data(clicks):
    X = clicks.X
    fields = sparse.csr_array((clicks.fields[X.indices], X.indices, X.indptr), X.shape)
    beside = FFMClassifier(2, max_iter=1, random_state=0).fit(X, clicks.y, fields=fields)
    own = FFMClassifier(2, max_iter=1, random_state=0, fields=clicks.fields).fit(X, clicks.y)
    found = field_interactions(beside, X=X, fields=fields)
    expected = field_interactions(own, X=X)
    np.testing.assert_allclose(found["strength"], expected["strength"], rtol=1e-4)
    assert found["first"].tolist() == expected["first"].tolist()
    with pytest.raises(ValueError, match="Give X"):
        field_interactions(beside)
