"""FMRecommender: features of users, items and contexts that come as tables."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone

from fastfm_cy import FMRecommender
from fastfm_cy.io import load_model, save_model
from fastfm_cy.preprocessing import FieldEncoder, MultiValued, Numeric

RNG = np.random.default_rng(0)
N_USERS, N_ITEMS = 40, 30
COLUMNS = {"genres": ["a|b", "b", "c", "a", None] * 6, "year": np.arange(1990, 1990 + N_ITEMS)}
FILMS = pd.DataFrame(
    COLUMNS,
    index=[f"film {n}" for n in range(N_ITEMS)],
)
USERS = pd.DataFrame({"sex": ["f", "m"] * 20, "age": RNG.integers(18, 80, N_USERS)})
USER, ITEM = RNG.integers(0, N_USERS, 600), RNG.integers(0, N_ITEMS, 600)
CHOSEN = pd.DataFrame({"item": FILMS.index[ITEM], "user": USER})


def model(**more):
    return FMRecommender(**{"n_factors": 4, "max_iter": 3, "random_state": 0} | more)


def test_a_table_is_what_its_encoder_makes_of_it():
    found = model().fit(CHOSEN, USERS, FILMS)
    users, films = FieldEncoder(), FieldEncoder()
    expected = model().fit(
        CHOSEN, (USERS.index, users.fit_transform(USERS)), (FILMS.index, films.fit_transform(FILMS))
    )
    np.testing.assert_array_equal(found.item_vectors_, expected.item_vectors_)
    np.testing.assert_array_equal(found.query_vectors(), expected.query_vectors())
    assert set(found.encoders_) == {"user_features", "item_features"}
    assert found.user_ids_.tolist() == list(range(N_USERS))  # the column names are known
    assert not expected.encoders_


@pytest.mark.parametrize("of", ["pandas", "polars", "dicts"])
def test_all_kinds_of_tables(of):
    tables = {"pandas": FILMS, "polars": pl.DataFrame(COLUMNS), "dicts": FILMS.to_dict("records")}
    found = model().fit(CHOSEN, item_features=(FILMS.index.to_numpy(), tables[of]))
    expected = model().fit(CHOSEN, item_features=FILMS)
    np.testing.assert_array_equal(found.item_vectors_, expected.item_vectors_)


def test_numbers_alone_are_a_matrix_unless_an_encoder_is_named():
    numbers = FILMS[["year"]] / 2000
    plain = model().fit(CHOSEN, item_features=numbers)
    assert not plain.encoders_
    other = model(encoders={"item_features": FieldEncoder(numeric=Numeric("quantiles", n_bins=3))})
    other.fit(CHOSEN, item_features=numbers)
    assert other._model.items.n_features == 3
    assert not hasattr(other.encoders["item_features"], "fields_")  # a clone was fitted


def test_questions_take_tables():
    encoders = {"item_features": FieldEncoder({"genres": MultiValued("|")})}
    found = model(encoders=encoders, user_identity=False).fit(CHOSEN, USERS, FILMS)
    new_users = pd.DataFrame({"sex": ["m", "new"], "age": [33, 44]})
    ids, _ = found.recommend(n=3, user_features=new_users)
    assert ids.shape == (2, 3)
    np.testing.assert_array_equal(
        found.query_vectors(user_features=USERS.head(2)), found.query_vectors([0, 1])
    )
    new = pd.DataFrame({"genres": ["c|z"], "year": [2030]}, index=["film x"])
    ids, scores = found.recommend([3], n=2, item_features=new)
    assert ids[0, 0] == "film x"
    assert np.isneginf(scores[0, 1])
    with pytest.raises(ValueError, match=r"item_features: .*'year'"):
        found.recommend([3], item_features=new[["genres"]])


def test_contexts():
    when = pd.DataFrame({"when": np.where(RNG.random(600) < 0.5, "day", "night")})
    found = model().fit(CHOSEN, context=when)
    ids, _ = found.recommend([1, 1], context=pd.DataFrame({"when": ["day", "night"]}))
    assert ids.shape == (2, 10)


def test_training_goes_on_with_the_same_encoders():
    found = model().fit(CHOSEN, item_features=FILMS)
    encoder = found.encoders_["item_features"]
    later = pd.concat([FILMS, pd.DataFrame({"genres": ["new"], "year": [1990]}, index=["film z"])])
    found.partial_fit(([1, 2], ["film z", "film 3"]), item_features=later)
    assert found.encoders_["item_features"] is encoder
    assert "film z" in found.item_ids_
    found.fit(CHOSEN, item_features=later)  # anew
    assert found.encoders_["item_features"] is not encoder


@pytest.mark.parametrize("named", [False, True])
def test_model_files_hold_encoders(named, tmp_path):
    encoders = {"item_features": FieldEncoder({"genres": MultiValued("|")})} if named else None
    found = model(encoders=encoders).fit(CHOSEN, USERS, FILMS)
    save_model(found, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    answers = (one.recommend(item_features=FILMS.head(3)) for one in (found, loaded))
    for mine, theirs in zip(*answers, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert str(loaded.get_params()) == str(found.get_params())
    np.testing.assert_array_equal(
        clone(loaded).fit(CHOSEN, USERS, FILMS).item_vectors_, found.item_vectors_
    )
    loaded.partial_fit(CHOSEN, USERS, FILMS)


@pytest.mark.parametrize(
    ("encoders", "message"),
    [
        ({"films": FieldEncoder()}, "one for 'films'"),
        ({"item_features": "categorical"}, "must be a FieldEncoder"),
        ([FieldEncoder()], "must be a dict"),
    ],
)
def test_encoders_that_are_none(encoders, message):
    with pytest.raises((TypeError, ValueError), match=message):
        model(encoders=encoders).fit(CHOSEN, item_features=FILMS)


def test_columns_named_user_and_item_are_found_by_name():
    swapped, other = model().fit(CHOSEN), model().fit(CHOSEN[["user", "item"]])
    np.testing.assert_array_equal(swapped.item_vectors_, other.item_vectors_)
    weighted = CHOSEN.assign(weight=-1.0)
    with pytest.raises(ValueError, match="nothing that anyone chose"):
        model().fit(weighted)


def test_unknown_ids_are_named_or_skipped():
    found = model().fit(CHOSEN)
    with pytest.raises(ValueError, match=r"user 99 \(row 1\) is unknown"):
        found.recommend([1, 99])
    ids, scores = found.recommend([1, 99], n=2, unknown="skip")
    known = found.recommend([1], n=2)
    np.testing.assert_array_equal(ids[0], known[0][0])
    assert ids[1].tolist() == ["", ""]
    assert np.isneginf(scores[1]).all()
    restricted = found.recommend([1], n=2, items=["no", "film 2"], unknown="skip",
                                 filter_seen=False, exclude=["none"])  # fmt: skip
    assert restricted[0].tolist() == [["film 2", ""]]
    history = found.recommend(n=1, history=[["film 1", "nothing"]], unknown="skip")
    np.testing.assert_array_equal(history[0], found.recommend(n=1, history=[["film 1"]])[0])
    held_out = ([1, 99, 2], ["film 1", "film 2", "film x"])
    with pytest.raises(ValueError, match="user 99 in row 1 is unknown"):
        found.evaluate(held_out)
    expected = found.evaluate(([1], ["film 1"]))
    assert found.evaluate(held_out, unknown="skip") == pytest.approx(expected, nan_ok=True)
    with pytest.raises(ValueError, match="unknown must be one of"):
        found.evaluate(held_out, unknown="ignore")
    with pytest.raises(ValueError, match="2 users and 1 items"):
        found.predict([1, 2], ["film 1", "film x"][:1])


def test_matrices_of_interactions_take_tables_in_order():
    matrix = sparse.csr_array((np.ones(600), (USER, ITEM)), shape=(N_USERS, N_ITEMS))
    found = model().fit(matrix, item_features=FILMS)
    by_id = model().fit(CHOSEN, item_features=FILMS)
    assert found.encoders_["item_features"].n_fields_ == by_id.encoders_["item_features"].n_fields_
