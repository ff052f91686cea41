"""Workload A, click-through: 39 fields, a million features with Zipf-distributed ids."""

from fastfm_cy.datasets import make_clicks

from .base import Workload


def load(options):
    n_rows = options.rows or 500_000
    data = make_clicks(
        n_rows + n_rows // 10, n_fields=39, n_features=1_000_000, rank=8, random_state=0
    )
    X, y, X_test, y_test = data.X[:n_rows], data.y[:n_rows], data.X[n_rows:], data.y[n_rows:]
    title = f"A, clicks: {n_rows:,} rows of 39, 1,000,000 features"
    return Workload(title, "classification", X, y, X_test, y_test, l2=2e-5)
