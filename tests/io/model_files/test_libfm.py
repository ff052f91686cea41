"""libFM's text models; the golden texts were written by libFM 1.4.4, predictions likewise."""

import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastfm_cy import BayesianFMRegressor, FMClassifier, FMRegressor
from fastfm_cy.exceptions import ModelFileError
from fastfm_cy.io import read_libfm_model, write_libfm_model

# The training and test data of all of them, as dense rows; targets 5, 3, 4, 1.
X = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]])

ALS = """#global bias W0
3.2371
#unary interactions Wj
0.596735
-0.633692
0.0316003
-0.0685568
#pairwise interactions Vj,f
-0.29494 0.0834093
0.29494 -0.0834093
-1.20149 0.339798
1.20149 -0.339798
"""
ONE_FACTOR = """#global bias W0
1.50566
#unary interactions Wj
1.60602
-0.100357
0.598717
0.906942
#pairwise interactions Vj,f
-0.379874
0.238683
-0.458773
-0.0276405
"""
NO_FACTORS = """#global bias W0
1.41341
#unary interactions Wj
1.35515
0.0582601
0.592448
0.820963
#pairwise interactions Vj,f




"""
ONLY_FACTORS = """#pairwise interactions Vj,f
-0.047748 0.0133781
0.0731132 0.0320822
-0.00737222 0.00390639
-0.0321187 0.0929735
"""
PREDICTED = {
    "one factor": (ONE_FACTOR, [3.88467, 2.30565, 4.02912, 1.89452]),
    "no factors": (NO_FACTORS, [3.36101, 2.29263, 3.58952, 2.06412]),
}


def _read(text, folder, **options):
    path = Path(folder) / "model.txt"
    path.write_text(text, encoding="utf-8")
    return read_libfm_model(path, **options)


@pytest.mark.parametrize("name", PREDICTED)
def test_predictions_are_libfms(name, tmp_path):
    text, predicted = PREDICTED[name]
    model = _read(text, tmp_path, y_range=(1, 5))
    np.testing.assert_allclose(model.predict(X), predicted, rtol=5e-6)


def test_sections_that_are_left_out(tmp_path):
    model = _read(ONLY_FACTORS, tmp_path)
    assert (model.fit_intercept, model.fit_linear, model.n_factors) == (False, False, 2)
    assert model.intercept_ == 0
    assert not model.coef_.any()
    pair = model.factors_[0] @ model.factors_[2]
    np.testing.assert_allclose(model.predict(X[:1]), [pair], rtol=1e-6)
    model = _read(ALS, tmp_path)
    assert (model.fit_intercept, model.fit_linear) == (True, True)
    assert model.intercept_ == np.float32(3.2371)


def test_predictions_are_clipped_to_the_range_that_is_given(tmp_path):
    model = _read(ONE_FACTOR, tmp_path, y_range=(2, 4))
    np.testing.assert_allclose(model.predict(X), [3.88467, 2.30565, 4, 2], rtol=5e-6)


def test_a_classifier_is_logistic(tmp_path):
    scores = _read(ONE_FACTOR, tmp_path).predict(X)
    model = _read(ONE_FACTOR, tmp_path, task="classification", classes=("no", "yes"))
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], 1 / (1 + np.exp(-scores)), rtol=1e-6)
    assert set(model.predict(X)) == {"yes"}


def test_training_goes_on(tmp_path):
    y = np.array([5.0, 3, 4, 1])
    model = _read(ALS, tmp_path, solver="sgd", warm_start=True, max_iter=50)
    before = model.score(X, y)
    assert model.fit(X, y).score(X, y) > before


def test_what_libfm_writes_is_written_again(tmp_path):
    for text in (ALS, NO_FACTORS, ONLY_FACTORS):
        write_libfm_model(_read(text, tmp_path), tmp_path / "again.txt")
        assert (tmp_path / "again.txt").read_text(encoding="utf-8") == text
    write_libfm_model(_read(ONE_FACTOR, tmp_path), tmp_path / "again.txt")
    last = (tmp_path / "again.txt").read_text(encoding="utf-8").splitlines()[-1]
    assert last == "-0.0276405 0"  # libFM cannot load models of one factor


@given(st.data(), st.sampled_from(["float32", "float64"]), st.booleans(), st.booleans())
def test_round_trips_keep_every_bit(data, dtype, fit_intercept, fit_linear):
    numbers = st.floats(-(2.0**90), 2.0**90, width=int(dtype[-2:]))

    def draw(n):
        return data.draw(st.lists(numbers, min_size=n, max_size=n))

    n_features, n_factors = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 3))
    model = FMRegressor(
        n_factors=n_factors, fit_intercept=fit_intercept, fit_linear=fit_linear, dtype=dtype,
        max_iter=1,
    ).fit(np.ones((2, n_features)), [0.0, 1.0])  # fmt: skip
    if fit_intercept:
        model._table.intercepts[0] = draw(1)[0]
    if fit_linear:
        model._table.coef[...] = draw(n_features)
    model._table.factor_vectors[...] = np.reshape(
        draw(n_features * n_factors), (n_features, n_factors)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.txt"
        write_libfm_model(model, path)
        again = read_libfm_model(path, dtype=dtype)
    assert again.intercept_ == model.intercept_
    np.testing.assert_array_equal(again.coef_, model.coef_)
    np.testing.assert_array_equal(again.factors_[:, :n_factors], model.factors_)


def test_predictions_after_a_round_trip(ratings, clicks, tmp_path):
    model = FMRegressor(max_iter=3, random_state=0).fit(ratings.X, ratings.y)
    write_libfm_model(model, tmp_path / "m")
    again = read_libfm_model(tmp_path / "m", y_range=model.y_range_)
    np.testing.assert_array_equal(again.predict(ratings.X), model.predict(ratings.X))
    model = FMClassifier(solver="als", max_iter=3, random_state=0).fit(clicks.X, clicks.y)
    write_libfm_model(model, tmp_path / "m")
    again = read_libfm_model(tmp_path / "m", task="classification", classes=(0, 1))
    np.testing.assert_allclose(
        again.predict_proba(clicks.X), model.predict_proba(clicks.X), rtol=1e-5
    )


def test_what_libfm_has_no_words_for(ratings, clicks, tmp_path):
    path = tmp_path / "m"
    several = FMClassifier(max_iter=1).fit(clicks.X, np.arange(clicks.X.shape[0]) % 3)
    with pytest.raises(ValueError, match="has 3, one a class"):
        write_libfm_model(several, path)
    counts = FMRegressor(loss="poisson", max_iter=1).fit(ratings.X, abs(ratings.y))
    with pytest.raises(ValueError, match="exponentials"):
        write_libfm_model(counts, path)
    bayes = BayesianFMRegressor(max_iter=2, n_burn_in=0).fit(ratings.X, ratings.y)
    with pytest.raises(TypeError, match="not of a BayesianFMRegressor"):
        write_libfm_model(bayes, path)
    assert not path.exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.0316003", "0.0316o03", "line 6: expected a number, got '0.0316o03'"),
        ("3.2371", "3.2371 4", "line 2: expected a number, got '3.2371 4'"),
        ("3.2371\n", "", "line 2: expected one bias, got 0"),
        ("0.0834093\n", "\n", "line 10: expected 1 numbers|line 10: expected a number"),
        ("-1.20149 0.339798", "-1.20149 inf", "line 11: expected 2 numbers that are finite"),
        ("-1.20149 0.339798\n", "", "4 linear weights, but 3 features"),
        ("#global bias W0", "# bias", "line 1: expected a section"),
        ("#unary", "#binary", "line 3: expected a section"),
        ("#pairwise interactions Vj,f", "0", "no section '#pairwise"),
        ("3.2371", "1e39", "too large for dtype='float32'"),
    ],
)
def test_errors_name_the_line(old, new, message, tmp_path):
    assert old in ALS
    with pytest.raises(ModelFileError, match=message):
        _read(ALS.replace(old, new, 1), tmp_path)


def test_no_more_is_allocated_than_the_file_holds(tmp_path):
    text = "#pairwise interactions Vj,f\n" + "1 " * 50_000 + "\n" + "1\n" * 50_000
    tracemalloc.start()
    with pytest.raises(ModelFileError, match="line 3: expected 50000 numbers, got '1'"):
        _read(text, tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 100 * len(text)
    tracemalloc.stop()


def test_classes_must_be_in_order(tmp_path):
    with pytest.raises(ValueError, match="order of sorting"):
        _read(ALS, tmp_path, task="classification", classes=(1, 0))
    with pytest.raises(ValueError, match="task must be one of"):
        _read(ALS, tmp_path, task="ranking")


@given(st.binary(max_size=200) | st.text(alphabet="#globaiswWVj,f 0123e-.\n", max_size=100))
def test_anything_else_is_refused(content):
    content = content if isinstance(content, bytes) else content.encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.txt"
        for start in (b"", ALS.encode()[:40], ALS.encode()):
            path.write_bytes(start + content)
            try:
                model = read_libfm_model(path)
            except ModelFileError:
                pass
            else:
                assert start == ALS.encode()
                assert np.isfinite(model.coef_).all()
