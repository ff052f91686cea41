"""Pages from outside of docs/: copied into docs/project/ before a build, links led to the site.

Links in the repository's Markdown are relative paths that the code host follows. On the site the
same pages lie elsewhere, so links are rewritten as a page is read; docs/README.md, the index on the
code host, is the page guide/index here.
"""

import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIES = "project"
PATTERNS = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "benchmarks/README.md",
    "benchmarks/results/*.md",
)
INDEXES = {
    "docs/README.md": "docs/guide/index.rst",
    "docs/extending": "docs/extending/index.rst",
    "benchmarks/results": "benchmarks/README.md",
}
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(\]\()([^)\s#:]+)(#[^)\s]*)?(\))")


def setup(app):
    app.connect("builder-inited", copy_pages)
    app.connect("source-read", lead_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def outside_pages():
    """Paths from the root of the repository."""
    return [path.relative_to(ROOT).as_posix() for rule in PATTERNS for path in ROOT.glob(rule)]


def copy_pages(app):
    for page in outside_pages():
        copy = Path(app.srcdir) / COPIES / page
        text = (ROOT / page).read_bytes()
        if not copy.is_file() or copy.read_bytes() != text:  # else Sphinx would read it anew
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(text)


def lead_links(app, docname, source):
    if Path(app.env.doc2path(docname)).suffix == ".md":
        source[0] = with_site_links(source[0], origin(f"{docname}.md"))


def origin(page):
    """Where a page of the site lies in the repository."""
    inside, _, rest = page.partition("/")
    return rest if inside == COPIES else f"docs/{page}"


def place(path):
    """Where a file of the repository lies as seen from docs/."""
    path = INDEXES.get(path, path)
    if path in outside_pages():
        return f"{COPIES}/{path}"
    return posixpath.relpath(path, "docs")


def with_site_links(text, page):
    """Text of a page of the repository, its relative links as the site needs them."""
    here = posixpath.dirname(place(page))

    def replaced(link):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), link[2]))
        return f"{link[1]}{posixpath.relpath(place(target), here)}{link[3] or ''}{link[4]}"

    pieces, end = [], 0
    for fence in FENCE.finditer(text):
        pieces += [LINK.sub(replaced, text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*pieces, LINK.sub(replaced, text[end:])])
