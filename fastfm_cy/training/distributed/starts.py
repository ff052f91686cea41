"""Start values that depend on the seed and the feature alone, wherever they are needed."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from ...kernels.common.settings import Settings
from ...model.table import ParameterTable
from ..plan import TrainingPlan
from ..regularization import Strengths

_BLOCK = 1 << 14  # features at a time


def start_table(
    table: ParameterTable, plan: TrainingPlan, strengths: Strengths, settings: Settings, seed: int,
    features: np.ndarray,
) -> None:  # fmt: skip
    """Start a new table whose rows are these features."""
    vectors = table.vector_blocks
    with np.errstate(over="ignore"):  # training finds what is not finite
        scale = np.float32(1) * np.asarray(plan.family.start_scale(plan.init_scale), np.float32)
        for first in range(0, len(features), _BLOCK):
            part = slice(first, first + _BLOCK)
            vectors[part] = scale * _normals(seed, features[part], vectors.shape[1:])
    if table.has_started is not None:
        table.has_started[...] = True
        for slot, value in enumerate(table.state_start, start=1):
            if value:
                table.factor_blocks[:, :, slot] = value
    if plan.solver.match_state and len(features):
        plan.solver.match_state(table, strengths, settings)


def _normals(seed: int, features: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """float32, of shape (n_features, *shape)."""
    numbers = features.astype(np.uint64)[:, None] * np.uint64(int(np.prod(shape)))
    numbers = numbers + np.arange(int(np.prod(shape)), dtype=np.uint64)
    with np.errstate(over="ignore"):
        mixed = numbers + np.uint64(seed + 1) * np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    uniform = ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    return ndtri(uniform).astype(np.float32).reshape(len(features), *shape)
