"""Workload B, ratings: a user and an item a row, 80,700 features."""

from fastfm_cy.datasets import make_ratings

from .base import Workload

_USERS, _ITEMS = 70_000, 10_700


def load(options):
    n_rows = options.rows or 5_000_000
    data = make_ratings(_USERS, _ITEMS, n_rows + n_rows // 10, rank=8, random_state=0)
    X = data.X[:, : _USERS + _ITEMS]
    title = f"B, ratings: {n_rows:,} rows of 2, {X.shape[1]:,} features"
    return Workload(
        title, "regression", X[:n_rows], data.y[:n_rows], X[n_rows:], data.y[n_rows:], l2=0.02
    )
