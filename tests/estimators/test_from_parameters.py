"""Estimators made of arrays that something else trained."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from fastfm_cy import (
    FFMClassifier,
    FFMRegressor,
    FMClassifier,
    FMRegressor,
    FwFMClassifier,
    FwFMRegressor,
)
from fastfm_cy.io import load_model, save_model
from fastfm_cy.preprocessing import FieldEncoder

FIELDS = np.array([0, 0, 1, 1, 2])
N, K = len(FIELDS), 3
MODELS = [FMRegressor, FMClassifier, FFMRegressor, FFMClassifier, FwFMRegressor, FwFMClassifier]


def arrays_of(Estimator, n_classes=1, dtype="float32", seed=0):
    """Random parameters, in the shapes of the fitted attributes."""
    rng = np.random.default_rng(seed)
    lead = (n_classes,) if n_classes > 1 else ()
    vectors = (N, 3, K) if "FFM" in Estimator.__name__ else (N, K)
    arrays = {
        "intercept": rng.normal(size=lead).astype(dtype),
        "coef": rng.normal(size=(*lead, N)).astype(dtype),
        "factors": rng.normal(size=(*lead, *vectors)).astype(dtype),
    }
    if "FwFM" in Estimator.__name__:
        pairs = rng.normal(size=(*lead, 3, 3)).astype(dtype)
        arrays["pair_weights"] = pairs + np.swapaxes(pairs, -1, -2)
    return arrays


def options_of(Estimator):
    return {} if Estimator in MODELS[:2] else {"fields": FIELDS}


def formula(arrays, X, c=()):
    """The score by the definition, of output c."""
    w0, w, v = (np.asarray(arrays[name][c], float) for name in ("intercept", "coef", "factors"))
    r = np.asarray(arrays["pair_weights"][c], float) if "pair_weights" in arrays else None
    scores = w0 + X @ w
    for i in range(N):
        for j in range(i + 1, N):
            if v.ndim == 3:
                product = v[i, FIELDS[j]] @ v[j, FIELDS[i]]
            else:
                product = v[i] @ v[j] * (1 if r is None else r[FIELDS[i], FIELDS[j]])
            scores = scores + product * X[:, i] * X[:, j]
    return scores


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(1).normal(size=(40, N))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("Estimator", MODELS)
def test_scores_are_the_formulas(Estimator, dtype, X, tmp_path):
    arrays = arrays_of(Estimator, dtype=dtype)
    model = Estimator.from_parameters(**arrays, dtype=dtype, **options_of(Estimator))
    score = model.decision_function if hasattr(model, "decision_function") else model.predict
    np.testing.assert_allclose(
        score(X), formula(arrays, X), atol=1e-5 if dtype == "float32" else 1e-12, rtol=1e-5
    )
    for name, array in arrays.items():
        assert np.array_equal(getattr(model, f"{name}_"), array)
    scorer = model.compile()
    indices = np.arange(N)
    assert np.isclose(scorer.row(indices, X[0]), score(X[:1])[0], rtol=1e-6)
    save_model(model, tmp_path / "model")
    assert np.array_equal(load_model(tmp_path / "model").predict(X), model.predict(X))
    assert model.n_features_in_ == N
    assert clone(model).n_factors == K


@pytest.mark.parametrize("loss", ["log_loss", "softmax"])
@pytest.mark.parametrize("Estimator", [FMClassifier, FFMClassifier, FwFMClassifier])
def test_several_classes(Estimator, loss, X):
    arrays = arrays_of(Estimator, n_classes=3)
    labels = ["a", "b", "c"]
    model = Estimator.from_parameters(**arrays, classes=labels, loss=loss, **options_of(Estimator))
    expected = np.stack([formula(arrays, X, c) for c in range(3)], axis=1)
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-4, atol=1e-5)
    assert model.predict(X).tolist() == [labels[c] for c in expected.argmax(axis=1)]
    assert model.classes_.tolist() == labels
    numbered = Estimator.from_parameters(**arrays, loss=loss, **options_of(Estimator))
    assert numbered.classes_.tolist() == [0, 1, 2]


def test_higher_degrees(X):
    trained = FMRegressor(K, degree=3, init_scale=0.5, random_state=0).fit(X, X[:, 0])
    model = FMRegressor.from_parameters(
        trained.intercept_, trained.coef_, trained.factors_, degree=3,
        clip_predictions=trained.y_range_,
    )  # fmt: skip
    assert np.array_equal(model.predict(X), trained.predict(X))


@pytest.mark.parametrize("Estimator", MODELS)
def test_training_goes_on(Estimator, X):
    y = np.arange(40) % 2
    arrays = arrays_of(Estimator)
    made = Estimator.from_parameters(
        **arrays, warm_start=True, max_iter=5, random_state=0, **options_of(Estimator)
    )
    before = made.predict(X)
    start = made.coef_.copy()
    made.fit(X, y)
    assert not np.array_equal(made.coef_, start)
    assert not np.array_equal(made.predict(X), before)
    assert len(made.history_["train_loss"]) == 5
    again = Estimator.from_parameters(**arrays, random_state=0, **options_of(Estimator))
    again.partial_fit(X, y)
    assert np.abs(again.coef_ - start).max() < 1  # from where the arrays are


@pytest.mark.parametrize("Estimator", MODELS)
def test_with_an_encoder(Estimator):
    table = pd.DataFrame({"a": ["x", "y"], "b": ["u", "v"], "c": [1.0, 3.0]})
    encoder = FieldEncoder(numeric="passthrough").fit(table)
    assert np.array_equal(encoder.fields_, FIELDS)
    arrays = arrays_of(Estimator)
    model = Estimator.from_parameters(**arrays, encoder=encoder)
    by_hand = Estimator.from_parameters(**arrays, **options_of(Estimator))
    assert np.array_equal(model.predict(table), by_hand.predict(encoder.transform(table)))
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    assert model.encoder_ is encoder
    with pytest.raises(ValueError, match="encoder makes 2 features, but the model has 5"):
        Estimator.from_parameters(**arrays, encoder=FieldEncoder().fit(table[["a"]]),
                                  **options_of(Estimator))  # fmt: skip


@pytest.mark.parametrize("Estimator", MODELS)
@pytest.mark.parametrize("name", ["intercept", "coef", "factors", "pair_weights"])
def test_wrong_shapes_and_numbers(Estimator, name):
    arrays = arrays_of(Estimator)
    if name not in arrays:
        with pytest.raises(TypeError, match="pair_weights are for FwFM"):
            Estimator.from_parameters(**arrays, pair_weights=np.eye(3), **options_of(Estimator))
        return
    more = {**arrays, name: np.concatenate([np.atleast_1d(arrays[name])] * 2)}
    with pytest.raises(ValueError, match=r"must have shape|fields must hold a field a feature"):
        Estimator.from_parameters(**more, **options_of(Estimator))
    bad = arrays[name].copy()
    bad[(-1,) * bad.ndim] = np.nan
    if name == "pair_weights":
        bad = np.full((3, 3), np.inf)
    with pytest.raises(ValueError, match=rf"{name}.* is (nan|inf), which is not finite"):
        Estimator.from_parameters(**{**arrays, name: bad}, **options_of(Estimator))
    with pytest.raises(TypeError, match=f"{name} must be an array of numbers"):
        Estimator.from_parameters(**{**arrays, name: "text"}, **options_of(Estimator))


def test_a_single_field(X):
    w, v = np.zeros(N), np.random.default_rng(0).normal(size=(N, 1, K))
    model = FFMRegressor.from_parameters(0.0, w, v, fields=np.zeros(N, dtype=int))
    plain = FMRegressor.from_parameters(0.0, w, v[:, 0])
    np.testing.assert_allclose(model.predict(X), plain.predict(X), rtol=1e-4, atol=1e-5)


def test_other_errors():
    arrays = arrays_of(FMClassifier)
    with pytest.raises(ValueError, match="classes must be labels in their order"):
        FMClassifier.from_parameters(**arrays, classes=[1, 0])
    with pytest.raises(ValueError, match=r"coef must have shape \(3, 5\)"):
        FMClassifier.from_parameters(
            np.zeros(3), np.zeros(N), np.zeros((3, N, K)), classes=["a", "b", "c"]
        )
    with pytest.raises(TypeError, match="n_factors is what factors has"):
        FMClassifier.from_parameters(**arrays, n_factors=3)
    with pytest.raises(TypeError, match="hashed"):
        FMClassifier.from_parameters(**arrays, n_hash=3)
    with pytest.raises(ValueError, match="coef and factors must be arrays"):
        FMClassifier.from_parameters(0.0, 1.0, 2.0)
    with pytest.raises(ValueError, match="pair_weights must be symmetric"):
        FwFMClassifier.from_parameters(
            **arrays_of(FwFMClassifier) | {"pair_weights": np.triu(np.ones((3, 3)))}, fields=FIELDS
        )
    with pytest.raises(ValueError, match="n_fields is 2"):
        FFMClassifier.from_parameters(0.0, np.zeros(N), np.zeros((N, 2, K)), fields=FIELDS)
