import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from support.strategies import DTYPES

from fastfm_cy import FFMClassifier, FMClassifier, FMRegressor, FwFMRegressor


def arrays(X, dtype):
    return X.indptr.astype(np.int64), X.indices.astype(np.int32), X.data.astype(dtype)


@pytest.fixture(params=DTYPES)
def dtype(request):
    return request.param


@pytest.mark.parametrize("n_factors", [0, 3, 16, 70])
def test_scores_are_those_of_the_estimator(n_factors, dtype, ratings):
    model = FMRegressor(n_factors, dtype=dtype, max_iter=2, scaling=None, random_state=0)
    model.fit(ratings.X, np.clip(ratings.y, 3.4, 3.6))
    scorer = model.compile()
    indptr, indices, data = arrays(ratings.X[:50], dtype)
    expected = model.predict(ratings.X[:50])
    assert np.isin(expected, np.array(model.y_range_, dtype)).any()  # some are clipped
    scores = scorer.rows(indptr, indices, data)
    assert scores.dtype == dtype
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
    for row in range(50):
        entries = slice(indptr[row], indptr[row + 1])
        score = scorer.row(indices[entries], data[entries])
        assert isinstance(score, float)
        assert score == pytest.approx(expected[row], rel=1e-5)


def test_a_classifier_gives_decision_values(dtype, clicks):
    model = FMClassifier(dtype=dtype, max_iter=2, random_state=0).fit(clicks.X, clicks.y)
    scores = model.compile().rows(*arrays(clicks.X, dtype))
    np.testing.assert_allclose(scores, model.decision_function(clicks.X), rtol=1e-4, atol=1e-6)


def test_it_keeps_the_model_as_it_was(clicks):
    model = FMClassifier(max_iter=1, random_state=0).fit(clicks.X, clicks.y)
    scorer, before = model.compile(), model.decision_function(clicks.X)
    model.coef_[...] = 9
    model.set_params(random_state=1).fit(clicks.X, clicks.y)
    del model
    np.testing.assert_allclose(
        scorer.rows(*arrays(clicks.X, "float32")), before, rtol=1e-4, atol=1e-6
    )


def test_empty_rows(dtype, clicks):
    model = FMClassifier(dtype=dtype, max_iter=1, random_state=0).fit(clicks.X, clicks.y)
    scorer = model.compile()
    nothing = np.array([], np.int32), np.array([], dtype)
    assert scorer.row(*nothing) == pytest.approx(model.intercept_)
    assert scorer.rows(np.array([0]), *nothing).shape == (0,)
    assert scorer.rows(np.array([0, 0]), *nothing).shape == (1,)


@pytest.mark.parametrize(
    ("indptr", "indices", "error", "message"),
    [
        ([0, 2], [0, 60], IndexError, r"entry 1: column 60 is not in 0\.\.59"),
        ([0, 2], [-1, 0], IndexError, "entry 0: column -1"),
        ([0, 3], [0, 1], ValueError, "offsets"),
        ([-1, 2], [0, 1], ValueError, "offsets"),
        ([0, 2, 1, 2], [0, 1], ValueError, "indptr decreases at row 1"),
        ([0, 5, 2], [0, 1], ValueError, "indptr decreases at row 1"),
        ([], [0, 1], ValueError, "offsets"),
        ([0, 2], [0, 1, 2], ValueError, "3 indices, but 2 values"),
    ],
)
def test_nothing_reads_outside_the_table(indptr, indices, error, message, clicks):
    model = FMClassifier(max_iter=1, random_state=0).fit(clicks.X, clicks.y)
    scorer, data = model.compile(), np.ones(2, np.float32)
    indptr, indices = np.array(indptr, np.int64), np.array(indices, np.int32)
    with pytest.raises(error, match=message):
        scorer.rows(indptr, indices, data)
    if "indptr" not in message and "offsets" not in message:
        with pytest.raises(error, match=message):
            scorer.row(indices, data)


def test_values_that_are_no_numbers(clicks):
    model = FMClassifier(max_iter=1, random_state=0).fit(clicks.X, clicks.y)
    scorer, column = model.compile(), np.zeros(1, np.int32)
    for value in (np.nan, np.inf):
        with pytest.raises(FloatingPointError, match="not finite"):
            scorer.row(column, np.full(1, value, np.float32))
        with pytest.raises(FloatingPointError, match="row 0 is not finite"):
            scorer.rows(np.array([0, 1]), column, np.full(1, value, np.float32))


FIELDS = np.arange(60) // 10
MODELS = {
    "FM": FMClassifier(4), "degree 3": FMRegressor(4, degree=3),
    "hashed": FMClassifier(4, n_hash=7),
    "float64": FMRegressor(4, dtype="float64"), "classes": FMClassifier(4, loss="softmax"),
    "FFM": FFMClassifier(4, fields=FIELDS), "FwFM": FwFMRegressor(4, fields=FIELDS, normalize="l2"),
    "counts": FMRegressor(4, loss="poisson"),
}  # fmt: skip


@pytest.fixture(params=MODELS, scope="module")
def fitted(request, clicks):
    model = clone(MODELS[request.param]).set_params(max_iter=2, random_state=0)
    return model.fit(clicks.X, clicks.y)


def expected_of(model, X):
    if hasattr(model, "class_weight"):
        scores = model._scores(X)[1]
        return scores if scores.shape[1] > 1 else scores[:, 0]
    return model.predict(X)


INDICES = {"list": list, "tuple": tuple, "strided": lambda a: np.repeat(a, 2)[::2]} | {
    name: lambda a, name=name: a.astype(name)
    for name in ("int8", "int32", "int64", "uint64", ">i4")
}
VALUES = {"list": list, "strided": lambda a: np.repeat(a, 2)[::2]} | {
    name: lambda a, name=name: a.astype(name) for name in ("float16", "float32", "float64", ">f4")
}


@pytest.mark.parametrize("of_indices", INDICES.values(), ids=INDICES)
@pytest.mark.parametrize("of_values", VALUES.values(), ids=VALUES)
def test_arrays_of_any_kind_are_taken(fitted, of_indices, of_values, clicks):
    """As they are where that is cheap, converted where it is not; scipy's own among them."""
    X, scorer = sparse.csr_array(clicks.X[:9]), fitted.compile()
    X.data = X.data.astype(np.float16).astype(np.float32)
    expected = expected_of(fitted, X)
    scores = scorer.rows(of_indices(X.indptr), of_indices(X.indices), of_values(X.data))
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-6)
    row = slice(*X.indptr[3:5])
    score = scorer.row(of_indices(X.indices[row]), of_values(X.data[row]))
    np.testing.assert_allclose(score, expected[3], rtol=1e-5, atol=1e-6)
    assert isinstance(score, float) or score.shape == expected[3].shape


@pytest.mark.parametrize("bad", [[0.5], ["a"], [[0]], [None], [1j]])
def test_what_is_no_array_of_numbers_is_refused(fitted, bad):
    scorer = fitted.compile()
    with pytest.raises(TypeError, match="integers"):
        scorer.row(bad, [1.0])
    with pytest.raises(TypeError, match="integers"):
        scorer.rows(bad, [0], [1.0])
    if bad != [0.5]:
        with pytest.raises((TypeError, ValueError), match=r"numbers|float|1 indices"):
            scorer.row([0], bad)


def test_columns_and_fields_that_are_not_there(fitted):
    scorer = fitted.compile()
    for column in (60, -1, 2**31, -(2**40)):
        with pytest.raises(IndexError, match=f"entry 1: column {column} is not in 0..59"):
            scorer.row([0, column], [1.0, 1.0])
    with pytest.raises(ValueError, match="leave out fields"):
        scorer.row([0], [1.0], [0])
    with pytest.raises(ValueError, match="leave out fields"):
        scorer.rows([0, 1], [0], [1.0], fields=[0])


def test_counts_that_overflow_warn_of_nothing():
    """What exp gives beyond the range of float32 is clipped, or is infinity."""
    X, y = np.eye(3), np.array([1.0, 2.0, 80.0])
    model = FMRegressor(0, loss="poisson", random_state=0, clip_predictions=False).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for value in (1e3, 1e30):
            assert model.compile().row([2], [value]) > 1e30
            assert model.compile().rows([0, 1], [2], [value])[0] > 1e30
        model.set_params(clip_predictions=True)
        assert model.compile().row([2], [1e3]) == model.compile().rows([0, 1], [2], [1e3])[0]
        assert model.compile().row([2], [1e3]) == np.float32(model.y_range_[1])


def test_it_needs_a_fitted_model_and_is_not_pickled(clicks):
    with pytest.raises(NotFittedError):
        FMClassifier().compile()
    scorer = FMClassifier(max_iter=1).fit(clicks.X, clicks.y).compile()
    with pytest.raises(TypeError):
        pickle.dumps(scorer)
