"""Fixtures and hypothesis settings shared by all tests."""

import pytest
from hypothesis import settings

from fastfm_cy.datasets import make_clicks, make_ratings

# Machines are shared and noisy: no test asserts a time, so no example has a deadline.
settings.register_profile("fastfm_cy", deadline=None, derandomize=True)
settings.load_profile("fastfm_cy")


@pytest.fixture(scope="session")
def ratings():
    return make_ratings(n_users=60, n_items=40, n_ratings=3000, random_state=0)


@pytest.fixture(scope="session")
def clicks():
    return make_clicks(n_rows=3000, n_fields=6, n_features=60, random_state=0)
