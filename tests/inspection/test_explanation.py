"""Explanations: the terms are those of the definition and add up to what the model scores."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.inspection import products, shapley_values, weights_of
from scipy import sparse
from sklearn.pipeline import make_pipeline
from support.machines import BAYESIAN, MACHINES, N_FEATURES, WITH_FIELDS, dense, machine, rows_for

from fastfm_cy import FFMClassifier, FMClassifier, FMRegressor, RelationalDesign
from fastfm_cy.inspection import explain, feature_importance
from fastfm_cy.preprocessing import FieldEncoder


def score_of(model, x):
    """What the model itself says of a row."""
    if hasattr(model, "decision_function"):
        return np.atleast_1d(model.decision_function(x[None])[0])
    if getattr(model, "loss", None) == "poisson":
        return np.log(model.set_params(clip_predictions=False).predict(x[None]))
    if hasattr(model, "clip_predictions"):
        model.set_params(clip_predictions=False)
    return np.atleast_1d(model.predict(x[None])[0])


def seen_by(model, x):
    return x / np.linalg.norm(x) if getattr(model, "normalize", None) and x.any() else x


def number_of(name):
    return int(name[1:])


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
@pytest.mark.parametrize("kind", MACHINES)
def test_the_terms_add_up_to_the_score(kind, seed):
    model, _ = machine(kind)
    X = rows_for(seed, 3)
    found = explain(model, X, row=1)
    terms = [found.intercept, *found.linear["contribution"], *found.pairs["contribution"]]
    terms += [value for order, value in found.orders.items() if order > 2]
    magnitude = max(1.0, float(np.abs(terms).sum()))
    assert math.fsum(terms) == pytest.approx(found.score, abs=1e-14 * magnitude)
    shares = found.intercept + math.fsum(found.features["contribution"])
    assert shares == pytest.approx(found.score, abs=1e-12 * magnitude)
    scores = score_of(model, X[1])
    expected = scores[0]
    if len(scores) > 1:
        expected = scores[model.classes_.tolist().index(found.label)]
        assert found.label == found.prediction == model.predict(X[1:2])[0]
    # The model's own arithmetic is that of its type.
    rounding = 1e-12 if str(model._table.dtype) == "float64" else 5e-6
    assert found.score == pytest.approx(expected, abs=rounding * magnitude)


@pytest.mark.parametrize("kind", MACHINES)
def test_each_term_is_that_of_the_definition(kind):
    model, fields = machine(kind)
    x = rows_for(5, 1)[0]
    found = explain(model, x[None])
    model = dense(model)
    x = seen_by(model, x)
    output = 0
    signs = {0: 1.0}
    if np.ndim(model.coef_) == 2:
        output = model.classes_.tolist().index(found.label)
        signs = {output: 1.0} | ({1 - output: -1.0} if len(model.classes_) == 2 else {})
    for name, value in zip(found.linear["feature"], found.linear["contribution"], strict=True):
        j = number_of(name)
        expected = sum(sign * weights_of(model, out)[1][j] * x[j] for out, sign in signs.items())
        assert value == pytest.approx(expected, rel=1e-5, abs=1e-7)
    for order, total in found.orders.items():
        if order == 1:
            continue
        expected = {out: products(model, x, order, fields, out) for out in signs}
        sums = sum(sign * sum(expected[out].values()) for out, sign in signs.items())
        assert total == pytest.approx(sums, rel=1e-5, abs=1e-5)
        if order == 2:
            for row in found.pairs.rows():
                pair = tuple(sorted((number_of(row["first"]), number_of(row["second"]))))
                value = sum(sign * expected[out][pair] for out, sign in signs.items())
                assert row["contribution"] == pytest.approx(value, rel=1e-5, abs=1e-6)
    sizes = np.abs(found.pairs["contribution"])
    assert (np.diff(sizes) <= 0).all()


@pytest.mark.parametrize("kind", ["regressor", "degree 3", "degree 5 shared", "ffm", "fwfm"])
def test_features_have_shapley_values(kind):
    model, fields = machine(kind)
    x = rows_for(2, 1)[0] * (np.arange(N_FEATURES) < 6)
    expected = shapley_values(model, x, fields)
    for row in explain(model, x[None]).features.rows():
        value = expected[number_of(row["feature"])]
        assert row["contribution"] == pytest.approx(value, rel=1e-4, abs=1e-4)
        assert row["linear"] + row["interactions"] == pytest.approx(row["contribution"])


@pytest.mark.parametrize("kind", BAYESIAN)
def test_bayesian_machines(kind):
    model, _ = machine(kind)
    x = rows_for(5, 1)
    found = explain(model, x, level=0.8)
    samples = model._samples
    j = np.flatnonzero(x[0])
    p = samples.factors[:, j].astype(float) * x[0, j, None]
    linear = samples.linear[:, j].astype(float) * x[0, j]
    pairs = (np.square(p.sum(axis=1)) - np.square(p).sum(axis=1)).sum(axis=1) / 2
    scores = samples.intercept + linear.sum(axis=1) + pairs
    assert found.score == pytest.approx(scores.mean(), rel=1e-6)
    assert found.interval == pytest.approx(np.quantile(scores, [0.1, 0.9]), rel=1e-6)
    assert found.orders[2] == pytest.approx(pairs.mean(), rel=1e-6)
    for row in found.linear.rows():
        draws = linear[:, j.tolist().index(number_of(row["feature"]))]
        assert row["contribution"] == pytest.approx(draws.mean())
        assert [row["low"], row["high"]] == pytest.approx(np.quantile(draws, [0.1, 0.9]))
    total = found.intercept + found.features["contribution"].sum()
    assert total == pytest.approx(found.score)


def test_classes():
    three, _ = machine("three classes")
    two, _ = machine("joint classes")
    binary, _ = machine("classifier")
    x = rows_for(3, 1)
    for label in three.classes_:
        found = explain(three, x, class_=label)
        assert found.score == pytest.approx(three.decision_function(x)[0, label], rel=1e-4)
        assert found.label == label
    for model in (two, binary):
        score = model.decision_function(x)[0]
        assert explain(model, x).score == pytest.approx(score, rel=1e-4)
        assert explain(model, x, class_=0).score == pytest.approx(-score, rel=1e-4)
    with pytest.raises(ValueError, match="class_ must be one of"):
        explain(three, x, class_="spam")
    with pytest.raises(ValueError, match="one score a row"):
        explain(machine("regressor")[0], x, class_=1)


def test_what_rows_may_be():
    model, _ = machine("regressor")
    X = rows_for(4, 6)
    expected = repr(explain(model, X, row=3))
    frame = pytest.importorskip("pandas").DataFrame(X)
    design = RelationalDesign([(X[:, :4], np.arange(6)), (X[:, 4:], None)])
    for rows in (sparse.csr_array(X), sparse.coo_array(X), sparse.csc_matrix(X), frame, design):
        assert repr(explain(model, rows, row=3)) == expected
    assert repr(explain(model, X, row=-3)) == expected
    assert explain(model, np.zeros((1, N_FEATURES))).score == pytest.approx(model.intercept_)
    with pytest.raises(IndexError, match="X has 6 rows; there is no row 6"):
        explain(model, X, row=6)
    with pytest.raises(ValueError, match="expecting 9 features"):
        explain(model, X[:, :5])


def test_pipelines_and_their_names():
    rng = np.random.default_rng(0)
    films = {"user": rng.integers(9, size=200).astype(str), "age": rng.random(200)}
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(films)
    pipeline = make_pipeline(FieldEncoder(), FMRegressor(2, max_iter=2, random_state=0))
    pipeline.fit(frame, rng.random(200))
    found = explain(pipeline, frame, row=8)
    assert repr(explain(pipeline, films, row=8)) == repr(found)
    assert set(found.features["feature"]) == {f"user={frame['user'][8]}", "age"}
    assert found.prediction == pytest.approx(pipeline.predict(frame.iloc[[8]])[0])
    assert "score" in repr(found)


def test_fields_beside_and_hashed_features(clicks):
    X = clicks.X
    fields = sparse.csr_array((clicks.fields[X.indices], X.indices, X.indptr), X.shape)
    model = FFMClassifier(2, max_iter=1, random_state=0).fit(X, clicks.y, fields=fields)
    found = explain(model, X, row=5, fields=fields)
    assert found.score == pytest.approx(
        model.decision_function(X[[5]], fields=fields[[5]])[0], abs=1e-5
    )
    assert all("[field " in name for name in found.features["feature"])
    for Estimator in (FMClassifier, FFMClassifier):
        own = {"fields": clicks.fields} if Estimator is FFMClassifier else {}
        hashed = Estimator(2, n_hash=7, max_iter=1, random_state=0, **own).fit(X, clicks.y)
        found = explain(hashed, X, row=5)
        assert found.score == pytest.approx(hashed.decision_function(X[[5]])[0], abs=1e-5)
        assert all(name.startswith("x") for name in found.features["feature"])


@pytest.mark.parametrize("kind", MACHINES)
def test_importance_is_the_mean_size_of_contributions(kind):
    model, _ = machine(kind)
    X = rows_for(6, 12)
    table = feature_importance(model, X)
    classes = model.classes_ if "class" in table else [None]
    own = {} if classes[0] is None else {"class_": classes[-1]}
    if own and len(classes) == 2:  # whose decision value is a difference; it has two scores
        return
    sizes, sums, counts = np.zeros((3, N_FEATURES))
    for row in range(len(X)):
        features = explain(model, X, row, **own).features
        numbers = [number_of(name) for name in features["feature"]]
        sizes[numbers] += np.abs(features["contribution"])
        sums[numbers] += features["contribution"]
        counts[numbers] += 1
    if own:
        table = table.take(table["class"] == classes[-1])
    assert (np.diff(table["importance"]) <= 0).all()
    for row in table.rows():
        j = number_of(row["feature"])
        assert row["importance"] == pytest.approx(sizes[j] / 12, rel=1e-6, abs=1e-9)
        assert row["effect"] == pytest.approx(sums[j] / counts[j], rel=1e-6, abs=1e-9)
        assert row["occurrence"] == counts[j] / 12


@pytest.mark.parametrize("kind", ["regressor", "degree 3", "ffm", "bayes"])
def test_importance_in_parts(kind, monkeypatch):
    from fastfm_cy.inspection import contributions

    model, _ = machine(kind)
    X = rows_for(6, 40)
    whole = feature_importance(model, X)
    monkeypatch.setattr(contributions, "NUMBERS_AT_ONCE", 50)
    parts = feature_importance(model, X)
    assert whole["feature"].tolist() == parts["feature"].tolist()
    for name in set(whole) - {"feature"}:
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-9)


def test_bayesian_importance_has_intervals():
    table = feature_importance(machine("bayes")[0], rows_for(6, 12))
    assert (table["low"] <= table["importance"]).all()
    assert (table["importance"] <= table["high"]).all()


@pytest.mark.parametrize("kind", WITH_FIELDS)
def test_empty_rows(kind):
    model, _ = machine(kind)
    X = np.zeros((3, N_FEATURES))
    X[1, 2] = 1
    assert feature_importance(model, X)["feature"].tolist()[:1] == ["x2"]
    assert explain(model, X, 0).pairs.n_rows == 0
