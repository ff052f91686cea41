"""docs/migration.md: every row on libraries of ranking and recommendation is true.

A test says which rows it shows to be true; the last one compares these with the page.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import expit
from support.ranking import block_taste

from fastfm_cy import FMRanker, FMRecommender, metrics

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "migration.md").read_text(encoding="utf-8")
LIBRARIES = "LightFM", "implicit", "RankFM", "fastFM's bpr"
TESTED = set()
TRAIN, TEST = block_taste()
ITEM_FEATURES = np.eye(5)[np.arange(TRAIN.shape[1]) % 5]
FAST = {"n_factors": 4, "max_iter": 4, "random_state": 0}


def rows(library, *cells):
    """Mark a test of rows, by their first cells."""
    TESTED.update((library, cell) for cell in cells)
    return lambda test: test


def _rows_of_the_page():
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        library = section.splitlines()[0]
        for table in re.findall(r"^\| .* \| here \|\n\|---\|---\|\n((?:\|.*\n)+)", section, re.M):
            for line in table.splitlines():
                if library in LIBRARIES:
                    yield library, line.removeprefix("| ").split(" | ")[0]


# LightFM -----------------------------------------------------------------------------------------


@rows("LightFM", '`LightFM(no_components, loss="warp")`, `"bpr"`, `"logistic"`',
      "`get_item_representations(features)`", "`predict(user_ids, item_ids)`",
      "`fit(interactions, user_features, item_features, sample_weight, epochs)`")  # fmt: skip
@pytest.mark.parametrize("loss", ["warp", "bpr", "logistic"])
def test_lightfm_model(loss):
    """An item's representation is the sum of its features' embeddings, and so is its bias."""
    model = FMRecommender(loss=loss, item_interactions=False, negatives="popularity", **FAST)
    weights = np.full(TRAIN.nnz, 0.5)
    model.fit(TRAIN, item_features=ITEM_FEATURES, sample_weight=weights)
    table = model._model.item_table
    features = np.hstack([np.eye(TRAIN.shape[1]), ITEM_FEATURES])
    np.testing.assert_allclose(model.item_vectors_[:, :-1], features @ table.factor_vectors, 1e-4)
    np.testing.assert_allclose(model.item_vectors_[:, -1], features @ table.coef, 1e-3, 1e-6)
    users, items = np.array([0, 3]), np.array([5, 6])
    user_embeddings = model._model.user_table.factor_vectors[users]
    scores = (user_embeddings * model.item_vectors_[items, :-1]).sum(1)
    scores += model.item_vectors_[items, -1]
    np.testing.assert_allclose(model.predict(users, items), scores, rtol=1e-5)
    assert model.n_iter_ == 4


@rows("LightFM", "`fit_partial`")
@rows("RankFM", "`fit_partial`")
def test_partial_fits():
    model = FMRecommender(**FAST).partial_fit(([1, 2], [7, 8]))
    model.partial_fit(([1, 3], [8, 9]))
    assert model.user_ids_.tolist() == [1, 2, 3]
    assert model.item_ids_.tolist() == [7, 8, 9]


@rows("LightFM", '`max_sampled`, `learning_rate`, `learning_schedule="adagrad"`',
      "`user_alpha`, `item_alpha`")  # fmt: skip
def test_lightfm_parameters():
    """AdaGrad's sums start at 1 there, too."""
    model = FMRecommender(
        solver="adagrad", learning_rate=0.05, max_sampled=3,
        l2_factors={"users": 0.1, "items": 0.2}, **FAST,
    )  # fmt: skip
    model.fit(TRAIN)
    assert model._model.item_table.factor_blocks[:, :, 1].min() >= 1
    free = FMRecommender(learning_rate=0.05, l2_factors=0.0, **FAST).fit(TRAIN)
    assert np.abs(model.item_vectors_).sum() < np.abs(free.item_vectors_).sum()


@rows("LightFM", "`evaluation.precision_at_k`, `recall_at_k`, `auc_score`, `reciprocal_rank`")
@rows("RankFM", "`evaluation.hit_rate`, `precision`, `recall`, `discounted_cumulative_gain`")
def test_evaluation():
    model = FMRecommender(**FAST).fit(TRAIN)
    report, (lists, _) = model.evaluate(TEST, k=5), model.recommend(n=5)
    assert report["precision"] == pytest.approx(metrics.precision_at_k(TEST, lists, 5))
    assert report["recall"] == pytest.approx(metrics.recall_at_k(TEST, lists, 5))
    assert report["mrr"] == pytest.approx(metrics.reciprocal_rank_at_k(TEST, lists, 5))
    assert report["hit_rate"] == pytest.approx(metrics.hit_rate_at_k(TEST, lists, 5))
    area = metrics.roc_auc(TEST, model.query_vectors(), model.item_vectors_, hidden=TRAIN)
    assert report["auc"] == pytest.approx(area)


# implicit ----------------------------------------------------------------------------------------


@rows("implicit",
      "`BayesianPersonalizedRanking(factors, learning_rate, regularization, iterations)`",
      "`fit(user_items)`", "`user_factors`, `item_factors`")  # fmt: skip
def test_implicit_bpr():
    """Its update, written out, for one positive and the one possible negative."""
    rate, strength = 0.05, 0.3
    choice = sparse.csr_array(np.array([[1.0, 0.0]]))
    settings = {"loss": "bpr", "solver": "sgd", "dtype": "float64", "random_state": 1,
                "l2_factors": strength, "l2_linear": strength}  # fmt: skip
    start = FMRecommender(3, learning_rate=1e-300, max_iter=1, **settings).fit(choice)
    user, items = start.query_vectors()[0, :-1], start.item_vectors_.copy()
    for _ in range(3):
        pull = expit(-(user @ (items[0, :-1] - items[1, :-1]) + items[0, -1] - items[1, -1]))
        moves = [
            pull * np.append(user, 1) - strength * items[0],
            -pull * np.append(user, 1) - strength * items[1],
        ]
        user_move = pull * (items[0, :-1] - items[1, :-1]) - strength * user
        user, items = user + rate * user_move, items + rate * np.array(moves)
    model = FMRecommender(3, learning_rate=rate, max_iter=3, **settings).fit(choice)
    np.testing.assert_allclose(model.query_vectors()[0, :-1], user, rtol=1e-9)
    np.testing.assert_allclose(model.item_vectors_, items, rtol=1e-9)


@rows("implicit", "`AlternatingLeastSquares(factors, regularization, alpha, iterations)`",
      "negative confidences")  # fmt: skip
def test_implicit_als():
    """Settled, users solve its normal equations: a pair of confidence c, of 1 where nothing was
    chosen, has the target 1, or 0 if its value is negative."""
    values = TRAIN.toarray() * np.where(np.arange(TRAIN.shape[1]) % 7, 2.0, -1.0)
    settings = {"unobserved_weight": 1, "counts_observed": False, "frequency_power": 0}
    model = FMRecommender(
        3, loss="implicit_squared", solver="als", alpha=3.0, l2_factors=2.0, max_iter=1000,
        dtype="float64", random_state=0, **settings,
    ).fit(sparse.csr_array(values))  # fmt: skip
    users, items = model.query_vectors()[:, :-1], model.item_vectors_[:, :-1]
    confidence = 3.0 * np.abs(values)
    for user, row, chosen in zip(users, confidence, values > 0, strict=True):
        beyond = np.where(row > 0, row - 1, 0)
        A = items.T @ items + (items.T * beyond) @ items + 2.0 * np.eye(3)
        solved = np.linalg.solve(A, items.T @ np.where(chosen, row, 0))
        np.testing.assert_allclose(user, solved, rtol=1e-3, atol=1e-5)


@rows("implicit",
      "`recommend(userid, user_items, N, filter_already_liked_items, filter_items, items)`",
      "`recalculate_user=True`", "`similar_items`, `similar_users`")  # fmt: skip
@rows("RankFM", "`recommend(users, n_items, filter_previous, cold_start)`")
def test_recommend():
    model = FMRecommender(**FAST).fit(TRAIN)
    seen = set(TRAIN[[4]].indices)
    assert not seen & set(model.recommend([4], 20)[0][0])
    assert seen & set(model.recommend([4], 80, filter_seen=False)[0][0])
    assert 3 not in model.recommend([4], 80, exclude=[3])[0]
    assert set(model.recommend([4], 2, items=[1, 2], filter_seen=False)[0][0]) == {1, 2}
    assert model.recommend(n=3, history=[[1, 2], [3]])[0].shape == (2, 3)
    assert 1 not in model.similar_items([1], 79)[0]
    assert 1 not in model.similar_users([1], 99)[0]


# RankFM ------------------------------------------------------------------------------------------


@rows("RankFM", '`RankFM(factors, loss="warp", max_samples, learning_rate)`',
      "`fit(interactions, user_features, item_features, sample_weight, epochs)`",
      "`predict(pairs)`")  # fmt: skip
def test_rankfm():
    entries = TRAIN.tocoo()
    frame = pd.DataFrame({"user": entries.row, "item": entries.col})
    names = np.arange(TRAIN.shape[1])
    model = FMRecommender(loss="warp", max_sampled=5, learning_rate=0.1, **FAST)
    model.fit(frame, item_features=(names, ITEM_FEATURES), sample_weight=np.ones(len(frame)))
    scores = model.predict([0, 0], [1, 2])
    vectors = model.query_vectors([0]) @ model.item_vectors_[[1, 2]].T
    np.testing.assert_allclose(scores, vectors[0], rtol=1e-5)


# fastFM ------------------------------------------------------------------------------------------


@rows("fastFM's bpr", "`bpr.FMRecommender(n_iter, rank, init_stdev, step_size)`",
      "`fit(X, pairs)`", "`l2_reg_w`, `l2_reg_V`", "`predict(X)`")  # fmt: skip
def test_fastfm_bpr():
    """Gradient steps on the logistic loss of the difference, written out, pair by pair."""
    rng = np.random.default_rng(0)
    X, rate, l2_w, l2_v = rng.normal(size=(2, 4)), 0.02, 0.1, 0.2
    settings = {"solver": "sgd", "l2_linear": l2_w, "l2_factors": l2_v, "dtype": "float64",
                "init_scale": 0.3, "random_state": 2}  # fmt: skip
    start = FMRanker(2, learning_rate=1e-300, max_iter=1, **settings).fit(X, pairs=[[0, 1]])
    w, v = start.coef_.copy(), start.factors_.copy()

    def score(x):
        return x @ w + 0.5 * ((x @ v) ** 2 - (x**2) @ (v**2)).sum()

    def by_factors(x):
        return np.outer(x, x @ v) - (x**2)[:, None] * v

    for _ in range(3):
        pull = expit(-(score(X[0]) - score(X[1])))
        w_move = pull * (X[0] - X[1]) - l2_w * w
        v_move = pull * (by_factors(X[0]) - by_factors(X[1])) - l2_v * v
        w, v = w + rate * w_move, v + rate * v_move
    model = FMRanker(2, learning_rate=rate, max_iter=3, **settings).fit(X, pairs=[[0, 1]])
    np.testing.assert_allclose(model.coef_, w, rtol=1e-9)
    np.testing.assert_allclose(model.factors_, v, rtol=1e-9)
    np.testing.assert_allclose(model.predict(X), [score(X[0]), score(X[1])], rtol=1e-9)


def test_every_row_of_the_page_is_tested():
    assert set(_rows_of_the_page()) == TESTED
