"""Splits of interactions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastfm_cy.metrics import leave_one_out, split_by_time, split_by_user

USERS = st.lists(st.sampled_from("abcde"), min_size=1, max_size=60).map(np.array)


def is_a_split(train, test, n):
    return sorted([*train, *test]) == list(range(n))


@given(USERS, st.floats(0.05, 0.9))
def test_by_user(users, share):
    train, test = split_by_user(users, share, random_state=0)
    assert is_a_split(train, test, len(users))
    for user in set(users):
        n = (users == user).sum()
        assert (users[test] == user).sum() == min(np.rint(n * share), n - 1)
    again = split_by_user(users, share, random_state=0)
    assert np.array_equal(again[1], test)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.floats(0.05, 0.9))
def test_by_time(times, share):
    times = np.array(times)
    train, test = split_by_time(times, share)
    assert is_a_split(train, test, len(times))
    assert len(test) <= share * len(times) + 1e-9
    if len(test) and len(train):
        assert times[train].max() < times[test].min()


def test_by_time_takes_dates():
    days = np.array(["2024-01-03", "2024-01-01", "2024-01-02"], dtype="datetime64[D]")
    train, test = split_by_time(days, 0.4)
    assert (train.tolist(), test.tolist()) == ([1, 2], [0])


@given(USERS)
def test_leave_one_out(users):
    times = np.arange(len(users)) // 3
    train, test = leave_one_out(users, times)
    assert is_a_split(train, test, len(users))
    for user in set(users):
        own = np.flatnonzero(users == user)
        held_out = np.intersect1d(own, test)
        assert held_out.tolist() == ([own[-1]] if len(own) > 1 else [])
    assert len(leave_one_out(users, random_state=1)[1]) == len(test)


def test_bad_input():
    with pytest.raises(ValueError, match="below 1"):
        split_by_user([1, 2], 1.5)
    with pytest.raises(ValueError, match="NaN in row 1"):
        split_by_time([0.0, np.nan])
    with pytest.raises(ValueError, match="2 users and 3 times"):
        leave_one_out([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="1-dimensional"):
        split_by_user([[1], [2]])
