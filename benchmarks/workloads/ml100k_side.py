"""MovieLens 100K, official split u1, with side features of users and items, expanded."""

from fastfm_cy.datasets import load_movielens_design

from ..data import data_file
from .base import Workload


def load(options):
    data = load_movielens_design(data_file("ml-100k"), "u1")
    X, X_test = data.X.tocsr().astype("float32"), data.X_test.tocsr().astype("float32")
    title = f"ml-100k u1 with side features: {X.shape[0]:,} rows of {X.nnz / X.shape[0]:.1f}"
    return Workload(title, "regression", X, data.y, X_test, data.y_test, l2=0.05)
