import re
import subprocess
import sys

import pytest
from support.realdata import data_file
from typer.testing import CliRunner

from fastfm_cy import __version__
from fastfm_cy.cli.app import app


@pytest.fixture
def run():
    def invoke(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


def _column(output, column=1):
    """Numbers of one column of the printed tables, by model."""
    names = ("mean", "ridge regression", "click rate", "logistic regression",
             "factorization machine", "noise floor (true model)")  # fmt: skip
    table = {}
    for line in output.splitlines():
        name = next((name for name in names if line.strip().startswith(name)), None)
        if name:
            table.setdefault(name, []).append(float(line.replace(name, "").split()[column - 1]))
    return table


def test_version(run):
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.strip() == f"fastfm-cy {__version__}"


def test_demo(run, tmp_path):
    picture = tmp_path / "curves.png"
    result = run("demo", "--rows", 20_000, "--plot", picture)
    assert result.exit_code == 0, result.output
    metrics = _column(result.stdout)
    rmse, log_loss = metrics["factorization machine"]
    floor, click_floor = metrics["noise floor (true model)"]
    assert floor < rmse < metrics["mean"][0]
    assert click_floor < log_loss < metrics["click rate"][0]
    assert re.search(r"epoch (\d+)/\1:", result.stderr)
    assert "loss=" in result.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 10_000


def test_the_seed_decides_the_demo(run, tmp_path):
    def metrics(seed):
        result = run("demo", "--rows", 2000, "--no-plot", "--seed", seed)
        return _column(result.stdout)

    assert metrics(3) == metrics(3)
    assert metrics(3) != metrics(4)


def test_demo_without_a_picture(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("demo", "--rows", 200, "--no-plot").exit_code == 0
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run("demo", "--rows", 200)
    assert result.exit_code == 0
    assert "fastfm_cy[plot]" in result.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["ml-100k/u.data", "ratings_small.csv"])
def test_demo_on_real_ratings(run, name, tmp_path):
    result = run("demo", "--ratings", data_file(name), "--plot", tmp_path / "curve.png")
    assert result.exit_code == 0, result.output
    rmse = _column(result.stdout)
    assert rmse["factorization machine"][0] < 0.99 * rmse["ridge regression"][0]
    assert rmse["ridge regression"][0] < rmse["mean"][0]


def test_demo_on_double_colons(run, tmp_path):
    path = tmp_path / "ratings.dat"
    path.write_text("".join(f"{i % 7}::{i % 5}::{1 + i % 4}::{i}\n" for i in range(100)))
    result = run("demo", "--ratings", path, "--no-plot")
    assert result.exit_code == 0, result.output
    assert "ratings.dat: 80 training rows, 20 test rows, 12 features" in result.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [("1,2\n", "line 1: expected user, item, rating"), ("1,2,3\n", "at least 10")],
)
def test_errors_go_to_standard_error(run, tmp_path, text, message):
    path = tmp_path / "ratings.csv"
    path.write_text(text)
    result = run("demo", "--ratings", path)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_wrong_usage(run, tmp_path):
    assert run("demo", "--ratings", tmp_path / "missing.csv").exit_code == 2
    assert run("demo", "--rows", 1).exit_code == 2
    result = run("demo", "--rows", 200, "--plot", tmp_path / "no" / "such" / "folder.png")
    assert result.exit_code == 1
    assert "error: " in result.stderr


def test_without_the_extra_the_command_says_what_to_install():
    code = "import sys; sys.modules['typer'] = None; from fastfm_cy.cli import main; main()"
    result = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    assert result.returncode == 1
    assert "fastfm_cy[cli]" in result.stderr
    assert "Traceback" not in result.stderr
