from typing import Any

import numpy as np

from ..common.settings import Settings

def merge(
    linear: np.ndarray,
    factors: np.ndarray,
    copies: list[tuple[Any, np.ndarray, np.ndarray, np.ndarray]],
    fractions: np.ndarray,
    settings: Settings,
    omega: float,
    curvatures: np.ndarray,
    groups: np.ndarray | None,
    strengths: np.ndarray,
    n_outputs: int,
    first: int,
    last: int,
    back: bool = False,
    centre: float = 0.0,
) -> None: ...
