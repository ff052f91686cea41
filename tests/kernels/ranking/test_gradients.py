"""Ranking kernels: a small SGD step goes along the gradient of each loss, by finite differences."""

import numpy as np
import pytest
from reference.ranking import loss_of, pair_score, row_score, slope
from scipy import sparse
from support.ranking import no_strengths, plan_of, run_one_epoch, side_of, trainer_of

from fastfm_cy.data.matrix_checks import check_rows
from fastfm_cy.model.sides import Side
from fastfm_cy.training.ranking.losses import PAIR_LOSSES, SAMPLED_LOSSES
from fastfm_cy.training.ranking.pair_trainer import PairTrainer
from fastfm_cy.training.ranking.pairs import given_pairs, pairs_of_queries
from fastfm_cy.training.ranking.plan import rank_weights

ONE_CHOICE = sparse.csr_array(np.array([[1.0, 0.0]]))  # so the negative is the other item
USER = np.array([[0.7, -1.2, 0.0, 2.0]])
ITEMS = np.array([[1.0, 0.0, 0.5, 0.0, 1.5], [0.0, 1.0, 0.5, -2.0, 0.0]])
IDS = np.eye(2)


def moved(arrays, before, rate):
    return [(old - array) / rate for array, old in zip(arrays, before, strict=True)]


@pytest.mark.parametrize("interacts", [False, True])
@pytest.mark.parametrize("items", [ITEMS, IDS, None], ids=["features", "ids as rows", "ids"])
@pytest.mark.parametrize("loss", SAMPLED_LOSSES)
def test_of_items(loss, items, interacts):
    rng = np.random.default_rng(0)
    plan = plan_of(loss, max_sampled=2 if loss in ("softmax", "logistic") else 1)
    user_side = side_of(USER, plan, rng)
    item_side = side_of(2 if items is None else items, plan, rng, interacts=interacts)
    dense = IDS if items is None else items
    arrays = [
        user_side.table.factor_vectors, item_side.table.coef, item_side.table.factor_vectors
    ]  # fmt: skip
    chosen, n_negatives, weight = 0, plan.n_negatives, rank_weights(2, 1)[0]

    def loss_now():
        scores = [pair_score(USER[0], row, *arrays, interacts=interacts) for row in dense]
        return loss_of(loss, scores[chosen], [scores[1 - chosen]] * n_negatives, weight)

    if loss_now() == 0:
        chosen = 1
    before = [array.copy() for array in arrays]
    expected = [slope(loss_now, array) for array in arrays]
    loss_before = loss_now()
    choice = sparse.csr_array(np.eye(2)[chosen : chosen + 1])  # so the negative is the other
    trainer = trainer_of(plan, choice, user_side, item_side, rng)
    assert run_one_epoch(trainer) == pytest.approx(loss_before)
    assert loss_before > 0
    for found, wanted in zip(moved(arrays, before, 1e-5), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("loss", ["bpr", "logistic"])
def test_of_contexts(loss):
    """Context features stand behind the users' in one table."""
    rng = np.random.default_rng(1)
    plan = plan_of(loss, max_sampled=1)
    context = np.array([[0.0, 0.0, 0.0, 0.0, 1.0, -0.5]])
    padded = np.hstack([USER, np.zeros((1, 2))])
    user_side, item_side = side_of(padded, plan, rng), side_of(ITEMS, plan, rng)
    arrays = [user_side.table.factor_vectors, item_side.table.coef, item_side.table.factor_vectors]

    def loss_now():
        query = (padded + context)[0]
        scores = [pair_score(query, row, *arrays, interacts=False) for row in ITEMS]
        return loss_of(loss, scores[0], scores[1:])

    before = [array.copy() for array in arrays]
    expected = [slope(loss_now, array) for array in arrays]
    run_one_epoch(trainer_of(plan, ONE_CHOICE, user_side, item_side, rng, context))
    assert np.abs(expected[0][4:]).max() > 0
    for found, wanted in zip(moved(arrays, before, 1e-5), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("loss", PAIR_LOSSES)
def test_of_rows(loss):
    rng = np.random.default_rng(2)
    plan = plan_of(loss, pairs=True, max_sampled=1)
    X = np.array([[0.5, 0.0, -1.0, 1.0], [0.5, 2.0, 1.0, 0.0]])
    side = side_of(X, plan, rng, interacts=True)
    arrays = [side.table.coef, side.table.factor_vectors]

    def loss_now():
        scores = [row_score(row, *arrays) for row in X]
        return loss_of(loss, scores[0], scores[1:], rank_weights(2, 1)[0])

    if loss_now() == 0:
        X = X[::-1].copy()
        side = Side(check_rows(X, "float64", 1), side.table, no_strengths(), interacts=True)
    before = [array.copy() for array in arrays]
    expected, loss_before = [slope(loss_now, array) for array in arrays], loss_now()
    trainer = PairTrainer(plan, given_pairs(np.array([0]), np.array([1]), None), side, rng)
    assert run_one_epoch(trainer) == pytest.approx(loss_before)
    assert loss_before > 0
    for found, wanted in zip(moved(arrays, before, 1e-5), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3)


def test_explicit_negatives_are_set_against_a_positive():
    rng = np.random.default_rng(3)
    plan = plan_of("bpr")
    users, items = side_of(1, plan, rng), side_of(3, plan, rng)
    choice = sparse.csr_array((np.array([1.0, -2.0]), ([0, 0], [0, 1])), shape=(1, 3))
    before = items.table.factor_vectors.copy()
    arrays = [users.table.factor_vectors, items.table.coef, items.table.factor_vectors]
    scores = [pair_score(np.ones(1), row, *arrays, interacts=False) for row in np.eye(3)]
    loss = run_one_epoch(trainer_of(plan, choice, users, items, rng)) * 3  # of weights 1 and 2
    possible = [loss_of("bpr", scores[0], [scores[other]]) for other in (1, 2)]
    assert any(
        loss == pytest.approx(one + 2 * loss_of("bpr", scores[0], [scores[1]]), rel=1e-3)
        for one in possible
    )
    assert (items.table.factor_vectors[1] != before[1]).all()


def test_all_pairs_are_the_definition():
    rng = np.random.default_rng(4)
    y, query = rng.integers(0, 3, 30), rng.integers(0, 5, 30)
    pairs = pairs_of_queries(y, query, None).expanded()
    found = sorted(zip(pairs.better.tolist(), pairs.pool[pairs.low].tolist(), strict=True))
    wanted = [(a, b) for a in range(30) for b in range(30) if query[a] == query[b] and y[a] > y[b]]
    assert found == sorted(wanted)


@pytest.mark.parametrize("features", [False, True])
def test_a_margin_leaves_all_as_it_is(features):
    rng = np.random.default_rng(5)
    plan = plan_of("hinge")
    users = side_of(1, plan, rng)
    items = side_of(ITEMS if features else 2, plan, rng)
    items.table.coef[...] = [1e3, -1e3, 0, 0, 0] if features else [1e3, -1e3]
    before = items.table.factors.copy()
    assert run_one_epoch(trainer_of(plan, ONE_CHOICE, users, items, rng)) == 0
    assert np.array_equal(items.table.factors, before)
