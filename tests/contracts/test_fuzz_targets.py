"""A short turn of each target of tests/fuzz with a fixed seed; `python -m fuzz` has longer ones."""

import pytest
from fuzz.__main__ import corpus_of, fuzz
from fuzz.targets import TARGETS, run

# As many as a second has time for, whatever the format.
N_RUNS = 700


@pytest.mark.parametrize("name", TARGETS)
def test_sound_files_and_random_changes_of_them(name, tmp_path):
    for content in corpus_of(name):
        run(name, content)
    limits = {"seconds": 60, "runs": N_RUNS, "seed": 0, "findings": tmp_path}
    n_runs, n_findings = fuzz(name, **limits)
    assert n_runs > 50
    assert n_findings == 0, sorted(tmp_path.iterdir())


def test_a_finding_is_kept(tmp_path, monkeypatch):
    def wrong(content):
        raise KeyError("not what readers may raise")

    monkeypatch.setitem(TARGETS, "toml", wrong)
    assert fuzz("toml", seconds=9, runs=5, seed=0, findings=tmp_path / "new") == (5, 1)
    assert len(list((tmp_path / "new").iterdir())) == 1
