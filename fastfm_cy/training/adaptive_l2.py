"""L2 strengths learned on held-out rows (``l2_linear="auto"``, ``l2_factors="auto"``).

The gradient of the held-out loss by a strength is that of Rendle, "Learning Recommender Systems
with Adaptive Regularization", WSDM 2012: how the loss would change had the last step been taken
with another strength. He follows it while training, from strengths of zero. But what is right early
in training, when any shrinking hurts, is far too little at its end: on MovieLens 100K, it ends 0.03
RMSE above a grid search. So here the gradient is taken where it counts, at the end of a fit with
strengths that stay, and several short fits find the strengths where it vanishes, in all groups at
once: each strength's logarithm moves against the sign of its gradient, and less far whenever that
changes (Rprop: Riedmiller & Braun 1993).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..data.relational_rows import expand_if_relational
from ..exceptions import DivergenceError
from ..kernels.common.settings import Settings
from ..model.table import ParameterTable
from .regularization import Strengths
from .validation_set import ValidationSet

N_FITS = 8
_FIRST_STEP, _LONGEST_STEP = np.log(2.0), np.log(4.0)
_LONGER, _SHORTER = 1.2, 0.5
_LEAST, _MOST = 1e-6, 1e2
COLUMNS = {"l2_linear": (1, 0), "l2_factors": (3, 1)}  # of Strengths.values, and of the slopes


def learn(
    names: Sequence[str], strengths: Strengths, fit: Callable[[], tuple[ParameterTable, Settings]],
    validation: ValidationSet,
) -> None:  # fmt: skip
    """Find strengths, in place.

    Parameters
    ----------
    names : sequence of str
        Which to learn, of COLUMNS.
    strengths : Strengths
        Where to start; where the best of all fits leaves them.
    fit : function
        Fits a model with the strengths as they are: its table, and its settings.
    validation : ValidationSet
    """
    of_values, of_slopes = (list(columns) for columns in zip(*map(COLUMNS.get, names), strict=True))
    values = strengths.values
    logs = np.log(values[:, of_values])
    steps, signs = np.full(logs.shape, _FIRST_STEP), np.zeros(logs.shape)
    best_loss, best = np.inf, None
    for _ in range(N_FITS):
        values[:, of_values] = np.exp(logs)
        try:
            table, settings = fit()
        except DivergenceError:
            if best is None:
                raise
            slopes = np.ones(logs.shape)  # too strong for the learning rate
        else:
            loss = validation.loss(table, settings)
            if loss < best_loss:
                best_loss, best = loss, values[:, of_values].copy()
            slopes = _slopes(table, settings, strengths, validation)[:, of_slopes]
        before, signs = signs, np.sign(slopes)
        steps *= np.where(signs * before < 0, _SHORTER, np.where(before == 0, 1, _LONGER))
        steps = np.minimum(steps, _LONGEST_STEP)
        logs = np.clip(logs - signs * steps, np.log(_LEAST), np.log(_MOST))
    values[:, of_values] = best


def _slopes(
    table: ParameterTable, settings: Settings, strengths: Strengths, validation: ValidationSet
) -> np.ndarray:
    """Of the held-out loss by the strengths, up to the learning rate: (n_groups, 2)."""
    rows, dtype = expand_if_relational(validation.rows), table.dtype
    slopes = np.zeros((len(strengths.values), 2))
    weights = None if validation.weights is None else validation.weights.astype(dtype)
    table.family.strength_slopes(
        rows, validation.target.astype(dtype), weights, table, strengths, slopes, settings
    )  # fmt: skip
    return slopes
