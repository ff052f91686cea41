"""What this installation is made of and runs on."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

from joblib import cpu_count

from .kernels import dispatch

_HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def show_config() -> None:
    """Print versions, the build of the kernels in use, threads and memory pages."""
    for name in ("fastfm_cy", "numpy", "scipy", "scikit-learn"):
        print(f"{name + ':':<20}{version(name)}")
    print(f"{'python:':<20}{platform.python_version()} on {platform.platform()}")
    builds = ", ".join(dispatch.available_builds())
    print(f"{'kernels:':<20}{dispatch.BUILD} (of {builds}; FASTFM_CY_SIMD chooses)")
    print(f"{'threads:':<20}n_jobs=-1 uses {cpu_count()}; the default is 1")
    print(f"{'huge pages:':<20}{_huge_pages()}")


def _huge_pages() -> str:
    try:
        modes = _HUGE_PAGES.read_text().strip()
    except OSError:
        return "not supported by this system"
    if "[never]" in modes:
        return f"switched off ({modes})"
    return f"used for large parameter tables ({modes})"
