"""The README's commands and examples are true."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_two_commands():
    first, second = (block.strip() for block in _blocks("sh"))
    assert first.endswith("fastfm-cy demo")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert second in ci


@pytest.mark.parametrize("code", _blocks("python"), ids=range(len(_blocks("python"))))
def test_examples_run(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})


def test_every_parameter_is_listed():
    from fastfm_cy import FFMClassifier, FFMRegressor, FMClassifier, FMRegressor, FwFMClassifier

    models = FMClassifier, FMRegressor, FFMClassifier, FFMRegressor, FwFMClassifier
    for Model in models:  # the Bayesian ones have their docstrings
        for name in Model().get_params():
            assert f"`{name}`" in README, name
