"""Estimators take tables: an encoder of their own makes rows of columns that are not numbers."""

import copy
import pickle
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from fastfm_cy import (
    BayesianFMClassifier,
    BayesianFMOrdinal,
    BayesianFMRegressor,
    FFMClassifier,
    FFMRegressor,
    FMClassifier,
    FMRegressor,
    FwFMClassifier,
    FwFMRegressor,
    RelationalDesign,
)
from fastfm_cy.io import load_model, save_model
from fastfm_cy.preprocessing import FieldEncoder

GRADIENT = [FMRegressor, FMClassifier, FFMRegressor, FFMClassifier, FwFMRegressor, FwFMClassifier]
FIELD_AWARE = GRADIENT[2:]
BAYESIAN = [BayesianFMRegressor, BayesianFMClassifier, BayesianFMOrdinal]
ALL = GRADIENT + BAYESIAN
N_ROWS = 300


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "user": rng.integers(0, 20, N_ROWS).astype(str),
            "genre": rng.choice(["war", "noir", None, "art"], N_ROWS),
            "age": np.where(rng.random(N_ROWS) < 0.1, np.nan, rng.normal(40, 9, N_ROWS)),
            "is_new": rng.random(N_ROWS) < 0.3,
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 90, N_ROWS), "D"),
        }
    )


@pytest.fixture(scope="module")
def y():
    return np.random.default_rng(1).integers(0, 2, N_ROWS)


def as_polars(frame):
    columns = {
        name: frame[name].to_numpy()
        if frame[name].dtype.kind in "bfM"
        else [value if isinstance(value, str) else None for value in frame[name]]
        for name in frame
    }
    return pl.DataFrame(columns).with_columns(pl.col("age").fill_nan(None))


def new(Estimator, **parameters):
    parameters = {"random_state": 0, "max_iter": 4, **parameters}
    if Estimator in BAYESIAN:
        parameters.setdefault("n_burn_in", 0)
    return Estimator(2, **parameters)


def scores_of(model, X):
    return getattr(model, "predict_proba", model.predict)(X)


def first_labels(Estimator):
    return {"classes": [0, 1]} if "Classifier" in Estimator.__name__ else {}


# One model, however the table comes -----------------------------------------------------------


@pytest.mark.parametrize("Estimator", ALL)
def test_a_table_gives_the_model_of_its_encoded_rows(Estimator, frame, y):
    model = new(Estimator).fit(frame, y)
    expected = scores_of(model, frame)
    assert model.n_features_in_ == 5
    assert model.feature_names_in_.tolist() == list(frame)
    assert model.coef_.shape[-1] == len(model.encoder_.get_feature_names_out()) > 30
    of_polars = new(Estimator).fit(as_polars(frame), y)
    assert np.array_equal(scores_of(of_polars, as_polars(frame)), expected)
    assert np.array_equal(scores_of(of_polars, frame[list(frame)[::-1]]), expected)
    rows = FieldEncoder().fit_transform(frame)
    by_hand = new(Estimator).fit(rows, y)
    assert np.array_equal(scores_of(by_hand, rows), expected)
    pipeline = make_pipeline(FieldEncoder(), new(Estimator)).fit(frame, y)
    assert np.array_equal(scores_of(pipeline, frame), expected)
    assert model.score(frame, y) == pipeline.score(frame, y)
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert np.array_equal(scores_of(again, frame), expected)
    twin = clone(model)
    assert not hasattr(twin, "encoder_")
    assert np.array_equal(scores_of(twin.fit(frame, y), frame), expected)


@pytest.mark.parametrize("Estimator", ALL)
def test_numbers_alone_are_taken_as_they_are(Estimator, y):
    numbers = pd.DataFrame(np.random.default_rng(0).normal(size=(N_ROWS, 3)), columns=list("abc"))
    numbers["d"] = numbers["a"] > 0
    model = new(Estimator).fit(numbers, y)
    assert not hasattr(model, "encoder_")
    of_array = new(Estimator).fit(numbers.to_numpy(dtype=float), y)
    assert np.array_equal(scores_of(model, numbers), scores_of(of_array, numbers.to_numpy(float)))


def test_columns_that_are_named_are_categories(y):
    ids = np.random.default_rng(0).integers(0, 9, (N_ROWS, 2))
    model = new(FFMClassifier, categorical_features=[0, 1]).fit(ids, y)
    assert (model.n_fields_, model.n_features_in_, model.coef_.shape) == (2, 2, (18,))
    of_frame = new(FFMClassifier, categorical_features=["a", "b"])
    of_frame.fit(pd.DataFrame(ids, columns=["a", "b"]), y)
    assert np.array_equal(of_frame.predict_proba(ids), model.predict_proba(ids))
    as_type = pd.DataFrame(ids, columns=["a", "b"]).astype("category")
    assert np.array_equal(
        new(FFMClassifier).fit(as_type, y).predict_proba(as_type), model.predict_proba(ids)
    )


@pytest.mark.parametrize("Estimator", FIELD_AWARE)
def test_fields_are_the_encoders(Estimator, frame, y):
    table = frame[["user", "genre", "day"]]
    model = new(Estimator).fit(table, y)
    assert model.n_fields_ == model.encoder_.n_fields_ == 6  # four of them of the day
    rows, fields = model.encoder_.transform(table), model.encoder_.fields_
    given = new(Estimator, fields=fields).fit(sparse.csr_array(rows), y)
    assert np.array_equal(given.factors_, model.factors_)
    fewer = new(Estimator, fields=np.zeros(3, dtype=int))
    with pytest.raises(ValueError, match="fields must hold a field a feature"):
        fewer.fit(table, y)


def test_rows_of_an_encoder_have_fields(frame, y):
    rows = FieldEncoder().fit_transform(frame)
    for taken in (rows[:50], rows[np.arange(50)], rows[np.arange(N_ROWS) < 50], rows[:50, :]):
        assert taken.fields is rows.fields
        assert taken.n_fields == rows.n_fields
    for other in (rows[:, :5], rows * 2, rows.T.tocsr(), abs(rows)):
        assert getattr(other, "fields", None) is None
    for same in (rows.copy(), pickle.loads(pickle.dumps(rows))):
        assert np.array_equal(same.fields, rows.fields)
    assert len(cross_val_score(new(FFMClassifier), rows, y, cv=3)) == 3
    early = new(FFMClassifier, early_stopping=True, scoring="roc_auc").fit(rows, y)
    assert "validation_score" in early.history_


# The rest of an estimator's life ----------------------------------------------------------------


@pytest.mark.parametrize("Estimator", [*GRADIENT, BayesianFMRegressor])
def test_eval_sets_are_encoded(Estimator, frame, y):
    train, valid = frame[:200], frame[200:].assign(genre="unknown")
    model = new(Estimator).fit(train, y[:200], eval_set=(valid, y[200:]))
    rows = model.encoder_.transform(valid)
    by_hand = new(Estimator).fit(model.encoder_.transform(train), y[:200], eval_set=(rows, y[200:]))
    for name in by_hand.history_.keys() - {"seconds"}:
        assert model.history_[name] == by_hand.history_[name]
    with pytest.raises(ValueError, match=r"eval_set: X lacks columns .* 'genre'"):
        model.fit(train, y[:200], eval_set=(valid.drop(columns="genre"), y[200:]))


@pytest.mark.parametrize("library", [pd, pl])
def test_early_stopping_with_a_scorer(library, frame, y):
    X = frame if library is pd else as_polars(frame)
    model = new(FFMClassifier, early_stopping=True, scoring="roc_auc", max_iter=8).fit(X, y)
    assert model.best_iter_ >= 1
    names = []
    model.fit(X, y, callbacks=lambda model, history: names.append(model.feature_names_in_[0]))
    assert set(names) == {"user"}


@pytest.mark.parametrize("Estimator", ALL)
def test_warm_start_keeps_the_encoder(Estimator, frame, y):
    model = new(Estimator, warm_start=True).fit(frame, y)
    rows = model.encoder_.transform(frame)
    by_hand = new(Estimator, warm_start=True).fit(rows, y)
    other = frame.assign(user="never seen")
    model.fit(other, y)
    by_hand.fit(model.encoder_.transform(other), y)
    assert np.array_equal(scores_of(model, frame), scores_of(by_hand, rows))


@pytest.mark.parametrize("Estimator", GRADIENT)
def test_a_stream_grows(Estimator, frame, y):
    stream = new(Estimator, grow_features=True, max_iter=1)
    encoder, by_hand = FieldEncoder(), new(Estimator, grow_features=True, max_iter=1)
    sizes = []
    for first in range(0, N_ROWS, 60):
        chunk, targets = frame[first : first + 60], y[first : first + 60]
        labels = {} if first else first_labels(Estimator)
        stream.partial_fit(chunk, targets, **labels)
        by_hand.partial_fit(encoder.partial_fit(chunk).transform(chunk), targets, **labels)
        sizes.append(stream.coef_.shape[-1])
    assert sizes[0] < sizes[-1]
    assert stream.n_features_in_ == 5
    assert np.array_equal(scores_of(stream, frame), scores_of(by_hand, encoder.transform(frame)))


@pytest.mark.parametrize("Estimator", GRADIENT)
def test_a_stream_that_does_not_grow_leaves_out_what_is_new(Estimator, frame, y):
    model = new(Estimator).partial_fit(frame[:100], y[:100], **first_labels(Estimator))
    n_features = model.coef_.shape[-1]
    model.partial_fit(frame[100:200].assign(user="new"), y[100:200])
    assert model.coef_.shape[-1] == n_features


def test_a_first_chunk_may_lack_all_values_of_a_column(frame, y):
    first = frame[:50].assign(age=np.nan)
    model = new(FFMClassifier, grow_features=True).partial_fit(first, y[:50], classes=[0, 1])
    model.partial_fit(frame[50:], y[50:])
    assert "age" in model.encoder_.get_feature_names_out()
    with pytest.raises(ValueError, match=r"All 50 values of column 'age' are missing"):
        new(FFMClassifier).fit(first, y[:50])


@pytest.mark.parametrize("Estimator", GRADIENT)
def test_a_failed_call_changes_nothing(Estimator, frame, y):
    model = new(Estimator, grow_features=True)
    model.partial_fit(frame[:100], y[:100], **first_labels(Estimator))
    expected, names = scores_of(model, frame), model.encoder_.get_feature_names_out().tolist()
    bad = y[100:].astype(float)
    bad[3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(frame[100:].assign(user="new"), bad)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(frame[100:].drop(columns="age"), bad)
    assert model.encoder_.get_feature_names_out().tolist() == names
    assert np.array_equal(scores_of(model, frame), expected)
    assert model.n_features_in_ == 5


def test_predictions_while_a_stream_grows(frame, y):
    """Model and encoder are swapped at once."""
    model = new(FFMClassifier, grow_features=True).partial_fit(frame[:20], y[:20], classes=[0, 1])
    errors, done = [], threading.Event()

    def predict():
        while not done.is_set():
            try:
                assert np.isfinite(model.predict_proba(frame[:50])).all()
            except Exception as error:
                errors.append(error)
                return

    thread = threading.Thread(target=predict)
    thread.start()
    try:
        for number in range(60):
            chunk = frame[:40].assign(user=[f"{number}-{row}" for row in range(40)])
            model.partial_fit(chunk, y[:40])
    finally:
        done.set()
        thread.join()
    assert not errors


def test_from_numbers_to_tables_and_back(frame, y):
    model = new(FMClassifier).fit(frame, y)
    numbers = np.random.default_rng(0).normal(size=(N_ROWS, 4))
    model.fit(numbers, y)
    assert not hasattr(model, "encoder_")
    assert not hasattr(model, "feature_names_in_")
    assert model.n_features_in_ == 4
    model.fit(frame, y)
    assert model.n_features_in_ == 5


def test_the_compiled_scorer_takes_encoded_rows(frame, y):
    for Estimator in (FMRegressor, FFMRegressor):
        model = new(Estimator).fit(frame, y)
        rows = model.encoder_.transform(frame)
        scores = model.compile().rows(rows.indptr, rows.indices, rows.data)
        assert np.allclose(scores, model.predict(frame), rtol=1e-6)
        assert np.array_equal(model.predict(rows), model.predict(frame))


@pytest.mark.parametrize("Estimator", ALL)
@pytest.mark.parametrize("optimizer_state", [True, False])
def test_model_files_hold_the_encoder(Estimator, optimizer_state, frame, y, tmp_path):
    model = new(Estimator, warm_start=True, scaling="auto").fit(frame, y)
    save_model(model, tmp_path / "model", optimizer_state=optimizer_state)
    for mmap in (False, True):
        again = load_model(tmp_path / "model", mmap=mmap)
        assert np.array_equal(scores_of(again, frame), scores_of(model, frame))
        assert again.feature_names_in_.tolist() == list(frame)
        assert np.array_equal(again.encoder_.fields_, model.encoder_.fields_)
    if optimizer_state:
        again.fit(frame, y)
        model.fit(frame, y)
        assert np.array_equal(scores_of(again, frame), scores_of(model, frame))
        save_model(again, tmp_path / "again")
        assert np.array_equal(scores_of(load_model(tmp_path / "again"), frame),
                              scores_of(model, frame))  # fmt: skip


def test_a_stream_goes_on_from_a_file(frame, y, tmp_path):
    model = new(FFMClassifier, grow_features=True)
    model.partial_fit(frame[:100], y[:100], classes=[0, 1])
    save_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model")
    for stream in (model, again):
        stream.partial_fit(frame[100:], y[100:])
    assert np.array_equal(again.predict_proba(frame), model.predict_proba(frame))


def test_sparse_models_take_tables(frame, y, tmp_path):
    model = new(FMClassifier, solver="ftrl", l1_linear=0.5, l1_factors=0.5).fit(frame, y)
    expected = model.predict_proba(frame)
    assert np.array_equal(model.sparsify().predict_proba(frame), expected)
    save_model(model, tmp_path / "model")
    assert np.array_equal(load_model(tmp_path / "model").predict_proba(frame), expected)


# Errors -------------------------------------------------------------------------------------------


def refuse(kind, match, function, *args, **kwargs):
    with pytest.raises(kind, match=match):
        function(*args, **kwargs)


@pytest.mark.parametrize("Estimator", [FMClassifier, FFMClassifier, BayesianFMClassifier])
def test_errors_name_column_and_row(Estimator, frame, y):
    model = new(Estimator).fit(frame, y)
    expected = scores_of(model, frame)
    predict = model.predict
    refuse(ValueError, r"not there in fit: 'more'", predict, frame.assign(more=1))
    refuse(ValueError, r"lacks columns that were there in fit: 'user'", predict,
           frame.drop(columns="user"))  # fmt: skip
    refuse(TypeError, r"'age' must hold numbers, but holds text .* row 0 has 'x'", predict,
           frame.assign(age="x"))  # fmt: skip
    refuse(TypeError, r"'user' must hold text as categories, but holds numbers", predict,
           frame.assign(user=7))  # fmt: skip
    mixed = frame.assign(user=frame["user"].astype(object))
    mixed.loc[6, "user"] = 3.5
    refuse(TypeError, r"'user' mixes types: .* in row 0 and a number \(3.5\) in row 6", predict,
           mixed)  # fmt: skip
    refuse(TypeError, r"'user' mixes types", model.fit, mixed, y)
    twice = pd.concat([frame, frame[["user"]]], axis=1)
    refuse(ValueError, r"several columns of the name 'user'", predict, twice)
    refuse(ValueError, r"several columns of the name 'user'", model.fit, twice, y)
    infinite = frame.copy()
    infinite.loc[9, "age"] = np.inf
    refuse(ValueError, r"'age', row 9", predict, infinite)
    refuse(ValueError, r"'age', row 9", model.fit, infinite, y)
    refuse(TypeError, r"encodes tables \('user', 'genre', .*and X is a csr_array", predict,
           sparse.csr_array(np.ones((2, 5))))  # fmt: skip
    refuse(TypeError, "encodes tables", predict,
           RelationalDesign([(np.ones((2, 5)), [0, 1])]))  # fmt: skip
    refuse(ValueError, "X has 4 features, but FieldEncoder is expecting 5", predict,
           np.ones((2, 4)))  # fmt: skip
    refuse(ValueError, r"all_missing|All 300 values of column 'genre' are missing", model.fit,
           frame.assign(genre=None), y)  # fmt: skip
    assert np.array_equal(scores_of(model, frame), expected)


@pytest.mark.parametrize("Estimator", [FMClassifier, FFMClassifier, BayesianFMClassifier])
def test_a_model_of_numbers_refuses_tables(Estimator, y):
    numbers = pd.DataFrame(np.random.default_rng(0).normal(size=(N_ROWS, 2)), columns=["a", "b"])
    model = new(Estimator, warm_start=True).fit(numbers, y)
    message = r"Column 'b' \(number 1\) of X holds {}, as row 0 shows .* on numbers alone"
    text, codes = numbers.assign(b="x"), numbers.assign(b=pd.Categorical([1] * N_ROWS))
    refuse(TypeError, message.format("text"), model.predict, text)
    refuse(TypeError, message.format("categories"), model.predict, codes)
    refuse(TypeError, message.format("text"), model.fit, text, y)


def test_text_that_looks_like_numbers(y):
    X = np.array([["1.5", "x"], ["2", "y"]], dtype=object)
    refuse(ValueError, r"Column 0 of X .*row 0 has '1.5'.*categorical_features=\[0\]",
           FMClassifier().fit, X, [0, 1])  # fmt: skip
    model = new(FMClassifier, categorical_features=[0]).fit(X, [0, 1])
    assert model.encoder_.get_feature_names_out()[0] == "x0=1.5"


@pytest.mark.parametrize("Estimator", ALL)
@pytest.mark.parametrize("wrong", ["user", None, {"user"}, [1.5], [True], {"user": 1}])
def test_wrong_names_of_columns(Estimator, wrong, frame, y):
    with pytest.raises(ValueError, match=r'categorical_features must be "from_dtype" or a list'):
        new(Estimator, categorical_features=wrong).fit(frame, y)


@pytest.mark.parametrize("Estimator", [FMClassifier, BayesianFMClassifier])
def test_names_of_columns_that_are_not_there(Estimator, frame, y):
    named = new(Estimator, categorical_features=["film"])
    refuse(ValueError, "names the column 'film', which X does not have", named.fit, frame, y)
    refuse(TypeError, "takes a table, and X is a sparse matrix", named.fit,
           sparse.csr_array(np.ones((2, 2))), [0, 1])  # fmt: skip
    refuse(TypeError, "takes a table; X is a RelationalDesign", named.fit,
           RelationalDesign([(np.ones((2, 5)), [0, 1])]), [0, 1])  # fmt: skip


def test_dicts_of_numbers_alone():
    rows = [{"a": 1.0, "b": 2}, {"a": 3.0, "b": 1}, {"a": 2.0, "b": 5}, {"a": 0.5, "b": 4}]
    columns = {name: [row[name] for row in rows] for name in "ab"}
    y = [1.0, 2.0, 3.0, 4.0]
    expected = FMRegressor(2, max_iter=3, random_state=0).fit(pd.DataFrame(columns), y)
    for table in (rows, columns):
        model = FMRegressor(2, max_iter=3, random_state=0).fit(table, y)
        np.testing.assert_array_equal(model.predict(table), expected.predict(pd.DataFrame(columns)))
        assert model.feature_names_in_.tolist() == ["a", "b"]
