"""Generated clicks: 39 fields, 200,000 features with Zipf-distributed ids."""

from fastfm_cy.datasets import make_clicks

from .base import Workload

_TEST_SHARE = 6  # one row in six


def load(options):
    data = make_clicks(options.click_rows, n_fields=39, n_features=200_000, random_state=0)
    n_train = options.click_rows - options.click_rows // _TEST_SHARE
    X, y = data.X[:n_train], data.y[:n_train]
    X_test, y_test = data.X[n_train:], data.y[n_train:]
    title = f"clicks: {n_train:,} rows of 39"
    return Workload(title, "classification", X, y, X_test, y_test, l2=2e-5)
