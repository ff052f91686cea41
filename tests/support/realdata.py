"""The real data sets, read from one folder that is never part of the project.

The folder is named by the environment variable FASTFM_CY_DATA, else it is ``shared/data``
beside the checkout. Without the files the tests that need them are skipped, but in CI (the
environment variable CI) they fail.
"""

import os
from pathlib import Path

import pytest

FOLDER = Path(
    os.environ.get("FASTFM_CY_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)


def data_file(name):
    path = FOLDER / name
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"The data file {path} is missing; set FASTFM_CY_DATA to its folder.")
        pytest.skip(f"needs the data file {path}; set FASTFM_CY_DATA to its folder")
    return path
