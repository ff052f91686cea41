"""Chooses, at import, the build of the hot kernels that suits the CPU.

The environment variable FASTFM_CY_SIMD forces one: "baseline" or "avx2".
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from .interfaces import CoordinateKernels, GradientKernels, PlainKernels

try:
    from numpy._core._multiarray_umath import __cpu_features__ as _cpu
except ImportError:  # NumPy 1
    from numpy.core._multiarray_umath import __cpu_features__ as _cpu

# Best first; each with the CPU features that it needs.
_BUILDS: dict[str, tuple[str, ...]] = {"avx2": ("AVX2", "FMA3"), "baseline": ()}


def available_builds() -> list[str]:
    """Names of the builds that are installed and that this CPU can run, best first."""
    return [
        name
        for name, features in _BUILDS.items()
        if all(_cpu.get(feature) for feature in features)
        and find_spec(f"{__package__}.{name}.fm") is not None
    ]


def load(build: str, family: str = "fm") -> Any:
    """The module of a family of kernels, such as "fm" or "higher_order", in a build."""
    return import_module(f"{__package__}.{build}.{family}")


def _chosen() -> str:
    builds = available_builds()
    if not builds:
        raise ImportError("no build of fastfm_cy.kernels.fm is installed")
    forced = os.environ.get("FASTFM_CY_SIMD") or builds[0]
    if forced not in builds:
        raise ImportError(
            f"FASTFM_CY_SIMD={forced} is not available here; choose from {', '.join(builds)}."
        )
    return forced


BUILD = _chosen()
fm: PlainKernels = load(BUILD)
higher_order: PlainKernels = load(BUILD, "higher_order")
ffm: GradientKernels = load(BUILD, "ffm")
fwfm: GradientKernels = load(BUILD, "fwfm")
coordinate: CoordinateKernels = load(BUILD, "coordinate")
ranking: Any = load(BUILD, "ranking")
whole_data: Any = load(BUILD, "whole_data")
starts: Any = load(BUILD, "starts")
