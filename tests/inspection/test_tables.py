"""Inspection of machines that take tables."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fastfm_cy import BayesianFMRegressor, FFMClassifier, FMRegressor
from fastfm_cy.cli.app import app
from fastfm_cy.inspection import explain, field_interactions, nearest, top_interactions


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"user": rng.choice(list("abcd"), 300), "page": rng.choice(["x", "y"], 300)}
    )
    frame["age"] = rng.normal(40, 9, 300)
    return frame, (frame["user"] == "a") * 2.0 + (frame["page"] == "x") + rng.normal(size=300)


@pytest.mark.parametrize("Model", [FMRegressor, BayesianFMRegressor])
def test_names_are_those_of_categories(Model, table):
    frame, y = table
    model = Model(3, random_state=0, max_iter=30).fit(frame, y)
    told = explain(model, frame, row=2)
    assert told.score == pytest.approx(float(model.predict(frame)[2]), abs=0.05)
    pairs = top_interactions(model, 4)
    names = set(model.encoder_.get_feature_names_out())
    assert {*pairs["first"], *pairs["second"]} <= names
    assert len(top_interactions(model, 4, X=frame)["first"]) == 4
    assert {*nearest(model, "user=a", n=2)["feature"]} <= names


def test_fields_are_those_of_columns(table):
    frame, y = table
    model = FFMClassifier(2, random_state=0, max_iter=5).fit(frame, y > 1)
    found = field_interactions(model)
    assert {*found["first"], *found["second"]} <= {"user", "page", "age"}


def test_commands(table, tmp_path):
    frame, y = table
    file, model = tmp_path / "table.csv", tmp_path / "model.fm"
    frame.assign(y=y).to_csv(file, index=False)
    for command in (
        ["fit", file, "--target", "y", "-m", model],
        ["inspect", model],
        ["inspect", model, "--data", file],
        ["explain", model, file, "--row", 1],
    ):
        result = CliRunner().invoke(app, [str(one) for one in command])
        assert result.exit_code == 0, result.output
        if command[0] != "fit":
            assert "user=" in result.stdout
