"""The strongest interactions: those of the definition, without a number a pair."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.inspection import pair_weights
from scipy import sparse
from sklearn.pipeline import make_pipeline
from support.machines import BAYESIAN, FIELDS, MACHINES, N_FEATURES, PLAIN, dense, machine, rows_for

from fastfm_cy import BayesianFMRegressor, FFMClassifier, FMClassifier, FMRecommender, FMRegressor
from fastfm_cy.datasets import make_clicks
from fastfm_cy.inspection import Columns, top_interactions
from fastfm_cy.inspection import running_top as search
from fastfm_cy.model.table import ParameterTable
from fastfm_cy.preprocessing import FieldEncoder


def outputs_of(model):
    return len(model.coef_) if np.ndim(model.coef_) == 2 else 1


def as_dict(table, names):
    """(output, i, j) -> weight."""
    number = {name: i for i, name in enumerate(names)}
    classes = table.get("class", np.zeros(table.n_rows, dtype=int)).tolist()
    keys = zip(classes, table["first"], table["second"], strict=True)
    pairs = [(c, *sorted((number[i], number[j]))) for c, i, j in keys]
    return dict(zip(pairs, table["weight"], strict=True))


def expected_pairs(model, fields, X=None):
    """(output, i, j) -> (weight, strength), by the definition."""
    found = {}
    for output in range(outputs_of(model)):
        for (i, j), weight in pair_weights(model, N_FEATURES, fields, output).items():
            size = 1.0 if X is None else np.abs(X[:, i] * X[:, j]).mean()
            if weight * size:
                found[output, i, j] = weight, abs(weight) * size
    return found


@pytest.mark.parametrize("with_rows", [False, True])
@pytest.mark.parametrize("kind", MACHINES)
def test_they_are_those_of_the_definition(kind, with_rows):
    model, fields = machine(kind)
    X = rows_for(1, 30)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    names = [f"x{i}" for i in range(N_FEATURES)]
    table = top_interactions(model, 12, X=X if with_rows else None)
    normalizes = getattr(model, "normalize", None) is not None
    seen = None if not with_rows else unit if normalizes else X
    expected = expected_pairs(dense(model), fields, seen)
    found = as_dict(table, names)
    assert len(found) == min(12, len(expected))
    strengths = sorted((strength for _, strength in expected.values()), reverse=True)
    for (pair, weight), strength in zip(found.items(), strengths, strict=False):
        assert weight == pytest.approx(expected[pair][0], rel=1e-5)
        assert expected[pair][1] == pytest.approx(strength, rel=1e-5)
    if with_rows:
        np.testing.assert_allclose(table["importance"], strengths[: table.n_rows], rtol=1e-5)
        rows = [((X[:, i] != 0) & (X[:, j] != 0)).sum() for _, i, j in found]
        assert table["rows"].tolist() == rows


@settings(max_examples=40)
@given(
    seed=st.integers(0, 1000), n=st.integers(1, 60), side=st.integers(1, 9), grouped=st.booleans()
)
def test_blocks_and_bounds_change_nothing(seed, n, side, grouped):
    """Whatever the size of the blocks, and however unequal the vectors."""
    rng = np.random.default_rng(seed)
    model = FMRegressor(2, max_iter=1).fit(np.eye(12), np.arange(12.0))
    model._table.vector_blocks[...] = rng.normal(size=(12, 1, 1, 2)) * 10.0 ** rng.integers(
        -3, 3, (12, 1, 1, 1)
    )
    groups = rng.integers(0, 3, 12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "_SIDE", side)
        table = top_interactions(model, n, fields=groups if grouped else None)
    weights = model.factors_.astype(float) @ model.factors_.T.astype(float)
    i, j = np.triu_indices(12, 1)
    counts = groups[i] != groups[j] if grouped else np.ones(len(i), bool)
    expected = -np.sort(-np.abs(weights[i, j][counts]))[:n]
    np.testing.assert_allclose(np.abs(table["weight"]), expected, rtol=1e-9)


@pytest.mark.parametrize("with_rows", [False, True])
@pytest.mark.parametrize("kind", BAYESIAN)
def test_bayesian_machines_have_intervals(kind, with_rows):
    model, _ = machine(kind)
    X = rows_for(1, 30)
    table = top_interactions(model, 5, X=X if with_rows else None, level=0.8)
    samples = model._samples
    for row in table.rows():
        i, j = int(row["first"][1:]), int(row["second"][1:])
        draws = np.einsum("dk,dk->d", *samples.factors[:, [i, j]].astype(float).swapaxes(0, 1))
        assert row["weight"] == pytest.approx(draws.mean())
        assert [row["low"], row["high"]] == pytest.approx(np.quantile(draws, [0.1, 0.9]))


def test_fields_leave_out_pairs_within_one(clicks):
    model = FMClassifier(4, max_iter=2, random_state=0).fit(clicks.X, clicks.y)
    names = np.array(["site", "ad", "hour", "page", "user", "place"])[clicks.fields]
    for X in (None, clicks.X):
        table = top_interactions(model, 30, fields=names, X=X, names=np.arange(60))
        assert table.n_rows == 30
        assert (names[table["first"]] != names[table["second"]]).all()


def test_names_of_frames_pipelines_and_encoders():
    rng = np.random.default_rng(0)
    films = {"user": rng.integers(20, size=300).astype(str), "film": rng.integers(9, size=300)}
    encoder = FieldEncoder(categorical=["film"])
    y = rng.random(300)
    pipeline = make_pipeline(encoder, FMRegressor(2, max_iter=2, random_state=0)).fit(films, y)
    table = top_interactions(pipeline, 4, X=films)
    assert all(a.startswith("user=") and b.startswith("film=") for a, b in zip(
        table["first"], table["second"], strict=True))  # fmt: skip
    model, encoder = pipeline[-1], pipeline[0]
    same = top_interactions(model, 4, X=encoder.transform(films), names=encoder)
    assert repr(same) == repr(table)
    assert repr(top_interactions(model, 4, names=encoder)) == repr(top_interactions(pipeline, 4))


def test_fields_beside_the_data(clicks):
    fields = sparse.csr_array((clicks.fields[clicks.X.indices], clicks.X.indices, clicks.X.indptr))
    options = {"max_iter": 1, "random_state": 0, "normalize": None}
    beside = FFMClassifier(2, **options).fit(clicks.X, clicks.y, fields=fields)
    own = FFMClassifier(2, fields=clicks.fields, **options).fit(clicks.X, clicks.y)
    table = top_interactions(beside, 9, X=clicks.X, fields=fields)
    same = top_interactions(own, 9, X=clicks.X)
    np.testing.assert_allclose(table["importance"], same["importance"], rtol=1e-5)
    i = int(same["first"][0][1:])
    assert table["first"][0] == f"x{i} [field {clicks.fields[i]}]"
    with pytest.raises(ValueError, match=r"fields beside the data.*Give X"):
        top_interactions(beside)


def test_hashed_features_have_the_names_of_what_meets(clicks):
    model = FMClassifier(2, n_hash=16, max_iter=1, random_state=0).fit(clicks.X, clicks.y)
    assert top_interactions(model, 1)["first"][0].startswith("hash ")
    names = [f"f{i}" for i in range(60)]
    assert " | " in top_interactions(model, 1, names=names)["first"][0]
    table = top_interactions(model, 5, X=clicks.X, names=names)
    assert (table["rows"] > 0).all()
    aware = FFMClassifier(2, fields=clicks.fields, n_hash=16, max_iter=1).fit(clicks.X, clicks.y)
    with pytest.raises(ValueError, match="are hashed"):
        top_interactions(aware)
    assert top_interactions(aware, 5, X=clicks.X).n_rows == 5


def test_memory_follows_the_features_not_their_pairs():
    """20,000 features have 200 million pairs: a byte each would be 200 MB."""
    model = FMRegressor(4, max_iter=1).fit(np.eye(2), [0.0, 1.0])
    table = ParameterTable(20_000, 4, "float32")
    table.vector_blocks[...] = np.random.default_rng(0).normal(size=(20_000, 1, 1, 4))
    model._fitted = type(model._fitted)(
        table, model._fitted.inputs, model._fitted.target, model._fitted.link, 20_000
    )
    tracemalloc.start()
    found = top_interactions(model, 10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6
    vectors = table.factor_vectors.astype(np.float32)
    best = max(np.abs(np.triu(vectors[s : s + 500] @ vectors.T, s + 1)).max()
               for s in range(0, 20_000, 500))  # fmt: skip
    assert abs(found["weight"][0]) == pytest.approx(best, rel=1e-5)


def test_features_that_never_occur_cost_nothing():
    data = make_clicks(300, n_fields=4, n_features=60, random_state=0)
    X = sparse.csr_array(data.X)
    places = np.sort(np.random.default_rng(0).choice(20_000_000, 60, replace=False))
    wide = sparse.csr_array((X.data, places[X.indices].astype(np.int32), X.indptr),
                            (300, 20_000_000))  # fmt: skip
    model = FMClassifier(4, max_iter=3, random_state=0).fit(wide, data.y)
    tracemalloc.start()
    table = top_interactions(model, 5)
    with_rows = top_interactions(model, 5, X=wide)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
    names = [f"x{place}" for place in places]
    assert {*table["first"], *with_rows["first"]} <= set(names)


def test_a_row_in_which_everything_meets():
    """The pairs of a wide row come in parts."""
    X = sparse.csr_array(np.ones((2, 3000), dtype=np.float32))
    model = FMRegressor(2, max_iter=1, random_state=0).fit(X, [0.0, 1.0])
    table = top_interactions(model, 3, X=X)
    assert table["rows"].tolist() == [2, 2, 2]
    same = top_interactions(model, 3)
    np.testing.assert_allclose(table["weight"], same["weight"])


@pytest.mark.parametrize("kind", PLAIN)
def test_nothing_changes(kind):
    model, _ = machine(kind)
    before = repr(model), {name: id(value) for name, value in vars(model).items()}
    top_interactions(model, 3, X=rows_for(1))
    assert (repr(model), {name: id(value) for name, value in vars(model).items()}) == before


def test_wrong_arguments():
    model, _ = machine("regressor")
    aware, _ = machine("ffm")
    for arguments, message in (
        ({"n": 0}, "n == 0"),
        ({"fields": [0, 1]}, "fields must hold"),
        ({"fields": -np.ones(N_FEATURES, int)}, "must not be negative"),
        ({"names": ["a"]}, "names must hold a name a feature"),
        ({"level": 1.0}, "level must lie between"),
        ({"X": np.ones((2, 3))}, "expecting 9 features"),
        ({"X": np.full((2, 9), np.nan)}, "NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            top_interactions(model, **arguments)
    with pytest.raises(ValueError, match="fields of its own"):
        top_interactions(aware, fields=FIELDS)
    with pytest.raises(TypeError, match="similar_items"):
        top_interactions(FMRecommender(2, max_iter=1).fit(sparse.eye_array(4, format="csr")))
    with pytest.raises(ValueError, match="not fitted"):
        top_interactions(FMRegressor())


def test_columns_print_and_become_frames():
    table = Columns(name=np.array(["a", "<b>"], dtype=object), number=np.array([1.5, 2.0]))
    assert table.n_rows == 2
    assert repr(table) == "name  number\na     1.5\n<b>   2"
    assert "&lt;b&gt;" in table._repr_html_()
    assert table.to_frame().shape == (2, 2)
    assert table.to_frame("polars").columns == ["name", "number"]
    assert list(table.rows())[1] == {"name": "<b>", "number": 2.0}
    assert "... 5 more rows" in repr(Columns(a=np.arange(25)))


def test_a_bayesian_machine_of_many_draws_and_features():
    X = sparse.eye_array(500, format="csr")
    model = BayesianFMRegressor(4, max_iter=30, random_state=0).fit(X, np.arange(500.0))
    assert top_interactions(model, 3).n_rows == 3
