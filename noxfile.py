"""Sessions for developers: ``nox -s tests``, lint, types, docs, kernels, sanitize."""

from itertools import chain

import nox

nox.options.sessions = ["lint", "types", "tests"]

PYPROJECT = nox.project.load_toml("pyproject.toml")
BUILD = ("python", "setup.py", "--quiet", "egg_info", "build_ext", "--inplace")
BUILDS = "from fastfm_cy.kernels import dispatch; print(*dispatch.available_builds())"


def _install_groups(session: nox.Session, *groups: str) -> None:
    session.install(*nox.project.dependency_groups(PYPROJECT, *groups))


def _install_requirements(session: nox.Session) -> None:
    """All that building the package in place and testing it need, but not the package."""
    project = PYPROJECT["project"]
    extras = chain.from_iterable(project["optional-dependencies"].values())
    others = [name for name in extras if not name.startswith(project["name"])]
    session.install(*PYPROJECT["build-system"]["requires"], *project["dependencies"], *others)


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
    """Examples, links and tables of all pages."""
    session.install(".[test]")
    pages = [f"tests/contracts/test_{page}.py" for page in ("docs", "readme", "migration")]
    session.run("pytest", *pages, *session.posargs)


@nox.session
def kernels(session: nox.Session) -> None:
    """Rebuild in place what changed, and test every build that this CPU can run."""
    _install_requirements(session)
    session.run(*BUILD)
    builds = session.run("python", "-c", BUILDS, silent=True)
    for build in str(builds).split():
        environment = {"FASTFM_CY_SIMD": build}
        session.run("python", "-m", "pytest", "tests/kernels", *session.posargs, env=environment)


@nox.session
def sanitize(session: nox.Session) -> None:
    """Tests of files with AddressSanitizer and UndefinedBehaviorSanitizer; needs gcc."""
    _install_requirements(session)
    session.run(".ci/sanitize", *session.posargs, external=True, env={"PYTHON": "python"})
