"""MovieLens 100K, official split u1: user and item ids, rating as target."""

from fastfm_cy.datasets import load_movielens_fold

from ..data import data_file
from .base import Workload


def load(options):
    X, y, X_test, y_test = load_movielens_fold(data_file("ml-100k"), "u1")
    title = f"ml-100k u1: {X.shape[0]:,} rows of 2"
    return Workload(title, "regression", X, y, X_test, y_test, l2=0.05)
