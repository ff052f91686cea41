import pickle

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from support.strategies import DTYPES

from fastfm_cy import FMClassifier, FMRegressor


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


def test_wrong_types_and_values(clicks):
    model = FMClassifier(max_iter=1, random_state=0).fit(clicks.X, clicks.y)
    scorer, column = model.compile(), np.zeros(1, np.int32)
    with pytest.raises(ValueError, match="dtype"):
        scorer.row(column, np.ones(1, np.float64))
    with pytest.raises(ValueError, match="dtype"):
        scorer.row(column.astype(np.int64), np.ones(1, np.float32))
    for value in (np.nan, np.inf):
        with pytest.raises(FloatingPointError, match="not finite"):
            scorer.row(column, np.full(1, value, np.float32))
        with pytest.raises(FloatingPointError, match="not finite"):
            scorer.rows(np.array([0, 1]), column, np.full(1, value, np.float32))


def test_it_needs_a_fitted_model_and_is_not_pickled(clicks):
    with pytest.raises(NotFittedError):
        FMClassifier().compile()
    scorer = FMClassifier(max_iter=1).fit(clicks.X, clicks.y).compile()
    with pytest.raises(TypeError):
        pickle.dumps(scorer)
