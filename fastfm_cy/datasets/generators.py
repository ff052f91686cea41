"""Generators: data with a known structure to try models on.

The generators plant a factorization machine and report it, so that a fitted model can be held
against the noise floor: the error of the planted model itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import Bunch, check_random_state

from .movielens import one_hot

_GENRES = 18
_AGE_GROUPS = 7
_OCCUPATIONS = 21


def make_ratings(
    n_users: int = 3000, n_items: int = 1500, n_ratings: int = 200_000, *, rank: int = 6,
    noise: float = 0.7, random_state: Any = None,
) -> Bunch:  # fmt: skip
    """Ratings of items by users, with side features, from a planted factorization machine.

    Every row one-hot encodes the user, the item, the user's age group and occupation, and the
    item's genres (one to three, sharing a value of unit length). Users are active and items
    popular to very different degrees (log-normal and Zipf). Targets are the planted model's
    value plus normal noise; they are centred on 3.5 and neither rounded nor clipped.

    Parameters
    ----------
    n_users, n_items, n_ratings : int >= 1
    rank : int >= 1
        Length of the planted factor vectors.
    noise : float >= 0
        Standard deviation of the noise, which is the RMSE no model can beat on average.
    random_state : int, RandomState or None

    Returns
    -------
    Bunch
        X : csr_array of shape (n_ratings, n_features), float32
        y : ndarray of shape (n_ratings,), the ratings
        expected : ndarray of shape (n_ratings,), the ratings without their noise
        fields : ndarray of shape (n_features,), the number of each feature's field
        field_names : list of str
        intercept, coef, factors : the planted model.
    """
    for name, size in (("n_users", n_users), ("n_items", n_items), ("n_ratings", n_ratings)):
        _check_at_least_one(name, size)
    _check_at_least_one("rank", rank)
    rng = _generator(random_state)
    users = _draw(rng, rng.lognormal(0.0, 1.0, n_users), n_ratings)
    items = rng.permutation(n_items)[_draw(rng, _zipf(n_items, 0.9), n_ratings)]
    age_groups = rng.integers(_AGE_GROUPS, size=n_users)
    occupations = rng.integers(_OCCUPATIONS, size=n_users)
    blocks = {
        "user": one_hot(users, n_users),
        "item": one_hot(items, n_items),
        "age group": one_hot(age_groups[users], _AGE_GROUPS),
        "occupation": one_hot(occupations[users], _OCCUPATIONS),
        "genres": _random_genres(rng, n_items)[items],
    }
    X = sparse.csr_array(sparse.hstack(list(blocks.values()), format="csr"))
    sizes = [block.shape[1] for block in blocks.values()]
    fields = np.repeat(np.arange(len(sizes)), sizes)
    # Sizes of effects like those of films: users and items matter most.
    linear_scale = np.array([0.35, 0.4, 0.08, 0.08, 0.15])[fields]
    factor_scale = np.array([0.5, 0.5, 0.25, 0.25, 0.4])[fields] / rank**0.25
    coef = rng.normal(0.0, linear_scale)
    factors = rng.normal(0.0, factor_scale[:, None], (X.shape[1], rank))
    expected = _planted_scores(X, coef, factors)
    intercept = 3.5 - expected.mean()
    expected += intercept
    return Bunch(
        X=X,
        y=expected + rng.normal(0.0, noise, n_ratings),
        expected=expected,
        fields=fields,
        field_names=list(blocks),
        intercept=intercept,
        coef=coef,
        factors=factors,
    )


def make_clicks(
    n_rows: int = 200_000, n_fields: int = 20, n_features: int = 5000, *, rank: int = 6,
    exponent: float = 1.1, click_rate: float = 0.2, random_state: Any = None,
) -> Bunch:  # fmt: skip
    """Clicks on advertisements from a planted factorization machine.

    Every row has one feature of each field, all of the value 1 / sqrt(n_fields). Field sizes
    are spread over orders of magnitude; within a field, ids follow Zipf's law. Labels are drawn
    with the logistic function of the planted score as their probability.

    Parameters
    ----------
    n_rows, n_fields, n_features : int >= 1
        There are at least two features a field.
    rank : int >= 1
        Length of the planted factor vectors.
    exponent : float >= 0
        Of Zipf's law: how much the frequent ids outweigh the rare ones.
    click_rate : float in (0, 1)
        Probability of a click at the mean score.
    random_state : int, RandomState or None

    Returns
    -------
    Bunch
        X : csr_array of shape (n_rows, n_features), float32
        y : ndarray of shape (n_rows,), 1 for a click and 0 for none
        probability : ndarray of shape (n_rows,), of a click under the planted model
        fields : ndarray of shape (n_features,), the number of each feature's field
        coef, factors : the planted model, up to the scaling of its scores.
    """
    for name, size in (("n_rows", n_rows), ("n_fields", n_fields), ("rank", rank)):
        _check_at_least_one(name, size)
    if n_features < 2 * n_fields:
        raise ValueError(
            f"n_features must be at least 2 a field, {2 * n_fields}; got {n_features}."
        )
    if not 0 < click_rate < 1:
        raise ValueError(f"click_rate must lie between 0 and 1, got {click_rate}.")
    rng = _generator(random_state)
    sizes = _field_sizes(n_fields, n_features, rng)
    offsets = np.cumsum(sizes) - sizes
    columns = np.empty((n_rows, n_fields), dtype=np.int32)
    for field, (offset, size) in enumerate(zip(offsets, sizes, strict=True)):
        ids = rng.permutation(size)
        columns[:, field] = offset + ids[_draw(rng, _zipf(size, exponent), n_rows)]
    values = np.full(columns.size, n_fields**-0.5, dtype=np.float32)
    indptr = _offsets(n_rows, n_fields)
    X = sparse.csr_array((values, columns.ravel(), indptr), shape=(n_rows, n_features))
    coef = rng.normal(0.0, 1.0, n_features)
    factors = rng.normal(0.0, 1.0, (n_features, rank)) / rank**0.25
    scores = _planted_scores(X, coef, factors)
    spread = scores.std() or 1.0
    scores = 1.5 * (scores - scores.mean()) / spread + np.log(click_rate / (1 - click_rate))
    probability = 1 / (1 + np.exp(-scores))
    return Bunch(
        X=X,
        y=(rng.random(n_rows) < probability).astype(np.int64),
        probability=probability,
        fields=np.repeat(np.arange(n_fields), sizes),
        coef=coef,
        factors=factors,
    )


def _generator(random_state: Any) -> np.random.Generator:
    return np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))


def _check_at_least_one(name: str, size: float) -> None:
    if size < 1:
        raise ValueError(f"{name} must be at least 1, got {size}.")


def _zipf(n: int, exponent: float) -> np.ndarray:
    return np.arange(1, n + 1) ** -float(exponent)


def _draw(rng: np.random.Generator, frequencies: np.ndarray, n: int) -> np.ndarray:
    """n numbers from 0..len(frequencies)-1, in proportion to the frequencies."""
    cumulative = np.cumsum(frequencies)
    drawn = np.searchsorted(cumulative, rng.random(n) * cumulative[-1], side="right")
    return np.minimum(drawn, len(frequencies) - 1)


def _offsets(n_rows: int, a_row: int) -> np.ndarray:
    """indptr of rows of one length; 32-bit if it can be, as scipy keeps one type for all."""
    dtype = np.int32 if n_rows * a_row < 2**31 else np.int64
    return np.arange(n_rows + 1, dtype=dtype) * dtype(a_row)


def _random_genres(rng: np.random.Generator, n_items: int) -> sparse.csr_array:
    """CSR of shape (n_items, 18): one to three genres an item, rows of unit length."""
    counts = rng.integers(1, 4, size=n_items)
    ranks = rng.random((n_items, _GENRES)).argsort(axis=1).argsort(axis=1)
    chosen = ranks < counts[:, None]
    return sparse.csr_array((chosen / np.sqrt(counts)[:, None]).astype(np.float32))


def _field_sizes(n_fields: int, n_features: int, rng: np.random.Generator) -> np.ndarray:
    """Field sizes spread evenly on a log scale, of at least 2, that add up to n_features."""
    weights = np.geomspace(1.0, 1000.0, n_fields)
    spare = n_features - 2 * n_fields
    sizes = 2 + np.floor(spare * weights / weights.sum()).astype(int)
    sizes[-1] += n_features - sizes.sum()
    return rng.permutation(sizes)


def _planted_scores(X: sparse.csr_array, coef: np.ndarray, factors: np.ndarray) -> np.ndarray:
    sums = X @ factors
    squares = X.power(2) @ factors**2
    return X @ coef + 0.5 * (sums**2 - squares).sum(axis=1)
