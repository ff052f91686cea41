import os
import subprocess
import sys

import numpy as np
import pytest

import fastfm_cy
from fastfm_cy.kernels import dispatch

CODE = """
import sys
from fastfm_cy import FMClassifier
from fastfm_cy.datasets import make_clicks
from fastfm_cy.kernels import dispatch
data = make_clicks(2000, random_state=0)
model = FMClassifier(max_iter=2, random_state=0).fit(data.X, data.y)
print(dispatch.BUILD, *model.decision_function(data.X[:20]))
"""


def run(build):
    environment = {**os.environ, "FASTFM_CY_SIMD": build}
    return subprocess.run(
        [sys.executable, "-I", "-c", CODE], env=environment, capture_output=True, text=True
    )


def test_the_baseline_always_runs():
    assert dispatch.available_builds()[-1] == "baseline"
    assert dispatch.BUILD in dispatch.available_builds()


@pytest.mark.parametrize("build", dispatch.available_builds())
def test_a_build_can_be_forced(build):
    result = run(build)
    assert result.returncode == 0, result.stderr
    name, *scores = result.stdout.split()
    assert name == build
    # Builds round differently, but learn the same.
    expected = np.array(run("baseline").stdout.split()[1:], float)
    np.testing.assert_allclose(np.array(scores, float), expected, atol=1e-3)


def test_an_unknown_build_is_refused():
    result = run("avx9000")
    assert result.returncode != 0
    assert "FASTFM_CY_SIMD=avx9000 is not available here; choose from" in result.stderr


def test_a_cpu_without_avx2_gets_the_baseline(monkeypatch):
    monkeypatch.setattr(dispatch, "_cpu", {"AVX2": False, "FMA3": True})
    assert dispatch.available_builds() == ["baseline"]


def test_show_config(capsys):
    fastfm_cy.show_config()
    shown = capsys.readouterr().out
    for word in (fastfm_cy.__version__, np.__version__, dispatch.BUILD, "threads", "huge pages"):
        assert word in shown
