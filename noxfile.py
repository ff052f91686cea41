"""Sessions for developers: ``nox -s tests``, lint, types, docs, kernels, sanitize, fuzz, audit."""

from itertools import chain
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "tests"]

PYPROJECT = nox.project.load_toml("pyproject.toml")
# The checkout itself as an installed package; an editable install would compile all kernels anew.
LINK = """
import pathlib, site
pathlib.Path(site.getsitepackages()[-1], "checkout.pth").write_text(str(pathlib.Path.cwd()))
"""
BUILDS = "from fastfm_cy.kernels import dispatch; print(*dispatch.available_builds())"


def _install_groups(session: nox.Session, *groups: str) -> None:
    session.install(*nox.project.dependency_groups(PYPROJECT, *groups))


def _install_requirements(session: nox.Session) -> None:
    """All that building the package in place and testing it need, but not the package."""
    project = PYPROJECT["project"]
    extras = chain.from_iterable(project["optional-dependencies"].values())
    others = [name for name in extras if not name.startswith(project["name"])]
    session.install(*PYPROJECT["build-system"]["requires"], *project["dependencies"], *others)


def _build_in_place(session: nox.Session) -> None:
    """The package of this checkout; compiles what changed."""
    _install_requirements(session)
    session.run("python", "setup.py", "--quiet", "egg_info", "build_ext", "--inplace")
    session.run("python", "-c", LINK)


@nox.session
def tests(session: nox.Session) -> None:
    """Install the package and run all tests: nox -s tests -- ARGUMENTS of pytest."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Layout and errors of Python and Cython sources."""
    _install_groups(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("cython-lint", "fastfm_cy")


@nox.session
def types(session: nox.Session) -> None:
    """Type annotations."""
    _install_groups(session, "types")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """The site, into build/site; then examples, links and tables of all pages, and a browser."""
    _build_in_place(session)
    _install_groups(session, "docs")
    session.run("sphinx-build", "-W", "--keep-going", "--fresh-env", "docs", "build/site")
    names = ("docs", "docstrings", "examples", "migration", "readme", "site")
    pages = [f"tests/contracts/test_{name}.py" for name in names]
    site = {"FASTFM_CY_SITE": str(Path.cwd() / "build" / "site")}
    session.run("pytest", *pages, "tests/site", *session.posargs, env=site)


@nox.session
def kernels(session: nox.Session) -> None:
    """Rebuild in place what changed, and test every build that this CPU can run."""
    _build_in_place(session)
    builds = session.run("python", "-c", BUILDS, silent=True)
    for build in str(builds).split():
        environment = {"FASTFM_CY_SIMD": build}
        session.run("pytest", "tests/kernels", *session.posargs, env=environment)


@nox.session
def sanitize(session: nox.Session) -> None:
    """All kernels under sanitizers: nox -s sanitize -- [address|thread] [pytest arguments]."""
    _install_requirements(session)
    session.run(".ci/sanitize", *session.posargs, external=True, env={"PYTHON": "python"})


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzzing, five minutes a format: nox -s fuzz -- ARGUMENTS of `python -m fuzz`."""
    _build_in_place(session)
    session.chdir("tests")
    session.run("python", "-m", "fuzz", *(session.posargs or ["--seconds", "300"]))


@nox.session
def audit(session: nox.Session) -> None:
    """Known vulnerabilities of what the package depends on."""
    project = PYPROJECT["project"]
    session.install("pip-audit", *project["dependencies"])
    session.run("pip-audit", "--local")
