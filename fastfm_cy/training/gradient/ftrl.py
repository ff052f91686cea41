"""The state of FTRL-Proximal that belongs to given weights.

The weight of a parameter is a function of its state (McMahan et al., KDD 2013), here with rate for
their alpha,

    theta = -sign(z) max(|z| - l1, 0) / ((beta + sqrt(n)) / rate + l2),

so whoever sets theta from outside (the start, the merging of threads, new strengths) must set the
z that gives it. Where theta is zero, any |z| <= l1 does.
"""

from __future__ import annotations

import numpy as np

from ...kernels.common.settings import Settings
from ...model.table import ParameterTable
from ..regularization import Strengths

_BLOCK = 4096  # features at a time, so that temporary arrays stay in the cache


def match_state(
    table: ParameterTable, strengths: Strengths, settings: Settings, rows: slice = slice(None)
) -> None:
    """Set z to fit the weights: of the intercept and of the features in `rows`.

    Parameters
    ----------
    table : ParameterTable
        Of the solver "ftrl".
    rows : slice, default=all
    strengths : Strengths
        With a group for each row of the table.
    settings : kernels.settings.Settings
    """
    if table.has_gaps:
        started = table.started
        packed = table.take(started)
        match_state(packed, strengths.packed(started), settings)
        table.assign(packed, started)
        return
    _match(table.intercept_blocks.T, 0.0, settings.l2_intercept, settings)
    l2_pairs = settings.l2_pair_weights
    shared = np.moveaxis(table.shared_blocks, 1, 0)
    _match(shared, 0.0, l2_pairs, settings, centre=1.0 if l2_pairs else 0.0)
    first, last, _ = rows.indices(table.n_features)
    for start in range(first, last, _BLOCK):
        block = slice(start, min(start + _BLOCK, last))
        l1_linear, l2_linear, l1_factors, l2_factors = strengths.of_rows(block).T
        _match(np.moveaxis(table.linear_blocks[block], 2, 0), l1_linear, l2_linear, settings)
        if table.has_started is not None and not table.has_started[block].any():
            continue
        _match(np.moveaxis(table.factor_blocks[block], 2, 0), l1_factors, l2_factors, settings)


def _match(
    slots: np.ndarray, l1: float | np.ndarray, l2: float | np.ndarray, settings: Settings,
    centre: float = 0.0,
) -> None:  # fmt: skip
    """`slots` holds theta, z and n, each of shape (n_rows, ...); strengths are a number a row, and
    pull towards the centre."""
    theta, z, squares = slots
    theta = theta - centre if centre else theta
    shape = (-1,) + (1,) * (theta.ndim - 1)
    l1, l2 = np.reshape(l1, shape), np.reshape(l2, shape)
    with np.errstate(over="ignore", invalid="ignore"):  # the trainer finds what is not finite
        stiffness = (settings.ftrl_beta + np.sqrt(squares)) / settings.learning_rate + l2
        fitting = -theta * stiffness - np.sign(theta) * l1
        z[...] = np.where(theta != 0, fitting, np.clip(z, -l1, l1))
