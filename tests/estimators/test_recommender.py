"""FMRecommender: what it learns, recommends, remembers and refuses."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from support.ranking import block_taste

from fastfm_cy import DivergenceError, FMRecommender
from fastfm_cy.training.ranking.losses import NEGATIVES, SAMPLED_LOSSES
from fastfm_cy.training.solvers import SOLVERS

TRAIN, TEST = block_taste()
N_USERS, N_ITEMS = TRAIN.shape
BLOCKS = np.eye(5)
USER_FEATURES, ITEM_FEATURES = BLOCKS[np.arange(N_USERS) % 5], BLOCKS[np.arange(N_ITEMS) % 5]


def model(**more):
    values = {"n_factors": 8, "max_iter": 15, "random_state": 0, "learning_rate": 0.2}
    return FMRecommender(**values | more)


@pytest.fixture(scope="module")
def fitted():
    return model().fit(TRAIN)


def columns(matrix, of_users=str, of_items=str):
    entries = matrix.tocoo()
    users, items = (
        np.array([make(n) for n in one])
        for make, one in ((of_users, entries.row), (of_items, entries.col))
    )
    return users, items


@pytest.mark.parametrize("loss", SAMPLED_LOSSES)
@pytest.mark.parametrize("negatives", NEGATIVES)
def test_it_learns_whom_likes_what(loss, negatives):
    found = model(loss=loss, negatives=negatives, l2_factors=0.01).fit(TRAIN).score(TEST)
    assert found > 0.5
    assert model(max_iter=1, learning_rate=1e-9).fit(TRAIN).score(TEST) < 0.3


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("features", [False, True])
def test_every_solver(solver, features):
    rates = {"sgd": 0.1, "adagrad": 0.2, "adam": 0.02, "adamw": 0.02, "ftrl": 0.3}
    data = {"item_features": ITEM_FEATURES, "user_features": USER_FEATURES} if features else {}
    one = model(solver=solver, learning_rate=rates[solver], loss="bpr", max_iter=40)
    assert one.fit(TRAIN, **data).score(TEST) > 0.5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scores_are_inner_products(dtype):
    one = model(dtype=dtype).fit(TRAIN, USER_FEATURES, ITEM_FEATURES)
    queries, items = one.query_vectors(), one.item_vectors_
    assert items.shape == (N_ITEMS, 9)
    assert items.dtype == queries.dtype == dtype
    users, which = np.repeat(np.arange(N_USERS), N_ITEMS), np.tile(np.arange(N_ITEMS), N_USERS)
    scores = (queries @ items.T).ravel()
    np.testing.assert_allclose(one.predict(users, which), scores, rtol=1e-4, atol=1e-4)
    ids, best = one.recommend(n=N_ITEMS, filter_seen=False)
    np.testing.assert_allclose(
        best, np.sort(-scores.reshape(N_USERS, -1)) * -1, rtol=1e-4, atol=1e-4
    )
    assert (np.sort(ids) == np.arange(N_ITEMS)).all()


def test_scores_of_the_whole_machine_order_alike():
    """Up to what depends on the user alone, scores are a factorization machine's."""
    from reference.ranking import row_score

    one = model(dtype="float64").fit(TRAIN, USER_FEATURES, ITEM_FEATURES)
    inner = one._model
    w = np.concatenate([np.zeros(inner.users.size), inner.item_table.coef])
    v = np.concatenate([inner.user_table.factor_vectors, inner.item_table.factor_vectors])
    users = np.hstack([np.eye(N_USERS), USER_FEATURES])
    items = np.hstack([np.eye(N_ITEMS), ITEM_FEATURES])
    some = [0, 7, 33]
    for user in (0, 41):
        whole = [row_score(np.concatenate([users[user], items[item]]), w, v) for item in some]
        ours = one.predict(np.full(3, user), some)
        np.testing.assert_allclose(np.diff(whole), np.diff(ours), rtol=1e-9)


def test_without_features_interactions_change_nothing():
    """Ids only: matrix factorization with item biases, however it is said."""
    plain = model().fit(TRAIN)
    without = model(item_interactions=False).fit(TRAIN)
    assert np.array_equal(plain.item_vectors_, without.item_vectors_)
    identity = model(user_identity=False, item_identity=False, dtype="float64", loss="bpr")
    identity.fit(TRAIN, sparse.eye_array(N_USERS), sparse.eye_array(N_ITEMS))
    plain = model(dtype="float64", loss="bpr").fit(TRAIN)
    np.testing.assert_allclose(identity.item_vectors_, plain.item_vectors_, rtol=1e-6, atol=1e-9)
    assert np.array_equal(plain.item_vectors_[:, -1], plain._model.item_table.coef)


def test_seen_items_are_left_out(fitted):
    ids, scores = fitted.recommend(n=N_ITEMS)
    for user in range(N_USERS):
        seen = set(TRAIN[[user]].indices)
        listed = ids[user][ids[user] >= 0]
        assert not seen & set(listed)
        assert len(listed) == N_ITEMS - len(seen)
        assert (ids[user][len(listed) :] == -1).all()
        assert np.isneginf(scores[user][len(listed) :]).all()
    assert (fitted.recommend(n=N_ITEMS, filter_seen=False)[0] >= 0).all()


def test_restricted_and_excluded_items(fitted):
    ids, _ = fitted.recommend([3, 4], 4, items=[9, 2, 5], filter_seen=False)
    assert (np.sort(ids, axis=1) == [[-1, 2, 5, 9]] * 2).all()
    ids, _ = fitted.recommend([3, 4], N_ITEMS, exclude=[1, 2], filter_seen=False)
    assert not np.isin(ids, [1, 2]).any()
    mine = sparse.csr_array(([1], ([1], [7])), shape=(2, N_ITEMS))
    ids, _ = fitted.recommend([3, 4], N_ITEMS, exclude=mine, filter_seen=False)
    assert (7 in ids[0], 7 in ids[1]) == (True, False)
    ranked, scores = fitted.rank([3], [9, 2, 5])
    assert sorted(ranked[0]) == [2, 5, 9]
    assert (np.diff(scores[0]) <= 0).all()


def test_similar(fitted):
    ids, cosines = fitted.similar_items([0, 1], 3)
    assert not np.isin(ids, [[0], [1]]).diagonal().any()
    assert ((ids % 5 == [[0], [1]]).mean()) > 0.8
    assert (cosines <= 1 + 1e-5).all()
    ids, _ = fitted.similar_users([2], 4)
    assert (ids % 5 == 2).mean() > 0.7


@pytest.mark.parametrize("kind", ["arrays", "pandas", "polars", "array"])
def test_raw_ids(kind, fitted):
    users, items = columns(TRAIN, lambda n: f"u{n:03}", lambda n: f"i{n:03}")
    if kind == "arrays":
        data = users, items
    elif kind == "array":
        data = np.column_stack([users, items])
    else:
        data = {"pandas": pd, "polars": pl}[kind].DataFrame({"user": users, "item": items})
    named = model().fit(data)
    assert named.user_ids_.tolist() == sorted(set(users.tolist()))
    ids, scores = named.recommend(["u004"], 5)
    assert ids.dtype.kind == "U"
    numbers, same = fitted.recommend([4], 5)
    assert ids[0].tolist() == [f"i{n:03}" for n in numbers[0]]
    assert np.array_equal(scores, same)
    none, _ = named.recommend(["u004"], 2, items=[ids[0, 0]])
    assert none[0].tolist() == [ids[0, 0], ""]
    with pytest.raises(ValueError, match=r"user 'nobody' \(row 1\) is unknown"):
        named.recommend(["u001", "nobody"])


def test_features_come_by_id():
    users, items = columns(TRAIN, lambda n: 100 + n, lambda n: f"i{n:03}")
    shuffled = np.random.default_rng(0).permutation(N_ITEMS)
    names = np.array([f"i{n:03}" for n in shuffled])
    by_id = model().fit((users, items), item_features=(names, ITEM_FEATURES[shuffled]))
    plain = model().fit(TRAIN, item_features=ITEM_FEATURES)
    assert np.array_equal(by_id.item_vectors_, plain.item_vectors_)
    frame = pd.DataFrame(ITEM_FEATURES[shuffled], index=names)
    assert np.array_equal(
        model().fit((users, items), item_features=frame).item_vectors_, plain.item_vectors_
    )
    with pytest.raises(ValueError, match="no row for 'i000'"):
        model().fit((users, items), item_features=(names[names != "i000"], ITEM_FEATURES[1:]))
    with pytest.raises(ValueError, match="need ids"):
        model().fit((users, items), item_features=ITEM_FEATURES)


def test_cold_items_and_users_by_features():
    warm = np.arange(N_ITEMS) < 60
    one = model(max_iter=40).fit(TRAIN[:, warm], USER_FEATURES, ITEM_FEATURES[warm])
    ids, _ = one.recommend([0, 1, 2, 3, 4], 2, item_features=ITEM_FEATURES[60:])
    assert (ids % 5 == np.arange(5)[:, None]).mean() > 0.8
    ids, _ = one.recommend(n=4, user_features=BLOCKS)
    assert ((ids % 5) == np.arange(5)[:, None]).mean() > 0.9
    assert one.query_vectors(user_features=BLOCKS).shape == (5, 9)


def test_items_that_nobody_chose_are_what_their_features_say():
    """Whether fit knows them, as negatives of everybody, or not."""
    chosen = TRAIN.tolil()
    cold = np.arange(0, N_ITEMS, 7)
    chosen[:, cold] = 0
    one = model(l2_factors=0.01).fit(sparse.csr_array(chosen), item_features=ITEM_FEATURES)
    as_new = one._model.vectors_of_new_items(one._asked().row_features(
        ITEM_FEATURES[cold], 5, "item_features"
    ))  # fmt: skip
    np.testing.assert_allclose(one.item_vectors_[cold], as_new, rtol=1e-5, atol=1e-6)
    others = np.setdiff1d(np.arange(N_ITEMS), cold)
    as_new = one._model.vectors_of_new_items(one._asked().row_features(
        ITEM_FEATURES[others], 5, "item_features"
    ))  # fmt: skip
    assert np.abs(one.item_vectors_[others] - as_new).min(axis=1).max() > 1e-4


def test_a_new_user_from_a_history(fitted):
    lists = [[2, 7, 12], [4, 9]]
    ids, _ = fitted.recommend(n=6, history=lists)
    assert ((ids % 5) == [[2], [4]]).mean() > 0.8
    assert not np.isin(ids[0], lists[0]).any()
    matrix = sparse.csr_array((np.ones(5), ([0, 0, 0, 1, 1], [2, 7, 12, 4, 9])), shape=(2, N_ITEMS))
    assert np.array_equal(fitted.recommend(n=6, history=matrix)[0], ids)
    assert fitted.query_vectors(history=[[], [1]])[0, :-1].tolist() == [0.0] * 8


def test_context():
    """What is liked depends on the context alone."""
    rng = np.random.default_rng(0)
    n = 4000
    users, when = rng.integers(0, 400, n), rng.integers(0, 2, n)
    items = 2 * rng.integers(0, 20, n) + when
    one = model(max_iter=20, l2_factors=0.01)
    one.fit((users, items), context=np.eye(2)[when])
    ids, _ = one.recommend([1, 1], 5, context=np.eye(2), filter_seen=False)
    assert (ids % 2 == [[0], [1]]).all()


def test_early_stopping_and_history():
    one = model(early_stopping=True, n_iter_no_change=2, max_iter=60, learning_rate=0.5)
    one.fit(TRAIN)
    scores = one.history_["validation_score"]
    assert one.n_iter_ == len(scores) < 60
    assert one.best_iter_ == 1 + int(np.argmax(scores))
    other = model(scoring="auc", max_iter=3).fit(TRAIN, eval_set=TEST)
    assert other.history_["validation_score"][-1] == pytest.approx(other.score(TEST, metric="auc"))
    best = model(early_stopping=True, scoring="recall", max_iter=30).fit(TRAIN, eval_set=TEST)
    assert best.score(TEST, metric="recall") == pytest.approx(
        max(best.history_["validation_score"])
    )


def test_callbacks_see_the_model():
    seen = []

    def stop(one, history):
        seen.append(one.score(TEST))
        return len(seen) == 3

    one = model().fit(TRAIN, callbacks=stop)
    assert len(seen) == one.n_iter_ == 3
    assert seen[-1] == one.score(TEST)


def test_same_seed_same_model():
    first, second = model().fit(TRAIN), model().fit(TRAIN)
    assert np.array_equal(first.item_vectors_, second.item_vectors_)
    assert not np.array_equal(first.item_vectors_, model(random_state=1).fit(TRAIN).item_vectors_)


@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize("solver", ["adagrad", "adam", "ftrl"])
def test_deterministic_whatever_the_threads(features, solver):
    data = {"item_features": ITEM_FEATURES, "user_features": USER_FEATURES} if features else {}
    fits = [
        model(deterministic=True, n_jobs=n_jobs, solver=solver).fit(TRAIN, **data)
        for n_jobs in (1, 2, 3)
    ]
    for other in fits[1:]:
        assert np.array_equal(fits[0].item_vectors_, other.item_vectors_)
        assert np.array_equal(fits[0].query_vectors(), other.query_vectors())


@pytest.mark.parametrize("negatives", NEGATIVES)
@pytest.mark.parametrize("features", [False, True])
def test_threads_learn_as_well(negatives, features):
    data = {"item_features": ITEM_FEATURES} if features else {}
    one = model(n_jobs=2, negatives=negatives, max_iter=30).fit(TRAIN, **data)
    assert one.score(TEST) > 0.5


def test_partial_fit_grows():
    users, items = columns(TRAIN, lambda n: n, lambda n: f"i{n}")
    early = users < 70
    one = model().partial_fit((users[early], items[early]))
    assert len(one.user_ids_) == 70
    for _ in range(20):
        one.partial_fit((users[~early], items[~early]))
        one.partial_fit((users[early], items[early]))
    assert len(one.user_ids_) == N_USERS
    assert one.n_iter_ == len(one.history_["train_loss"]) == 41
    held_out = columns(TEST, lambda n: n, lambda n: f"i{n}")
    assert one.score(held_out) > 0.5
    ids, _ = one.recommend([0], N_ITEMS)
    assert not set(ids[0]) & set(items[users == 0])


def test_warm_start_goes_on():
    one = model(warm_start=True, max_iter=3)
    first = one.fit(TRAIN).item_vectors_.copy()
    assert not np.array_equal(one.fit(TRAIN).item_vectors_, first)
    with pytest.raises(ValueError, match="n_factors cannot change"):
        one.set_params(n_factors=4).fit(TRAIN)
    with pytest.raises(ValueError, match="item_features must not be given"):
        one.set_params(n_factors=8).fit(TRAIN, item_features=ITEM_FEATURES)


def test_weights_and_explicit_negatives():
    # Item 1 is disliked, item 2 nobody saw; both are no choices.
    matrix = sparse.csr_array(np.array([[1.0, -1.0, 0, 1], [1.0, -1.0, 0, 0], [1.0, -3.0, 0, 1]]))
    for loss in SAMPLED_LOSSES:
        one = model(loss=loss, max_iter=60).fit(matrix)
        vectors = one.item_vectors_
        scores = one.query_vectors() @ vectors.T
        assert (scores[:, 0] > scores[:, 1]).all(), loss
    only = model(loss="logistic").fit(-matrix * (matrix > 0))
    assert (only.query_vectors() @ only.item_vectors_.T)[:, 0].max() < 0.5
    heavy = model(loss="bpr", max_iter=2, shuffle=False).fit(matrix, sample_weight=np.full(8, 2.0))
    doubled = model(loss="bpr", max_iter=2, shuffle=False).fit(matrix * 2)
    assert np.array_equal(heavy.item_vectors_, doubled.item_vectors_)


def test_strengths_by_group():
    everything = model(l2_factors={"items": 5.0, "users": 5.0}).fit(TRAIN)
    nothing = model(l2_factors={"users": 0.0}).fit(TRAIN)
    assert np.abs(everything.item_vectors_).sum() < np.abs(nothing.item_vectors_).sum()
    with pytest.raises(ValueError, match="groups are 'users'"):
        model(l2_factors={"movies": 1}).fit(TRAIN)


def test_clone_pickle_params():
    one = clone(model(loss="bpr"))
    assert one.get_params()["loss"] == "bpr"
    one.fit(TRAIN)
    other = pickle.loads(pickle.dumps(one))
    assert np.array_equal(other.recommend()[0], one.recommend()[0])
    assert np.array_equal(
        other.partial_fit(TRAIN).item_vectors_, one.partial_fit(TRAIN).item_vectors_
    )


def test_an_error_leaves_it_as_it_was(fitted):
    one = model(solver="sgd", learning_rate=1e30, warm_start=True)
    with pytest.raises(DivergenceError):
        one.fit(TRAIN)
    assert not hasattr(one, "history_")
    with pytest.raises(AttributeError, match="before it is fitted"):
        _ = one.item_vectors_
