"""The README's commands and examples are true."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_two_commands():
    first, second = (block.strip() for block in _blocks("sh"))
    assert first.endswith("fastfm-cy demo")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert second in ci


EXAMPLES = _blocks("python")


@pytest.mark.parametrize("code", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples_run(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})


def test_every_parameter_is_listed():
    from fastfm_cy import FMClassifier, FMRegressor

    for Model in (FMClassifier, FMRegressor):  # the Bayesian ones have their docstrings
        for name in Model().get_params():
            assert f"`{name}`" in README, name
