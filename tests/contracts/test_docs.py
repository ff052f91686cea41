"""The pages for users and developers are true: their examples run, their links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

import fastfm_cy
from fastfm_cy.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
COPIES = ROOT / "docs" / "project"  # the site's, made when it is built
DOCS = [page for page in (ROOT / "docs").rglob("*.md") if COPIES not in page.parents]
GUIDE = sorted([ROOT / "README.md", *DOCS])
PAGES = sorted([*GUIDE, ROOT / "CONTRIBUTING.md", *(ROOT / "benchmarks").rglob("*.md")])


def _name(page):
    return page.relative_to(ROOT).as_posix()


def _without_code(text):
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("page", GUIDE, ids=_name)
def test_examples_run(page, tmp_path, monkeypatch):
    """In the order of the page, in one namespace and one folder: Python, and fastfm-cy's lines."""
    monkeypatch.chdir(tmp_path)
    names = {}
    for language, code in re.findall(
        r"^```(python|sh)\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        if language == "python":
            exec(compile(code, _name(page), "exec"), names)
        else:
            for line in code.splitlines():
                if line.startswith("fastfm-cy "):
                    _run(line)


def _run(line):
    """A line of a shell, with perhaps a file for its output."""
    words, _, output = line.partition(" > ")
    result = CliRunner().invoke(app, shlex.split(words)[1:])
    assert result.exit_code == 0, (line, result.output)
    if output:
        Path(output).write_bytes(result.stdout_bytes)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page):
    text = _without_code(page.read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in _anchors(target), link


def _anchors(page):
    """As GitHub makes them from the headings."""
    headings = re.findall(
        r"^#+ (.*)$", _without_code(page.read_text(encoding="utf-8")), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_benchmarks_that_are_named_exist():
    sources = [*PAGES, *(ROOT / "benchmarks").rglob("*.py")]
    for page in sources:
        for module in re.findall(r"-m (benchmarks[\w.]*)", page.read_text(encoding="utf-8")):
            path = ROOT.joinpath(*module.rstrip(".").split("."))
            exists = path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()
            assert exists, (_name(page), module)


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for page in DOCS:
        name = page.relative_to(ROOT / "docs").as_posix()
        assert name == "README.md" or f"({name})" in index, name


def test_every_result_is_in_the_index():
    index = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / "benchmarks" / "results").glob("*.md"):
        assert f"(results/{page.name})" in index, page.name


ESTIMATORS = [
    estimator
    for name in fastfm_cy.__all__
    if hasattr(estimator := getattr(fastfm_cy, name), "get_params")
]


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_every_parameter_is_listed(Estimator):
    """Of the plain machines on one page, of the others on that and their own."""
    family = "bayesian" if "Bayesian" in Estimator.__name__ else "fields"
    pages = ["parameters"] + [family] * (not Estimator.__name__.startswith("FM"))
    pages += ["ranking"] * (Estimator.__name__ in ("FMRanker", "FMRecommender"))
    text = "".join(
        (ROOT / "docs" / "guide" / f"{page}.md").read_text(encoding="utf-8") for page in pages
    )
    for name in Estimator().get_params():
        assert f"`{name}`" in text, name
