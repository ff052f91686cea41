"""Known positives: membership, and the distribution of negatives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, stats

from fastfm_cy.kernels.ranking.known import Known, deal
from fastfm_cy.training.ranking.interactions import deal_evenly, known_of


def known(lists, n_items):
    lists = [sorted(set(one)) for one in lists]
    indptr = np.cumsum([0, *map(len, lists)])
    items = np.array([item for one in lists for item in one], dtype=np.int32)
    return Known(indptr.astype(np.int64), items, n_items)


@given(st.integers(1, 700).flatmap(
    lambda n: st.tuples(
        st.just(n), st.lists(st.lists(st.integers(0, n - 1), max_size=60), min_size=1, max_size=5)
    )
))  # fmt: skip
def test_membership_is_exact(case):
    n_items, lists = case
    users = np.repeat(np.arange(len(lists)), n_items)
    items = np.tile(np.arange(n_items), len(lists))
    found = known(lists, n_items).contains(users, items)
    wanted = [item in set(lists[user]) for user, item in zip(users, items, strict=True)]
    assert found.tolist() == wanted


def p_value(drawn, expected):
    counts = np.bincount(drawn, minlength=len(expected))
    assert not counts[expected == 0].any()
    used = expected > 0
    wanted = expected[used] / expected.sum() * len(drawn)
    return stats.chisquare(counts[used], wanted).pvalue


@pytest.mark.parametrize("n_positives", [0, 5, 60, 95, 98])
def test_uniform_negatives(n_positives):
    """98 of 100: nearly always counted out rather than drawn."""
    positives = np.random.default_rng(0).permutation(100)[:n_positives]
    drawn = known([positives], 100).negatives(np.zeros(50_000, dtype=np.int64), 7)
    expected = np.ones(100)
    expected[positives] = 0
    assert p_value(drawn, expected) > 1e-3


def test_negatives_by_popularity():
    candidates = np.repeat(np.arange(10, dtype=np.int32), np.arange(10) * 3)
    drawn = known([[9, 1]], 10).negatives(np.zeros(50_000, dtype=np.int64), 3, candidates)
    expected = np.arange(10.0)
    expected[[9, 1]] = 0
    assert p_value(drawn, expected) > 1e-3


def test_a_user_who_has_everything_has_no_negative():
    everything = known([range(40), [0]], 40)
    drawn = everything.negatives(np.array([0, 1, 0]), 1)
    assert drawn[0] == drawn[2] == -1
    assert drawn[1] > 0
    listed = np.array([0, 0, 0], dtype=np.int32)
    assert everything.negatives(np.array([1]), 1, listed).tolist() == [-1]


def test_draws_belong_to_key_and_place():
    users = np.zeros(1000, dtype=np.int64)
    some = known([[1]], 50)
    all_at_once = some.negatives(users, 5)
    assert np.array_equal(all_at_once[600:], some.negatives(users[600:], 5, None, 600))
    assert (all_at_once != some.negatives(users, 6)).mean() > 0.9


@given(st.lists(st.integers(0, 9), max_size=50), st.integers(1, 4))
def test_deal_keeps_order_and_all(items, n_parts):
    items = np.array(items, dtype=np.int32)
    part_of_item = (np.arange(10) % n_parts).astype(np.int32)
    order = np.arange(len(items))[::-1].copy()
    parts = deal(order, items, part_of_item, n_parts)
    assert len(parts) == n_parts
    for part, numbers in enumerate(parts):
        assert (part_of_item[items[numbers]] == part).all()
        assert (np.diff(numbers) < 0).all()
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(items)))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(1, 4))
def test_parts_are_even(counts, n_parts):
    counts = np.array(counts)
    parts = deal_evenly(counts, n_parts, np.random.default_rng(0))
    sizes = np.bincount(parts, minlength=n_parts)
    assert sizes.max() - sizes.min() <= 1
    sums = np.bincount(parts, counts, minlength=n_parts)
    assert sums.max() - sums.min() <= counts.max()


def test_known_of_a_matrix():
    matrix = sparse.csr_array(np.array([[0, 1, 1], [0, 0, 0], [1, 0, 0]]))
    found = known_of(matrix)
    assert found.n_users == 3
    assert found.contains(np.array([0, 0, 1, 2]), np.array([1, 0, 2, 0])).tolist() == [
        True, False, False, True,
    ]  # fmt: skip
