"""FMRecommender with losses over whole data: equal results, new users, corners, refusals."""

import numpy as np
import pytest
from scipy import sparse
from support.ranking import block_taste

from fastfm_cy import FMRecommender, io

TRAIN, TEST = block_taste()
N_USERS, N_ITEMS = TRAIN.shape
BLOCKS = np.eye(5)
USER_FEATURES, ITEM_FEATURES = BLOCKS[np.arange(N_USERS) % 5], BLOCKS[np.arange(N_ITEMS) % 5]


def model(**more):
    values = {"n_factors": 8, "max_iter": 15, "random_state": 0}
    return FMRecommender(**{"loss": "implicit_squared", "solver": "als"} | values | more)


@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_learns_whom_likes_what(features, dtype):
    data = {"item_features": ITEM_FEATURES, "user_features": USER_FEATURES} if features else {}
    one = model(dtype=dtype, early_stopping=True).fit(TRAIN, **data)
    assert one.score(TEST) > 0.5
    assert max(one.history_["validation_score"]) > 0.3


def test_ids_only_are_the_classical_machine():
    """Of Hu et al. and the package implicit: each half of a sweep solves (sum of all y y' + sum
    (c - 1) y y' + l2) x = sum c y."""
    rng = np.random.default_rng(0)
    R = TRAIN.toarray() * rng.uniform(1, 5, TRAIN.shape)
    alpha, l2 = 3.0, 2.0
    ours = model(
        unobserved_weight=1, alpha=alpha, counts_observed=False, frequency_power=0, l2_factors=l2,
        dtype="float64", max_iter=600,
    ).fit(sparse.csr_array(R))  # fmt: skip
    users, items = ours.query_vectors()[:, :-1], ours.item_vectors_[:, :-1]

    def solved(others, C):
        gram, eye = others.T @ others, l2 * np.eye(others.shape[1])
        return np.array([
            np.linalg.solve(
                gram + (others.T * np.where(c > 0, c - 1, 0)) @ others + eye, others.T @ c
            )
            for c in C
        ])  # fmt: skip

    def value(users, items):
        scores = users @ items.T
        seen = R > 0
        return (
            (alpha * R * (seen - scores) ** 2)[seen].sum() + (scores[~seen] ** 2).sum()
            + l2 * ((users**2).sum() + (items**2).sum())
        )  # fmt: skip

    here = value(users, items)
    for _ in range(50):
        users = solved(items, alpha * R)
        items = solved(users, alpha * R.T)
    assert value(users, items) <= here * (1 + 1e-12)
    assert here <= value(users, items) * (1 + 1e-4)
    np.testing.assert_allclose(
        ours.query_vectors()[:, :-1] @ ours.item_vectors_[:, :-1].T, users @ items.T, atol=0.02
    )


@pytest.mark.parametrize("counts_observed", [True, False])
@pytest.mark.parametrize("features", [False, True])
def test_new_users_are_solved_exactly(counts_observed, features):
    """What a history gives is where the loss of a user of his own is least."""
    settings = {"unobserved_weight": 0.3, "alpha": 1.5, "frequency_power": 0.5}
    data = {"item_features": ITEM_FEATURES, "user_features": USER_FEATURES} if features else {}
    one = model(
        **settings, counts_observed=counts_observed, l2_factors=0.4, dtype="float64",
        fit_linear=True, item_interactions=True,
    ).fit(TRAIN, **data)  # fmt: skip
    history = [[1, 3, 8], [0], []]
    described = {"user_features": BLOCKS[[0, 1, 2]]} if features else {}
    found = one.query_vectors(history=history, **described)
    start = one.query_vectors(**described) if features else np.zeros_like(found)
    items = one.item_vectors_

    def loss(query, own, chosen):
        scores, is_chosen = items @ query, np.isin(np.arange(N_ITEMS), chosen)
        everywhere = np.full(N_ITEMS, 0.3)
        if not counts_observed:
            everywhere[is_chosen] = 0
        weight = (1.5 * is_chosen + everywhere).sum()
        return (
            (1.5 * (1 - scores[is_chosen]) ** 2).sum() + everywhere @ scores**2
            + 0.4 * weight**0.5 * (own**2).sum()
        )  # fmt: skip

    for row in (0, 1):
        query, own = found[row], (found[row] - start[row])[:-1]
        least = loss(query, own, history[row])
        for step in np.vstack([np.eye(8), -np.eye(8)]) * 1e-3:
            assert loss(query + np.append(step, 0), own + step, history[row]) > least
    np.testing.assert_allclose(found[2, :-1], start[2, :-1])


def test_a_known_users_history_gives_his_vector():
    one = model(max_iter=300, dtype="float64").fit(TRAIN)
    folded = one.query_vectors(history=TRAIN)
    np.testing.assert_allclose(folded, one.query_vectors(), atol=1e-3)


def test_cold_items_are_what_their_features_say():
    rng = np.random.default_rng(0)
    cold = rng.random(N_ITEMS) < 0.3
    kept = TRAIN.toarray() * ~cold
    one = model(item_interactions=False).fit(sparse.csr_array(kept), item_features=ITEM_FEATURES)
    blocks = np.unique(np.arange(N_ITEMS)[cold] % 5)
    described, _ = one.recommend(n=1, item_features=BLOCKS[blocks])
    assert not one._model.item_table.factor_vectors[:N_ITEMS][cold].any()
    truth = TRAIN.toarray() + TEST.toarray()
    liked = np.array([truth[:, np.arange(N_ITEMS) % 5 == block].sum(1) for block in range(5)]).T
    assert (liked[:, blocks].argmax(1) == described[:, 0]).mean() > 0.6


@pytest.mark.parametrize("unobserved_weight", [0.0, 0.5])
@pytest.mark.parametrize("counts_observed", [True, False])
@pytest.mark.parametrize("l2_factors", [0.0, 0.1])
@pytest.mark.parametrize("features", [False, True])
def test_odd_shapes_end(unobserved_weight, counts_observed, l2_factors, features):
    everything = np.ones((3, 4))
    one_item, one_user = np.ones((5, 1)), np.array([[1.0, 0, 1, 0]])
    some_without = np.array([[0.0, 0, 0], [1, 0, 1], [1, 1, 1], [0, 0, 0]])
    for matrix in (everything, one_item, one_user, some_without):
        # A feature that all have, and one that none has.
        data = {
            f"{side}_features": np.column_stack([np.ones(n), np.zeros(n)])
            for side, n in zip(("user", "item"), matrix.shape, strict=True)
        } if features else {}  # fmt: skip
        one = model(
            unobserved_weight=unobserved_weight, counts_observed=counts_observed,
            l2_factors=l2_factors, fit_linear=True, item_interactions=True,
        ).fit(sparse.csr_array(matrix), **data)  # fmt: skip
        ids, scores = one.recommend(n=3)
        assert ids.shape == (len(matrix), 3)
        assert not np.isnan(scores).any()
        assert np.isfinite(one.history_["train_loss"]).all()
        folded = one.query_vectors(history=[[0], []])
        assert np.isfinite(folded).all()


def test_dislikes_lower_scores():
    liked = sparse.csr_array(np.array([[1.0, 1, 0, 1], [1, 1, 0, 1], [1, 0, 0, 1]]))
    mixed = sparse.csr_array(np.array([[1.0, 1, 0, 1], [1, 1, 0, 1], [1, -5, 0, 1]]))
    one, other = (model(l2_factors=0.01).fit(matrix) for matrix in (liked, mixed))
    assert other.predict([2], [1])[0] < one.predict([2], [1])[0] - 0.01


def test_contexts_are_queries_of_their_own():
    """Two contexts with opposite tastes of the same users."""
    rng = np.random.default_rng(0)
    users, items = np.repeat(np.arange(20), 12), np.tile(np.arange(12), 20)
    morning = items < 6
    context = np.column_stack([morning, ~morning]).astype(float)
    kept = rng.random(len(users)) < 0.7
    one = model(l2_factors=0.1, max_iter=30).fit((users[kept], items[kept]), context=context[kept])
    for at, of_time in ((0, set(range(6))), (1, set(range(6, 12)))):
        ids, _ = one.recommend([3], 6, context=np.eye(2)[[at]], filter_seen=False)
        assert set(ids[0]) == of_time


def test_more_sweeps_go_on():
    whole = model(max_iter=6).fit(TRAIN)
    parts = model(max_iter=3, warm_start=True).fit(TRAIN).fit(TRAIN)
    np.testing.assert_allclose(whole.item_vectors_, parts.item_vectors_, atol=1e-4)


def test_partial_fit_remembers_what_came_before():
    users, items = TRAIN.nonzero()
    one = model().fit((users, items))
    before = one.score(TEST.nonzero())
    new = np.full(3, N_USERS), np.array([0, 5, 10])
    one.partial_fit(new)
    assert one.score(TEST.nonzero()) > 0.9 * before
    ids, _ = one.recommend([N_USERS], 3)
    assert (ids[0] % 5 == 0).mean() > 0.6
    with_context = model().fit((users, items), context=np.ones((len(users), 1)))
    with pytest.raises(ValueError, match="contexts of the earlier"):
        with_context.partial_fit(new, context=np.ones((3, 1)))


@pytest.mark.parametrize("features", [False, True])
def test_files(tmp_path, features):
    data = {"item_features": ITEM_FEATURES, "user_features": USER_FEATURES} if features else {}
    one = model(n_factors=3, alpha=2.0, counts_observed=False).fit(TRAIN, **data)
    io.save_model(one, tmp_path / "model.fm")
    back = io.load_model(tmp_path / "model.fm")
    assert back.get_params() == one.get_params()
    history = [[1, 2]]
    for name in ("item_vectors_", "n_iter_"):
        assert np.array_equal(getattr(back, name), getattr(one, name))
    assert np.array_equal(back.query_vectors(history=history), one.query_vectors(history=history))
    going = [each.set_params(warm_start=True).fit(TRAIN, **data) for each in (one, back)]
    assert np.array_equal(going[0].item_vectors_, going[1].item_vectors_)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"solver": "adagrad"}, "it needs solver='als'"),
        ({"loss": "warp"}, "solver='als' does not go with loss='warp'"),
        ({"loss": "warp", "solver": "sgd", "alpha": 2.0}, "alpha=2.0 is of losses over whole data"),
        ({"loss": "bpr", "solver": "sgd", "unobserved_weight": 1}, "is of losses over whole data"),
        ({"learning_rate": 0.1}, "learning_rate=0.1 has no meaning there"),
        ({"negatives": "popularity"}, "negatives='popularity' has no meaning there"),
        ({"schedule": "cosine"}, "schedule='cosine' has no meaning there"),
        ({"l1_factors": 0.1}, "l1_factors must be 0"),
        ({"l1_linear": {"items": 0.1}}, "l1_linear must be 0"),
        ({"unobserved_weight": -1}, "unobserved_weight"),
        ({"unobserved_weight": np.nan}, "unobserved_weight"),
        ({"alpha": 0}, "alpha == 0"),
        ({"frequency_power": "x"}, "frequency_power must be"),
        ({"counts_observed": 2}, "counts_observed must be"),
        ({"fit_linear": "yes"}, "fit_linear must be"),
        ({"item_interactions": "yes"}, "item_interactions must be"),
    ],
)
def test_parameters(params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        model(**params).fit(TRAIN)


def test_without_any_choice():
    with pytest.raises(ValueError, match="nothing that anyone chose"):
        model().fit(-TRAIN)
