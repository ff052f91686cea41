"""The README's commands are those of CI, and it stays short."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_two_commands():
    first, second = (block.strip() for block in _blocks(README, "sh"))
    assert first.endswith("fastfm-cy demo")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert second in ci
    started = (ROOT / "docs" / "getting_started.md").read_text(encoding="utf-8")
    assert [block.strip() for block in _blocks(started, "sh")] == [first, second]


def test_it_fits_on_two_screens():
    assert len(README.splitlines()) <= 110
