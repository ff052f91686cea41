"""Splits of interactions: numbers of those to train on and of those to test on."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from sklearn.utils import check_random_state

from ..utils.checks import check_real


def split_by_user(users, test_size: float = 0.2, *, random_state=None):
    """Hold out a share of each user's interactions at random.

    Parameters
    ----------
    users : array of shape (n,)
        The user of each interaction.
    test_size : float, default=0.2
        A user of m interactions gives round(m test_size) of them, but always keeps one.
    random_state : int, RandomState or None

    Returns
    -------
    train : increasing int64 array
        Numbers of interactions.
    test : increasing int64 array
        The others.
    """
    share = _check_share(test_size)
    users = _check_column(users, "users")
    user = np.unique(users, return_inverse=True)[1]
    n = np.bincount(user)
    n_test = np.minimum(np.rint(n * share).astype(np.int64), n - 1)
    drawn = check_random_state(random_state).random_sample(len(user))
    order = np.lexsort((drawn, user))
    place = np.arange(len(order)) - np.repeat(np.cumsum(n) - n, n)
    is_test = np.zeros(len(user), dtype=bool)
    is_test[order] = place < np.repeat(n_test, n)
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def split_by_time(times, test_size: float = 0.2):
    """Hold out the latest interactions; those of one time stay together, in the training part.

    Parameters
    ----------
    times : array of shape (n,)
        Numbers or datetimes.
    test_size : float, default=0.2
        Share of the interactions, at most.

    Returns
    -------
    train : increasing int64 array
    test : increasing int64 array
    """
    share = _check_share(test_size)
    times = _check_column(times, "times")
    n_train = len(times) - int(len(times) * Fraction(share).limit_denominator(10**9))
    if not n_train:
        return np.arange(0), np.arange(0)
    is_test = times > np.sort(times)[n_train - 1]
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def leave_one_out(users, times=None, *, random_state=None):
    """Hold out one interaction of each user who has several: the latest, or one at random.

    Parameters
    ----------
    users : array of shape (n,)
    times : array of shape (n,), default=None
        Of interactions of the same latest time, the last one is held out.
    random_state : int, RandomState or None

    Returns
    -------
    train : increasing int64 array
    test : increasing int64 array
    """
    users = _check_column(users, "users")
    user = np.unique(users, return_inverse=True)[1]
    if times is None:
        by = check_random_state(random_state).random_sample(len(user))
    else:
        by = _check_column(times, "times")
        if len(by) != len(user):
            raise ValueError(f"There are {len(user)} users and {len(by)} times.")
    order = np.lexsort((np.arange(len(user)), by, user))
    n = np.bincount(user)
    last = order[np.cumsum(n) - 1]
    is_test = np.zeros(len(user), dtype=bool)
    is_test[last[n > 1]] = True
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def _check_share(test_size):
    share = float(check_real(test_size, "test_size", above=True))
    if share >= 1:
        raise ValueError(f"test_size must be below 1; got {share}.")
    return share


def _check_column(values, name):
    values = np.asarray(values)
    if values.ndim != 1:
        raise ValueError(f"{name} must be 1-dimensional; got shape {values.shape}.")
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise ValueError(f"{name} contains NaN in row {int(np.argmax(np.isnan(values)))}.")
    return values
