"""How releases are made: pinned actions and tools, least permissions, an archive of equal bytes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ARCHIVE = """
import os, sys, time
from pathlib import Path
from setuptools import Distribution
from setup import ReproducibleArchive

folder, names = Path(sys.argv[1]), ["b", "a", "c"]
os.chdir(folder)
for number, order in enumerate([names, names[::-1]]):
    here = folder / "package"
    for name in order:
        (here / name).mkdir(parents=True, exist_ok=True)
        (here / name / "x").write_text("text")
        os.utime(here / name / "x", (10**9 * number, 10**9 * number))
    command = ReproducibleArchive(Distribution())
    print(command.make_archive(f"out{number}", "gztar", base_dir="package"))
    for name in names:
        (here / name / "x").unlink()
        (here / name).rmdir()
"""


@pytest.mark.skipif(not WORKFLOWS, reason="only in a checkout")
def test_workflows_run_what_is_pinned_and_may_only_read():
    for path in WORKFLOWS:
        text = path.read_text()
        used = re.findall(r"uses: (\S+)(.*)", text)
        assert used
        for action, comment in used:
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", action), action
            assert re.fullmatch(r"  # v\d+\.\d+\.\d+", comment), action
        assert "\npermissions:\n  contents: read\n" in text
        assert text.count("persist-credentials: false") == text.count("actions/checkout@")
        for line in re.findall(r"pip install .*", text):
            assert "--require-hashes" in line or "--no-build-isolation" in line, line


def test_requirements_have_hashes():
    files = sorted((ROOT / ".github" / "requirements").glob("*.txt"))
    if not files:
        pytest.skip("only in a checkout")
    for path in files:
        text = path.read_text()
        assert all(re.search(r"==\S+.*\\\n +--hash=sha256:", part) for part in
                   re.split(r"\n(?=[a-z])", text)[1:])  # fmt: skip
        assert "http" not in text


def test_the_source_archive_is_the_same_again(tmp_path):
    pytest.importorskip("Cython")
    pytest.importorskip("setuptools")
    if not (ROOT / "setup.py").exists():
        pytest.skip("only in a checkout")
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1790000000", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", ARCHIVE, str(tmp_path)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    one, two = (tmp_path / name for name in result.stdout.split())
    assert one.read_bytes() == two.read_bytes()
    assert one.stat().st_size > 100
