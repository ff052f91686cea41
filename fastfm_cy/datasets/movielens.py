"""MovieLens 100K: its official splits, as ids or with all that is known of users and items."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from ..data.relational import RelationalDesign

N_USERS, N_ITEMS = 943, 1682
_YEAR = re.compile(r"\((\d{4})\)")
_FIRST_GENRE = 5  # column of u.item
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class MovieLens:
    """A split as relational designs.

    Attributes
    ----------
    X, X_test : RelationalDesign
        Blocks of users and of items, and, with the history, of days.
    y, y_test : float64 arrays of shape (n_ratings,)
    groups : int array of shape (n_features,)
        The field of each feature, for `feature_groups`.
    """

    X: RelationalDesign
    y: np.ndarray
    X_test: RelationalDesign
    y_test: np.ndarray
    groups: np.ndarray


def load_movielens_fold(
    folder: str | Path, fold: str
) -> tuple[sparse.csr_array, np.ndarray, sparse.csr_array, np.ndarray]:
    """One of the official splits of MovieLens 100K as one-hot user and item ids.

    Parameters
    ----------
    folder : str or Path
        Where ``ml-100k.zip`` of grouplens.org was unpacked.
    fold : {"u1", "u2", "u3", "u4", "u5", "ua", "ub"}

    Returns
    -------
    X, X_test : csr_array of shape (n_ratings, 943 + 1682), float32
    y, y_test : float64 array of shape (n_ratings,)
        In the order X, y, X_test, y_test.
    """
    parts = []
    for ratings in _ratings(folder, fold):
        ids = [one_hot(ratings[:, 0] - 1, N_USERS), one_hot(ratings[:, 1] - 1, N_ITEMS)]
        parts += [sparse.csr_array(sparse.hstack(ids, format="csr")), ratings[:, 2].astype(float)]
    return tuple(parts)


def load_movielens_design(folder: str | Path, fold: str, *, history: bool = False) -> MovieLens:
    """One of the official splits of MovieLens 100K with side features, as a relational design.

    Of users their id, age in steps of five years, gender, occupation and the first digit of the zip
    code; of items their id, year and genres.

    Parameters
    ----------
    folder : str or Path
        Where ``ml-100k.zip`` of grouplens.org was unpacked.
    fold : {"u1", "u2", "u3", "u4", "u5", "ua", "ub"}
    history : bool, default=False
        Also, as in timeSVD++ [1]_, the set of items that a user rated in the training part, the set
        of users who rated an item there, each divided by the root of its size, and the day.

    Returns
    -------
    MovieLens

    References
    ----------
    .. [1] Y. Koren, "Collaborative Filtering with Temporal Dynamics", KDD 2009.
    """
    train, test = _ratings(folder, fold)
    users, items = _user_fields(folder), _item_fields(folder)
    if history:
        rated = sparse.csr_array(
            (np.ones(len(train)), (train[:, 0] - 1, train[:, 1] - 1)), (N_USERS, N_ITEMS)
        )
        users.append(_normalised(rated))
        items.append(_normalised(rated.T.tocsr()))
    blocks = [users, items]
    index = [[part[:, 0] - 1, part[:, 1] - 1] for part in (train, test)]
    if history:
        days = [part[:, 3] // _SECONDS_A_DAY for part in (train, test)]
        known, of_train = np.unique(days[0], return_inverse=True)
        blocks.append([_or_nothing(len(known))])
        of_test = np.searchsorted(known, days[1])
        is_known = known[np.minimum(of_test, len(known) - 1)] == days[1]
        index[0].append(of_train)
        index[1].append(np.where(is_known, of_test, len(known)))
    fields = [field for block in blocks for field in block]
    groups = np.repeat(np.arange(len(fields)), [field.shape[1] for field in fields])
    matrices = [sparse.csr_array(sparse.hstack(block, format="csr")) for block in blocks]
    X, X_test = (RelationalDesign(list(zip(matrices, part, strict=True))) for part in index)
    return MovieLens(X, train[:, 2].astype(float), X_test, test[:, 2].astype(float), groups)


def load_movielens_fields(folder: str | Path) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    """All of MovieLens 100K with what is known of users and items, each kind a field.

    Parameters
    ----------
    folder : str or Path
        Where ``ml-100k.zip`` of grouplens.org was unpacked.

    Returns
    -------
    X : csr_array of shape (100000, n_features), float32
        One-hot user, item, age (in fives of years) and occupation, and the item's genres.
    y : float64 array, the ratings
    fields : int array of shape (n_features,), 0 to 4 in that order
    """
    ratings = np.loadtxt(Path(folder) / "u.data", dtype=np.int64)
    user, item = ratings[:, 0] - 1, ratings[:, 1] - 1
    users, ages, _, occupations, _ = _user_fields(folder)
    items, _, genres = _item_fields(folder)
    parts = [users[user], items[item], ages[user], occupations[user], genres[item]]
    X = sparse.csr_array(sparse.hstack(parts, format="csr"), dtype=np.float32)
    fields = np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts])
    return X, ratings[:, 2].astype(float), fields


def one_hot(ids: np.ndarray, n_ids: int) -> sparse.csr_array:
    """csr_array of shape (len(ids), n_ids), float32."""
    n = len(ids)
    arrays = np.ones(n, np.float32), ids.astype(np.int32), np.arange(n + 1, dtype=np.int32)
    return sparse.csr_array(arrays, shape=(n, n_ids))


def _or_nothing(n_ids: int) -> sparse.csr_array:
    """One-hot rows of all ids, and last a row without any."""
    return sparse.vstack([sparse.eye_array(n_ids), sparse.csr_array((1, n_ids))], format="csr")


def _ratings(folder: str | Path, fold: str) -> list[np.ndarray]:
    """User, item, rating and time, of the training part and of the test part."""
    return [
        np.loadtxt(Path(folder) / f"{fold}.{part}", dtype=np.int64) for part in ("base", "test")
    ]


def _lines(folder: str | Path, name: str) -> list[list[str]]:
    with (Path(folder) / name).open(encoding="latin-1") as file:
        return [line.rstrip("\n").split("|") for line in file if line.strip()]


def _levels(values: Sequence[Any] | np.ndarray) -> sparse.csr_array:
    """One-hot columns of the values that occur."""
    levels, codes = np.unique(values, return_inverse=True)
    return one_hot(codes, len(levels))


def _user_fields(folder: str | Path) -> list[sparse.csr_array]:
    lines = _lines(folder, "u.user")
    ages = np.array([int(age) // 5 for _, age, *_ in lines])
    genders, occupations = ([line[column] for line in lines] for column in (2, 3))
    digits = [zip_code[0] for *_, zip_code in lines]
    fields = [_levels(values) for values in (ages, genders, occupations, digits)]
    return [sparse.eye_array(N_USERS, format="csr"), *fields]


def _item_fields(folder: str | Path) -> list[sparse.csr_array]:
    lines = _lines(folder, "u.item")
    years = [_YEAR.search(line[1]) or _YEAR.search(f"({line[2][-4:]})") for line in lines]
    genres = np.array([line[_FIRST_GENRE:] for line in lines], dtype=float)
    return [
        sparse.eye_array(N_ITEMS, format="csr"),
        _levels([year.group(1) if year else "" for year in years]),
        sparse.csr_array(genres),
    ]


def _normalised(sets: sparse.csr_array) -> sparse.csr_array:
    """Each row divided by the root of its number of entries."""
    sizes = np.maximum(1, np.diff(sets.indptr))
    return sparse.csr_array(sparse.diags_array(1 / np.sqrt(sizes)) @ sets)
