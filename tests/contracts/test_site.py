"""The site: its configuration runs, every page is in a table of contents, links are led there."""

import ast
import re
import runpy
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
MADE = ("api/generated/", "api/backreferences/", "examples/", "project/", "_")
outside_pages = runpy.run_path(str(DOCS / "_site" / "outside_pages.py"))


def pages():
    """Names of the site's pages that are written by hand."""
    found = (
        page.relative_to(DOCS).as_posix()
        for suffix in ("md", "rst")
        for page in DOCS.rglob(f"*.{suffix}")
    )
    return sorted(
        name.rpartition(".")[0]
        for name in found
        if not name.startswith(MADE) and name not in ("README.md", "gallery/GALLERY_HEADER.rst")
    )


def entries():
    """Names of the pages in all tables of contents."""
    for page in DOCS.rglob("*.rst"):
        if page.relative_to(DOCS).as_posix().startswith(MADE):
            continue
        for table in re.findall(r"^\.\. toctree::\n((?:   .*\n|\n)+)", page.read_text(), re.M):
            for entry in re.findall(r"^   ([\w./*]+)$", table, re.MULTILINE):
                name = (page.parent / entry).resolve().relative_to(DOCS).as_posix()
                if "*" in name:
                    yield from (path for path in copies() if fnmatch(path, name))
                else:
                    yield name


def copies():
    """Names of the pages from outside of docs/."""
    return [f"project/{page}".removesuffix(".md") for page in outside_pages["outside_pages"]()]


def test_every_page_is_in_a_table_of_contents():
    assert set(pages()) - {"index"} <= set(entries())


def test_every_result_is_in_a_table_of_contents():
    assert set(copies()) <= set(entries())


def test_every_entry_is_a_page():
    made = {"examples/index"}
    assert set(entries()) <= {*pages(), *made, *copies()}


def test_configuration(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    settings = runpy.run_path(str(DOCS / "conf.py"))
    assert settings["html_math_renderer"] == "mathml"
    for name in ("api_members", "mathml", "outside_pages"):
        assert name in settings["extensions"]
        assert (DOCS / "_site" / f"{name}.py").is_file()


@pytest.mark.parametrize(
    ("page", "link", "led"),
    [
        ("docs/guide/files.md", "../../CHANGELOG.md", "../project/CHANGELOG.md"),
        ("docs/guide/files.md", "tables.md#numbers", "tables.md#numbers"),
        ("docs/design.md", "extending/", "extending/index.rst"),
        ("docs/migration.md", "README.md", "guide/index.rst"),
        ("CONTRIBUTING.md", "docs/design.md", "../design.md"),
        ("benchmarks/README.md", "../docs/migration.md#libfm", "../../migration.md#libfm"),
        ("benchmarks/README.md", "results/", "README.md"),
        ("benchmarks/results/text.md", "../README.md", "../README.md"),
        ("docs/guide/tables.md", "../../examples/a.py", "../../examples/a.py"),
    ],
)  # fmt: skip
def test_links_are_led_to_the_site(page, link, led):
    code = f"```python\nx[0](y)\nprint('[a]({link})')\n```\n"
    text = f"Before [name]({link}).\n{code}[far](https://example.org) [here](#there)\n"
    expected = text.replace(f"[name]({link})", f"[name]({led})")
    assert outside_pages["with_site_links"](text, page) == expected


def test_gallery_has_an_order():
    order = runpy.run_path(str(DOCS / "_site" / "gallery_order.py"))["ORDER"]
    assert {page.stem for page in (DOCS / "gallery").glob("*.py")} == set(order)


@pytest.mark.parametrize(
    "page", sorted((DOCS / "gallery").glob("*.py")), ids=lambda page: page.stem
)
def test_gallery_pages_have_a_title_a_lesson_and_a_picture(page):
    """The site's build runs them; this only looks at them."""
    tree = ast.parse(page.read_text(encoding="utf-8"))
    title, underline, *_ = ast.get_docstring(tree).splitlines()
    assert underline == "=" * len(title)
    assert "hat this teaches" in " ".join(ast.get_docstring(tree).split())
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert "plt.subplots" in calls


def test_every_public_name_is_in_the_reference():
    from contracts.test_docstrings import MODULES  # those that users import

    listed = {"__version__"}
    for page in (DOCS / "api").glob("*.rst"):
        listed |= set(re.findall(r"^   (\w+)$", page.read_text(), re.MULTILINE))
    for module in MODULES:
        assert set(getattr(module, "__all__", ())) <= listed, module
