import numpy as np
import pytest
from reference.fm import Model
from support.realdata import data_file

from fastfm_cy.datasets import (
    load_movielens_design,
    load_movielens_fold,
    load_ratings,
    make_clicks,
    make_ratings,
)


@pytest.mark.parametrize("make", [make_ratings, make_clicks])
def test_the_seed_decides_the_data(make):
    first, again, other = make(random_state=1), make(random_state=1), make(random_state=2)
    assert (first.X != again.X).nnz == 0
    assert first.X.dtype == np.float32
    assert first.X.indices.dtype == first.X.indptr.dtype == np.int32  # no conversion in fit
    assert np.array_equal(first.y, again.y)
    assert not np.array_equal(first.y, other.y)


def test_ratings_follow_the_planted_model(ratings):
    planted = Model(ratings.intercept, ratings.coef, ratings.factors)
    rows = ratings.X[:10].toarray().astype(float)
    np.testing.assert_allclose(
        ratings.expected[:10], [planted.score(row) for row in rows], rtol=1e-5
    )
    assert ratings.expected.mean() == pytest.approx(3.5)
    assert np.std(ratings.y - ratings.expected) == pytest.approx(0.7, rel=0.05)


def test_ratings_have_the_fields_they_name(ratings):
    assert ratings.field_names == ["user", "item", "age group", "occupation", "genres"]
    assert np.array_equal(np.bincount(ratings.fields), [60, 40, 7, 21, 18])
    for field in range(5):
        block = ratings.X[:, ratings.fields == field]
        np.testing.assert_allclose(block.power(2).sum(axis=1), 1, rtol=1e-5)
        if field < 4:
            assert (np.diff(block.indptr) == 1).all()


def test_side_features_belong_to_the_user(ratings):
    user = ratings.X[:, :60].indices
    age = ratings.X[:, ratings.fields == 2].indices
    assert all(len(set(age[user == u])) == 1 for u in set(user))


def test_clicks_have_one_feature_a_field():
    data = make_clicks(n_rows=5000, n_fields=7, n_features=300, random_state=0)
    assert data.X.shape == (5000, 300)
    fields = data.fields[data.X.indices].reshape(5000, 7)
    assert (fields == np.arange(7)).all()
    np.testing.assert_allclose(data.X.data, 7**-0.5)
    assert set(data.y) == {0, 1}
    assert data.y.mean() == pytest.approx(data.probability.mean(), abs=0.02)


@pytest.mark.parametrize(
    ("make", "wrong", "message"),
    [
        (make_ratings, {"n_users": 0}, "n_users"),
        (make_ratings, {"rank": 0}, "rank"),
        (make_clicks, {"n_rows": 0}, "n_rows"),
        (make_clicks, {"n_fields": 9, "n_features": 17}, "at least 2 a field, 18"),
        (make_clicks, {"click_rate": 1.0}, "click_rate"),
    ],
)
def test_generators_refuse_nonsense(make, wrong, message):
    with pytest.raises(ValueError, match=message):
        make(**wrong)


FILES = {
    "tab": "1\t10\t4\t881250949\n2\t11\t3.5\t891717742\n",
    "comma with header": "userId,movieId,rating,timestamp\n1,10,4,881250949\n2,11,3.5,891717742\n",
    "double colon": "1::10::4::881250949\n2::11::3.5::891717742\n",
    "semicolon, quotes, CRLF": '"1";"10";"4";"881250949"\r\n"2";"11";"3.5";"891717742"\r\n',
    "blanks, no last newline": "1 10  4 881250949\n\n2 11  3.5 891717742",
    "byte order mark": "\ufeff1,10,4,881250949\n2,11,3.5,891717742\n",
}


@pytest.mark.parametrize("text", list(FILES.values()), ids=list(FILES))
def test_rating_files(tmp_path, text):
    path = tmp_path / "ratings"
    path.write_bytes(text.encode())
    data = load_ratings(path)
    assert list(data.users) == ["1", "2"]
    assert list(data.items) == ["10", "11"]
    assert list(data.ratings) == [4, 3.5]
    assert list(data.timestamps) == [881250949, 891717742]


def test_rating_files_without_times(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text('user,item,rating\nann,"Alien, 1979",5\nbob,Brazil,4\n')
    data = load_ratings(path)
    assert list(data.items) == ["Alien, 1979", "Brazil"]
    assert data.timestamps is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no ratings"),
        ("user,item,rating\n", "holds no ratings"),
        ("1,2,3\n1,2\n", r"ratings.csv, line 2: expected user, item, rating .* found 2 column"),
        ("1,2,3\n1,2,good\n", r"ratings.csv, line 2: .*good"),
        ("1,2,3\n1,2,nan\n", r"ratings.csv, line 2: .*nan"),
        ("1,2,3,soon\n", r"ratings.csv, line 1: .*soon"),
        ("1,2,3,4,5\n", r"line 1: .* found 5 column"),
    ],
)
def test_broken_rating_files(tmp_path, text, message):
    path = tmp_path / "ratings.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_ratings(path)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "n_users", "n_items"),
    [("ml-100k/u.data", 943, 1682), ("ratings_small.csv", 671, 9066)],
)
def test_real_rating_files(name, n_users, n_items):
    data = load_ratings(data_file(name))
    assert len(data.ratings) in (100_000, 100_004)
    assert len(set(data.users)) == n_users
    assert len(set(data.items)) == n_items
    assert data.ratings.min() >= 0.5
    assert data.ratings.max() == 5


@pytest.mark.realdata
def test_movielens_design():
    """The ids are those of the plain fold; what else is there fits the user and the item."""
    folder = data_file("ml-100k")
    ids, y, _, y_test = load_movielens_fold(folder, "u1")
    data = load_movielens_design(folder, "u1", history=True)
    assert np.array_equal(data.y, y)
    assert np.array_equal(data.y_test, y_test)
    expanded = data.X.tocsr()
    fields = [np.flatnonzero(data.groups == group) for group in range(data.groups.max() + 1)]
    # user, age, gender, occupation, zip code, rated items, item, year, genres, its users, day
    assert [len(fields[place]) for place in (0, 2, 3, 5, 6, 8, 9)] == [
        943,
        2,
        21,
        1682,
        1682,
        19,
        943,
    ]
    assert (expanded[:, np.r_[fields[0], fields[6]]] != ids).nnz == 0
    for place in (1, 2, 3, 4, 7, 10):
        assert (expanded[:, fields[place]].sum(axis=1) == 1).all()
    rated = expanded[[0]][:, fields[5]]
    assert rated.nnz == np.count_nonzero(ids[:, 0].toarray())
    np.testing.assert_allclose(rated.data, 1 / np.sqrt(rated.nnz))
    known = data.X_test.tocsr()[:, fields[10]].sum(axis=1)
    assert set(known) <= {0, 1}


def test_ratings_in_other_encodings_are_refused_by_name(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_bytes("1,2,3\n".encode("utf-16"))
    with pytest.raises(ValueError, match="is text in UTF-16; only UTF-8 is read"):
        load_ratings(path)
