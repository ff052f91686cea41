"""Commands and their files."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from fastfm_cy.cli.app import app
from fastfm_cy.io import write_libsvm


@pytest.fixture
def run():
    """Run a command; the result has exit_code, stdout and stderr."""

    def invoke(*arguments, **options):
        return CliRunner().invoke(app, [str(argument) for argument in arguments], **options)

    return invoke


@pytest.fixture
def lines(run):
    """Run a command with --json; its lines, by their events."""

    def invoke(*arguments, **options):
        result = run(*arguments, "--json", **options)
        assert result.exit_code == 0, result.stderr
        found = [json.loads(line) for line in result.stdout.splitlines()]
        return {
            event: [line for line in found if line["event"] == event]
            for event in {line["event"] for line in found}
        }

    return invoke


@pytest.fixture
def files(ratings, clicks, tmp_path):
    """Names of files: ratings and clicks in libsvm's format, for training and for testing."""
    for name, data in (("ratings", ratings), ("clicks", clicks)):
        y = np.round(data.y, 3)
        write_libsvm(tmp_path / f"{name}.libsvm", data.X[:2000], y[:2000])
        write_libsvm(tmp_path / f"{name}_test.libsvm", data.X[2000:], y[2000:])
    return tmp_path
