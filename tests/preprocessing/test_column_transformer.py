"""Fields survive pipelines, and scikit-learn's way of putting columns together."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from fastfm_cy import FFMClassifier, FwFMRegressor
from fastfm_cy.preprocessing import FieldColumnTransformer, FieldEncoder


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "user": rng.integers(0, 9, 120).astype(str), "item": rng.choice(list("abcd"), 120),
            "sex": rng.choice(["f", "m"], 120), "age": rng.normal(40, 9, 120),
            "height": rng.normal(170, 9, 120), "title": rng.choice(["so it is", "it was"], 120),
        }
    )  # fmt: skip


@pytest.fixture
def y():
    return np.random.default_rng(1).integers(0, 2, 120)


def new_parts():
    return FieldColumnTransformer(
        [
            ("ids", Pipeline([("encode", FieldEncoder())]), ["user", "item"]),
            ("sex", OneHotEncoder(), ["sex"]),
            ("words", CountVectorizer(), "title"),
            ("nothing", "drop", ["height"]),
            ("numbers", StandardScaler(), ["age", "height"]),
        ]
    )


def test_the_fields_of_all_parts(table):
    parts = new_parts()
    rows = parts.fit_transform(table)
    expected = [0] * 9 + [1] * 4 + [2] * 2 + [3] * 4 + [4, 5]
    assert rows.fields.tolist() == parts.fields_.tolist() == expected
    assert rows.n_fields == parts.n_fields_ == 6
    assert np.array_equal(parts.transform(table).toarray(), rows.toarray())
    names = parts.get_feature_names_out()
    assert (names[0], names[-1]) == ("ids__user=0", "numbers__height")
    two = OneHotEncoder().fit(table[["sex", "item"]])
    parts = FieldColumnTransformer([("both", two, ["sex", "item"])], remainder="passthrough")
    only_numbers = table[["sex", "item", "age", "height"]]
    assert parts.fit(only_numbers).fields_.tolist() == [0] * 2 + [1] * 4 + [2, 3]


def test_dense_parts(table, y):
    parts = FieldColumnTransformer([("numbers", StandardScaler(), ["age", "height"])])
    rows = parts.fit_transform(table)
    assert sparse.issparse(rows)
    assert rows.fields.tolist() == [0, 1]


def test_a_pipeline_needs_no_fields(table, y):
    pipeline = make_pipeline(new_parts(), FFMClassifier(2, max_iter=3, random_state=0))
    pipeline.fit(table, y)
    assert pipeline[-1].n_fields_ == 6
    rows = pipeline[0].transform(table)
    given = FFMClassifier(2, max_iter=3, random_state=0, fields=pipeline[0].fields_)
    given.fit(sparse.csr_array(rows), y)
    assert np.array_equal(pipeline.predict_proba(table), given.predict_proba(rows))
    grid = {"ffmclassifier__n_factors": [1, 2]}
    search = GridSearchCV(clone(pipeline), grid, cv=3).fit(table, y)
    assert search.best_estimator_[-1].n_fields_ == 6


def test_an_encoder_in_a_pipeline(table, y):
    for Estimator in (FFMClassifier, FwFMRegressor):
        pipeline = make_pipeline(
            FieldEncoder({"title": "drop"}), Estimator(2, max_iter=2, random_state=0)
        ).fit(table, y)
        assert pipeline[-1].n_fields_ == 5
        assert np.isfinite(pipeline.predict(table.assign(user="new"))).all()
