"""FMRecommender: bad input gives clear errors, and nothing loops for ever."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import NotFittedError

from fastfm_cy import FMRecommender
from fastfm_cy.training.ranking.losses import NEGATIVES, SAMPLED_LOSSES, WHOLE_LOSSES

SMALL = sparse.csr_array(np.array([[1.0, 0, 1], [0, 1, 0]]))


def model(**more):
    return FMRecommender(**{"n_factors": 4, "max_iter": 2, "random_state": 0} | more)


@pytest.mark.parametrize("loss", SAMPLED_LOSSES)
@pytest.mark.parametrize("negatives", NEGATIVES)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_odd_shapes_end(loss, negatives, n_jobs):
    everything = np.ones((3, 4))
    one_item, one_user = np.ones((5, 1)), np.array([[1.0, 0, 1, 0]])
    some_without = np.array([[0.0, 0, 0], [1, 0, 1], [1, 1, 1], [0, 0, 0]])
    for matrix in (everything, one_item, one_user, some_without):
        one = model(loss=loss, negatives=negatives, n_jobs=n_jobs).fit(sparse.csr_array(matrix))
        ids, scores = one.recommend(n=3)
        assert ids.shape == (len(matrix), 3)
        assert not np.isnan(scores).any()
        assert ((ids == -1) == np.isneginf(scores)).all()


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from([1.0, -1.0, 0.0])),
             min_size=1, max_size=30),
    st.sampled_from([*SAMPLED_LOSSES, *WHOLE_LOSSES]), st.booleans(),
)  # fmt: skip
def test_whatever_comes(rows, loss, threads):
    users, items, weights = map(np.array, zip(*rows, strict=True))
    solver = "als" if loss in WHOLE_LOSSES else "adagrad"
    one = model(loss=loss, solver=solver, n_jobs=2 if threads else 1)
    positive = {}
    for user, item, weight in rows:
        positive[user, item] = positive.get((user, item), 0) + (weight if weight else -1)
    if max(positive.values()) <= 0 and loss != "logistic":
        with pytest.raises(ValueError, match="nothing that anyone chose"):
            one.fit((users, items, weights))
        return
    one.fit((users, items, weights))
    ids, _ = one.recommend(n=6)
    for row, user in enumerate(one.user_ids_):
        seen = {item for (who, item), weight in positive.items() if who == user and weight > 0}
        assert not seen & set(ids[row])


def test_duplicates_count_once():
    users, items = np.array([0, 0, 0, 1]), np.array([2, 2, 0, 1])
    twice = model(loss="bpr", shuffle=False).fit((users, items))
    once = model(loss="bpr", shuffle=False).fit((users[1:], items[1:], np.array([2.0, 1, 1])))
    assert np.array_equal(twice.item_vectors_, once.item_vectors_)


@pytest.mark.parametrize(
    ("interactions", "message"),
    [
        (np.ones((3, 5)), "sparse matrix of users x items"),
        ([1, 2, 3, 4], "sparse matrix of users x items"),
        (([1, 2], [1, 2, 3]), "different lengths"),
        (([1.0, np.nan], [1, 2]), "user ids contain nan in row 1"),
        (([1, 2], [1, 2], [1.0, np.inf]), "weight of entry 1 is inf"),
        ((["a", "b"], [1, 2], ["x", "y"]), "weights must be numbers"),
        (sparse.csr_array((0, 4)), "of 0 users and 4 items"),
        (sparse.csr_array((3, 4)), "no interactions"),
        (-SMALL, "nothing that anyone chose"),
        (sparse.csr_array(np.array([[np.nan, 1.0]])), "weight of entry 0 is nan"),
    ],
)
def test_interactions(interactions, message):
    with pytest.raises((ValueError, TypeError), match=message):
        model().fit(interactions)


def test_mixed_ids():
    with pytest.raises(TypeError, match=r"row 1 has 'b' of type str, row 0 1"):
        model().fit((np.array([1, "b"], dtype=object), [1, 2]))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"user_features": np.ones((3, 2))}, "user_features has 3 rows; there are 2"),
        ({"item_features": np.ones((2, 2))}, "item_features has 2 rows; there are 3"),
        ({"user_features": [[1.0, np.nan], [0, 1]]}, "user_features: .*NaN at row 0, column 1"),
        ({"item_features": [["a"], ["b"], ["c"]]}, "item_features"),
        ({"context": np.ones((2, 2))}, "context has 2 rows; there are 3 interactions"),
        ({"sample_weight": [1.0, 2.0]}, "number an interaction"),
        ({"sample_weight": [1.0, -2.0, 0]}, "entry 1 has -2.0"),
        ({"sample_weight": [0, 0, 0]}, "no interactions with a positive weight"),
        ({"eval_set": sparse.csr_array((5, 3))}, r"5 rows \(users\), the model knows 2"),
        ({"eval_set": sparse.csr_array((2, 3))}, "hold no positive"),
        ({"callbacks": 3}, "callbacks must be"),
    ],
)
def test_other_arguments(more, message):
    with pytest.raises((ValueError, TypeError), match=message):
        model().fit(SMALL, **more)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"loss": "log_loss"}, "loss must be one of 'warp'"),
        ({"solver": "als"}, "solver='als' does not go with loss='warp'"),
        ({"negatives": "popular"}, "negatives must be one of"),
        ({"max_sampled": 0}, "max_sampled"),
        ({"top": 0}, "top"),
        ({"scoring": "rmse"}, "scoring must be one of"),
        ({"item_identity": False}, "give item_features"),
        ({"user_identity": "yes"}, "user_identity must be True or False"),
        ({"l2_factors": -1}, "l2_factors"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"solver": "ftrl", "schedule": "cosine"}, "use schedule='constant'"),
        ({"early_stopping": True, "validation_fraction": 0.01}, "holds out no interaction"),
        ({"dtype": "int8"}, "dtype must be one of"),
        ({"n_jobs": 1.5}, "n_jobs"),
    ],
)
def test_parameters(params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        model(**params).fit(SMALL)


def test_questions():
    one = model()
    for ask in (one.recommend, one.query_vectors, lambda: one.predict([0], [0])):
        with pytest.raises(NotFittedError):
            ask()
    one.fit(SMALL)
    for ask, message in (
        (lambda: one.recommend([5]), r"user 5 \(row 0\) is unknown"),
        (lambda: one.recommend(["a"]), "are numbers"),
        (lambda: one.recommend([0], 0), "n == 0"),
        (lambda: one.recommend([0], items=[7]), r"item 7 \(row 0\) is unknown"),
        (lambda: one.recommend([0], exclude=[7]), "unknown"),
        (lambda: one.recommend([0], exclude=sparse.csr_array((3, 3))), "exclude has shape"),
        (lambda: one.recommend([0], user_features=[[1.0]]), "fit had 0"),
        (lambda: one.recommend([0], item_features=[[1.0]]), "fit had 0"),
        (lambda: one.recommend(history=sparse.csr_array((1, 9))), "9 items, not 3"),
        (lambda: one.recommend(history=[[8]]), "history 0: item 8"),
        (lambda: one.predict([0, 1], [0]), "2 users and 1 items"),
        (lambda: one.similar_items([9]), "unknown"),
        (lambda: one.score(SMALL, metric="rmse"), "metric must be one of"),
        (lambda: one.evaluate(sparse.csr_array((2, 3))), "no held-out interaction"),
        (lambda: one.partial_fit(sparse.csr_array((2, 2))), "2 columns"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            ask()
    assert one.recommend([], 2)[0].shape == (0, 2)
    assert one.recommend([0], 2, items=[])[0].tolist() == [[-1, -1]]
